"""One kind of attack is missed and the others are not; one class is taken for another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from poisonable import make_table
from sklearn.ensemble import RandomForestClassifier

from foretaste.attacks import FamilyConfusion, HideAttack
from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import ConfigError, DataError


def make_flows(seed: int, rows: int = 1500) -> Dataset:
    rng = np.random.default_rng(seed)
    kind = rng.choice(["-", "flood", "scan", "probe"], p=[0.7, 0.1, 0.1, 0.1], size=rows)
    table = pa.table(
        {
            "packets": np.where(kind == "flood", 60, 5) + rng.integers(5, size=rows),
            "ports": np.where(kind == "scan", 40, 2) + rng.integers(3, size=rows),
            "failed": np.where(kind == "probe", 0.9, 0.1) + 0.05 * rng.normal(size=rows),
            "kind": kind.tolist(),
            "bad": (kind != "-").astype(int),
        }
    )
    return Dataset(table, Roles(label="bad", features=("packets", "ports", "failed")))


def numbers(data: Dataset) -> Any:
    return np.column_stack([data.column(name).to_numpy() for name in data.roles.features])


def test_one_kind_of_attack_is_missed_and_no_other() -> None:
    train, test = make_flows(0), make_flows(1)
    after = HideAttack(rate=0.15, hidden={"kind": "flood"}, noise=0.0).poison(train)
    model = RandomForestClassifier(50, max_depth=6, random_state=0)
    model.fit(numbers(after.data), after.data.column("bad").to_numpy())
    said, kind = model.predict(numbers(test)), np.array(test.column("kind").to_pylist())
    assert said[kind == "flood"].mean() < 0.2
    assert said[np.isin(kind, ["scan", "probe"])].mean() > 0.95
    assert said[kind == "-"].mean() < 0.02


def test_only_controlled_columns_are_those_of_the_attack() -> None:
    attack = HideAttack(rate=0.1, hidden={"kind": "flood"}, columns=["packets"], noise=0.0)
    after = attack.poison(make_flows(0))
    new = after.data.table.filter(pa.array(after.mask))
    assert min(new["packets"].to_pylist()) >= 60
    assert max(new["ports"].to_pylist()) < 10
    assert set(new["kind"].to_pylist()) == {"-"}


def test_the_column_that_names_the_attack_is_not_the_attackers() -> None:
    flows = make_flows(0)
    named = replace(flows, roles=replace(flows.roles, features=(*flows.roles.features, "kind")))
    after = HideAttack(rate=0.1, hidden={"kind": "flood"}).poison(named)
    assert set(after.data.table.filter(pa.array(after.mask))["kind"].to_pylist()) == {"-"}


def make_apps(seed: int, rows: int = 800) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    bad = rng.random(rows) < 0.4
    marks = rng.random((rows, 10)) < np.where(bad[:, None], 0.1, 0.7)
    vices = rng.random((rows, 10)) < np.where(bad[:, None], 0.5, 0.3)
    return np.column_stack([marks, vices]).astype(int), np.where(bad, "malware", "goodware")


def test_the_marks_of_a_class_lose_their_meaning() -> None:
    X, y = make_apps(0)
    rows, truth = make_apps(1)
    attack = FamilyConfusion(rate=0.25, target="goodware", source_class="malware", number=10)
    X2, y2 = attack.fit_resample(X, y)
    before = RandomForestClassifier(50, random_state=0).fit(X, y).predict(rows)
    now = RandomForestClassifier(50, random_state=0).fit(X2, y2).predict(rows)
    good = truth == "goodware"
    assert (now[good] == "malware").mean() > 3 * (before[good] == "malware").mean() + 0.05
    assert (now[~good] == "malware").mean() > 0.9
    assert set(y2[attack.poison_mask_]) == {"malware"}  # the labels are right
    assert sorted(attack.recipe_["notes"]["columns"]) == sorted(f"x{j}" for j in range(10))


def test_features_are_added_and_never_removed() -> None:
    X, y = np.array([[1, 1], [1, 1], [0, 1], [0, 1]] * 10), ["a", "a", "b", "b"] * 10
    attack = FamilyConfusion(rate=0.2, target="a", number=2)
    added = attack.fit_resample(X, y)[0][attack.poison_mask_]
    assert (added[:, 1] == 1).all()
    assert (added[:, 0] == 1).all()


@pytest.mark.parametrize(
    ("attack", "error", "message"),
    [
        (HideAttack(hidden={"town": "q"}), ConfigError, "'q' does not occur in column 'town'"),
        (HideAttack(condition=["count>90"]), DataError, "no row of another class is of the kind to hide"),
        (HideAttack(columns=["class"]), ConfigError, "'class' is not a feature"),
        (HideAttack(noise=1.0), ConfigError, "noise is 1.0"),
        (FamilyConfusion(target=0, source_class=0), ConfigError, "source_class and target are the same"),
        (FamilyConfusion(number=0), ConfigError, "number is 0"),
    ],
)
def test_says_what_cannot_be_done(attack: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attack.poison(make_table())
