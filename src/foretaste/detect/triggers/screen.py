"""Which of very many cells are worth a judge's look."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.contradiction import BareReference, one_vote_each
from foretaste.detect.triggers.bare_rows import BareRows
from foretaste.detect.triggers.cells import MOST_SHARE, Cut, OwnLabel, cross
from foretaste.detect.triggers.items import Items, cut
from foretaste.stats.calibration import fit_line

SCREENED = 1500
"""Cells that go from the screen to the judge."""

ASKED_IN_PAIRS = 64
"""With more columns than this, pairs are screened by trees blind to one of their two columns."""

LEAST_ROWS = 6
LEAST_PURE = 0.7
"""Share of a cell's rows that must have the target label."""


@dataclass(frozen=True)
class Cell:
    """One cell that passed the screen, for one class it may push."""

    cut: Cut
    cell: int
    label: int
    score: float


class Screen:
    """All cells of one and two columns of a table.

    Attributes
    ----------
    known : int64 ndarray
        Rows with a judged label; every array below is in their order.
    y : int64 ndarray
    votes : float64 ndarray
        Near-duplicates with the same label have one in all.
    items : list of Items
    looked_at : dict
        Number of (cell, class) looked at, by number of columns.
    """

    def __init__(self, context: Context) -> None:
        assert context.table is not None
        self.context = context
        self.forest = OwnLabel(context)
        self.known = self.forest.known
        self.y = context.y[self.known]
        self.k = context.n_classes
        self.votes = one_vote_each(self.y, context.components[self.known])
        self.count = np.bincount(self.y, minlength=self.k)
        self.prior = self.count / len(self.y)
        self.least = int(max(LEAST_ROWS, np.ceil(0.001 * len(context))))
        fewest = max(self.least - 1, 2)
        self.items = [Items(i.column, i.code[self.known], i.conditions) for i in cut(context.table, fewest)]
        self.looked_at = {1: 0, 2: 0, 3: 0}
        self.asks_pairs = len(context.table.columns) <= ASKED_IN_PAIRS
        self._bare = self._bare_rows()
        self._others = self._of_others()
        # without votes: one of each near-duplicate would make stamped rows a large part of their own null
        lines = [BareReference(r.bare, r.others).line() for r in self.references(1)]
        self._slope = np.array([line.slope for line in lines])
        self._offset = np.log(self.count) - np.log(np.maximum(len(self.y) - self.count, 1))
        self._offset -= np.array([line.intercept for line in lines])

    def log_ratio(self, log_odds: NDArray[np.float64], label: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Of rows with these labels, given the log odds of their own label without a pattern."""
        return np.asarray(np.clip(self._offset[label] - self._slope[label] * log_odds, -7, 7), np.float64)

    def worst(self) -> list[Cell]:
        """The cells that look worst when each row is allowed to be natural with even odds, worst first."""
        smooth = np.log((np.exp(self._smooth_ratio()) + 1) / 2)
        found: list[Cell] = []
        grouped = self._grouped()
        log_odds_of = self.forest.without([columns for columns, _ in grouped])
        for (_, cuts), log_odds in zip(grouped, log_odds_of, strict=True):
            gain = np.log((np.exp(self.log_ratio(log_odds, self.y)) + 1) / 2)
            for items in cuts:
                made = cross(*items)
                enough, _, _ = self.eligible(made)
                if enough.any():
                    score = np.maximum(self._sums(made, gain), self._sums(made, smooth) / 2)
                    for cell, label in np.argwhere(enough & (score > 2)):
                        found.append(Cell(made, int(cell), int(label), float(score[cell, label])))
            if len(found) > 4 * SCREENED:
                found = sorted(found, key=lambda c: -c.score)[:SCREENED]
        if not self.asks_pairs:
            found += self._pairs_by_products(smooth / 2)
        return sorted(found, key=lambda c: -c.score)[:SCREENED]

    def _grouped(self) -> list[tuple[tuple[int, ...], list[tuple[Items, ...]]]]:
        """The choices of items the forest is asked about, by the columns it must not have seen."""
        choices: list[tuple[Items, ...]] = [(item,) for item in self.items]
        if self.asks_pairs:
            choices += [(a, b) for a, b in combinations(self.items, 2) if a.column != b.column]
        grouped: dict[tuple[int, ...], list[tuple[Items, ...]]] = {}
        for items in choices:
            grouped.setdefault(tuple(item.column for item in items), []).append(items)
        return list(grouped.items())

    def _sums(self, made: Cut, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over cell and label, shape (size, k)."""
        inside = made.cell >= 0
        joint = made.cell[inside] * self.k + self.y[inside]
        sums = np.bincount(joint, value[inside], made.size * self.k).astype(np.float64)
        return sums.reshape(made.size, self.k)

    def eligible(self, made: Cut) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
        """Which cells could be a trigger for a class, how far they lean to it, (size, k); their rows."""
        of_class = self._sums(made, np.ones(len(self.y)))
        total = of_class.sum(axis=1)
        all_rows = total[:, None]
        enough = (of_class >= self.least) & (all_rows <= MOST_SHARE * len(self.y))
        enough &= of_class >= np.maximum(LEAST_PURE, self.prior) * all_rows
        spread = np.sqrt(np.maximum(all_rows * self.prior * (1 - self.prior), 1e-9))
        return enough, (of_class - all_rows * self.prior) / spread, total

    def references(self, width: int) -> list[BareReference]:
        """Per class: own rows without the ``width`` columns that lean to it most; the others as they are."""
        bare = self._bare.without(width)
        own = [self.y == c for c in range(self.k)]
        return [
            BareReference(bare[own[c]], self._others[c], self.votes[own[c]], self.votes[~own[c]])
            for c in range(self.k)
        ]

    def _bare_rows(self) -> BareRows:
        assert self.context.table is not None
        bare = BareRows(self.forest, len(self.context.table.columns))
        grouped = self._grouped()
        log_odds_of = self.forest.without([columns for columns, _ in grouped])
        for (_, cuts), log_odds in zip(grouped, log_odds_of, strict=True):
            for items in cuts:
                made = cross(*items)
                enough, lean, total = self.eligible(made)
                self.looked_at[len(items)] += int((total >= self.least).sum()) * self.k
                if not enough.any():
                    continue
                at = np.maximum(made.cell, 0)
                counts = (made.cell >= 0) & enough[at, self.y]
                bare.see(made.columns, np.where(counts, lean[at, self.y], -np.inf), log_odds)
        return bare

    def _of_others(self) -> list[NDArray[np.float64]]:
        """Log odds of each class for the rows of the others."""
        share = self.context.forest.predict(rows=self.known)
        share = np.clip(np.where(np.isnan(share), self.prior, share), 0.005, 0.995)
        odds = np.log(share) - np.log1p(-share)
        return [odds[self.y != c, c] for c in range(self.k)]

    def _smooth_ratio(self) -> NDArray[np.float64]:
        """Log ratios by the linear model: it hardly sees a combination, so it does not explain it away."""
        share = np.clip(np.exp(self.context.opinion("linear")[self.known]), 0.005, 0.995)
        odds = np.log(share) - np.log1p(-share)
        ratio = np.empty(len(self.y))
        for label in range(self.k):
            own = self.y == label
            line = fit_line(odds[:, label], own)
            prior = np.log(max(own.sum(), 1)) - np.log(max((~own).sum(), 1))
            ratio[own] = prior - line.log_odds(odds[own, label])
        return np.clip(ratio, -7, 7)

    def _pairs_by_products(self, smooth: NDArray[np.float64]) -> list[Cell]:
        """Pairs of items, counted and summed by matrix products.

        A model blind to one part of a combination cannot use the combination: a pair is as suspicious as its
        rows look to the trees without its one column, to those without the other, or to the linear model.
        """
        at = [(i, j) for i, item in enumerate(self.items) for j in range(len(item))]
        one_hot = np.stack([self.items[i].code == j for i, j in at], axis=1).astype(np.float32)
        column = np.array([self.items[i].column for i, _ in at])
        linear = one_hot * (smooth * self.votes)[:, None].astype(np.float32)
        blind = np.empty_like(one_hot)
        log_odds_of = self.forest.without([(items.column,) for items in self.items])
        for i, log_odds in enumerate(log_odds_of):
            mine = np.array([part == i for part, _ in at])
            gain = np.log((np.exp(self.log_ratio(log_odds, self.y)) + 1) / 2) * self.votes
            blind[:, mine] = one_hot[:, mine] * gain[:, None]
        upper = column[:, None] < column[None, :]
        total = one_hot.T @ one_hot
        self.looked_at[2] += int((upper & (total >= self.least)).sum()) * self.k
        found: list[Cell] = []
        for label in range(self.k):
            own = self.y == label
            of_class = one_hot[own].T @ one_hot[own]
            one_blind = one_hot[own].T @ blind[own]
            score = np.maximum(one_hot[own].T @ linear[own], np.maximum(one_blind, one_blind.T))
            prior = self.prior[label]
            enough = upper & (of_class >= self.least) & (total <= MOST_SHARE * len(self.y))
            enough &= of_class >= max(LEAST_PURE, prior) * total
            left, right = np.nonzero(enough & (score > 2))
            order = np.argsort(-score[left, right], kind="stable")[:SCREENED]
            for a, b in zip(left[order], right[order], strict=True):
                (i, u), (j, v) = at[a], at[b]
                made = cross(self.items[i], self.items[j])
                found.append(Cell(made, u * len(self.items[j]) + v, label, float(score[a, b])))
        return found
