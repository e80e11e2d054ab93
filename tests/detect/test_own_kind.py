"""Rows that have more in common than a trigger, beside rows an attacker took as they came."""

from __future__ import annotations

import numpy as np
import pytest

from foretaste.detect.triggers.items import Items
from foretaste.detect.triggers.own_kind import are_of_a_kind

N = 2000


def table(seed: int) -> tuple[list[Items], np.ndarray]:
    """Ten columns, the second class with less to choose from."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=N)
    codes = [np.where(y, rng.integers(2, size=N), rng.integers(6, size=N)) for _ in range(10)]
    return [Items(column, code, []) for column, code in enumerate(codes)], y


@pytest.mark.parametrize("label", [0, 1])
def test_random_rows_of_a_class_hardly_ever_are(label: int) -> None:
    items, y = table(0)
    rng = np.random.default_rng(1)
    taken = [rng.choice(np.flatnonzero(y == label), 25, replace=False) for _ in range(40)]
    assert not any(are_of_a_kind(items, rows, 1 - y, left_out=()) for rows in taken)


def test_rows_more_alike_than_any_class_are() -> None:
    items, y = table(2)
    rows = np.arange(25)
    for item in items[:9]:
        item.code[rows] = 1
    assert are_of_a_kind(items, rows, y, left_out=())


def test_rows_only_as_alike_as_one_of_the_classes_are_not() -> None:
    items, y = table(3)
    rows = np.flatnonzero(y == 1)[:25]
    y[rows] = 0
    assert not are_of_a_kind(items, rows, y, left_out=())


def test_what_they_share_in_columns_left_out_does_not_count() -> None:
    items, y = table(4)
    rows = np.flatnonzero(y == 0)[:25]
    for item in items[:9]:
        item.code[rows] = 1
    assert are_of_a_kind(items, rows, y, left_out=(9,))
    assert not are_of_a_kind(items, rows, y, left_out=range(9))


def test_nothing_to_compare_with_is_no_kind() -> None:
    items, y = table(5)
    assert not are_of_a_kind(items, np.arange(2), y, left_out=())
    assert not are_of_a_kind(items, np.arange(25), y, left_out=range(10))
    assert not are_of_a_kind(items, np.arange(1500), y, left_out=())
