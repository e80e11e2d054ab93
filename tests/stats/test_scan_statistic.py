"""Rows that arrived together, and rows that did not."""

import numpy as np

from foretaste.stats.scan_statistic import burst_of


def test_a_campaign_that_arrived_together():
    start, end, p_value = burst_of(np.arange(5000.0), np.arange(1000, 1100, 5))
    assert (start, end) == (1000, 1095)
    assert 0 < p_value < 1e-15


def test_most_of_a_campaign_is_enough():
    rows = np.concatenate([np.arange(1000, 1060, 2), [10, 2000, 4000]])
    start, end, _ = burst_of(np.arange(5000.0), rows)
    assert (start, end) == (1000, 1058)


def test_scattered_campaigns_rarely_have_a_burst():
    rng = np.random.default_rng(0)
    times = rng.random(4000)
    found = [
        burst_of(times, rng.choice(4000, size, replace=False))
        for size in (5, 20, 80, 300)
        for _ in range(100)
    ]
    assert sum(burst is not None for burst in found) <= 6


def test_a_busy_day_is_no_burst():
    times = np.concatenate([np.arange(2000.0), np.full(3000, 700.0)])
    rows = np.random.default_rng(0).choice(5000, 200, replace=False)
    assert burst_of(times, rows) is None


def test_times_may_be_missing_or_few():
    assert burst_of(None, np.arange(5)) is None
    assert burst_of(np.full(100, np.nan), np.arange(5)) is None
    assert burst_of(np.arange(100.0), np.arange(2)) is None
    assert burst_of(np.arange(100.0), np.arange(100)) is None
