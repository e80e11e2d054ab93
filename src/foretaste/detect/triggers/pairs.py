"""Pairs of words that meet more often where labels are doubted than chance would have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.detect.triggers.suspects import LEAST_ROWS

PAIRS = 1000
"""Pairs per class that are judged: those that go together most in rows the model contradicts."""


def doubtful_pairs(
    presence: sparse.csc_matrix, doubted: sparse.csc_matrix
) -> tuple[list[tuple[int, int]], int]:
    """Pairs of columns that go together more in doubted rows than in all rows, most so first.

    Parameters
    ----------
    presence : csc matrix of shape (n, n_words), ones
    doubted : csc matrix of shape (n, n_words), ones
        Where a word may have turned the label of a row; among the entries of ``presence``.

    Returns
    -------
    pairs : list of (int, int)
    looked_at : int
        Number of pairs that have enough rows in common, whether chosen or not.
    """
    looked_at = _with_rows_in_common(presence, LEAST_ROWS)
    frequent = np.flatnonzero(np.asarray(doubted.sum(axis=0)).ravel() >= LEAST_ROWS - 1)
    if len(frequent) < 2:
        return [], looked_at
    rate = float(doubted.sum() / max(presence.sum(), 1))
    everywhere = presence[:, frequent].tocsc()
    one_way = (doubted[:, frequent].T @ everywhere).tocsr()
    together = sparse.triu(one_way.maximum(one_way.T), k=1).tocoo()
    often = together.data >= LEAST_ROWS - 1
    left, right, count = together.row[often], together.col[often], together.data[often]
    all_rows = _co_occurrence(everywhere, left, right)
    expected = all_rows * rate
    excess = (count - expected) / np.sqrt(np.maximum(expected * (1 - rate), 1e-9))
    # a pair in the very rows of one of its words is that word
    alone = np.asarray(everywhere.sum(axis=0)).ravel()
    new = all_rows < 0.9 * np.minimum(alone[left], alone[right])
    order = [i for i in np.argsort(-excess, kind="stable") if new[i] and excess[i] > 2][:PAIRS]
    return [(int(frequent[left[i]]), int(frequent[right[i]])) for i in order], looked_at


def _with_rows_in_common(presence: sparse.csc_matrix, least: int) -> int:
    """How many pairs of columns have ``least`` rows in common."""
    support = np.asarray(presence.sum(axis=0)).ravel()
    part = presence[:, np.flatnonzero(support >= least)]
    total = 0
    for start in range(0, part.shape[1], 2000):
        total += int(((part[:, start : start + 2000].T @ part).data >= least).sum())
    return max((total - int(part.shape[1])) // 2, 1)


def _co_occurrence(
    columns: sparse.csc_matrix, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    counts = np.empty(len(left))
    for start in range(0, len(left), 5000):
        part = slice(start, start + 5000)
        counts[part] = np.asarray(
            columns[:, left[part]].multiply(columns[:, right[part]]).sum(axis=0)
        ).ravel()
    return counts
