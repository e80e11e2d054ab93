"""Scores into probabilities and likelihood ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

MOST_FITTED = 20_000
"""Rows to which the weights of a pool are fitted, drawn where there are more."""


@dataclass(frozen=True)
class LogisticLine:
    """``log odds = slope * score + intercept``; see `fit_line`."""

    slope: float
    intercept: float

    def log_odds(self, score: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(self.slope * score + self.intercept, np.float64)


def fit_line(
    score: NDArray[np.floating], positive: NDArray[np.bool_], weight: NDArray[np.floating] | None = None
) -> LogisticLine:
    """Logistic calibration of a score with Platt's smoothed targets.

    The slope is never negative: a score that ranks backwards says nothing rather than the opposite.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", Advances in Large Margin Classifiers (1999).
    """
    score = np.asarray(score, np.float64)
    w = np.ones(len(score)) if weight is None else np.asarray(weight, np.float64)
    n_pos, n_neg = float(w[positive].sum()), float(w[~positive].sum())
    target = np.where(positive, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))
    scale = float(np.std(score)) or 1.0
    x = score / scale

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = theta[0] * x + theta[1]
        error = expit(z) - target
        value = float((w * (np.logaddexp(0, z) - target * z)).sum())
        return value, np.array([(w * error * x).sum(), (w * error).sum()])

    start = np.array([1.0, np.log((n_pos + 1) / (n_neg + 1))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)])
    return LogisticLine(float(found.x[0]) / scale, float(found.x[1]))


def pool_opinions(
    log_probabilities: Sequence[NDArray[np.floating]],
    y: NDArray[np.integer],
    *,
    rates: NDArray[np.floating] | None = None,
    start: NDArray[np.floating] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Combine models by a logarithmic opinion pool whose weights minimise the loss on ``y``.

    Parameters
    ----------
    log_probabilities : sequence of ndarray of shape (n, n_classes)
        Out-of-fold log probabilities of each model.
    y : int ndarray of shape (n,)
        Rows with a negative label are left out of the fit.
    rates : ndarray of shape (n_classes, n_classes), optional
        ``rates[c, k]``: share of rows of class c labelled k. The pool then speaks of the classes, not of the
        labels, and no label has to be left out for it because it is doubted (forward correction).
    start : ndarray of shape (n_models,), optional
        Weights to begin from, all the same by default: near the best ones, fewer steps lead there.

    Returns
    -------
    log_pool : float64 ndarray of shape (n, n_classes)
        Normalised log probabilities.
    weights : float64 ndarray of shape (n_models,)
        Not negative; their sum is an inverse temperature.

    References
    ----------
    Genest and Zidek, "Combining probability distributions", Statistical Science 1 (1986). Patrini et al.,
    "Making deep neural networks robust to label noise", CVPR 2017: forward correction.
    """
    stack = np.stack([np.asarray(p, np.float64) for p in log_probabilities])
    known = np.flatnonzero(y >= 0)
    if len(known) > MOST_FITTED:  # a few weights need no more
        known = np.sort(np.random.default_rng(0).choice(known, MOST_FITTED, replace=False))
    fit, label = stack[:, known], y[known]
    log_rates = None if rates is None else np.log(np.maximum(rates, 1e-12)).T[label]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pooled = np.tensordot(weights, fit, 1)
        pooled -= logsumexp(pooled, axis=1, keepdims=True)
        expected = (np.exp(pooled)[None] * fit).sum(axis=2)
        if log_rates is None:
            rows = np.arange(len(label))
            return -float(pooled[rows, label].mean()), (expected - fit[:, rows, label]).mean(axis=1)
        joint = pooled + log_rates
        told = logsumexp(joint, axis=1, keepdims=True)
        likely = (np.exp(joint - told)[None] * fit).sum(axis=2)
        return -float(told.mean()), (expected - likely).mean(axis=1)

    m = len(stack)
    first = np.full(m, 1.0 / m) if start is None else start
    found = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=[(0, None)] * m)
    pooled = np.tensordot(found.x, stack, 1)
    return pooled - logsumexp(pooled, axis=1, keepdims=True), found.x
