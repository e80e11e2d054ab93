"""Pairs of values that meet in one class beyond chance, and more purely than either without the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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

MOST_JUDGED = 300

MOST_COUNTED = 200_000_000
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
        left, right = self.pairs.T
        self.count, self.log_chance = np.zeros((2, k, len(self.pairs)))
        for c in range(k) if len(self.pairs) else ():
            mine = rows[y == c]
            self.count[c] = np.asarray((mine.T @ mine).tocsr()[left, right]).ravel()
            size = np.stack([self.size[c, left], self.size[c, right]])
            share = size.min(axis=0) / max(mine.shape[0], 1)
            self.log_chance[c] = binom.logsf(self.count[c] - 1, size.max(axis=0), share)
        beyond = self.log_chance < np.log(alpha) - np.log(max(len(self.values) ** 2 / 2, 1))
        self.beyond = beyond & (self.count >= self.labelled.least)
        self.tested = max(int(self.beyond.sum()), 1)

    def found(self) -> list[Meeting]:
        """Those more purely of one label than either value alone, of which there are rows; clearest first."""
        least = max(self.labelled.least, np.ceil(LEAST_RATE * len(self.labelled)))
        total = self.count.sum(axis=0)
        pure = self.beyond & (self.count >= np.maximum(least, PURE_COMBINATION * total))
        found = []
        for label, at in np.argwhere(pure):
            count, prior = self.count[label, at], self.prior[label]
            alone = self.size[:, self.pairs[at]].sum(axis=0) - total[at]
            mine = self.size[label, self.pairs[at]] - count
            share = max(prior, *((mine + PRIOR_ROWS * prior) / (alone + PRIOR_ROWS)))
            log_p = float(binom.logsf(count - 1, total[at], share))
            if alone.min() >= LEAST_ALONE and log_p < np.log(self.alpha / self.tested):
                found.append(self._meeting(int(label), int(at), log_p))
        return sorted(found, key=lambda meeting: meeting.log_p)[:MOST_JUDGED]

    def of_the_same_columns(self, meeting: Meeting) -> list[Meeting]:
        """Other pairs of values of its two columns that meet beyond chance in any class, clearest first."""
        columns = np.sort(self.values.column[self.pairs], axis=1)
        same = (columns == np.sort(self.values.column[list(meeting.values)])).all(axis=1)
        others = np.flatnonzero(same & (self.pairs != meeting.values).any(axis=1))
        log_chance = self.log_chance[:, others]
        level = np.log(self.alpha / max(log_chance.size, 1))
        beyond = (log_chance < level) & (self.count[:, others] >= self.labelled.least)
        of_class, at = np.nonzero(beyond)
        order = np.argsort(log_chance[of_class, at], kind="stable")
        return [self._meeting(int(of_class[i]), int(others[at[i]]), 0.0) for i in order]

    def _meeting(self, label: int, at: int, log_p: float) -> Meeting:
        first, second = self.pairs[at].tolist()
        return Meeting(label, (first, second), int(self.count[label, at]), log_p)


def _rows_to_count(labelled: LabelledRows) -> int:
    """How many rows may be looked at: they are counted in steps as the square of the values each has."""
    counts = [
        count[count <= MOST_COMMON * len(labelled)].sum()
        for item, count in zip(labelled.items, labelled.item_counts, strict=True)
        if len(item) and item.conditions[0].value is not None
    ]
    each = sum(counts) / max(len(labelled), 1)
    return int(max(FEWEST_COUNTED, MOST_COUNTED / max(each, 1) ** 2))
