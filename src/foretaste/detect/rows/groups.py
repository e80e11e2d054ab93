"""Groups that people would name: rows with one value, in one range, or with one word in their text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.triggers.items import cut
from foretaste.features.patterns import Pattern, Phrases, Values

FEWEST_ROWS, FEWEST_SHARE = 40, 0.01
"""Rows, and share of all rows, that a group has at least."""

MOST_SHARE = 0.5
"""Share of all rows that a group has at most: it is compared with the others."""


@dataclass(frozen=True)
class Group:
    """Rows that share something.

    Attributes
    ----------
    shape : Pattern
        What it is.
    rows : int32 ndarray
        Positions, ascending.
    column : int or None
        Position of the feature it is made by; None for a word.
    """

    shape: Pattern
    rows: NDArray[np.int32]
    column: int | None = None

    @property
    def in_words(self) -> str:
        """What its rows have."""
        name = self.shape.describe()
        return name if self.column is not None else f"{name!r} in their text"


def groups_of(context: Context) -> list[Group]:
    """Every group by a value or range of a table, by a word or pair of words of a text; labelled rows."""
    known = context.y >= 0
    least = max(FEWEST_ROWS, int(np.ceil(FEWEST_SHARE * known.sum())))
    most = MOST_SHARE * known.sum()
    found: list[Group] = []
    if context.table is not None:
        for items in cut(context.table, least):
            order = np.argsort(items.code, kind="stable").astype(np.int32)
            order = order[known[order]]
            start = np.searchsorted(items.code[order], np.arange(len(items) + 1))
            for at, condition in enumerate(items.conditions):
                rows = order[start[at] : start[at + 1]]
                if least <= len(rows) <= most:
                    found.append(Group(Values((condition,)), rows, items.column))
    if context.text is not None:
        present = context.text.word_tfidf[np.flatnonzero(known)].tocsc()
        size = np.diff(present.indptr)
        names = {column: word for word, column in context.text.place_of_word.items()}
        position = np.flatnonzero(known).astype(np.int32)
        for column in np.flatnonzero((size >= least) & (size <= most)).tolist():
            rows = np.sort(position[present.indices[present.indptr[column] : present.indptr[column + 1]]])
            found.append(Group(Phrases((names[column],)), rows))
    return found
