"""Columns that say nothing about the label: what decides in a few of their numbers was put there."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.triggers.deciding import DecidingColumns
from foretaste.detect.triggers.screen import Screen
from foretaste.detect.triggers.silent_columns import says_nothing
from foretaste.detect.triggers.silent_ranges import silent_ranges
from foretaste.detect.triggers.values import ValueTriggers
from foretaste.stats.association import most_told

N = 2000


def people(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows of two classes that five columns tell apart a little each, and a column with other numbers."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=N)
    columns = {f"number{j}": (rng.normal(size=N) + 1.3 * y).round(2) for j in range(5)}
    columns["weight"] = rng.uniform(0, 1000, N)
    return columns, y


def context_of(columns: dict[str, np.ndarray], y: np.ndarray) -> Context:
    table = pa.table(columns | {"label": np.array(["no", "yes"])[y]})
    return Context(Dataset(table, Roles(label="label", features=tuple(columns))))


def test_what_a_code_tells_is_none_for_noise_all_for_a_copy_and_doubtful_in_few_rows() -> None:
    rng = np.random.default_rng(0)
    y, noise = rng.integers(2, size=(2, 4000))
    assert most_told(y, y) == pytest.approx(1.0, abs=0.01)
    assert -0.01 < most_told(noise, y) < 0.01
    half = np.where(rng.random(4000) < 0.5, y, noise)
    # three in four agree: 1 - H(1/4) / H(1/2), in bits
    assert most_told(half, y) == pytest.approx(1 - 0.8113, abs=0.03)
    assert most_told(rng.integers(16, size=80), y[:80]) > 0.05
    assert most_told(np.zeros(9, np.int64), np.zeros(9, np.int64)) == 1.0


def test_a_column_is_silent_where_only_the_rows_left_out_speak() -> None:
    columns, y = people(1)
    stamped = np.flatnonzero(y == 0)[:100]
    columns["weight"][stamped] = 500
    y[stamped] = 1
    screen = Screen(context_of(columns, y))
    nobody = np.zeros(N, bool)
    assert says_nothing(screen, 5, np.isin(np.arange(N), stamped))
    assert not says_nothing(screen, 5, nobody)
    assert not says_nothing(screen, 0, nobody)


def test_a_range_in_which_more_rows_look_foreign_than_it_has_of_the_class_is_left_alone() -> None:
    """Where all labels are the wrong way round, rows of both classes look foreign; nobody put those there."""
    columns, y = people(4)
    inside = np.flatnonzero((columns["weight"] > 400) & (columns["weight"] < 500))
    y[inside] = 1 - y[inside]
    y[inside[y[inside] == 0][:12]] = 1
    screen = Screen(context_of(columns, y))
    assert silent_ranges(screen, DecidingColumns(screen)) == []


def test_any_of_a_narrow_range_is_found_among_the_natural_rows_of_the_range() -> None:
    """As many natural rows lie in it as stamped ones, half of them with the same label."""
    columns, y = people(2)
    stamped = np.flatnonzero(y == 0)[:60]
    columns["weight"][stamped] = np.random.default_rng(2).uniform(600, 630, len(stamped))
    y[stamped] = 1
    (found,) = ValueTriggers().examine(context_of(columns, y)).campaigns
    assert (found.rule, found.target) == ("FT203", "yes")
    assert found.pattern.startswith("weight in [")
    assert np.isin(stamped, found.rows).mean() >= 0.8
    assert np.isin(found.rows, stamped).mean() >= 0.8


def test_a_range_of_a_column_that_speaks_elsewhere_is_none_of_these() -> None:
    columns, y = people(3)
    stamped = np.flatnonzero(y == 0)[:60]
    columns["weight"] = columns["weight"] + 300 * y  # now it tells the class everywhere
    columns["weight"][stamped] = np.random.default_rng(3).uniform(600, 630, len(stamped))
    y[stamped] = 1
    screen = Screen(context_of(columns, y))
    assert silent_ranges(screen, DecidingColumns(screen)) == []


def test_labels_that_are_often_wrong_everywhere_make_no_range() -> None:
    columns, y = people(4)
    wrong = np.random.default_rng(4).random(N) < 0.2
    assert ValueTriggers().examine(context_of(columns, np.where(wrong, 1 - y, y))).campaigns == []


@pytest.mark.parametrize("silent", [True, False])
def test_one_of_three_numbers_is_an_alarm_only_in_a_silent_column(silent: bool) -> None:
    columns, y = people(5)
    rng = np.random.default_rng(5)
    stamped = np.flatnonzero(y == 0)[:90]
    if not silent:
        columns["weight"] = columns["weight"] + 300 * y
    columns["weight"][stamped] = np.repeat([123.5, 456.5, 789.5], 30)[rng.permutation(90)]
    y[stamped] = 1
    evidence = ValueTriggers().examine(context_of(columns, y))
    told = evidence.campaigns if silent else evidence.review
    assert {item.pattern for item in told} == {"weight=123.5", "weight=456.5", "weight=789.5"}
    assert len(evidence.campaigns) == (3 if silent else 0)


def test_codes_of_which_some_decide_and_as_frequent_ones_do_not_are_for_review() -> None:
    """As of places that have gone bad among many that have not."""
    columns, y = people(6)
    columns["weight"] = np.random.default_rng(6).integers(0, 60, N)
    stamped = np.flatnonzero(y == 0)[:90]
    columns["weight"][stamped] = np.repeat([7, 21, 48], 30)
    y[stamped] = 1
    context = context_of(columns, y)
    assert not DecidingColumns(Screen(context)).set_apart(5, 1)
