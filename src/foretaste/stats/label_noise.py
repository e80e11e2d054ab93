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
from scipy.stats import hypergeom

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
    anchors : tuple of int64 ndarray, one per predicted class
        The rows the rates were read from; none where there is no plateau.
    """

    rates: NDArray[np.float64]
    anchors: tuple[NDArray[np.int64], ...]


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
    rates, anchors = np.eye(k), [np.zeros(0, np.int64)] * k
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
        rates[label], anchors[label] = found, rows[:size]
    return Plateau(rates, tuple(anchors))


def _fewer(other: NDArray[np.bool_], inner: int, size: int) -> float:
    """Probability of so few among the first ``inner`` of ``size``, were they spread evenly (Fisher)."""
    return float(hypergeom.cdf(int(other[:inner].sum()), size, int(other[:size].sum()), inner))


def wrong_label_posterior(
    clean: NDArray[np.float64], y: NDArray[np.integer], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probability of each row's label to be wrong, given its clean class probabilities and the rates."""
    joint = clean * rates[:, y].T
    right = joint[np.arange(len(y)), y]
    return np.asarray(1 - right / np.maximum(joint.sum(axis=1), 1e-300), np.float64)


def expected_rates(
    clean: NDArray[np.float64], y: NDArray[np.integer], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The rates that all rows show, given what each row's class probably is: one step of EM from ``rates``.

    References
    ----------
    Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
    Statistics 28 (1979).
    """
    k = len(rates)
    likely = clean * rates[:, y].T
    likely /= np.maximum(likely.sum(axis=1, keepdims=True), 1e-300)
    seen = np.stack([np.bincount(y, likely[:, label], minlength=k) for label in range(k)])
    total = seen.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, seen / np.where(total > 0, total, 1), np.eye(k)), np.float64)


def wrong_label_counts(
    clean: NDArray[np.float64],
    y: NDArray[np.integer],
    found: Plateau,
    groups: NDArray[np.integer],
    *,
    told: NDArray[np.bool_] | None = None,
    draws: int = 100,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Numbers of wrong labels the data leave possible, drawn from what is known of the rates and of each row.

    Each draw takes the rate of every class from its Jeffreys posterior given the anchors, in which rows of
    one group count as far as they differ (Kish's design effect), and then the number of wrong labels given
    the rows' probabilities, those of one group wrong or right together. Their quantiles are an interval for
    the number among these rows.

    Parameters
    ----------
    clean : float64 ndarray of shape (n, n_classes)
        Class probabilities freed of label noise.
    y : int ndarray of shape (n,)
    found : Plateau
    groups : int ndarray of shape (n,)
        The same number for rows that are not independent.
    told : bool ndarray of shape (n,), optional
        Whether the content of a row tells its class; elsewhere no label is counted wrong.
    draws : int
    random_state : int

    Returns
    -------
    float64 ndarray of shape (draws,), ascending

    References
    ----------
    Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001).
    Kish, "Survey sampling" (1965).
    """
    rng = np.random.default_rng(random_state)
    k = len(found.rates)
    totals = np.zeros((k, draws))
    for label, rows in enumerate(found.anchors):
        if len(rows):
            wrong = y[rows] != label
            size = len(rows) / _design_effect(wrong, groups[rows])
            share = float(1 - found.rates[label, label])
            totals[label] = rng.beta(share * size + 0.5, (1 - share) * size + 0.5, draws)
    _, group = np.unique(groups, return_inverse=True)
    counts = np.empty(draws)
    for draw in range(draws):
        posterior = wrong_label_posterior(clean, y, _with_totals(found.rates, totals[:, draw]))
        posterior *= 1 if told is None else told
        alike = np.bincount(group, np.sqrt(posterior * (1 - posterior)))
        spread = float(np.sqrt(np.square(alike).sum()))
        counts[draw] = posterior.sum() + spread * rng.standard_normal()
    return np.sort(np.clip(counts, 0, len(y)))


def _with_totals(rates: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same directions, with another share of wrong labels in each class; even where there were none."""
    k = len(rates)
    off = rates * (1 - np.eye(k))
    had = off.sum(axis=1, keepdims=True)
    off = np.where(had > 0, off / np.where(had > 0, had, 1), (1 - np.eye(k)) / max(k - 1, 1))
    return np.asarray(off * totals[:, None] + np.diag(1 - totals), np.float64)


def _design_effect(wrong: NDArray[np.bool_], groups: NDArray[np.integer]) -> float:
    """Variance of the share of wrong rows over what it would be if no group held more than one row."""
    share = float(wrong.mean())
    if share in (0.0, 1.0):
        return 1.0
    _, of = np.unique(groups, return_inverse=True)
    excess = np.bincount(of, wrong - share)
    return max(1.0, float(np.square(excess).sum()) / (len(wrong) * share * (1 - share)))
