"""Stretches of time with too many wrong labels, and campaigns that arrived together (FT304)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import Dataset
from foretaste.data.dataset import Roles
from foretaste.detect.context import Context
from foretaste.detect.sources.bursts import Bursts

N = 3000
START = 1.7e9
DAY = 86400.0


def made_up(times, flipped=(), seed=0, drift=0.0):
    """One telling feature, 2 % natural errors, and models that know how telling it is."""
    rng = np.random.default_rng(seed)
    share = 0.5 + drift * (np.arange(N) / N - 0.5)
    truth = (rng.random(N) < share).astype(int)
    score = rng.normal(np.where(truth == 1, 3.5, -3.5), 2)
    y = truth.copy()
    y[np.asarray(flipped, int)] ^= 1
    when = pa.array(np.where(np.isfinite(times), times, 0) * 1e6, mask=~np.isfinite(times)).cast(pa.int64())
    table = pa.table({"x": score, "y": y.astype(str), "when": when.cast(pa.timestamp("us"))})
    context = Context(Dataset(table, Roles(label="y", features=("x",), time="when"), "t"))
    log_odds = 7 * score / 4
    context.__dict__["log_probability"] = -np.logaddexp(0, np.stack([log_odds, -log_odds], axis=1))
    return context


def evenly():
    return START + np.arange(N) * DAY / 24


@pytest.mark.parametrize("drift", [0.0, 0.9])
def test_clean_data_have_no_burst_even_if_classes_drift(drift):
    assert Bursts().examine(made_up(evenly(), drift=drift)).campaigns == []


def test_random_flips_have_no_burst():
    flipped = np.random.default_rng(0).choice(N, 150, replace=False)
    assert Bursts().examine(made_up(evenly(), flipped)).campaigns == []


def test_a_burst_is_found_once_with_its_rows():
    flipped = np.arange(1200, 1280, 2)  # 40 of 80 rows
    [campaign] = Bursts().examine(made_up(evenly(), flipped)).campaigns
    assert (campaign.rule, campaign.kind) == ("FT304", "time")
    assert np.isin(campaign.rows, flipped).mean() >= 0.9
    assert np.isin(flipped, campaign.rows).mean() >= 0.8
    assert 0 < campaign.p_value < 1e-6
    part = campaign.parts[0]
    assert START + 1190 * DAY / 24 <= part["start"] < part["end"] <= START + 1290 * DAY / 24
    assert campaign.pattern.startswith("2024-0")


def test_shuffled_rows_missing_times_and_a_negative_clock():
    order = np.random.default_rng(3).permutation(N)
    times = (evenly() - 2 * START)[order]
    times[order >= 2500] = np.nan
    flipped = np.flatnonzero((order >= 600) & (order < 680) & (order % 2 == 0))
    [campaign] = Bursts().examine(made_up(times, flipped)).campaigns
    assert np.isin(campaign.rows, flipped).mean() >= 0.9


def test_what_cannot_be_tested_is_said():
    context = made_up(evenly())
    table = Dataset(context.dataset.table, Roles(label="y", features=("x",)), "t")
    assert "no time column" in Bursts().examine(Context(table)).skipped[0].reason
    same = made_up(np.full(N, START))
    assert "1 different times" in Bursts().examine(same).skipped[0].reason
