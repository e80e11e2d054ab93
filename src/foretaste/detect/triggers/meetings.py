"""Pairs of values that meet in one class beyond chance, and more purely than either without the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import binom

from foretaste.detect.triggers.exact_values import ExactValues
from foretaste.detect.triggers.labelled_rows import PRIOR_ROWS, PURE_COMBINATION, LabelledRows

LEAST_RATE = 0.005
"""Share of all rows that a pair must have: fewer rows with the right label teach a model nothing."""

LEAST_ALONE = 6
"""Rows with either value alone, which tell what it means."""

MOST_COMMON = 0.6
"""A value in more of the rows than this is not asked whom it meets."""

MOST_JUDGED = 200

MOST_COUNTED = 100_000_000
"""Pairs of values, row by row; of wider tables fewer rows are looked at."""

FEWEST_COUNTED = 1_000


@dataclass(frozen=True)
class Meeting:
    """Two values that meet in the rows of a class.

    Attributes
    ----------
    label : int
    values : (int, int)
        As positions in `Meetings.values`.
    rows : int
        Those with the label that have both; one of each near-duplicate.
    log_p : float
        Log chance of so many with the label, by what the values mean alone.
    """

    label: int
    values: tuple[int, int]
    rows: int
    log_p: float


class Meetings:
    """Counts, for all pairs of exact values of different columns, the rows that have both, class by class.

    Parameters
    ----------
    labelled : LabelledRows
    alpha : float
        Level, over all pairs that could meet; of labels, over all that do beyond chance (Bonferroni).
    random_state : int
        Seed of the sample that is looked at in wide tables.
    """

    def __init__(self, labelled: LabelledRows, *, alpha: float, random_state: int = 0) -> None:
        self.labelled = labelled.sample(_rows_to_count(labelled), random_state)
        self.alpha, k = alpha, labelled.k
        labels, copies = self.labelled.y, self.labelled.copies[self.labelled.rows]
        first = np.sort(np.unique(np.stack([copies, labels]), axis=1, return_index=True)[1])
        values = ExactValues.of(self.labelled.items, first)
        size = np.asarray(values.rows.sum(axis=0)).ravel()
        self.values = values.take(np.flatnonzero(size <= MOST_COMMON * len(first)))
        rows, column, y = self.values.rows, self.values.column, labels[first]
        self.prior = np.bincount(y, minlength=k) / max(len(y), 1)
        self.size = np.stack([np.asarray(rows[y == c].sum(axis=0)).ravel() for c in range(k)])
        together = sparse.triu(rows.T @ rows, k=1).tocoo()
        able = (column[together.row] != column[together.col]) & (together.data >= self.labelled.least)
        self.pairs = np.stack([together.row[able], together.col[able]], axis=1).astype(np.int64)
        self.total = together.data[able]
        found = [self._of_class(rows[y == label], self.size[label]) for label in range(k)]
        self.label = np.repeat(np.arange(k), [len(at) for at, _, _ in found])
        self.at, self.count, self.log_chance = (np.concatenate(part) for part in zip(*found, strict=True))
        beyond = self.log_chance < np.log(alpha) - np.log(max(len(self.values) ** 2 / 2, 1))
        self.beyond = np.flatnonzero(beyond)
        self.tested = max(len(self.beyond), 1)

    def _of_class(
        self, rows: sparse.csr_matrix, size: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Which pairs may meet in these rows beyond chance, how often, and the log chance of that."""
        if not len(self.pairs) or not rows.shape[0]:
            return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
        left, right = self.pairs.T
        count = np.asarray((rows.T @ rows).tocsr()[left, right]).ravel()
        at = np.flatnonzero(count >= self.labelled.least)
        sizes = np.sort(size[self.pairs[at]], axis=1)
        log_chance = binom.logsf(count[at] - 1, sizes[:, 1], sizes[:, 0] / rows.shape[0])
        kept = log_chance < np.log(self.alpha)
        return at[kept], count[at][kept], log_chance[kept]

    def found(self) -> list[Meeting]:
        """Those more purely of one label than either value alone, of which there are rows; clearest first."""
        least = max(self.labelled.least, np.ceil(LEAST_RATE * len(self.labelled)))
        pairs, label = self.pairs[self.at[self.beyond]], self.label[self.beyond]
        count, total = self.count[self.beyond], self.total[self.at[self.beyond]]
        alone = self.size.sum(axis=0)[pairs] - total[:, None]
        mine = self.size[label[:, None], pairs] - count[:, None]
        prior = self.prior[label]
        share = (mine + PRIOR_ROWS * prior[:, None]) / (alone + PRIOR_ROWS)
        log_p = binom.logsf(count - 1, total, np.maximum(prior, share.max(axis=1, initial=0)))
        pure = (count >= np.maximum(least, PURE_COMBINATION * total)) & (
            alone.min(axis=1, initial=np.inf) >= LEAST_ALONE
        )
        chosen = np.flatnonzero(pure & (log_p < np.log(self.alpha / self.tested)))
        chosen = chosen[np.argsort(log_p[chosen], kind="stable")][:MOST_JUDGED]
        return [self._meeting(int(self.beyond[i]), float(log_p[i])) for i in chosen]

    def of_the_same_columns(self, meeting: Meeting) -> list[Meeting]:
        """Other pairs of values of its two columns that meet beyond chance in any class, clearest first."""
        columns = np.sort(self.values.column[self.pairs], axis=1)
        same = (columns == np.sort(self.values.column[list(meeting.values)])).all(axis=1)
        same &= (self.pairs != meeting.values).any(axis=1)
        level = np.log(self.alpha / max(int(same.sum()) * self.labelled.k, 1))
        others = np.flatnonzero(same[self.at] & (self.log_chance < level))
        order = np.argsort(self.log_chance[others], kind="stable")
        return [self._meeting(int(i), 0.0) for i in others[order]]

    def _meeting(self, i: int, log_p: float) -> Meeting:
        first, second = self.pairs[self.at[i]].tolist()
        return Meeting(int(self.label[i]), (first, second), int(self.count[i]), log_p)


def _rows_to_count(labelled: LabelledRows) -> int:
    """How many rows may be looked at: they are counted in steps as the square of the values each has."""
    counts = [
        count[count <= MOST_COMMON * len(labelled)].sum()
        for item, count in zip(labelled.items, labelled.item_counts, strict=True)
        if len(item) and item.conditions[0].value is not None
    ]
    each = sum(counts) / max(len(labelled), 1)
    return int(max(FEWEST_COUNTED, MOST_COUNTED / max(each, 1) ** 2))
