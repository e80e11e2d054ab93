"""What the cells of a table are worth where they agree: what it would take to agree by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foretaste.features.table import TableFeatures

CLOSE = 0.05
"""Two numbers agree where at most this share of all rows lies between them."""


class SharedInformation:
    """The cells of a table as levels, and the information two rows share by agreeing in them.

    A cell that agrees is worth the negative logarithm of the share of rows with that value, or, for two
    numbers, with one between them. What is missing is a value.

    Parameters
    ----------
    table : TableFeatures

    Attributes
    ----------
    levels : int64 ndarray of shape (n, d)
        Level of each cell; no two columns have levels in common, and those of a column ascend.
    column : int64 ndarray of shape (l,)
        Column of each level.
    count : int64 ndarray of shape (l,)
        Rows with each level.
    worth : float64 ndarray of shape (l,)
        Nats that agreeing in it is worth.

    References
    ----------
    Spärck Jones, "A statistical interpretation of term specificity and its application in retrieval", Journal
    of Documentation 28 (1972).

    Examples
    --------
    >>> table = TableFeatures.from_matrix(np.array([[0.0, 5.0], [0.0, 6.0], [1.0, 6.0], [1.0, 6.0]]))
    >>> cells = SharedInformation(table)
    >>> cells.agreement(cells.levels[2], cells.levels).round(2).tolist()
    [0.0, 0.29, 1.0, 1.0]
    """

    def __init__(self, table: TableFeatures) -> None:
        levels, counts, up_to, start = [], [], [], 0
        for column in table.columns:
            values = np.where(np.isnan(column.values), -np.inf, column.values)
            _, level, count = np.unique(values, return_inverse=True, return_counts=True)
            levels.append(level.ravel() + start)
            counts.append(count)
            up_to.append(np.cumsum(count))
            start += len(count)
        self.levels = np.stack(levels, axis=1).astype(np.int64)
        self.column = np.repeat(np.arange(len(counts)), [len(count) for count in counts])
        self.count = np.concatenate(counts).astype(np.int64)
        self.worth = -np.log(self.count / len(table))
        self._up_to = np.concatenate(up_to)
        self._numeric = ~table.is_category

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Information of rows given by their levels, shape (..., d) to (...)."""
        return np.asarray(self.worth[rows].sum(axis=-1), np.float64)

    def agreement(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share of the more telling row's information that rows share, both given by their levels.

        Parameters
        ----------
        left, right : int64 ndarray of shape (..., d)
            Shapes that broadcast.
        """
        more = np.maximum(self.own(left), self.own(right))
        return np.asarray(self.shared(left, right) / np.maximum(more, 1e-9), np.float64)

    def shared(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """The information rows share, given by their levels: shapes (..., d) that broadcast to (...)."""
        total = self._shared_numbers(left[..., self._numeric], right[..., self._numeric])
        same = left[..., ~self._numeric], right[..., ~self._numeric]
        return np.asarray(total + np.where(same[0] == same[1], self.worth[same[0]], 0.0).sum(axis=-1))

    def _shared_numbers(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        low, high = np.minimum(left, right), np.maximum(left, right)
        between = (self._up_to[high] - self._up_to[low] + self.count[low]) / len(self.levels)
        agree = (between <= CLOSE) | (left == right)
        between[~agree] = 1.0
        total: NDArray[np.float64] = -np.log(between, where=agree, out=between * 0).sum(axis=-1)
        return total

    def consensus(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The levels most rows have, shape (m, d) to (d,); of numbers that all differ, the median."""
        level, count = np.unique(rows, return_counts=True)
        order = np.lexsort((level, -count, self.column[level]))
        column = self.column[level[order]]
        first = order[np.append(True, column[1:] != column[:-1])]
        found = level[first]
        differ = (count[first] == 1) & self._numeric
        found[differ] = np.sort(rows[:, differ], axis=0)[(len(rows) - 1) // 2]
        return np.asarray(found, np.int64)


__all__ = ["CLOSE", "SharedInformation"]
