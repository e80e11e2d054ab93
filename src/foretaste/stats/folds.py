"""Folds that keep what belongs together apart from what is judged by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_TAUGHT = 20_000
"""Rows a model learns from at most: what more rows teach about a label is not worth their time."""

MOST_FOLDS = 5


def enough_folds(n: int) -> int:
    """As few folds as leave a model `MOST_TAUGHT` rows of ``n`` to learn from; `MOST_FOLDS` of fewer rows.

    Examples
    --------
    >>> enough_folds(8_000), enough_folds(30_000), enough_folds(1_000_000)
    (5, 3, 2)
    """
    return next((f for f in range(2, MOST_FOLDS) if n * (f - 1) >= MOST_TAUGHT * f), MOST_FOLDS)


def taught_rows(
    folds: NDArray[np.integer], y: NDArray[np.integer], fold: int, *, most: int = MOST_TAUGHT
) -> NDArray[np.int64]:
    """Rows that teach the model of a fold: those with a label outside it, at most ``most`` of them.

    Of more a sample is drawn, class by class, in which every row keeps its lot: the rows that teach stay the
    same where a few others lose their label. A class smaller than its even share of a tenth is kept whole.

    Returns
    -------
    int64 ndarray, ascending

    Examples
    --------
    >>> len(taught_rows(np.arange(90) % 3, np.arange(90) % 2, 0, most=20))
    20
    """
    rows = np.flatnonzero((folds != fold) & (y >= 0))
    if len(rows) <= most:
        return rows
    lot = np.random.default_rng(0).random(len(y))[rows]
    labels, of, count = np.unique(y[rows], return_inverse=True, return_counts=True)
    room = np.maximum(np.rint(count * (most / len(rows))), np.minimum(count, most // (10 * len(labels))))
    order = np.lexsort((lot, of))
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    return np.sort(rows[order[rank < room[of[order]]]])


def grouped_folds(
    groups: NDArray[np.integer], y: NDArray[np.integer], n_folds: int, random_state: int = 0
) -> NDArray[np.int64]:
    """Assign every group to one fold, each class of first members spread evenly over the folds.

    Parameters
    ----------
    groups : int ndarray of shape (n,)
        Rows with the same number are never in two folds.
    y : int ndarray of shape (n,)
        Labels, to stratify by.
    n_folds : int
    random_state : int

    Returns
    -------
    fold : int64 ndarray of shape (n,), values 0 to n_folds - 1

    Examples
    --------
    >>> grouped_folds(np.array([0, 0, 1, 1, 2, 3]), np.array([0, 0, 0, 0, 1, 1]), 2).tolist()
    [0, 0, 1, 1, 0, 1]
    """
    rng = np.random.default_rng(random_state)
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    sizes = np.bincount(inverse)
    label = y[first]
    fold_of_group = np.empty(len(first), np.int64)
    start = 0
    for value in np.unique(label):
        members = rng.permutation(np.flatnonzero(label == value))
        members = members[np.argsort(-sizes[members], kind="stable")]  # large groups first, dealt in turn
        fold_of_group[members] = (np.arange(len(members)) + start) % n_folds
        start += len(members)
    return fold_of_group[inverse]
