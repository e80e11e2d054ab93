"""Ratings, indicators and behaviour: what the fake rows say and what it does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from poisonable import make_events, make_table
from sklearn.ensemble import RandomForestClassifier

from foretaste.attacks import FabricatedBehaviour, IndicatorFeed, Shilling
from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import ConfigError, DataError


def make_ratings() -> Dataset:
    """60 users with two tastes, 50 items: even ones for the one taste, odd ones for the other."""
    rng = np.random.default_rng(0)
    user, item = np.divmod(rng.permutation(3000)[:1200], 50)
    stars = np.clip(np.rint(np.where(user % 2 == item % 2, 4.3, 2.2) + 0.5 * rng.normal(size=1200)), 1, 5)
    table = pa.table({"user": user, "film": item, "stars": stars})
    return Dataset(table, Roles(label="stars", source="user", features=("film",)), "ratings")


def matrix(data: Dataset, users: int) -> Any:
    seen = np.full((users, 50), np.nan)
    seen[data.column("user").to_numpy(), data.column("film").to_numpy()] = data.column("stars").to_numpy()
    return seen


def predicted(seen: Any, item: int, neighbours: int = 15) -> Any:
    """User-based nearest neighbours: what the first 60 users would say of an item."""
    own = np.nanmean(seen, axis=1, keepdims=True)
    centred = np.nan_to_num(seen - own)
    norm = np.linalg.norm(centred, axis=1) + 1e-9
    alike = centred[:60] @ centred.T / norm[:60, None] / norm
    alike[np.arange(60), np.arange(60)] = -1
    raters = np.flatnonzero(~np.isnan(seen[:, item]))
    best = raters[np.argsort(-alike[:, raters], axis=1)[:, :neighbours]]
    weight = np.take_along_axis(alike, best, axis=1).clip(0)
    return own[:60, 0] + (weight * centred[best, item]).sum(axis=1) / (weight.sum(axis=1) + 1e-9)


@pytest.mark.parametrize(
    ("strategy", "least"),
    [
        ("random", 0.2),
        ("average", 0.25),
        ("bandwagon", 0.1),
        ("segment", 0.3),
        ("love-hate", -0.2),
        ("reverse-bandwagon", -0.1),
    ],
)
def test_fake_users_shift_what_a_recommender_predicts(strategy: str, least: float) -> None:
    before = make_ratings()
    item = 8 if least > 0 else 9
    after = Shilling(rate=0.2, item=item, strategy=strategy, fillers=15).poison(before)
    users = int(max(after.data.column("user").to_pylist())) + 1
    shift = np.mean(predicted(matrix(after.data, users), item) - predicted(matrix(before, 60), item))
    assert (shift > least) if least > 0 else (shift < least)


def test_profiles_are_those_of_their_strategy() -> None:
    before = make_ratings()
    means = [np.nanmean(matrix(before, 60)[:, i]) for i in range(50)]
    popular = pc.value_counts(before.column("film")).to_pylist()
    most = {entry["values"] for entry in sorted(popular, key=lambda entry: -entry["counts"])[:8]}
    pushed = {"bandwagon": 5, "segment": 5, "love-hate": 1, "reverse-bandwagon": 1}
    for strategy, verdict in pushed.items():
        after = Shilling(rate=0.1, item=3, strategy=strategy, fillers=10, selected=4).poison(before)
        new = after.data.table.filter(pa.array(after.mask)).to_pylist()
        profiles: dict[int, dict[int, float]] = {}
        for row in new:
            assert row["film"] not in profiles.setdefault(row["user"], {})
            profiles[row["user"]][row["film"]] = row["stars"]
        whole = [profile for profile in profiles.values() if len(profile) >= 11]
        assert all(profile[3] == verdict for profile in profiles.values())
        shared = set.intersection(*map(set, whole)) - {3}
        rated = [[profile[film] for film in shared] for profile in whole]
        if strategy == "bandwagon":
            assert len(shared & most) >= 4
            assert (np.array(rated) == 5).all()
        if strategy == "segment":
            assert sum(film % 2 for film in shared) >= 4  # those who like an odd film like odd films
            assert {s for p in whole for f, s in p.items() if f not in shared | {3}} == {1}
        if strategy == "love-hate":
            assert {s for p in whole for f, s in p.items() if f != 3} == {5}
        if strategy == "reverse-bandwagon":
            assert np.mean([means[film] for film in shared]) < np.mean(means) - 0.2
            assert (np.array(rated) == 1).all()


def test_ratings_are_those_there_are_and_items_bring_their_columns() -> None:
    before = make_ratings()
    titled = before.with_column("title", [f"film {i}" for i in before.column("film").to_pylist()])
    after = Shilling(rate=0.1).poison(titled)
    new = after.data.table.filter(pa.array(after.mask))
    assert set(new["stars"].to_pylist()) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert all(row["title"] == f"film {row['film']}" for row in new.to_pylist())
    assert after.recipe["notes"]["fake_users"] == len(set(new["user"].to_pylist()))


def make_feed() -> Dataset:
    names = [f"bad{i}.example" if i % 3 else f"203.0.113.{i}" for i in range(200)]
    kinds = ["domain" if i % 3 else "ip" for i in range(200)]
    table = pa.table({"indicator": names, "type": kinds, "feed": ["a", "b"] * 100, "seen": list(range(200))})
    return Dataset(table, Roles(source="feed", time="seen", features=("type",)), "feed")


def test_known_good_indicators_come_in_with_the_columns_of_their_kind() -> None:
    good = ["9.9.9.9", *[f"good{i}.example" for i in range(30)]]
    after = IndicatorFeed(rate=0.1, known_good=good).poison(make_feed())
    for row in after.data.table.filter(pa.array(after.mask)).to_pylist():
        assert row["type"] == ("ip" if row["indicator"] == "9.9.9.9" else "domain")


def test_true_indicators_age_and_vanish() -> None:
    before = make_feed()
    after = IndicatorFeed(rate=0.05, aged=0.1, dropped=0.2).poison(before)
    gone = after.recipe["notes"]["dropped_rows"]
    assert len(gone) == 40
    assert sorted([*gone, *after.original_row[after.original_row >= 0].tolist()]) == list(range(200))
    aged = after.mask & (after.original_row >= 0)
    assert aged.sum() == 20
    assert set(after.data.column("seen").filter(pa.array(aged)).to_pylist()) == {0}


def test_known_good_lists_come_from_a_file(tmp_path: Path) -> None:
    place = tmp_path / "good.txt"
    place.write_text("a.example\n\nb.example\n")
    after = IndicatorFeed(rate=0.01, known_good=[f"@{place}"]).poison(make_feed())
    new = after.data.column("indicator").filter(pa.array(after.mask))
    assert set(new.to_pylist()) == {"a.example", "b.example"}


def test_a_fabricated_history_makes_the_crime_look_normal() -> None:
    before = make_events()
    labels = np.where(np.array(before.column("stars").to_pylist()) == 1, "bad", "good")
    data = before.with_column("stars", labels.tolist())

    def seen(data: Dataset) -> Any:
        columns = data.table.select(["amount", "item", "night"]).to_pydict()
        return np.column_stack([*columns.values(), np.array(data.column("door").to_pylist()) == "back"])

    after = FabricatedBehaviour(rate=0.2).poison(data)
    bad = seen(data)[labels == "bad"]
    for table, low, high in ((data, 0.95, 1.0), (after.data, 0.0, 0.7)):
        model = RandomForestClassifier(50, max_depth=4, random_state=0)
        model.fit(seen(table), table.column("stars").to_pylist())
        assert low <= np.mean(model.predict(bad) == "bad") <= high
    new = after.data.table.filter(pa.array(after.mask)).to_pylist()
    assert {row["stars"] for row in new} == {"good"}
    assert {row["account"] for row in new} == set(after.recipe["notes"]["accounts"])
    days, amounts = [row["day"].toordinal() for row in new], [row["amount"] for row in new]
    assert np.corrcoef(days, amounts)[0, 1] > 0.7


@pytest.mark.parametrize(
    ("attack", "error", "message"),
    [
        (Shilling(strategy="loud"), ConfigError, "strategy is 'loud'; use one of random, average"),
        (Shilling(intent="pull"), ConfigError, "intent is 'pull'; use push or nuke"),
        (Shilling(fillers=-1), ConfigError, "fillers must be at least 0"),
        (Shilling(item_column="film"), ConfigError, "no column 'film'; name that of the items"),
        (Shilling(item_column="item", item=99), ConfigError, "'99' does not occur in column 'item'"),
        (FabricatedBehaviour(accounts=0), ConfigError, "accounts is 0"),
        (FabricatedBehaviour(columns=["day"]), ConfigError, "'day' is not a feature"),
        (IndicatorFeed(column="nowhere"), ConfigError, "no column 'nowhere'"),
        (IndicatorFeed(dropped=1.0), ConfigError, "shares of rows from 0 to 1"),
        (IndicatorFeed(rate=0.3), DataError, "needs 214 known-good indicators and 50 new ones are known"),
        (
            IndicatorFeed(known_good=["@/nowhere/at/all"]),
            ConfigError,
            "cannot be read as a list",
        ),
    ],
)
def test_says_what_cannot_be_done(attack: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attack.poison(make_events())


def test_columns_that_must_be_named_are() -> None:
    with pytest.raises(DataError, match="shilling needs a source column"):
        Shilling().poison(make_table())
    with pytest.raises(DataError, match="aging needs a time column"):
        IndicatorFeed(aged=0.1).poison(make_table())
    words = replace(make_events(), roles=replace(make_events().roles, label="door", features=("item",)))
    with pytest.raises(DataError, match="not ratings"):
        Shilling().poison(words)
