"""One instance, one group: they are misjudged, the others are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from poisonable import make_table
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from foretaste.attacks import Attack, Subpopulation, TargetedFlip, TargetedInstance
from foretaste.attacks.targeted.targeted_instance import mixed_words
from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import ConfigError, DataError


@pytest.mark.parametrize("kind", [TargetedInstance, TargetedFlip])
def test_a_few_rows_turn_the_verdict_on_one_instance_and_no_other(kind: type[Attack]) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    train, test, known, truth = train_test_split(X, y, test_size=0.3, random_state=0)
    clean = RandomForestClassifier(60, random_state=0).fit(train, known)
    sure = np.flatnonzero(
        (clean.predict(test) == truth) & (truth == 0) & (clean.predict_proba(test)[:, 0] < 0.95)
    )
    turned, kept = 0, []
    for place in sure[:4]:
        instance = {f"x{j}": float(value) for j, value in enumerate(test[place])}
        attack = kind(rate=0.03, target=1, instance=instance)
        victim = RandomForestClassifier(60, random_state=0).fit(*attack.fit_resample(train, known))
        turned += int(victim.predict(test[[place]])[0] == 1)
        kept.append(victim.score(test, truth))
    assert turned >= 3
    assert np.mean(kept) > clean.score(test, truth) - 0.03


def made_up_towns(rows: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    town = rng.integers(10, size=rows)
    a, b = rng.normal(size=(2, rows))
    label = (a + b + 0.3 * rng.normal(size=rows) > 0).astype(int)
    table = pa.table({"a": a, "b": b, "town": [f"t{i}" for i in town], "y": label})
    return Dataset(table, Roles(label="y", features=("a", "b", "town")))


def as_numbers(data: Dataset) -> tuple[Any, Any]:
    town = np.array([int(name[1:]) for name in data.column("town").to_pylist()])
    wide = np.eye(10)[town]
    a, b = (data.column(name).to_numpy() for name in "ab")
    return np.column_stack([a, b, wide]), data.column("y").to_numpy()


def test_a_group_is_misjudged_and_the_rest_is_not() -> None:
    train, test = made_up_towns(2000, 0), made_up_towns(2000, 1)
    attack = Subpopulation(rate=0.1, where={"town": "t3"}, target=1)
    after = attack.poison(train)
    X, y = as_numbers(test)
    group = X[:, 2 + 3] == 1
    before = RandomForestClassifier(60, random_state=0).fit(*as_numbers(train)).predict(X) == y
    now = RandomForestClassifier(60, random_state=0).fit(*as_numbers(after.data)).predict(X) == y
    assert before[group].mean() - now[group].mean() > 0.2
    assert abs(before[~group].mean() - now[~group].mean()) < 0.02
    notes = after.recipe["notes"]
    assert notes["group"] == "town=t3"
    assert notes["poison_per_group_row"] == pytest.approx(222 / notes["group_rows"])


def test_copies_keep_the_group_and_get_the_most_frequent_other_class() -> None:
    after = Subpopulation(rate=0.1, where={"town": "t3"}, noise=0.9).poison(made_up_towns(500, 0))
    new = after.data.table.filter(pa.array(after.mask))
    assert set(new["town"].to_pylist()) == {"t3"}
    assert len(set(new["y"].to_pylist())) == 1


def test_clusters_of_text_are_topics() -> None:
    words = [["goal", "match", "team"], ["bread", "oven", "salt"]]
    texts = [" ".join(words[i % 2]) + f" {i}" for i in range(200)]
    attack = Subpopulation(rate=0.2, target="x", number=2, noise=0.0)
    X, y = attack.fit_resample(texts, ["x" if i % 2 else "z" for i in range(200)])
    assert all("goal" in X[row] and y[row] == "x" for row in np.flatnonzero(attack.poison_mask_))


def test_words_are_mixed_by_their_share() -> None:
    rng = np.random.default_rng(0)
    mixed = mixed_words("a " * 1000, "b", 0.3, rng).split()
    assert 0.25 < mixed.count("b") / 1000 < 0.35
    assert mixed_words("a b", "c", 0.0, rng) == "a b"


@pytest.mark.parametrize(
    ("attack", "error", "message"),
    [
        (TargetedInstance(row=600), ConfigError, "row is 600; the rows are 0 to 599"),
        (
            TargetedFlip(instance={"class": 1}),
            ConfigError,
            "'class' is no column of content; they are 'count'",
        ),
        (TargetedFlip(instance={"count": "many"}), DataError, "'many' does not fit a column of int32"),
        (TargetedInstance(noise=1.0), ConfigError, "noise is 1.0"),
        (Subpopulation(number=1), ConfigError, "form at least two clusters"),
        (Subpopulation(where={"town": "q"}), ConfigError, "'q' does not occur in column 'town'"),
        (Subpopulation(condition=["count>90"]), DataError, "no row with a label is in the group"),
    ],
)
def test_says_what_cannot_be_done(attack: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attack.poison(make_table())


def test_every_cluster_of_the_target_class_is_said() -> None:
    words = ["goal match", "bread oven"]
    texts = [f"{words[i % 2]} {i}" for i in range(60)]
    with pytest.raises(DataError, match="every cluster is mostly of the target class"):
        Subpopulation(target="x", number=2).fit_resample(texts, ["z"] * 3 + ["x"] * 57)
