"""Wrong labels in one region (FT103) and whole topics turned (FT104); random flips are neither."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import Dataset
from foretaste.data.dataset import Roles
from foretaste.detect.context import Context
from foretaste.detect.evidence import Mislabels
from foretaste.detect.rows import concentrated
from foretaste.detect.rows.concentrated import ConcentratedMislabels

TOPICS, EACH = 24, 120
N = TOPICS * EACH


def made_up(monkeypatch, flip, *, learned=None, seed=0):
    """Topics far apart, a label each, 2 % natural errors; the models inside believe the ``learned`` rows."""
    rng = np.random.default_rng(seed)
    topic = np.repeat(np.arange(TOPICS), EACH)
    truth = topic % 2
    log_odds = np.where(truth == 1, 1, -1) * rng.gamma(4, 1, N)
    label = (rng.random(N) < 1 / (1 + np.exp(-log_odds))).astype(int)
    rows = flip(topic, rng)
    label[rows] = 1 - label[rows]
    table = pa.table({"x": ["some text"] * N, "y": label.astype(str)})
    context = Context(Dataset(table, Roles(label="y", text="x"), "t"))
    centre = rng.normal(size=(TOPICS, 8))
    points = centre[topic] + 0.1 * rng.normal(size=(N, 8))
    context.__dict__["embedding"] = points / np.linalg.norm(points, axis=1, keepdims=True)
    inside = log_odds.copy()
    if learned is not None:
        inside[topic == learned] *= -0.7
    context.__dict__["log_probability"] = two(inside)
    monkeypatch.setattr(concentrated, "outside_opinion", lambda *_: two(0.8 * log_odds))
    return context, topic, rows


def two(log_odds):
    return -np.logaddexp(0, np.stack([log_odds, -log_odds], axis=1))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_random_flips_are_no_campaign(monkeypatch, share):
    context, _, _ = made_up(monkeypatch, lambda topic, rng: np.flatnonzero(rng.random(N) < share))
    evidence = ConcentratedMislabels().examine(context)
    assert evidence.campaigns == []
    assert evidence.skipped == []


def test_a_region_with_many_wrong_labels_is_one(monkeypatch):
    def flip(topic, rng):
        return np.flatnonzero((topic == 5) & (rng.random(N) < 0.4))

    context, topic, rows = made_up(monkeypatch, flip)
    campaigns = ConcentratedMislabels().examine(context).campaigns
    found = np.concatenate([campaign.rows for campaign in campaigns])
    assert {campaign.rule for campaign in campaigns} == {"FT103"}
    assert (topic[found] == 5).all()
    assert np.isin(found, rows).mean() >= 0.9
    assert np.isin(rows, found).mean() >= 0.7
    assert all(0 < campaign.p_value < 1e-3 for campaign in campaigns)


@pytest.mark.parametrize(("probability", "alarm"), [(0.05, False), (0.9, True)])
def test_a_region_the_audit_does_not_confirm_is_for_review(monkeypatch, probability, alarm):
    def flip(topic, rng):
        return np.flatnonzero((topic == 5) & (rng.random(N) < 0.4))

    context, topic, rows = made_up(monkeypatch, flip)
    wrong = np.zeros(N)
    wrong[rows] = probability
    audit = Mislabels(
        rows=np.array([], np.int64),
        posterior=np.array([]),
        expected=np.array([], np.int64),
        all_posterior=wrong,
        estimate=float(wrong.sum()),
        low=0.0,
        high=float(len(rows)),
        accuracy=0.95,
        doubt=0.02,
        reason="",
    )
    evidence = ConcentratedMislabels(mislabels=audit).examine(context)
    assert bool(evidence.campaigns) is alarm
    listed = evidence.campaigns if alarm else evidence.review
    assert {item.rule for item in listed} == {"FT103"}
    assert (topic[np.concatenate([item.rows for item in listed])] == 5).all()


def test_a_topic_that_was_turned_shows_only_from_outside(monkeypatch):
    context, topic, rows = made_up(monkeypatch, lambda topic, rng: np.flatnonzero(topic == 5), learned=5)
    campaigns = ConcentratedMislabels().examine(context).campaigns
    found = np.concatenate([campaign.rows for campaign in campaigns])
    assert {campaign.rule for campaign in campaigns} == {"FT104"}
    assert {campaign.target for campaign in campaigns} == {"0"}
    assert (topic[found] == 5).mean() >= 0.95
    assert np.isin(rows, found).mean() >= 0.8


def test_a_topic_that_others_teach_wrongly_but_few_rows_is_left_alone(monkeypatch):
    def flip(topic, rng):
        return np.flatnonzero(topic == 5)[:8]

    context, _, _ = made_up(monkeypatch, flip)
    assert ConcentratedMislabels().examine(context).campaigns == []


def test_too_few_rows_are_said_to_be_too_few():
    table = pa.table({"x": np.arange(200.0), "y": ["0", "1"] * 100})
    context = Context(Dataset(table, Roles(label="y", features=("x",)), "t"))
    skipped = ConcentratedMislabels().examine(context).skipped
    assert [skip.rule for skip in skipped] == ["FT103", "FT104"]
    assert "too few" in skipped[0].reason
