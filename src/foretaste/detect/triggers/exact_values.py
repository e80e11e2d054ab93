"""Which rows have which exact values, side by side: to count where two of them meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.detect.triggers.cells import Cut, cross
from foretaste.detect.triggers.items import Items


@dataclass(frozen=True)
class ExactValues:
    """Exact values of all columns, one after the other.

    Attributes
    ----------
    rows : csr matrix of shape (n_rows, n_values)
        Ones where a row has a value.
    column : int64 ndarray of shape (n_values,)
        That of each value.
    item, position : int64 ndarray of shape (n_values,)
        Which of the items each value is from, and its position among them.
    """

    rows: sparse.csr_matrix
    column: NDArray[np.int64]
    item: NDArray[np.int64]
    position: NDArray[np.int64]

    @classmethod
    def of(cls, items: Sequence[Items], rows: NDArray[np.int64]) -> ExactValues:
        """Of these rows, as positions in the items' codes."""
        exact = [i for i, item in enumerate(items) if len(item) and item.conditions[0].value is not None]
        blocks = [sparse.csr_matrix((len(rows), 0))]
        for i in exact:
            at = items[i].code[rows]
            has = np.flatnonzero(at >= 0)
            shape = (len(rows), len(items[i]))
            blocks.append(sparse.csr_matrix((np.ones(len(has)), (has, at[has])), shape=shape))
        size = [len(items[i]) for i in exact]
        column = np.array([items[i].column for i in exact], np.int64)
        position = np.concatenate([np.zeros(0, np.int64), *(np.arange(length) for length in size)])
        item = np.repeat(np.array(exact, np.int64), size)
        return cls(sparse.hstack(blocks, format="csr"), np.repeat(column, size), item, position)

    def __len__(self) -> int:
        return len(self.column)

    def take(self, values: NDArray[np.int64]) -> ExactValues:
        """Only some of the values."""
        return ExactValues(
            self.rows[:, values].tocsr(), self.column[values], self.item[values], self.position[values]
        )

    def cell(self, first: int, second: int, items: Sequence[Items]) -> tuple[Cut, int]:
        """The cell of a cut in which two of them meet; the items may be the same of other rows."""
        a, b = items[self.item[first]], items[self.item[second]]
        return cross(a, b), int(self.position[first]) * len(b) + int(self.position[second])
