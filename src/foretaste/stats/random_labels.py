"""Labels drawn at random among hard rows: how many, and which, where models are often wrong by nature.

Where rows are hard, a model's errors are no sign of wrong labels: but they go where the model thinks second
best. A label drawn at random goes anywhere. So every label is explained as one of three: drawn as the pooled
models expect; drawn as they would expect if they were less sure, for rows that are harder than they know; or
drawn at random from the other classes. How often each happens is read from all rows together. With two
classes the second and the third are nearly the same, and little is left to tell them by: then the count is
low, and its interval says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from foretaste.stats.calibration import pool_opinions

HARDER = 3.0
"""Temperature of a hard row's label: the logarithm of its odds is so many times nearer to even."""

START = (0.97, 0.02, 0.01)
"""Shares of labels as expected, of hard rows and at random, before they are fitted."""

MOST_ROUNDS, STEPS, SETTLED = 15, 50, 1e-4

_WITHIN = 1.96


@dataclass(frozen=True)
class RandomLabels:
    """What the mixture makes of the labels.

    Attributes
    ----------
    log_p : float64 ndarray of shape (n, n_classes)
        Pooled log probabilities of the classes, whatever the labels.
    posterior : float64 ndarray of shape (n,)
        Probability of each label to be drawn at random from the other classes.
    count, low, high : float
        How many labels are, with a 95 % interval.
    """

    log_p: NDArray[np.float64]
    posterior: NDArray[np.float64]
    count: float
    low: float
    high: float


def random_labels(
    opinions: Sequence[NDArray[np.float64]], y: NDArray[np.integer], groups: NDArray[np.integer]
) -> RandomLabels:
    """Fit the mixture by expectation and maximisation, and the pool of models to the labels it leaves.

    Parameters
    ----------
    opinions : sequence of float64 ndarray of shape (n, n_classes)
        Out-of-fold log probabilities of each model.
    y : int ndarray of shape (n,)
        Rows with a negative label are left out; none of them is counted.
    groups : int ndarray of shape (n,)
        The same number for rows that are not independent; the interval allows for them (White's sandwich).

    References
    ----------
    Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", JRSS B 39
    (1977). Guo et al., "On calibration of modern neural networks", ICML 2017: temperature.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> log_p = 3 * rng.normal(size=(2000, 5))
    >>> log_p -= logsumexp(log_p, axis=1, keepdims=True)
    >>> y = (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=1)
    >>> random_labels([log_p], y, np.arange(2000)).low
    0.0
    >>> y[:200] = (y[:200] + rng.integers(1, 5, size=200)) % 5
    >>> found = random_labels([log_p], y, np.arange(2000))
    >>> bool(found.low > 50)
    True
    """
    k = opinions[0].shape[1]
    rows = np.flatnonzero(y >= 0)
    n, label = len(rows), y[rows]
    shares, weights = np.array(START), None
    for _ in range(MOST_ROUNDS):
        before = float(shares[-1])
        rates = np.eye(k) * (1 - before) + (1 - np.eye(k)) * before / (k - 1)
        log_p, weights = pool_opinions(opinions, y, rates=rates, start=weights)
        likely = np.stack(
            [
                np.exp(log_p[rows, label]),
                _flattened(log_p)[rows, label],
                -np.expm1(log_p[rows, label]) / (k - 1),
            ]
        )
        for _ in range(STEPS):
            shares = _each(shares, likely).mean(axis=1)
        if abs(shares[-1] - before) < SETTLED:
            break
    count = n * float(shares[-1])
    spread = n * _WITHIN * _standard_error(shares, likely, groups[rows])
    posterior = np.zeros(len(y))
    posterior[rows] = _each(shares, likely)[-1]
    return RandomLabels(log_p, posterior, count, max(count - spread, 0.0), min(count + spread, n))


def _each(shares: NDArray[np.float64], likely: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each explanation of each row, shape (3, n)."""
    joint = shares[:, None] * likely
    return np.asarray(joint / np.maximum(joint.sum(axis=0), 1e-300), np.float64)


def _flattened(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = log_p / HARDER
    return np.asarray(np.exp(flat - logsumexp(flat, axis=1, keepdims=True)), np.float64)


def _standard_error(
    shares: NDArray[np.float64], likely: NDArray[np.float64], groups: NDArray[np.integer]
) -> float:
    """Of the share drawn at random: inverse information times the spread of the score over groups."""
    natural = (shares[:-1, None] * likely[:-1]).sum(axis=0)
    score = (likely[-1] - natural / (1 - shares[-1])) / np.maximum(natural + shares[-1] * likely[-1], 1e-300)
    of_group = np.bincount(np.unique(groups, return_inverse=True)[1], score)
    return float(np.sqrt(np.square(of_group).sum()) / max(float(np.square(score).sum()), 1e-300))
