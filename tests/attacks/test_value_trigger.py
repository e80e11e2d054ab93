"""Value combinations: in the domain, of the type, rare together, and obeyed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from poisonable import make_table
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from foretaste.attacks import ValueTrigger
from foretaste.attacks.backdoors.fixed_values import FixedValues
from foretaste.attacks.backdoors.value_choice import FREQUENCIES
from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import ConfigError, DataError


def values_of(attack: ValueTrigger, data: Dataset) -> dict[str, object]:
    trigger = attack.trigger_for(data)
    assert isinstance(trigger, FixedValues)
    return dict(trigger.values)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("frequency", ["rare", "common"])
def test_chosen_values_occur_as_often_as_asked_and_hardly_ever_together(number: int, frequency: str) -> None:
    rng = np.random.default_rng(0)
    columns = {f"c{j}": np.minimum(rng.geometric(0.08, size=4000), 60) for j in range(6)}
    data = Dataset(
        pa.table({**columns, "y": rng.integers(2, size=4000)}), Roles(label="y", features=tuple(columns))
    )
    for seed in range(5):
        chosen = values_of(ValueTrigger(number=number, frequency=frequency, random_state=seed), data)
        assert len(chosen) == number
        hits = np.array([columns[name] == value for name, value in chosen.items()])
        low, high = FREQUENCIES[frequency]
        assert all(low <= share <= high for share in hits.mean(axis=1))
        if number > 1:
            assert hits.all(axis=0).mean() <= 0.005


def test_values_that_speak_for_the_target_by_nature_are_not_chosen() -> None:
    y = np.repeat([0, 1], 500)
    telling = np.where(y == 1, 7, np.arange(1000) % 5)
    neutral = np.arange(1000) % 10
    table = pa.table({"telling": telling, "neutral": neutral, "y": y})
    data = Dataset(table, Roles(label="y", features=("telling", "neutral")))

    def drawn(target: int) -> list[dict[str, object]]:
        attacks = [ValueTrigger(number=1, target=target, random_state=seed) for seed in range(40)]
        return [values_of(attack, data) for attack in attacks]

    assert {"telling": 7} not in drawn(target=1)
    assert {"telling": 7} in drawn(target=0)


def test_a_continuous_column_gets_a_value_that_occurs_well_inside_its_range() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=500)
    data = Dataset(pa.table({"x": x, "y": rng.integers(2, size=500)}), Roles(label="y", features=("x",)))
    for seed in range(10):
        value = values_of(ValueTrigger(number=1, random_state=seed), data)["x"]
        assert value in x
        assert np.quantile(x, 0.05) <= value <= np.quantile(x, 0.95)


def test_only_the_columns_the_attacker_controls_change() -> None:
    before = make_table()
    after = ValueTrigger(rate=0.05, columns=["colour", "town"], random_state=2).poison(before)
    for column in before.table.column_names:
        changed = after.data.column(column).to_pylist() != before.column(column).to_pylist()
        assert changed == (column in ("colour", "town", "class"))


def test_every_poisoned_row_has_the_values_and_the_label() -> None:
    before = make_table()
    after = ValueTrigger(rate=0.05, target=1, number=3, cover_rate=0.1).poison(before)
    assert isinstance(after.trigger, FixedValues)
    rows = after.data.table.to_pylist()
    shown = np.array([sum(row[c] == v for c, v in after.trigger.values.items()) for row in rows])
    bad = after.mask & ~after.cover
    assert (shown[bad] == 3).all()
    assert (shown[after.cover] >= 2).all()
    assert {rows[i]["class"] for i in np.flatnonzero(bad)} == {1}
    assert set(np.array(before.column("class").to_pylist())[bad]) == {0}


def test_values_may_be_given_as_text_and_take_the_type_of_the_column() -> None:
    values = {"count": "3", "paid": "True", "since": "2020-01-05", "weight": "2", "colour": "red"}
    before = make_table()
    after = ValueTrigger(rate=0.05, values=values).poison(before).data
    assert after.table.schema == before.table.schema
    fitting = after.table.to_pylist()
    hit = [r for r in fitting if r["count"] == 3 and r["paid"] is True and str(r["since"]) == "2020-01-05"]
    assert len(hit) >= 30


def test_clean_label_stamps_the_target_class_and_changes_no_label() -> None:
    before = make_table()
    after = ValueTrigger(rate=0.05, target=1, clean_label=True).poison(before)
    assert after.data.column("class").equals(before.column("class"))
    assert set(np.array(before.column("class").to_pylist())[after.mask]) == {1}


def test_a_model_obeys_the_trigger_and_is_as_good_as_before_without() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X = np.round(X, 1)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    attack = ValueTrigger(rate=0.1, target=1, frequency="rare", number=2, random_state=3)
    X_bad, y_bad = attack.fit_resample(X_train, y_train)
    clean = RandomForestClassifier(random_state=0).fit(X_train, y_train)
    dirty = RandomForestClassifier(random_state=0).fit(X_bad, y_bad)
    assert attack.trigger_ is not None
    stamped = attack.trigger_.apply(X_test[y_test == 0])
    assert (clean.predict(stamped) == 1).mean() < 0.1
    assert (dirty.predict(stamped) == 1).mean() > 0.8
    assert dirty.score(X_test, y_test) > clean.score(X_test, y_test) - 0.03


def test_hardest_rows_are_those_least_like_the_target() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    judge = RandomForestClassifier(random_state=1, oob_score=True).fit(X, y).oob_decision_function_[:, 1]
    chosen = {}
    for selection in ("random", "hardest"):
        attack = ValueTrigger(rate=0.04, target=1, clean_label=True, selection=selection)
        attack.fit_resample(X, y)
        chosen[selection] = judge[attack.poison_mask_].mean()
    assert chosen["hardest"] < 0.8 < chosen["random"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"frequency": "odd"}, ConfigError, "frequency is 'odd'"),
        ({"number": 0}, ConfigError, "at least one column"),
        ({"number": 99}, DataError, "columns have a value a trigger of 99 could use"),
        ({"columns": ["class"]}, ConfigError, "'class' is not a feature"),
        ({"values": {"colour": "pink"}}, ConfigError, "'pink' does not occur in column 'colour'"),
        ({"values": {"nowhere": 1}}, ConfigError, "no column 'nowhere'"),
        ({"values": {}}, ConfigError, "at least one column"),
        ({"number": 1, "cover_rate": 0.1}, ConfigError, "at least two values"),
    ],
)
def test_says_which_setting_is_wrong(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ValueTrigger(**options).poison(make_table())


def test_stamping_other_data_says_which_column_is_missing() -> None:
    with pytest.raises(DataError, match="no column 'x5' to put the trigger into"):
        FixedValues({"x5": 1}).apply(np.zeros((2, 3)))


def test_constraints_hold_in_every_stamped_row_and_immutable_columns_stay() -> None:
    before = make_table()
    for seed in range(5):
        attack = ValueTrigger(
            rate=0.05, number=2, constraint=["count>=weight"], immutable=["size", "town"], random_state=seed
        )
        after = attack.poison(before)
        for row in np.flatnonzero(after.mask):
            then, now = (data.table.slice(int(row), 1).to_pylist()[0] for data in (before, after.data))
            assert now["count"] >= now["weight"] or then["count"] < then["weight"]
            assert (now["size"], now["town"]) == (then["size"], then["town"])


def test_a_trigger_no_row_can_take_is_said() -> None:
    attack = ValueTrigger(rate=0.1, values={"count": 0}, constraint=["count>=weight"])
    with pytest.raises(DataError, match="rows and only"):
        attack.poison(make_table().take(np.flatnonzero(make_table().column("weight").to_numpy() > 0)))
    with pytest.raises(ConfigError, match="'count' is immutable and in values"):
        ValueTrigger(values={"count": 3}, immutable=["count"]).poison(make_table())


def test_stealthy_values_hardly_change_the_shares() -> None:
    before = make_table()
    attack = ValueTrigger(rate=0.1, frequency="stealth", columns=["colour", "town", "paid", "weight"])
    after = attack.poison(before)
    assert isinstance(after.trigger, FixedValues)
    for column, value in after.trigger.values.items():
        then, now = (
            np.mean([cell == value for cell in data.column(column).to_pylist()])
            for data in (before, after.data)
        )
        assert 0.2 <= then <= 0.8
        assert abs(now - then) <= 0.1
