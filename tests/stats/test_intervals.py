"""Intervals against published values and by their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from foretaste.stats.intervals import newcombe, student, wilson


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_values_of_newcombe_1998(hits: int, count: int, low: float, high: float) -> None:
    assert wilson(hits / count, count) == pytest.approx((low, high), abs=5e-5)


def test_newcombe_gives_the_values_of_his_paper() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), Table II, method 10, for equal n."""
    assert newcombe(9 / 10, 3 / 10, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert newcombe(10 / 10, 0.0, 10) == pytest.approx((0.6075, 1.0), abs=5e-5)


def test_students_interval_covers_the_mean() -> None:
    rng = np.random.default_rng(0)
    ends = np.array([student(rng.normal(0, 1, 3).tolist()) for _ in range(2000)])
    assert ((ends[:, 0] <= 0) & (ends[:, 1] >= 0)).mean() == pytest.approx(0.95, abs=0.02)
    assert student([1.0, 2.0, 3.0]) == pytest.approx(stats.t.interval(0.95, 2, 2.0, 1 / 3**0.5))
