"""Wrong labels: counted, named where clear, and none on clean data."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import from_arrays
from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.rows.label_audit import LabelAudit, _pool
from foretaste.stats.label_noise import Plateau

N = 1200


def blobs(seed: int = 0, distance: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """Two classes far apart in six columns."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=N)
    return rng.normal(size=(N, 6)) + distance / np.sqrt(6) * y[:, None], y


def context_of(X: np.ndarray, y: np.ndarray) -> Context:
    names = tuple(f"x{j}" for j in range(X.shape[1]))
    table = pa.table({name: X[:, j] for j, name in enumerate(names)} | {"label": np.array(["a", "b"])[y]})
    return Context(Dataset(table, Roles(label="label", features=names)))


def test_clean_labels_are_left_alone() -> None:
    found = LabelAudit().examine(context_of(*blobs()))
    assert found.campaigns == []
    assert found.mislabels is not None
    assert len(found.mislabels.rows) <= 2
    assert found.mislabels.low <= found.mislabels.estimate <= found.mislabels.high


def test_random_flips_are_counted_and_named() -> None:
    X, y = blobs(1)
    flipped = np.random.default_rng(0).permutation(N)[:72]
    y[flipped] = 1 - y[flipped]
    evidence = LabelAudit().examine(context_of(X, y))
    assert evidence.campaigns == []
    found = evidence.mislabels
    assert found is not None
    assert found.estimate == pytest.approx(72, rel=0.2)
    assert found.low <= 72 <= found.high
    hit = np.isin(found.rows, flipped)
    assert hit.mean() >= 0.9
    assert hit.sum() >= 55
    assert np.array_equal(found.expected[hit], 1 - y[found.rows[hit]])
    assert ((found.posterior > 0) & (found.posterior <= 1)).all()
    assert np.array_equal(found.all_posterior[found.rows], found.posterior)


def test_flips_that_go_one_way_are_a_campaign() -> None:
    X, y = blobs(2)
    flipped = np.flatnonzero(y == 0)[:40]
    y[flipped] = 1
    (found,) = LabelAudit().examine(context_of(X, y)).campaigns
    assert found.rule == "FT102"
    assert found.pattern == "a labelled b"
    assert found.target == "b"
    assert np.isin(found.rows, flipped).mean() >= 0.9
    assert len(found.rows) >= 30


def test_labels_that_mean_nothing_are_not_judged() -> None:
    rng = np.random.default_rng(3)
    evidence = LabelAudit().examine(context_of(rng.normal(size=(N, 6)), rng.integers(2, size=N)))
    assert evidence.mislabels is None or len(evidence.mislabels.rows) == 0
    assert evidence.campaigns == []


def test_too_few_rows_are_said_to_be_too_few() -> None:
    X, y = blobs()
    (skip,) = LabelAudit().examine(context_of(X[:60], y[:60])).skipped
    assert skip.rule == "FT101"
    assert "60 labelled rows are too few" in skip.reason


def test_overlapping_classes_are_not_judged_however_many_labels_are_wrong() -> None:
    for columns, flips in ((3, 0), (8, 0), (3, 60)):
        rng = np.random.default_rng(flips)
        y = rng.integers(0, 2, 600)
        X = rng.normal(size=(600, columns))
        X[:, 0] += y
        y[:flips] = 1 - y[:flips]
        evidence = LabelAudit().examine(Context(from_arrays(X, y)))
        assert evidence.mislabels is None or not len(evidence.mislabels.rows)
        assert evidence.skipped or "doubt" in evidence.mislabels.reason


