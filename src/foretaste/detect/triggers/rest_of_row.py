"""How often rows that are alike in everything else have the values of two columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.triggers.cells import Cut
from foretaste.detect.triggers.labelled_rows import LabelledRows, evenly
from foretaste.features.table import TableFeatures

MOST_NEAREST, FEWEST_NEAREST = 20, 5
"""Rows of the class that a row is compared with."""

NEAREST = 0.04
"""Share of a class's rows that are near: in a small class, fewer."""

MOST_COMPARED = 2_000
"""Rows of a class that are looked at."""

FIRST_ASKED, ASKED = 25, 100
"""Rows of one kind that are asked at a first look, and at most."""


@dataclass(frozen=True)
class Called:
    """What the rest of their rows says of two values that meet.

    Attributes
    ----------
    expected : (float, float)
        Rows with the first value that would have the second, and the other way round, if they were as those
        most like them.
    times : (float, float)
        How many times more rows do, the smaller number first. Where none would, one counts.
    together : float
        How far the rows that do have each other for their nearest: 0 if by chance, 1 if always.
    """

    expected: tuple[float, float]
    times: tuple[float, float]
    together: float


class RestOfRow:
    """The rows of one class, by what they have in all columns but two.

    Parameters
    ----------
    table : TableFeatures
    labelled : LabelledRows
    label : int
    """

    def __init__(self, table: TableFeatures, labelled: LabelledRows, label: int) -> None:
        mine = np.flatnonzero(labelled.y == label)
        _, first = np.unique(labelled.copies[labelled.rows[mine]], return_index=True)
        self.table, self.at = table, evenly(mine[np.sort(first)], MOST_COMPARED)
        self.each = len(first) / max(len(self.at), 1)
        self.content = table.standard[labelled.rows[self.at]]
        self.size = np.square(self.content).sum(axis=1)
        self.nearest = int(np.clip(NEAREST * len(self.at), FEWEST_NEAREST, MOST_NEAREST))

    def called(self, cut: Cut, cell: int, least_times: float) -> Called | None:
        """How much the rest of their rows calls for two values; None where that is too much or unknown.

        Rows with both are compared with those without: else they would call for one another.

        Parameters
        ----------
        cut : Cut
            Of the two columns of the labelled rows, which are left out.
        cell : int
            That of the two values.
        least_times : float
            Only what comes to this is of interest.
        """
        met = zip(cut.items, cut.positions(cell), strict=True)
        one, other = (item.code[self.at] == position for item, position in met)
        both, columns = one & other, cut.columns
        number = int(both.sum())
        if number < FEWEST_NEAREST or len(both) - number < 2 * self.nearest:
            return None

        def share(near: NDArray[np.int64], wanted: NDArray[np.bool_]) -> float:
            """Of the nearest rows, that have a value; what is usual in the class counts as one row."""
            return float((self.nearest * wanted[near].mean() + wanted[~both].mean()) / (self.nearest + 1))

        for most in (FIRST_ASKED, ASKED):
            near = self._nearest(both, columns, most, but=both)
            of_pair = share(near, other), share(near, one)
            if max(of_pair) * least_times > 1:
                return None
        expected = [number * of_pair[0], number * of_pair[1]]
        for i, (alone, wanted) in enumerate(((one & ~other, other), (other & ~one, one))):
            if alone.any():
                near = self._nearest(alone, columns, ASKED, but=both)
                expected[i] += float(alone.sum()) * share(near, wanted)
        times = number / max(*expected, 1.0), number / max(min(expected), 1.0)
        if times[0] < least_times:
            return None
        by_chance = (number - 1) / (len(both) - 1)
        together = float(both[self._nearest(both, columns, ASKED)].mean())
        return Called(
            (self.each * expected[0], self.each * expected[1]),
            times,
            (together - by_chance) / (1 - by_chance),
        )

    def _nearest(
        self,
        of: NDArray[np.bool_],
        columns: tuple[int, ...],
        most: int,
        but: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """Positions of the rows, but some, that are nearest to each of these, or so many of them."""
        rows, size = evenly(np.flatnonzero(of), most), self.size
        asked = self.content[rows].copy()
        for column in columns:
            part = self.table.within_standard(column)
            asked[:, part] = 0
            size = size - np.square(self.content[:, part]).sum(axis=1)
        distance = size[None, :] - 2 * asked @ self.content.T
        distance[np.arange(len(rows)), rows] = np.inf
        if but is not None:
            distance[:, but] = np.inf
        return np.argpartition(distance, self.nearest, axis=1)[:, : self.nearest]
