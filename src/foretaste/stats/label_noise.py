"""How many labels are wrong, and which, from out-of-fold opinions alone.

The rows a model is surest about anchor the estimate. Natural disagreement dies away towards them; labels
flipped at random do not, so the rate at which it stops falling is the rate of wrong labels. With the rates
known, Bayes' rule gives every row the probability that its own label is wrong.

References
----------
Liu and Tao, "Classification with noisy labels by importance reweighting", IEEE TPAMI 38 (2016): anchor
points.
Patrini et al., "Making deep neural networks robust to label noise", CVPR 2017: transition matrices from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, hypergeom
from sklearn.isotonic import IsotonicRegression

TAILS = (0.5, 0.35, 0.25, 0.15, 0.1)
"""Shares of a class's rows, surest first, among which the plateau is looked for."""

LEAST_ANCHORS = 50

_EVEN = 0.3

MOST_NOISE = 0.25
"""Above this rate the anchors are not pure: what the model is surest about is wrong too often."""


@dataclass(frozen=True)
class Plateau:
    """Where disagreement stops falling.

    Attributes
    ----------
    rates : float64 ndarray of shape (n_classes, n_classes)
        ``rates[c, k]``: share of rows of class c labelled k; the diagonal is what is left.
    wrong, anchors : int64 ndarray of shape (n_classes,)
        Rows with another label among the anchors of each predicted class; 0 anchors where there is no
        plateau.
    """

    rates: NDArray[np.float64]
    wrong: NDArray[np.int64]
    anchors: NDArray[np.int64]

    def at(self, bound: float) -> NDArray[np.float64]:
        """``rates`` with each class's total at a quantile of its exact (Clopper and Pearson) interval."""
        rates = self.rates.copy()
        for label, (wrong, anchors) in enumerate(zip(self.wrong, self.anchors, strict=True)):
            if not anchors:
                continue
            if bound < 0.5:
                total = float(beta.ppf(bound, wrong, anchors - wrong + 1)) if wrong else 0.0
            else:
                total = float(beta.ppf(bound, wrong + 1, anchors - wrong))
            off = rates[label].sum() - rates[label, label]
            if off > 0:
                rates[label] *= total / off
            elif len(rates) > 1:
                rates[label] = total / (len(rates) - 1)
            rates[label, label] = 1 - total
        return rates


def plateau(log_probability: NDArray[np.float64], y: NDArray[np.integer], *, strict: bool = False) -> Plateau:
    """Estimate the rates of wrong labels from the surest rows of each predicted class.

    Starting with the surest half, or with all rows where the other half is no worse (Fisher, 30 %), smaller
    shares are tried; one replaces the larger where disagreement in it is significantly lower than in the ring
    around it (Fisher; 1 %, or 5 % if ``strict``).

    Parameters
    ----------
    log_probability : float64 ndarray of shape (n, n_classes)
        Out of fold.
    y : int ndarray of shape (n,)
        Labels, all known.
    strict : bool
        Where labels are hard in themselves: leave out classes whose disagreement is too high for a flip, or
        still falls at the smallest share; their surest rows are no anchors.
    """
    k = log_probability.shape[1]
    predicted = log_probability.argmax(axis=1)
    rates, wrong, anchors = np.eye(k), np.zeros(k, np.int64), np.zeros(k, np.int64)
    for label in range(k):
        rows = np.flatnonzero(predicted == label)
        rows = rows[np.argsort(-log_probability[rows, label], kind="stable")]
        other = y[rows] != label
        size = half = len(rows) // 2
        if size < LEAST_ANCHORS:
            continue
        if not strict and _fewer(other, half, len(rows)) >= _EVEN:
            size = len(rows)  # the model is as right about the less sure half
        falls = False
        for share in TAILS[1:]:
            inner = int(share * len(rows))
            if inner < LEAST_ANCHORS:
                break
            falls = _fewer(other, inner, half) < 0.2
            if _fewer(other, inner, size) < (0.05 if strict else 0.01):
                size = inner
        found = np.bincount(y[rows[:size]], minlength=k) / size
        total = 1 - found[label]
        if strict and (total > MOST_NOISE or (falls and total > 0.01)):
            continue
        rates[label], wrong[label], anchors[label] = found, int(other[:size].sum()), size
    return Plateau(rates, wrong, anchors)


def _fewer(other: NDArray[np.bool_], inner: int, size: int) -> float:
    """Probability of so few among the first ``inner`` of ``size``, were they spread evenly (Fisher)."""
    return float(hypergeom.cdf(int(other[:inner].sum()), size, int(other[:size].sum()), inner))


def clean_posterior(
    log_probability: NDArray[np.float64], y: NDArray[np.integer], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Class probabilities freed of label noise: calibrated on the noisy labels, the rates inverted."""
    k = log_probability.shape[1]
    noisy = np.empty_like(log_probability)
    for label in range(k):
        line = IsotonicRegression(y_min=1e-4, y_max=1 - 1e-4, out_of_bounds="clip")
        noisy[:, label] = line.fit_transform(np.exp(log_probability[:, label]), y == label)
    noisy /= noisy.sum(axis=1, keepdims=True)
    clean = np.clip(noisy @ np.linalg.pinv(rates), 0, None)
    return np.asarray(clean / np.maximum(clean.sum(axis=1, keepdims=True), 1e-12), np.float64)


def wrong_label_posterior(
    clean: NDArray[np.float64], y: NDArray[np.integer], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probability of each row's label to be wrong, given its clean class probabilities and the rates."""
    joint = clean * rates[:, y].T
    right = joint[np.arange(len(y)), y]
    return np.asarray(1 - right / np.maximum(joint.sum(axis=1), 1e-300), np.float64)
