"""Rows of a table that agree in most of what is telling about them, whatever the other cells say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foretaste.features.duplicates import join
from foretaste.features.information import SharedInformation
from foretaste.features.table import TableFeatures
from foretaste.stats.neighbours import nearest_neighbours

AGREES = 0.7
"""Share of the more telling row's information that two rows must share to be copies."""

_CANDIDATES = 15
_WIDTH = 96
_CELLS = 4_000_000
_QUERIES = 200


def agreeing_components(
    table: TableFeatures,
    group: NDArray[np.integer],
    neighbours: NDArray[np.int32],
    *,
    random_state: int = 0,
    jobs: int = 2,
) -> NDArray[np.int64]:
    """Components of rows of one group that share most of their information.

    A cell that agrees is worth what it would take to agree by chance: the negative logarithm of the share of
    rows with that value, or between the two numbers. Copies that differ in a sixth of their cells are near
    each other by that measure, however far the changed cells moved, while rows that agree in what most rows
    have are not.

    Parameters
    ----------
    table : TableFeatures
    group : int ndarray of shape (n,)
        Only rows with the same number are compared; those with a negative one are left alone.
    neighbours : int ndarray of shape (n, k)
        Candidates beside those that a sketch of the exact values finds.

    Returns
    -------
    int64 ndarray of shape (n,)
        Number of each row's component, in order of first appearance.

    References
    ----------
    Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002: sketches.
    """
    n = len(table)
    each = np.arange(n)
    left, right = [np.repeat(each, neighbours.shape[1])], [neighbours.ravel().astype(np.int64)]
    cells = SharedInformation(table)
    sketch = _sketch(cells, random_state)
    _, first = np.unique(np.stack([table.identical, group], axis=1), axis=0, return_index=True)
    for value in np.unique(group[group >= 0]).tolist():
        rows = np.sort(first[group[first] == value])
        near = nearest_neighbours(sketch[rows], _CANDIDATES, jobs=jobs)[0]
        left.append(np.repeat(rows, near.shape[1]))
        right.append(np.append(rows, n)[np.minimum(near, len(rows))].ravel())
    a, b = np.concatenate(left), np.concatenate(right)
    known = (b < n) & (a != b)
    a, b = a[known], b[known]
    alike = (group[a] == group[b]) & (group[a] >= 0)
    a, b = np.minimum(a[alike], b[alike]), np.maximum(a[alike], b[alike])
    pairs = np.unique(a * n + b)
    a, b = pairs // n, pairs % n
    agree = _agreement(cells, a, b) >= AGREES
    return join(a[agree], b[agree], _same(table, group))


def _same(table: TableFeatures, group: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.unique(np.stack([table.identical, group], axis=1), axis=0, return_inverse=True)[1].ravel()


def _sketch(cells: SharedInformation, random_state: int) -> NDArray[np.float32]:
    """Unit rows whose cosine is about the share of information that two rows share."""
    rng = np.random.default_rng(random_state)
    sketch = np.zeros((len(cells.levels), _WIDTH), np.float32)
    place = np.full(len(cells.count), -1)
    for column, level in enumerate(cells.levels.T):
        shared = np.flatnonzero((cells.column == column) & (cells.count >= 2))
        place[shared] = np.arange(len(shared))
        rows = np.flatnonzero(place[level] >= 0)
        sign = rng.integers(0, 2, (len(shared), _WIDTH), dtype=np.int8).astype(np.float32) * 2 - 1
        sign *= np.sqrt(cells.worth[shared])[:, None]
        sketch[rows] += sign[place[level[rows]]]
    total = np.maximum(cells.own(cells.levels), 1e-9)
    return np.asarray(sketch / np.sqrt(_WIDTH * total)[:, None], np.float32)


def _agreement(
    cells: SharedInformation, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Share of the more telling row's information that each pair of rows shares."""
    own = cells.own(cells.levels)
    share = np.zeros(len(left))
    step = max(1, _CELLS // cells.levels.shape[1])
    for start in range(0, len(left), step):
        a, b = left[start : start + step], right[start : start + step]
        more = np.maximum(np.maximum(own[a], own[b]), 1e-9)
        share[start : start + step] = cells.shared(cells.levels[a], cells.levels[b]) / more
    return share


def alike(
    table: TableFeatures, row: NDArray[np.int64], among: NDArray[np.int64], *, random_state: int = 0
) -> list[NDArray[np.int64]]:
    """For each row, those among others that agree with it; a sketch says which are worth comparing."""
    cells = SharedInformation(table)
    sketch = _sketch(cells, random_state)
    found = []
    for start in range(0, len(row), _QUERIES):
        queries = row[start : start + _QUERIES]
        for one, cosine in zip(queries, sketch[queries] @ sketch[among].T, strict=True):
            near = among[cosine >= AGREES / 2]
            found.append(near[cells.agreement(cells.levels[one], cells.levels[near]) >= AGREES])
    return found


def with_consensus(table: TableFeatures, groups: list[NDArray[np.int64]]) -> TableFeatures:
    """The table with every row of a group replaced by what its rows agree on: what they are copies of.

    A cell of the consensus is the most common value of the group; of numbers that all differ, the median.
    """
    columns = []
    for column in table.columns:
        values = column.values.copy()
        for rows in groups:
            own = column.values[rows]
            known = own[~np.isnan(own)]
            if 2 * len(known) <= len(own):
                values[rows] = np.nan
                continue
            level, count = np.unique(known, return_counts=True)
            if column.numeric and count.max() == 1:
                values[rows] = level[(len(level) - 1) // 2]
            else:
                values[rows] = level[count.argmax()]
        columns.append(replace(column, values=values))
    return TableFeatures(columns)
