"""How many labels are wrong: on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from foretaste.stats.label_noise import expected_rates, plateau, wrong_label_counts, wrong_label_posterior


def simulate(rate: float, seed: int, n: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Calibrated opinions on two overlapping classes, labels flipped at a rate, and which were flipped."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(size=n) * 6
    truth = (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(np.int64)
    flipped = rng.random(n) < rate
    log_p = np.stack([np.zeros(n), margin], axis=1)
    return log_p - logsumexp(log_p, axis=1, keepdims=True), np.where(flipped, 1 - truth, truth), flipped


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.1])
def test_the_plateau_is_the_rate_of_flips(rate: float) -> None:
    log_p, y, _ = simulate(rate, seed=1)
    found = plateau(log_p, y)
    wrong = 1 - np.diag(found.rates)
    assert wrong == pytest.approx([rate, rate], abs=0.01 + rate / 4)
    assert all(len(rows) >= 50 for rows in found.anchors)


def test_the_posterior_counts_the_flips_and_names_them() -> None:
    log_p, y, flipped = simulate(0.06, seed=2)
    rates = plateau(log_p, y).rates
    posterior = wrong_label_posterior(np.exp(log_p), y, rates)
    assert posterior.sum() == pytest.approx(flipped.sum(), rel=0.25)
    worst = np.argsort(-posterior, kind="stable")[: flipped.sum()]
    assert flipped[worst].mean() >= 0.65
    assert flipped[posterior >= 0.95].mean() >= 0.9


def test_too_few_rows_are_no_anchors() -> None:
    log_p, y, _ = simulate(0.1, seed=3, n=120)
    found = plateau(log_p, y)
    assert not any(len(rows) for rows in found.anchors)
    assert np.array_equal(found.rates, np.eye(2))


def test_hard_labels_are_left_out_when_strict() -> None:
    rng = np.random.default_rng(4)
    log_p = np.log(np.full((3000, 2), 0.5))
    log_p[:, 1] += rng.normal(size=3000) * 1e-3
    found = plateau(log_p, rng.integers(2, size=3000), strict=True)
    assert not any(len(rows) for rows in found.anchors)


def test_a_step_of_expectation_and_maximisation_mends_the_rates() -> None:
    log_p, y, _ = simulate(0.06, seed=5)
    start = np.array([[0.99, 0.01], [0.1, 0.9]])
    mended = expected_rates(np.exp(log_p), y, start)
    assert mended.sum(axis=1) == pytest.approx([1, 1])
    assert np.abs(1 - np.diag(mended) - 0.06).max() < np.abs(1 - np.diag(start) - 0.06).max() / 1.5
    assert np.array_equal(expected_rates(np.exp(log_p), y, np.eye(2)), np.eye(2))


def test_the_interval_covers_the_number_of_wrong_labels() -> None:
    inside = 0
    for seed in range(20):
        log_p, y, flipped = simulate(0.05, seed=100 + seed, n=2400)
        counts = wrong_label_counts(np.exp(log_p), y, plateau(log_p, y), np.arange(len(y)), draws=60)
        low, high = np.quantile(counts, (0.025, 0.975))
        inside += low <= flipped.sum() <= high
    assert inside >= 17


def test_copies_that_go_together_say_less_than_as_many_rows() -> None:
    log_p, y, _ = simulate(0.05, seed=6, n=600)
    log_p, y = np.repeat(log_p, 4, axis=0), np.repeat(y, 4)
    found = plateau(log_p, y)
    apart = wrong_label_counts(np.exp(log_p), y, found, np.arange(len(y)))
    together = wrong_label_counts(np.exp(log_p), y, found, np.arange(len(y)) // 4)
    assert together.std() >= 1.5 * apart.std()
