"""Calibration, folds, neighbours: small statistics that every detector leans on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logsumexp

from foretaste.detect.contradiction import BareReference, one_vote_each
from foretaste.stats.calibration import MOST_FITTED, fit_line, pool_opinions
from foretaste.stats.folds import grouped_folds, taught_rows
from foretaste.stats.neighbours import nearest_neighbours


def test_a_line_finds_the_log_odds() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=20_000) * 3
    line = fit_line(score, rng.random(20_000) < expit(0.8 * score - 1))
    assert line.slope == pytest.approx(0.8, abs=0.05)
    assert line.intercept == pytest.approx(-1, abs=0.08)


def test_a_score_that_ranks_backwards_says_nothing() -> None:
    score = np.linspace(-3, 3, 200)
    line = fit_line(score, score < 0)
    assert line.slope == pytest.approx(0, abs=1e-3)


def test_weights_count_like_copies() -> None:
    score, positive = np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True])
    weighted = fit_line(score, positive, np.array([1.0, 3.0, 1.0, 2.0]))
    copied = fit_line(np.repeat(score, [1, 3, 1, 2]), np.repeat(positive, [1, 3, 1, 2]))
    at = np.linspace(-1, 4, 7)
    assert weighted.log_odds(at) == pytest.approx(copied.log_odds(at), abs=0.02)


def test_a_pool_is_normalised_and_no_worse_than_its_best_model() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(3, size=800)
    good, useless = rng.normal(size=(800, 3)), rng.normal(size=(800, 3))
    good[np.arange(800), y] += 2
    models = [m - logsumexp(m, axis=1, keepdims=True) for m in (good, useless)]
    pooled, weights = pool_opinions(models, y)
    rows = np.arange(800)
    assert logsumexp(pooled, axis=1) == pytest.approx(np.zeros(800), abs=1e-9)
    assert weights[0] > 5 * weights[1]
    assert pooled[rows, y].mean() >= models[0][rows, y].mean() - 1e-6


def test_the_pool_of_very_many_rows_has_the_weights_of_all() -> None:
    rng = np.random.default_rng(7)
    margin = rng.normal(size=3 * MOST_FITTED)
    y = (rng.random(len(margin)) < expit(2 * margin)).astype(np.int64)
    log_p = np.stack([-np.logaddexp(0, margin), -np.logaddexp(0, -margin)], axis=1)
    pooled, weights = pool_opinions([log_p], y)
    assert weights == pytest.approx([2.0], abs=0.1)
    assert pooled.shape == log_p.shape


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2)), min_size=1, max_size=80), st.integers(2, 5))
def test_no_group_is_in_two_folds(rows: list[tuple[int, int]], n_folds: int) -> None:
    groups, y = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    folds = grouped_folds(groups, y, n_folds, random_state=3)
    assert ((folds >= 0) & (folds < n_folds)).all()
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1


def test_folds_are_stratified() -> None:
    y = np.repeat([0, 1], [90, 10])
    folds = grouped_folds(np.arange(100), y, 5)
    assert np.bincount(folds[y == 1], minlength=5).tolist() == [2] * 5
    assert np.bincount(folds, minlength=5).tolist() == [20] * 5


@pytest.mark.parametrize("n", [1, 2, 30, 1500])
@pytest.mark.parametrize("jobs", [1, 2])
def test_neighbours_are_exact(n: int, jobs: int) -> None:
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, 6)).astype(np.float32)
    X[n // 2] = X[0]
    index, cosine = nearest_neighbours(X, 7, jobs=jobs)
    k = min(7, n - 1)
    assert index.shape == cosine.shape == (n, k)
    scores = X @ X.T
    np.fill_diagonal(scores, -np.inf)
    expected = np.sort(scores, axis=1)[:, ::-1][:, :k]
    assert cosine == pytest.approx(expected, abs=1e-4)
    assert not (index == np.arange(n)[:, None]).any()
    assert np.take_along_axis(scores, index.astype(np.int64), 1) == pytest.approx(cosine, abs=1e-4)


def test_neighbours_in_cells_are_copies_and_nearly_the_nearest() -> None:
    """Twenty clusters, copies among them, and far more rows of one kind than a cell holds."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(20, 30))[rng.integers(20, size=3000)] + 0.5 * rng.normal(size=(3000, 30))
    X[100:1900] = X[0] + 1e-4 * rng.normal(size=(1800, 30))
    X[2000:2100] = X[2800:2900] + 1e-3 * rng.normal(size=(100, 30))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    index, cosine = nearest_neighbours(X, 10, jobs=2, most_exact=1000)
    again = nearest_neighbours(X, 10, jobs=1, most_exact=1000)
    exact = nearest_neighbours(X, 10, most_exact=3000)
    assert np.array_equal(index, again[0])
    assert index[2000:2100, 0].tolist() == list(range(2800, 2900))
    assert not (index == np.arange(3000)[:, None]).any()
    assert (np.diff(np.sort(index[:500], axis=1)) > 0).all()
    assert cosine == pytest.approx((X[index] * X[:, None]).sum(axis=2), abs=1e-5)
    other = np.r_[1:100, 1900:3000]
    same = np.mean([len(set(index[row]) & set(exact[0][row])) for row in other]) / 10
    assert same > 0.9
    assert (cosine[100:1900] > 0.999).all()


