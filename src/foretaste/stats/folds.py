"""Folds that keep what belongs together apart from what is judged by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
