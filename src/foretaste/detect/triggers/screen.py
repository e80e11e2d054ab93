"""Which of very many cells are worth a judge's look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.contradiction import BareReference
from foretaste.detect.triggers.bare_rows import BareRows
from foretaste.detect.triggers.cells import MOST_SHARE, Cut, cross
from foretaste.detect.triggers.labelled_rows import LabelledRows
from foretaste.stats.calibration import fit_line

SCREENED = 1500
"""Cells that go from the screen to the judge."""

MOST_SCREENED = 20_000
"""Labelled rows in which cells are screened, and which are the reference; what passes is judged by all."""

ASKED_IN_PAIRS = 64
"""With more columns than this, pairs are screened by trees blind to one of their two columns."""

_ROWS = 4096  # of a matrix product


@dataclass(frozen=True)
class Cell:
    """One cell that passed the screen, for one class it may push."""

    cut: Cut
    cell: int
    label: int
    score: float

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Its rows."""
        return self.cut.inside(self.cell)


@dataclass(frozen=True)
class _Eligible:
    """The cells of one choice of items that could be a trigger, and how far they lean to which class."""

    choice: tuple[int, ...]
    enough: NDArray[np.bool_]
    lean: NDArray[np.float64]


class Screen:
    """All cells of one and two columns of a table.

    Attributes
    ----------
    whole : LabelledRows
        All rows with a judged label.
    some : LabelledRows
        Those of them that cells are screened in.
    looked_at : dict
        Number of (cell, class) looked at, by number of columns.
    """

    def __init__(self, context: Context) -> None:
        assert context.table is not None
        self.context = context
        self.whole = LabelledRows.of(context)
        self.some = self.whole.sample(MOST_SCREENED, context.random_state)
        self.known, self.y, self.k = self.whole.rows, self.whole.y, self.whole.k
        self.items, self.forest, self.least = self.whole.items, self.whole.forest, self.whole.least
        self.prior = self.whole.prior
        self.looked_at = {1: 0, 2: 0, 3: 0}
        self.asks_pairs = len(context.table.columns) <= ASKED_IN_PAIRS
        self._eligible = self._look()
        self._bare = self._bare_rows()
        self._others = self._of_others()
        # without votes: one of each near-duplicate would make stamped rows a large part of their own null
        lines = [BareReference(r.bare, r.others).line() for r in self.references(1)]
        count = np.bincount(self.some.y, minlength=self.k)
        self._slope = np.array([line.slope for line in lines])
        self._offset = np.log(np.maximum(count, 1)) - np.log(np.maximum(len(self.some) - count, 1))
        self._offset -= np.array([line.intercept for line in lines])

    def log_ratio(self, log_odds: NDArray[np.float64], label: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Of rows with these labels, given the log odds of their own label without a pattern."""
        return np.asarray(np.clip(self._offset[label] - self._slope[label] * log_odds, -7, 7), np.float64)

    def worst(self) -> list[Cell]:
        """The cells that look worst when each row is allowed to be natural with even odds, worst first."""
        some = self.some
        smooth = np.log((np.exp(self._smooth_ratio()) + 1) / 2)
        found: list[Cell] = []
        for cells, log_odds in self._without():
            gain = np.log((np.exp(self.log_ratio(log_odds, some.y)) + 1) / 2)
            for one in cells:
                made = cross(*[some.items[i] for i in one.choice])
                at, size = made.cell, made.size
                score = np.maximum(self._sums(at, size, gain), self._sums(at, size, smooth) / 2)
                whole = cross(*[self.items[i] for i in one.choice])
                for cell, label in np.argwhere(one.enough & (score > 2)):
                    found.append(Cell(whole, int(cell), int(label), float(score[cell, label])))
            if len(found) > 4 * SCREENED:
                found = sorted(found, key=lambda c: -c.score)[:SCREENED]
        if not self.asks_pairs:
            found += self._pairs_by_products(smooth / 2)
        return sorted(found, key=lambda c: -c.score)[:SCREENED]

    def references(self, width: int) -> list[BareReference]:
        """Per class: own rows without the ``width`` columns that lean to it most; the others as they are."""
        bare, votes = self._bare.without(width), self.some.votes
        own = [self.some.y == c for c in range(self.k)]
        return [
            BareReference(bare[own[c]], self._others[c], votes[own[c]], votes[~own[c]]) for c in range(self.k)
        ]

    def _look(self) -> dict[tuple[int, ...], list[_Eligible]]:
        """Eligible cells by the columns the forest must not have seen; columns without any are left out."""
        items, some = self.items, self.some
        choices: list[tuple[int, ...]] = [(i,) for i in range(len(items))]
        if self.asks_pairs:
            pairs = combinations(range(len(items)), 2)
            choices += [(a, b) for a, b in pairs if items[a].column != items[b].column]
        found: dict[tuple[int, ...], list[_Eligible]] = {}
        for choice in choices:
            enough, lean, total = some.eligible(choice)
            self.looked_at[len(choice)] += int((total >= some.least).sum()) * self.k
            of = found.setdefault(tuple(items[i].column for i in choice), [])
            if enough.any():
                of.append(_Eligible(choice, enough, lean))
        return {columns: cells for columns, cells in found.items() if cells}

    def _without(self) -> Iterator[tuple[list[_Eligible], NDArray[np.float64]]]:
        """Eligible cells, and the log odds of the rows' own labels by trees that never saw their columns."""
        return zip(self._eligible.values(), self.some.forest.without(list(self._eligible)), strict=True)

    def _sums(self, at: NDArray[np.int64], size: int, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over cell and label, shape (size, k)."""
        inside = at >= 0
        joint = at[inside] * self.k + self.some.y[inside]
        sums = np.bincount(joint, value[inside], size * self.k)
        return np.asarray(sums.reshape(size, self.k), np.float64)

    def _bare_rows(self) -> BareRows:
        assert self.context.table is not None
        some = self.some
        bare = BareRows(some.forest, len(self.context.table.columns))
        for cells, log_odds in self._without():
            for one in cells:
                made = cross(*[some.items[i] for i in one.choice])
                at = made.cell
                counts = (at >= 0) & one.enough[at, some.y]
                bare.see(made.columns, np.where(counts, one.lean[at, some.y], -np.inf), log_odds)
        return bare

    def _of_others(self) -> list[NDArray[np.float64]]:
        """Log odds of each class for the rows of the others."""
        share = self.context.forest.predict(rows=self.some.rows)
        share = np.clip(np.where(np.isnan(share), self.prior, share), 0.005, 0.995)
        odds = np.log(share) - np.log1p(-share)
        return [odds[self.some.y != c, c] for c in range(self.k)]

    def _smooth_ratio(self) -> NDArray[np.float64]:
        """Log ratios by the linear model: it hardly sees a combination, so it does not explain it away."""
        y = self.some.y
        share = np.clip(np.exp(self.context.opinion("linear")[self.some.rows]), 0.005, 0.995)
        odds = np.log(share) - np.log1p(-share)
        ratio = np.empty(len(y))
        for label in range(self.k):
            own = y == label
            line = fit_line(odds[:, label], own)
            prior = np.log(max(own.sum(), 1)) - np.log(max((~own).sum(), 1))
            ratio[own] = prior - line.log_odds(odds[own, label])
        return np.clip(ratio, -7, 7)

    def _pairs_by_products(self, smooth: NDArray[np.float64]) -> list[Cell]:
        """Pairs of items, counted and summed by matrix products, block by block of rows.

        A model blind to one part of a combination cannot use the combination: a pair is as suspicious as its
        rows look to the trees without its one column, to those without the other, or to the linear model.
        """
        some = self.some
        at = [(i, j) for i, item in enumerate(some.items) for j in range(len(item))]
        part, position = np.array([i for i, _ in at]), np.array([j for _, j in at])
        column = np.array([some.items[i].column for i in part])
        code = np.stack([item.code for item in some.items], axis=1)
        linear = (smooth * some.votes).astype(np.float32)[:, None]
        blind = np.empty(code.shape, np.float32)
        for i, log_odds in enumerate(some.forest.without([(item.column,) for item in some.items])):
            gain = np.log((np.exp(self.log_ratio(log_odds, some.y)) + 1) / 2)
            blind[:, i] = gain * some.votes
        upper = column[:, None] < column[None, :]

        def blocks(rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
            for start in range(0, len(rows), _ROWS):
                block = rows[start : start + _ROWS]
                yield block, (code[block][:, part] == position).astype(np.float32)

        total = np.zeros((len(at), len(at)), np.float32)
        for _, one_hot in blocks(np.arange(len(some))):
            total += one_hot.T @ one_hot
        self.looked_at[2] += int((upper & (total >= some.least)).sum()) * self.k
        found: list[Cell] = []
        for label in range(self.k):
            of_class, by_line, by_blind = np.zeros((3, *total.shape), np.float32)
            for rows, one_hot in blocks(np.flatnonzero(some.y == label)):
                of_class += one_hot.T @ one_hot
                by_line += one_hot.T @ (one_hot * linear[rows])
                by_blind += one_hot.T @ (one_hot * blind[rows][:, part])
            score = np.maximum(by_line, np.maximum(by_blind, by_blind.T))
            enough = upper & (of_class >= some.least) & (total <= MOST_SHARE * len(some))
            enough &= of_class >= some.least_pure[label] * total
            left, right = np.nonzero(enough & (score > 2))
            order = np.argsort(-score[left, right], kind="stable")[:SCREENED]
            for a, b in zip(left[order], right[order], strict=True):
                (i, u), (j, v) = at[a], at[b]
                made = cross(self.items[i], self.items[j])
                found.append(Cell(made, u * len(self.items[j]) + v, label, float(score[a, b])))
        return found
