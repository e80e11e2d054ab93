"""How many labels are wrong: on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from foretaste.stats.label_noise import clean_posterior, plateau, wrong_label_posterior


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
    low, high = found.at(0.025), found.at(0.975)
    assert (1 - np.diag(low) <= wrong + 1e-12).all()
    assert (1 - np.diag(high) >= wrong - 1e-12).all()
    assert high.sum(axis=1) == pytest.approx([1, 1])


def test_the_posterior_counts_the_flips_and_names_them() -> None:
    log_p, y, flipped = simulate(0.06, seed=2)
    rates = plateau(log_p, y).rates
    posterior = wrong_label_posterior(clean_posterior(log_p, y, rates), y, rates)
    assert posterior.sum() == pytest.approx(flipped.sum(), rel=0.25)
    worst = np.argsort(-posterior, kind="stable")[: flipped.sum()]
    assert flipped[worst].mean() >= 0.65
    assert flipped[posterior >= 0.95].mean() >= 0.9


def test_too_few_rows_are_no_anchors() -> None:
    log_p, y, _ = simulate(0.1, seed=3, n=120)
    found = plateau(log_p, y)
    assert not found.anchors.any()
    assert np.array_equal(found.rates, np.eye(2))


def test_hard_labels_are_left_out_when_strict() -> None:
    rng = np.random.default_rng(4)
    log_p = np.log(np.full((3000, 2), 0.5))
    log_p[:, 1] += rng.normal(size=3000) * 1e-3
    found = plateau(log_p, rng.integers(2, size=3000), strict=True)
    assert not found.anchors.any()
