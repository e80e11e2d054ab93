"""Columns as codes and normal scores, and patterns of values."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.triggers.items import cut
from foretaste.features.patterns import Condition, Values, exactly
from foretaste.features.table import FEW_DISTINCT, TableFeatures, group_rows


def mixed_table(n: int = 400) -> Dataset:
    rng = np.random.default_rng(5)
    gaps = rng.random(n) < 0.1
    amount = [None if gap else float(v) for gap, v in zip(gaps, rng.normal(size=n).round(2), strict=True)]
    table = pa.table(
        {
            "amount": amount,
            "zeros": np.where(rng.random(n) < 0.7, 0, rng.integers(100, size=n)),
            "few": rng.integers(5, size=n),
            "colour": pa.array(rng.choice(["red", "green", "blue"], n).tolist()).take(
                pa.array([None if gap else i for i, gap in enumerate(gaps)], pa.int64())
            ),
            "flag": rng.random(n) < 0.5,
            "day": [
                datetime.date(2026, 1, 1) + datetime.timedelta(int(d)) for d in rng.integers(300, size=n)
            ],
            "label": rng.choice(["a", "b"], n).tolist(),
        }
    )
    return Dataset(table, Roles(label="label", features=tuple(table.column_names[:-1])))


def test_columns_are_numbers_or_codes() -> None:
    features = TableFeatures.from_dataset(mixed_table())
    kinds = {column.name: column.numeric for column in features.columns}
    assert kinds == {
        "amount": True,
        "zeros": True,
        "few": False,
        "colour": False,
        "flag": False,
        "day": True,
    }
    colour = features.columns[3]
    assert {colour.text(v) for v in np.unique(colour.values)} == {"red", "green", "blue", "missing"}
    assert features.matrix.shape == (400, 6)
    assert features.matrix.dtype == np.float32


def test_a_number_with_few_values_is_a_category() -> None:
    values = np.arange(2 * FEW_DISTINCT) % FEW_DISTINCT
    assert not TableFeatures.from_matrix(values[:, None].astype(float)).columns[0].numeric
    assert TableFeatures.from_matrix(np.arange(30.0)[:, None]).columns[0].numeric


def test_a_number_becomes_its_normal_score() -> None:
    values = np.exp(np.random.default_rng(0).normal(size=999))
    standard = TableFeatures.from_matrix(values[:, None]).standard
    rank = np.argsort(np.argsort(values)) + 0.5
    assert standard[:, 0] == pytest.approx(ndtri(rank / 999), abs=1e-3)


def test_levels_share_the_variance_of_one_number() -> None:
    colours = np.random.default_rng(0).integers(4, size=500)
    standard = TableFeatures.from_matrix(colours[:, None].astype(float)).standard
    assert standard.shape == (500, 4)
    assert standard.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-5)
    assert standard.var(axis=0).sum() == pytest.approx(1, abs=1e-5)
    flag = TableFeatures.from_matrix((np.arange(100) % 2).astype(float)[:, None]).standard
    assert flag.var(axis=0).sum() == pytest.approx(1, abs=1e-5)


@given(st.lists(st.tuples(st.sampled_from([0.0, -0.0, 1.0, float("nan")]), st.integers(0, 2)), min_size=1))
def test_equal_rows_have_one_number(rows: list[tuple[float, int]]) -> None:
    matrix = np.array(rows, float)
    group = group_rows(matrix)
    key = [("nan" if np.isnan(a) else a + 0.0, b) for a, b in matrix]
    assert [key.index(k) for k in key] == [int(np.flatnonzero(group == g)[0]) for g in group]
    assert list(dict.fromkeys(group.tolist())) == list(range(int(group.max()) + 1))


def test_a_condition_matches_the_rows_its_item_saw() -> None:
    dataset = mixed_table()
    features = TableFeatures.from_dataset(dataset)
    seen = 0
    for items in cut(features, 3):
        for position, condition in enumerate(items.conditions):
            matched = Values((condition,)).matches(dataset)
            assert np.array_equal(matched, items.code == position), condition.describe()
            seen += 1
    assert seen > 50


START = datetime.datetime(2026, 8, 16, 8, 5, 10, 250_000)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (pa.timestamp("us", "UTC"), "2026-08-16 08:05:10.250000+00:00"),
        (pa.timestamp("ns"), "2026-08-16 08:05:10.250000"),
        (pa.date32(), "2026-08-16"),
        (pa.time64("ns"), "08:05:10.250000"),
        (pa.duration("ms"), "0:00:10"),
    ],
)
@pytest.mark.parametrize("distinct", [FEW_DISTINCT, 40])
def test_moments_are_said_as_moments(kind: pa.DataType, said: str, distinct: int) -> None:
    """The expected words are those of Python's own types, which the numbers in the columns are not."""
    steps = np.arange(distinct).repeat(5)
    if pa.types.is_date(kind):
        column = pa.array([START.date() + datetime.timedelta(int(s)) for s in steps], kind)
    elif pa.types.is_time(kind):
        column = pa.array([(START + datetime.timedelta(seconds=int(s))).time() for s in steps]).cast(kind)
    elif pa.types.is_duration(kind):
        column = pa.array([datetime.timedelta(seconds=10 + int(s)) for s in steps], kind)
    else:
        column = pa.array([START + datetime.timedelta(hours=int(s)) for s in steps], pa.timestamp("us"))
        column = column.cast(kind)
    table = pa.table({"when": column, "label": ["a", "b"] * (len(steps) // 2) + ["a"] * (len(steps) % 2)})
    dataset = Dataset(table, Roles(label="label", features=("when",)))
    features = TableFeatures.from_dataset(dataset)
    assert features.columns[0].numeric is (distinct > FEW_DISTINCT)
    exact, *ranges = cut(features, 3)
    assert exact.conditions[0].describe() == f"when={said}"
    assert all(items.conditions[0].describe().startswith(f"when in [{said}, ") for items in ranges)
    for items in (exact, *ranges):
        for position, condition in enumerate(items.conditions):
            matched = Values((condition,)).matches(dataset)
            assert np.array_equal(matched, items.code == position), condition.describe()


def test_numbers_match_as_numbers_and_large_ones_are_said_in_full() -> None:
    large, single = 1_787_000_000_123_456, np.float32(0.1)
    table = pa.table(
        {
            "large": [large + i for i in range(20)] * 2,
            "single": pa.array(np.float32(range(40)) / np.float32(10)),
            "label": ["a", "b"] * 20,
        }
    )
    dataset = Dataset(table, Roles(label="label", features=("large", "single")))
    first, second = TableFeatures.from_dataset(dataset).columns
    assert exactly(first, large).describe() == f"large={large}"
    assert Values((exactly(first, large),)).matches(dataset).sum() == 2
    assert np.flatnonzero(Values((exactly(second, float(single)),)).matches(dataset)).tolist() == [1]
    assert Condition("large", low=large, high=large + 2).describe() == f"large in [{large}, {large + 2})"


def test_all_conditions_of_a_pattern_are_needed() -> None:
    table = pa.table({"x": [1.0, 2.0, 3.0, None], "c": ["u", "v", "u", "u"], "label": ["a", "b", "a", "b"]})
    dataset = Dataset(table, Roles(label="label", features=("x", "c")))
    pattern = Values((Condition("x", low=1, high=3), Condition("c", value="u")))
    assert pattern.matches(dataset).tolist() == [True, False, False, False]
    assert pattern.describe() == "x in [1, 3) & c=u"
    assert [part["op"] for part in pattern.parts()] == ["in", "=="]
    closed = Values((Condition("x", low=1, high=3, closed=True),))
    assert closed.matches(dataset).tolist() == [True, True, True, False]
