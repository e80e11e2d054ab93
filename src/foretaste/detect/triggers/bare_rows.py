"""What rows of a class look like without the columns that speak for it most: the null of value triggers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.triggers.cells import OwnLabel

WIDEST = 5
"""Columns of a triple and its two companions: no suspect is judged with more left out."""


class BareRows:
    """Every row's strongest columns, found while the cells of a table pass by; then the row without them.

    The more columns are left out the barer any row is, and the fewer trees are left to ask. So a suspect is
    compared with rows that miss as many columns as its own.

    Parameters
    ----------
    forest : OwnLabel
        Of n rows.
    n_columns : int
    """

    def __init__(self, forest: OwnLabel, n_columns: int) -> None:
        n = len(forest.known)
        self.forest = forest
        self._most = np.full(n, -np.inf)
        self._columns = np.full((n, 2), -1, np.int64)
        self._alone = np.full((n, n_columns), -np.inf, np.float32)
        self._without = {1: forest.full.copy()}

    def see(self, columns: tuple[int, ...], lean: NDArray[np.float64], log_odds: NDArray[np.float64]) -> None:
        """Learn how far each row's cell in these columns leans to its label, and its log odds without them.

        Parameters
        ----------
        columns : tuple of one or two int
        lean, log_odds : float64 ndarray of shape (n,)
            ``lean`` is minus infinity for rows whose cell does not lean to their label.
        """
        more = lean > self._most
        self._most[more], self._without[1][more] = lean[more], log_odds[more]
        self._columns[more] = -1
        self._columns[np.flatnonzero(more)[:, None], np.arange(len(columns))] = columns
        if len(columns) == 1:
            alone = self._alone[:, columns[0]]
            np.maximum(alone, lean, out=alone, casting="same_kind")

    def without(self, width: int) -> NDArray[np.float64]:
        """Log odds of every row's own label without its strongest cell and columns, ``width`` in all."""
        if width not in self._without:
            before = self.without(width - 1)
            self._without[width] = self._one_wider(width, before) if width <= WIDEST else before
        return self._without[width]

    def _one_wider(self, width: int, before: NDArray[np.float64]) -> NDArray[np.float64]:
        """The row's strongest cell, filled up to ``width`` columns with those that lean most on their own."""
        ranked = np.argsort(-self._alone, axis=1, kind="stable")[:, : width + 2]
        free = np.isfinite(np.take_along_axis(self._alone, ranked, axis=1))
        free &= (ranked[:, :, None] != self._columns[:, None, :]).all(axis=2)
        missing = width - (self._columns >= 0).sum(axis=1)
        free &= np.cumsum(free, axis=1) <= missing[:, None]
        out = np.concatenate([self._columns, np.where(free, ranked, -1)], axis=1)
        out = np.sort(out, axis=1)[:, -width:]
        bare = before.copy()
        left_out, group = np.unique(out, axis=0, return_inverse=True)
        order = np.argsort(group.ravel(), kind="stable")
        for rows in np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1]):
            columns = tuple(int(c) for c in left_out[group.ravel()[rows[0]]] if c >= 0)
            log_odds = self.forest.of(rows, columns) if len(columns) == width else None
            if log_odds is not None:
                bare[rows] = log_odds
        return bare
