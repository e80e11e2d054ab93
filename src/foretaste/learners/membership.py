"""Membership inference: how well a model's answers tell which rows it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Scores = NDArray[np.float64]

LEAST_SPREAD = 1e-3


def label_margin(probabilities: Any, labels: Any) -> Scores:
    """The log odds a model gives the right label of each row.

    Parameters
    ----------
    probabilities : array of float, shape (n, classes)
    labels : array of int, shape (n,)

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> label_margin([[0.5, 0.5], [0.2, 0.8]], [0, 1]).round(2).tolist()
    [0.0, 1.39]
    """
    chances = np.asarray(probabilities, np.float64)
    right = np.clip(chances[np.arange(len(chances)), np.asarray(labels)], 1e-12, 1 - 1e-12)
    return np.asarray(np.log(right) - np.log1p(-right), np.float64)


def likelihood_ratio(margins: Any, members: Any) -> Scores:
    """LiRA: for each model and row, how much likelier the margin is if the row was trained on.

    Each row has its own two normal distributions of margins, fitted on all other models: those that were
    trained on it and those that were not. A row that every other model, or none, was trained on gets 0.

    Parameters
    ----------
    margins : array of float, shape (models, rows)
        `label_margin` of every row under models trained on random halves of the rows.
    members : array of bool, shape (models, rows)
        Which rows each model was trained on.

    Returns
    -------
    ndarray of float64, shape (models, rows)
        Log likelihood ratio; higher speaks for membership.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis, Tramèr: Membership Inference Attacks From First Principles, IEEE S&P
    2022.

    Examples
    --------
    >>> margins = np.array([[3.0], [2.0], [2.5], [-1.0], [0.0], [-0.5]])
    >>> members = np.array([[True]] * 3 + [[False]] * 3)
    >>> (likelihood_ratio(margins, members).ravel() > 0).tolist()
    [True, True, True, False, False, False]
    """
    seen, inside = np.asarray(margins, np.float64), np.asarray(members, bool)
    ratios = np.zeros_like(seen)
    for model in range(len(seen)):
        others = np.arange(len(seen)) != model
        fits = []
        for chosen in (inside[others], ~inside[others]):
            count = chosen.sum(axis=0)
            values = np.where(chosen, seen[others], 0)
            mean = values.sum(axis=0) / np.maximum(count, 1)
            squares = np.where(chosen, (seen[others] - mean) ** 2, 0).sum(axis=0)
            fits.append((mean, np.sqrt(squares / np.maximum(count - 1, 1)) + LEAST_SPREAD, count))
        (mean, spread, many), (mean_out, spread_out, many_out) = fits
        ratio = norm.logpdf(seen[model], mean, spread) - norm.logpdf(seen[model], mean_out, spread_out)
        ratios[model] = np.where((many >= 2) & (many_out >= 2), ratio, 0)
    return ratios


def true_positive_rate(scores: Any, members: Any, false_positive_rate: float) -> float:
    """The share of members found by the threshold that at most so many non-members pass.

    Parameters
    ----------
    scores : array of float
        Higher speaks for membership.
    members : array of bool, same shape
    false_positive_rate : float
        From 0 to 1.

    Examples
    --------
    >>> true_positive_rate([4.0, 3.0, 2.0, 1.0], [True, False, True, False], 0.0)
    0.5
    >>> true_positive_rate([4.0, 3.0, 2.0, 1.0], [True, False, True, False], 0.5)
    1.0
    """
    values, inside = np.ravel(scores), np.ravel(np.asarray(members, bool))
    outside = np.sort(values[~inside])[::-1]
    allowed = int(np.floor(false_positive_rate * len(outside)))
    threshold = outside[allowed] if allowed < len(outside) else -np.inf
    return float((values[inside] > threshold).mean())
