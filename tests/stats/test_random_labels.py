"""Labels drawn at random among hard rows: counted where there are any, none where labels are only hard."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from foretaste.stats.random_labels import random_labels

N, CLASSES = 3000, 8


def hard(seed: int, rate: float, *, sharpened: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An opinion that is right about its own doubt (or surer, where sharpened), and labels drawn by it."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(N, CLASSES)) * rng.uniform(0.5, 6, size=(N, 1))
    log_p = truth - logsumexp(truth, axis=1, keepdims=True)
    y = (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=1)
    drawn = rng.random(N) < rate
    y[drawn] = (y[drawn] + rng.integers(1, CLASSES, size=int(drawn.sum()))) % CLASSES
    told = sharpened * log_p
    return told - logsumexp(told, axis=1, keepdims=True), y, drawn


def accuracy(log_p: np.ndarray, y: np.ndarray) -> float:
    return float((log_p.argmax(axis=1) == y).mean())


@pytest.mark.parametrize("rate", [0.03, 0.1])
def test_as_many_are_counted_as_were_drawn(rate: float) -> None:
    log_p, y, drawn = hard(1, rate)
    assert accuracy(log_p, y) < 0.8
    found = random_labels([log_p], y, np.arange(N))
    assert found.count == pytest.approx(drawn.sum(), rel=0.25)
    assert found.low <= drawn.sum() <= found.high
    sure = found.posterior > 0.9
    assert sure.sum() >= 0.15 * drawn.sum()
    assert drawn[sure].mean() >= 0.9


@pytest.mark.parametrize("sharpened", [1.0, 2.0])
def test_hard_rows_are_not_taken_for_random_labels(sharpened: float) -> None:
    log_p, y, _ = hard(2, 0.0, sharpened=sharpened)
    found = random_labels([log_p], y, np.arange(N))
    assert found.low == 0
    assert not (found.posterior > 0.5).any()


def test_rows_harder_than_the_models_know_are_not_either() -> None:
    log_p, y, _ = hard(3, 0.0)
    surer = np.random.default_rng(0).random(N) < 0.2
    told = np.where(surer[:, None], 3 * log_p, log_p)
    told -= logsumexp(told, axis=1, keepdims=True)
    assert random_labels([told], y, np.arange(N)).low < 1


def test_rows_that_go_together_say_less() -> None:
    log_p, y, _ = hard(4, 0.05)
    alone = random_labels([log_p], y, np.arange(N))
    repeated = np.tile(np.arange(N), 4)
    together = random_labels([log_p[repeated]], y[repeated], repeated)
    assert together.count == pytest.approx(4 * alone.count, rel=0.05)
    assert together.low == pytest.approx(4 * alone.low, rel=0.1)
    assert together.high == pytest.approx(4 * alone.high, rel=0.1)


def test_the_pool_leaves_out_a_model_that_knows_nothing() -> None:
    log_p, y, drawn = hard(5, 0.05)
    noise, _, _ = hard(6, 0.0)
    alone, pooled = (random_labels(opinions, y, np.arange(N)) for opinions in ([log_p], [log_p, noise]))
    assert pooled.count == pytest.approx(alone.count, rel=0.15)
    assert accuracy(pooled.log_p, y) == pytest.approx(accuracy(log_p, y), abs=0.01)
    assert drawn[pooled.posterior > 0.9].mean() >= 0.9
