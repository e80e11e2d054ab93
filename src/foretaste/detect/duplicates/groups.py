"""Groups of copies: the rows with one label in one near-duplicate component."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_COPIES = 5
"""Smallest group that is called a campaign of copies."""


@dataclass(frozen=True)
class CopyGroups:
    """The rows with one label in one near-duplicate component, for every label and component.

    Attributes
    ----------
    of_row : int64 ndarray of shape (n,)
        Group of each row, -1 for rows without a judged label.
    component, label, size : int64 ndarray of shape (g,)
    leads : bool ndarray of shape (g,)
        Whether most rows of its component have its label. Where the others outvote it, the group is what
        wrong labels, or classes that overlap, leave among rows that are alike for another reason.
    """

    of_row: NDArray[np.int64]
    component: NDArray[np.int64]
    label: NDArray[np.int64]
    size: NDArray[np.int64]
    leads: NDArray[np.bool_]

    @classmethod
    def of(cls, component: NDArray[np.int64], y: NDArray[np.int64], n_classes: int) -> CopyGroups:
        known = np.flatnonzero(y >= 0)
        keys, inverse, size = np.unique(
            component[known] * n_classes + y[known], return_inverse=True, return_counts=True
        )
        of_row = np.full(len(y), -1, np.int64)
        of_row[known] = inverse
        of = keys // n_classes
        leads = 2 * size > np.bincount(of, size)[of]
        return cls(of_row, of, keys % n_classes, size.astype(np.int64), leads)

    def only(self, kept: NDArray[np.bool_]) -> CopyGroups:
        """The groups that are kept; rows of the others belong to none."""
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        of_row = np.append(number, -1)[self.of_row]
        return CopyGroups(of_row, self.component[kept], self.label[kept], self.size[kept], self.leads[kept])

    def members(self, least: int = LEAST_COPIES) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Every group with ``least`` rows or more, and its rows."""
        order = np.argsort(self.of_row, kind="stable")
        ends = np.searchsorted(self.of_row[order], np.arange(len(self.size)), side="right")
        for group in np.flatnonzero(self.size >= least).tolist():
            yield group, np.sort(order[ends[group] - self.size[group] : ends[group]])

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over each group's rows of a value per row, shape (g,): copies have one vote."""
        known = self.of_row >= 0
        total = np.bincount(self.of_row[known], values[known], len(self.size))
        return total / np.maximum(self.size, 1)

    def largest(self, within: CopyGroups) -> NDArray[np.int64]:
        """Of every group: how many of its rows are in one group of another division, at most."""
        known = np.flatnonzero((self.of_row >= 0) & (within.of_row >= 0))
        pairs, count = np.unique(
            np.stack([self.of_row[known], within.of_row[known]]), axis=1, return_counts=True
        )
        found = np.zeros(len(self.size), np.int64)
        np.maximum.at(found, pairs[0], count)
        return found

    def surplus(self, least: int = LEAST_COPIES) -> NDArray[np.int64]:
        """Rows of groups with ``least`` copies or more, but the first of each."""
        known = np.flatnonzero(self.of_row >= 0)
        group = self.of_row[known]
        _, first = np.unique(group, return_index=True)
        later = np.ones(len(known), bool)
        later[first] = False
        return known[later & (self.size[group] >= least)]


__all__ = ["LEAST_COPIES", "CopyGroups"]
