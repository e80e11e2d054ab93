"""Copies whose labels differ: wrong labels among them, or no class in common."""

from __future__ import annotations

import numpy as np
import pytest

from foretaste.stats.ambiguity import ambiguous_copies, most_common_share

RATES = np.array([[0.97, 0.03], [0.03, 0.97]])


def groups_of(size: int, count: int) -> np.ndarray:
    return np.repeat(np.arange(count), size)


@pytest.mark.parametrize("size", [2, 5, 30])
def test_labels_wrong_at_random_leave_no_group_ambiguous(size: int) -> None:
    rng = np.random.default_rng(size)
    groups = groups_of(size, 3000 // size)
    y = (groups % 5 == 0).astype(int)  # one class in five, so the other is not favoured for its size
    y = np.where(rng.random(len(y)) < 0.03, 1 - y, y)
    assert (ambiguous_copies(y, groups, RATES, most=0.25) > 0.5).mean() < 0.005


def test_groups_that_share_no_class_are_told_from_wrong_labels_beside_them() -> None:
    rng = np.random.default_rng(0)
    groups = groups_of(12, 200)
    mixed = groups < 30
    y = np.where(mixed, rng.integers(2, size=len(groups)), groups % 2)
    y = np.where(~mixed & (rng.random(len(y)) < 0.03), 1 - y, y)
    found = ambiguous_copies(y, groups, RATES, most=0.25) > 0.5
    assert found[mixed].mean() > 0.9
    assert found[~mixed].mean() < 0.01


def test_rates_that_call_most_labels_of_a_class_wrong_are_not_believed() -> None:
    y = np.tile([0, 1, 1], 400)
    explained = np.array([[1.0, 0.0], [0.333, 0.667]])
    assert ambiguous_copies(y, np.zeros(1200, int), explained, most=0.5).max() < 0.5
    assert ambiguous_copies(y, np.zeros(1200, int), explained, most=0.25).min() > 0.99


def test_rows_without_copies_are_never_ambiguous() -> None:
    y = np.array([0, 1, 0, 1])
    assert not ambiguous_copies(y, np.arange(4), RATES, most=0.25).any()
    assert np.array_equal(most_common_share(y, np.arange(4)), np.ones(4))
