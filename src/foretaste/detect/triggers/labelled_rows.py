"""The labelled rows of a table as value triggers see them: items, votes, what the forest says of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.contradiction import one_vote_each
from foretaste.detect.triggers.cells import MOST_SHARE, OwnLabel
from foretaste.detect.triggers.items import Items, cut
from foretaste.detect.triggers.suspect import LEAST_SHARE
from foretaste.features.duplicates import join

LEAST_ROWS = 6
LEAST_PURE = 0.7
"""Share of a cell's rows that must have the target label."""

PURE_COMBINATION = 0.9
"""Share of a combination's rows with the target label: one is chosen so that hardly any row has it."""

PRIOR_ROWS = 2
"""Rows of the class's share that are added to those of a value alone, which may be few."""

MOST_ASKED = 4_000


@dataclass(frozen=True)
class LabelledRows:
    """Rows with a judged label, all of them or a sample.

    Attributes
    ----------
    rows : int64 ndarray of shape (m,)
        Positions in the data; every array below is in their order.
    y : int64 ndarray of shape (m,)
    k : int
        Number of classes.
    votes : float64 ndarray of shape (m,)
        Near-duplicates with the same label have one in all.
    items : list of Items
    forest : OwnLabel
    least : int
        Fewest rows of a cell.
    copies : int64 ndarray of shape (n,)
        The same number for rows of the data that are near-duplicates, or have the same values in all columns.
    """

    rows: NDArray[np.int64]
    y: NDArray[np.int64]
    k: int
    votes: NDArray[np.float64]
    items: list[Items]
    forest: OwnLabel
    least: int
    copies: NDArray[np.int64]

    @classmethod
    def of(cls, context: Context) -> LabelledRows:
        assert context.table is not None
        forest = OwnLabel(context)
        rows = forest.known
        y = context.y[rows]
        least = int(max(LEAST_ROWS, np.ceil(0.001 * len(context))))
        items = [Items(i.column, i.code[rows], i.conditions) for i in cut(context.table, max(least - 1, 2))]
        _, first, inverse = np.unique(context.components, return_index=True, return_inverse=True)
        copies = join(first[inverse], np.arange(len(context)), context.table.identical)
        votes = one_vote_each(y, copies[rows])
        return cls(rows, y, context.n_classes, votes, items, forest, least, copies)

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, most: int, random_state: int) -> LabelledRows:
        """At most so many of the rows, drawn evenly; a cell needs the fewer of them."""
        if len(self) <= most:
            return self
        at = np.sort(np.random.default_rng(random_state).permutation(len(self))[:most])
        return replace(
            self,
            rows=self.rows[at],
            y=self.y[at],
            votes=self.votes[at],
            items=[Items(i.column, i.code[at], i.conditions) for i in self.items],
            forest=self.forest.take(at),
            least=int(max(LEAST_ROWS, np.ceil(self.least * most / len(self)))),
        )

    @cached_property
    def prior(self) -> NDArray[np.float64]:
        """Share of each class."""
        return np.bincount(self.y, minlength=self.k) / len(self.y)

    @cached_property
    def least_pure(self) -> NDArray[np.float64]:
        """For each class, the share of a cell's rows that must have it.

        The rows with another label are natural; so are, then, as many with this one as come with those
        elsewhere. That must leave `LEAST_SHARE` of its rows to a trigger.
        """
        others = (1 - LEAST_SHARE) * (1 - self.prior)
        return np.maximum(LEAST_PURE, self.prior / np.maximum(self.prior + others, 1e-9))

    @cached_property
    def item_counts(self) -> list[NDArray[np.int64]]:
        """Rows of every item."""
        return [np.bincount(i.code[i.code >= 0], minlength=len(i)).astype(np.int64) for i in self.items]

    @cached_property
    def _one_up(self) -> list[NDArray[np.int64]]:
        return [item.code + 1 for item in self.items]

    @cached_property
    def _with_label(self) -> list[NDArray[np.int64]]:
        return [(item.code + 1) * self.k + self.y for item in self.items]

    def of_class(self, choice: tuple[int, ...]) -> NDArray[np.int64]:
        """Rows of every cell of one or two items (by position), by label, shape (cells, k)."""
        *before, last = choice
        joint, shape = self._with_label[last], [len(self.items[last]) + 1, self.k]
        if before:
            joint = self._one_up[before[0]] * (shape[0] * self.k) + joint
            shape.insert(0, len(self.items[before[0]]) + 1)
        counts = np.bincount(joint, minlength=int(np.prod(shape))).reshape(shape)
        known = counts[(slice(1, None),) * len(choice)]  # rows with none of a cut's items come first
        return np.ascontiguousarray(known).reshape(-1, self.k)

    def eligible(
        self, choice: tuple[int, ...]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
        """Which cells could be a trigger for a class, how far they lean to it, (cells, k); their rows."""
        of_class = self.of_class(choice)
        total = of_class.sum(axis=1)
        all_rows = total[:, None]
        enough = (of_class >= self.least) & (all_rows <= MOST_SHARE * len(self.y))
        enough &= of_class >= self.least_pure * all_rows
        spread = np.sqrt(np.maximum(all_rows * self.prior * (1 - self.prior), 1e-9))
        return enough, (of_class - all_rows * self.prior) / spread, total


def evenly(rows: NDArray[np.int64], most: int = MOST_ASKED) -> NDArray[np.int64]:
    """At most so many of the rows, at even steps.

    Examples
    --------
    >>> evenly(np.arange(9), 3).tolist()
    [0, 4, 8]
    """
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