def with_copies(agree: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blobs, and rows between them whose label nothing but their own nine exact copies can tell."""
    rng = np.random.default_rng(5)
    X, y = blobs(4, distance=7.0)
    groups = np.repeat(np.arange(30), 10)
    own = rng.integers(2, size=30)[groups] if agree else rng.integers(2, size=len(groups))
    between = 7.0 / np.sqrt(6) / 2 + rng.normal(size=(30, 6))[groups]
    return np.concatenate([X, between]), np.concatenate([y, own]), np.arange(len(X) + len(between)) >= len(X)


def test_copies_are_witnesses_to_the_label_of_a_row_that_nothing_else_tells() -> None:
    X, y, copied = with_copies(agree=True)
    flipped = np.flatnonzero(copied)[::20]  # one row in each other group
    elsewhere = np.flatnonzero(~copied)[:30]
    y[flipped], y[elsewhere] = 1 - y[flipped], 1 - y[elsewhere]
    found = LabelAudit().examine(context_of(X, y)).mislabels
    assert found is not None
    assert np.isin(flipped, found.rows).mean() >= 0.9
    assert np.isin(found.rows, np.concatenate([flipped, elsewhere])).mean() >= 0.9


def test_copies_that_differ_in_their_labels_by_nature_are_not_judged() -> None:
    X, y, copied = with_copies(agree=False)
    flipped = np.flatnonzero(~copied)[:40]
    y[flipped] = 1 - y[flipped]
    found = LabelAudit().examine(context_of(X, y)).mislabels
    assert found is not None
    assert copied[found.rows].sum() <= 3


def test_labels_that_are_no_function_of_what_the_rows_say_are_not_judged() -> None:
    rng = np.random.default_rng(7)
    X, y = blobs(7, distance=8.0)
    few = (
        np.array([[3.0, -3.0, 9.0, 9.0, 9.0, 9.0]]) + np.arange(6)[:, None]
    )  # six contents, many copies of each
    own = rng.integers(6, size=N)
    label = (rng.random(N) < np.linspace(0.2, 0.8, 6)[own]).astype(int)
    found = LabelAudit().examine(context_of(np.concatenate([X, few[own]]), np.concatenate([y, label])))
    assert found.mislabels is not None
    assert not len(found.mislabels.rows)
    assert f"{N} rows have exact copies with other labels" in found.mislabels.reason
    assert found.mislabels.doubt >= 0.1


def test_less_tolerance_flags_only_rows_that_are_clear() -> None:
    X, y = blobs(6, distance=4.5)
    y[:60] = 1 - y[:60]
    usual, strict = (LabelAudit(fdr=fdr).examine(context_of(X, y)).mislabels for fdr in (0.05, 0.01))
    assert usual is not None
    assert strict is not None
    assert usual.posterior.min() >= 0.5
    assert strict.posterior.min() >= 0.9
    assert 0 < len(strict.rows) < len(usual.rows)


@pytest.mark.parametrize(("wrong", "first"), [(0.04, 0.005), (0.04, 0.08), (0.0, 0.0)])
def test_all_rows_correct_what_unlucky_anchors_say(wrong: float, first: float) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(2, size=6000)
    log_odds = np.where(truth == 1, 1, -1) * rng.gamma(6, 1, len(truth))
    opinion = -np.logaddexp(0, np.stack([log_odds, -log_odds], axis=1))
    y = np.where(rng.random(len(truth)) < wrong, 1 - truth, truth)
    anchors = (np.arange(100), np.arange(100, 200))
    start = Plateau(np.array([[1 - first, first], [first, 1 - first]]), anchors)
    _, found = _pool([opinion], y, start)
    assert np.abs(found.rates[[0, 1], [1, 0]] - wrong).max() < 0.01


def overlapping(seed: int, n_classes: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Many classes, each of which overlaps with its neighbours on a circle."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=2 * N)
    angle = 2 * np.pi * (y / n_classes) + rng.normal(scale=0.3, size=2 * N)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(scale=0.02, size=(2 * N, 2)), y


def test_labels_no_hard_row_would_have_are_flagged_where_classes_overlap() -> None:
    X, y = overlapping(0)
    flipped = np.random.default_rng(1).permutation(2 * N)[:96]
    y[flipped] = (y[flipped] + np.random.default_rng(2).integers(1, 8, size=96)) % 8
    found = LabelAudit().examine(Context(from_arrays(X, y))).mislabels
    assert found is not None
    assert found.accuracy < 0.85
    assert found.low <= 96 <= found.high
    assert len(found.rows) >= 30
    assert np.isin(found.rows, flipped).mean() >= 0.9
    assert "at random" in found.reason


def test_hard_rows_are_left_alone_where_no_label_is_wrong() -> None:
    found = LabelAudit().examine(Context(from_arrays(*overlapping(3)))).mislabels
    assert found is not None
    assert not len(found.rows)
    assert "none is flagged" in found.reason
