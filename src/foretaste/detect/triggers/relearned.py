"""Patterns judged by a model that never saw their rows.

A trigger of many words, such as a template, teaches a model to know it by any of them: whatever phrase is
left out, the others still speak for the label. A model that learned without all rows of a pattern has nothing
to know it by, and judges them by what they share with the rest of the data. That takes one model for each
pattern, so only those that are most likely to be worth it are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.detect.triggers.phrases import LEAST_LEFT, PhraseTable
from foretaste.learners.linear import fit_logistic

ASKED, LEAST_ASKED = 24, 2
"""Models that are trained, divided among the classes; and for each class at least."""

MOST_TAUGHT = 10_000
"""Rows a model is trained on, drawn where there are more."""

SHARED, OFTENER = 0.2, 3.0
"""Words in this share of a pattern's rows, and so many times as often as in other rows of any class, go with
the pattern; what a class is told by is what its rows are about."""

TOLERANCE = 1e-2
"""Where the training stops."""


def worth_a_model(
    table: PhraseTable,
    rankings: Sequence[NDArray[np.floating]],
    eligible: NDArray[np.bool_],
    count: int,
) -> list[int]:
    """The highest of several rankings in turn, each pattern mostly of rows that none before it has.

    Parameters
    ----------
    table : PhraseTable
    rankings : sequence of ndarray of shape (n_patterns,)
    eligible : bool ndarray of shape (n_patterns,)
    count : int
        Patterns that are chosen at most.
    """
    allowed = np.flatnonzero(eligible)
    orders = [allowed[np.argsort(-ranking[allowed], kind="stable")] for ranking in rankings]
    chosen: list[int] = []
    had = np.zeros(table.presence.shape[0], bool)
    for pattern in dict.fromkeys(np.stack(orders, axis=1).ravel().tolist()):
        rows = table.rows_of(pattern)
        if 2 * had[rows].sum() < len(rows):
            chosen.append(pattern)
            had[rows] = True
        if len(chosen) == count:
            break
    return chosen


def relearned_log_odds(
    words: sparse.csr_matrix,
    y: NDArray[np.integer],
    label: int,
    rows: NDArray[np.int64],
    *,
    random_state: int = 0,
) -> NDArray[np.float64] | None:
    """Log odds of the class for some rows, by a logistic model of all others; None where that has one class.

    What the rows share is left out of them: a template of many words is not what they are about.

    Parameters
    ----------
    words : csr matrix of shape (n, n_words)
    y : int ndarray of shape (n,)
        Negative where a row may not teach.
    label : int
    rows : int64 ndarray
        The rows of the pattern.
    random_state : int
        Seed of the rows that are drawn from very many.
    """
    teaches = y >= 0
    teaches[rows] = False
    taught = np.flatnonzero(teaches)
    if len(taught) > MOST_TAUGHT:
        taught = np.sort(np.random.default_rng(random_state).choice(taught, MOST_TAUGHT, replace=False))
    positive = y[taught] == label
    if positive.all() or not positive.any():
        return None
    asked, others = words[rows], words[taught]
    weights, intercept = fit_logistic(others, positive, tolerance=TOLERANCE)
    asked.data = asked.data * ~_shared(asked, others, y[taught])[asked.indices]
    row = np.repeat(np.arange(len(rows)), np.diff(asked.indptr))
    # as if the pattern had never been there: the words that are left make up the whole text again
    left = np.sqrt(np.maximum(np.bincount(row, asked.data**2, len(rows)), LEAST_LEFT))
    return np.asarray(asked @ weights / left + intercept, np.float64)


def _shared(asked: sparse.csr_matrix, others: sparse.csr_matrix, y: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which words go with the rows of a pattern; ``y`` is the class of the others."""
    inside = _share(asked)
    shared = inside >= SHARED
    for label in np.unique(y):
        shared &= inside >= OFTENER * _share(others[y == label])
    return np.asarray(shared, bool)


def _share(rows: sparse.csr_matrix) -> NDArray[np.float64]:
    """Share of the rows that have each word."""
    return np.asarray(np.bincount(rows.indices, minlength=rows.shape[1]) / max(rows.shape[0], 1), np.float64)
