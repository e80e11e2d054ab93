"""Cells of a table: rows that agree in one to three items; what the forest says without those columns."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.triggers.items import Items
from foretaste.features.patterns import Pattern, Values

MOST_SHARE = 0.3
"""A cell with more than this share of the rows is what the data are like, not a trigger."""

_BLOCK = 64


@dataclass(frozen=True)
class Cut:
    """All cells in which items of different columns meet.

    Attributes
    ----------
    items : tuple of Items
        One per column of the cut.
    """

    items: tuple[Items, ...]

    @property
    def columns(self) -> tuple[int, ...]:
        return tuple(item.column for item in self.items)

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(np.prod([len(item) for item in self.items]))

    @property
    def cell(self) -> NDArray[np.int64]:
        """Cell of each row, -1 where it has none; counted anew, for there are very many cuts."""
        cell = self.items[0].code
        for item in self.items[1:]:
            cell = np.where((cell >= 0) & (item.code >= 0), cell * len(item) + item.code, -1)
        return cell

    def positions(self, cell: int) -> tuple[int, ...]:
        """Which item of each column a cell stands for."""
        found: list[int] = []
        for item in reversed(self.items):
            cell, position = divmod(cell, len(item))
            found.append(position)
        return tuple(reversed(found))

    def inside(self, cell: int) -> NDArray[np.bool_]:
        """Which rows are in a cell."""
        met = [item.code == at for item, at in zip(self.items, self.positions(cell), strict=True)]
        return np.asarray(np.logical_and.reduce(met), bool)


def cross(*items: Items) -> Cut:
    """The cut by these items."""
    return Cut(items)


def shape_of(made: Cut, cell: int) -> Callable[[NDArray[np.int64]], Pattern]:
    """Makes the pattern of a cell, whatever rows of it are told."""
    conditions = tuple(
        item.conditions[position] for item, position in zip(made.items, made.positions(cell), strict=True)
    )

    def make(_: NDArray[np.int64]) -> Pattern:
        return Values(conditions)

    return make


class OwnLabel:
    """The forest's log odds for every row's own label, with any columns left out.

    Parameters
    ----------
    context : Context
        With a table.
    """

    def __init__(self, context: Context) -> None:
        forest = context.forest
        self.known = np.flatnonzero(context.y >= 0)
        self.sees = forest.sees
        self.votes, self.out = forest.own_votes(self.known, context.y[self.known])
        self.full = self._log_odds(self.votes.sum(axis=1), self.out.sum(axis=1), None)

    def take(self, positions: NDArray[np.int64]) -> OwnLabel:
        """The same for some of the ``known`` rows."""
        some = copy.copy(self)
        some.known, some.full = self.known[positions], self.full[positions]
        some.votes, some.out = self.votes[positions], self.out[positions]
        return some

    def without(self, sets: list[tuple[int, ...]]) -> Iterator[NDArray[np.float64]]:
        """For each set of columns, log odds of ``known`` rows' own labels by trees that never saw them."""
        for start in range(0, len(sets), _BLOCK):
            part = sets[start : start + _BLOCK]
            blind = np.stack([~self.sees[:, list(s)].any(axis=1) for s in part], axis=1).astype(np.float32)
            votes, count = self.votes @ blind, self.out @ blind
            for j in range(len(part)):
                yield self._log_odds(votes[:, j], count[:, j], self.full)

    def of(self, rows: NDArray[np.int64], columns: tuple[int, ...]) -> NDArray[np.float64] | None:
        """The same for a few positions in ``known``; None where hardly any tree is blind to those columns."""
        blind = ~self.sees[:, list(columns)].any(axis=1)
        if blind.sum() < 4:
            return None
        votes = self.votes[np.ix_(rows, np.flatnonzero(blind))].sum(axis=1)
        count = self.out[np.ix_(rows, np.flatnonzero(blind))].sum(axis=1)
        return self._log_odds(votes, count, self.full[rows])

    def _log_odds(
        self, votes: NDArray[np.float32], count: NDArray[np.float32], otherwise: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        share = np.clip(votes / np.maximum(count, 1), 0.005, 0.995).astype(np.float64)
        odds: NDArray[np.float64] = np.log(share) - np.log1p(-share)
        return odds if otherwise is None else np.where(count > 0, odds, otherwise)