def test_a_sample_teaches_where_rows_are_many() -> None:
    folds, y = np.arange(3000) % 3, np.where(np.arange(3000) % 100, 0, 1)
    some = taught_rows(folds, y, 0, most=400)
    assert len(some) == pytest.approx(400, abs=20)
    assert (folds[some] != 0).all()
    assert (y[some] == 1).sum() == 20  # a rare class is kept whole
    fewer = y.copy()
    fewer[some[:10]] = -1
    assert len(np.intersect1d(some, taught_rows(folds, fewer, 0, most=400))) >= 385
    assert len(taught_rows(folds, y, 0)) == 2000


def test_contradiction_is_measured_against_bare_rows() -> None:
    rng = np.random.default_rng(2)
    reference = BareReference(rng.normal(1, 1, 3000), rng.normal(-2, 1, 3000))
    like_others, like_bare = reference.log_ratio(np.array([-2.0, 1.0]))
    assert like_others == pytest.approx(4.5, abs=0.5)  # N(-2, 1) against N(1, 1) at -2
    assert like_bare == pytest.approx(-4.5, abs=0.5)


def test_votes_of_a_reference_count_like_copies() -> None:
    rng = np.random.default_rng(3)
    bare, others = rng.normal(1, 1, 200), rng.normal(-1, 1, 200)
    votes = rng.integers(1, 4, 200)
    voted = BareReference(bare, others, votes.astype(float), np.ones(200))
    copied = BareReference(np.repeat(bare, votes), others)
    at = np.linspace(-3, 3, 9)
    assert voted.log_ratio(at) == pytest.approx(copied.log_ratio(at), abs=0.02)


def test_a_component_has_one_vote_in_every_group() -> None:
    rng = np.random.default_rng(4)
    group, component = rng.integers(5, size=200), rng.integers(30, size=200)
    votes = one_vote_each(group, component)
    for g in range(5):
        assert votes[group == g].sum() == pytest.approx(len(np.unique(component[group == g])))


def test_a_pool_fitted_through_the_rates_speaks_of_the_classes_not_of_the_labels() -> None:
    rng = np.random.default_rng(7)
    margin = rng.normal(size=4000) * 4
    truth = (rng.random(4000) < 1 / (1 + np.exp(-margin))).astype(np.int64)
    y = np.where(rng.random(4000) < 0.1, 1 - truth, truth)
    opinion = np.stack([np.zeros(4000), 2 * margin], axis=1)  # twice too sure
    _, told = pool_opinions([opinion], y)
    _, freed = pool_opinions([opinion], y, rates=np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert freed[0] == pytest.approx(0.5, rel=0.1)
    assert told[0] < 0.8 * freed[0]
