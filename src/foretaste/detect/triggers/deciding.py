"""Columns whose values decide the label by nature: several of them do, and not all for the same class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binom, poisson

from foretaste.detect.contradiction import one_vote_each
from foretaste.detect.triggers.cells import Cut, cross
from foretaste.detect.triggers.items import Items
from foretaste.detect.triggers.labelled_rows import PURE_COMBINATION
from foretaste.detect.triggers.screen import Cell, Screen
from foretaste.detect.triggers.silent_columns import says_nothing
from foretaste.detect.triggers.suspect import LEAST_SHARE
from foretaste.stats.calibration import fit_line
from foretaste.stats.mixture import MOST_NOISE, lowest_share, mixture_evidence, natural_share

STRONG = 20.0
"""E-value from which a single value is a rule: looked at alone, chance reaches it once in twenty times."""

OF_OTHERS = 0.2
"""Values that have more than this share of their rows in common are not two."""

OPEN = 0.05
"""Share of a value's rows to which the rest of the row must give another label, for it to settle anything."""

LEFT = 0.1
"""Share of these that may have that label."""

SETTLED = 1e-6
"""Chance of so few, by the rest of the row."""

NAMES = 0.9
"""Share of the other rows of a value that have the label, if the value means it."""

AS_FREQUENT = 0.01
"""Share of a column's other numbers that may be as frequent as those put into it."""

_MOSTLY = 0.5


@dataclass(frozen=True)
class _Rule:
    """A value whose rows would not have their label without it."""

    cut: int
    cell: int
    label: int
    own: NDArray[np.int64]
    words: str


class DecidingColumns:
    """For every column, the single values that decide the label against the rest of their rows.

    Where one value of a column does so, somebody may have planted it. Where two others do too, or one other
    does so for another class, it is what the column is like (capital gains, error codes): a rule to know, no
    alarm. So it is where the others leave hardly a row of the class to any value that does not: the class is
    what the column says (who is a husband is married, and so is who is a wife).

    Parameters
    ----------
    screen : Screen
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._rules: dict[int, list[_Rule]] = {}
        log_odds_of = screen.forest.without([(items.column,) for items in screen.items])
        for position, (items, log_odds) in enumerate(zip(screen.items, log_odds_of, strict=True)):
            made = cross(items)
            ratio = screen.log_ratio(log_odds, screen.y)
            against = {
                (int(cell), int(label))
                for cell, label in np.argwhere(screen.whole.eligible((position,))[0])
                if self._decides(np.flatnonzero(made.inside(int(cell)) & (screen.y == label)), ratio)
            }
            for cell, label in sorted(against | self._settled(position, log_odds)):
                own = np.flatnonzero(made.inside(cell) & (screen.y == label))
                rule = _Rule(position, cell, label, own, items.conditions[cell].describe())
                self._rules.setdefault(items.column, []).append(rule)

    def _decides(self, own: NDArray[np.int64], ratio: NDArray[np.float64]) -> bool:
        """Whether most of these rows look like another class without the value they share."""
        group = np.zeros(len(own), np.int64)
        votes = one_vote_each(group, self.screen.whole.copies[self.screen.known[own]])
        found = mixture_evidence(ratio[own], group, 1, weight=votes)
        return bool(found.log_e[0] >= np.log(STRONG) and found.share[0] >= LEAST_SHARE)

    def _settled(self, position: int, log_odds: NDArray[np.float64]) -> set[tuple[int, int]]:
        """Values, however common, that settle what the rest of their rows leaves open; (cell, label) of each.

        Of the rows that the rest would give another label hardly one has it: so does a word that means the
        class, a husband among people to be told by sex.
        """
        screen, code = self.screen, self.screen.items[position].code
        of_class = screen.whole.of_class((position,))
        total = of_class.sum(axis=1, keepdims=True)
        able = (of_class >= screen.least) & (of_class >= (1 - OPEN * LEFT) * total)
        found = set()
        for label in np.flatnonzero(able.any(axis=0)).tolist():
            own = screen.y == label
            # with more classes, the forest was asked about no row's other labels without the column
            others = -log_odds[~own] if screen.k == 2 else screen.references(1)[label].others
            weight = np.append(np.ones(own.sum()), np.full(len(others), (~own).sum() / max(len(others), 1)))
            line = fit_line(np.append(log_odds[own], others), np.arange(len(weight)) < own.sum(), weight)
            doubt = expit(-line.log_odds(log_odds))
            for cell in np.flatnonzero(able[:, label]).tolist():
                inside = np.flatnonzero(code == cell)
                group = screen.y[inside]
                votes = one_vote_each(group, screen.whole.copies[screen.known[inside]])
                mine = group == label
                expected = float(votes[mine] @ doubt[inside[mine]])
                left = float(votes[~mine].sum())
                if (
                    expected >= OPEN * votes.sum()
                    and left <= LEFT * expected
                    and poisson.cdf(left, expected) < SETTLED
                ):
                    found.add((cell, label))
        return found

    def doubt(self, cell: Cell, own: NDArray[np.int64]) -> str:
        """Why a pattern may be such a rule; empty where nothing says so.

        Parameters
        ----------
        cell : Cell
        own : int64 ndarray
            Its rows with the label, as positions in ``screen.known``.
        """
        screen = self.screen
        for items, position in zip(cell.cut.items, cell.cut.positions(cell.cell), strict=True):
            rules = self._rules.get(items.column, [])
            met = items.code == position
            alike = met & (screen.y == cell.label)
            if self._means(items, position, cell.label, own):
                said = items.conditions[position].describe()
                return f"; but {said} alone means the label, so this is within the class"
            decides = any(np.array_equal(rule.own, np.flatnonzero(alike)) for rule in rules)
            if not rules or not (decides or len(own) >= _MOSTLY * alike.sum()):
                continue  # a pattern within a common value does not speak by that value
            for cut in {rule.cut for rule in rules}:
                others = [r for r in rules if r.cut == cut and alike[r.own].mean() <= OF_OTHERS]
                natural = len(others) > 1 or any(rule.label != cell.label for rule in others)
                natural |= self._is_the_class(others, cell.label, alike)
                put_there = self.set_apart(items.column, cell.label)
                if natural and not put_there and not self.means_another(met & ~cell.inside, cell.label):
                    named = ", ".join(rule.words for rule in others[:3])
                    return f"; but {named} decide the label alike, so this may be what the column means"
        return ""

    def means_another(self, elsewhere: NDArray[np.bool_], label: int) -> bool:
        """Whether a value means another label: then its column did not give a combination this one.

        Parameters
        ----------
        elsewhere : bool ndarray
            Rows that have the value but not the combination, over ``screen.known``.
        label : int
            That of the combination.
        """
        screen, rows = self.screen, np.flatnonzero(elsewhere)
        votes = one_vote_each(screen.y[rows], screen.whole.copies[screen.known[rows]])
        number, agree = votes.sum(), votes[screen.y[rows] == label].sum()
        if agree > (1 - NAMES) * number:
            return False
        return bool(binom.cdf(np.floor(agree), np.ceil(number), screen.prior[label]) <= SETTLED)

    def _is_the_class(self, others: list[_Rule], label: int, alike: NDArray[np.bool_]) -> bool:
        """Whether the other values that decide have nearly every other row of the class."""
        left = (self.screen.y == label) & ~alike
        had = np.zeros(len(left), bool)
        for rule in others:
            had[rule.own] |= rule.label == label
        return bool(had[left].sum() >= NAMES * left.sum() > 0)

    def _means(self, items: Items, position: int, label: int, own: NDArray[np.int64]) -> bool:
        """Whether a value has this label, as surely, in its other rows too, and these look like it."""
        screen = self.screen
        others = np.setdiff1d(np.flatnonzero(items.code == position), own)
        mine = others[screen.y[others] == label]
        if len(mine) < max(screen.least, NAMES * len(others)):
            return False
        votes = one_vote_each(screen.y[others], screen.whole.copies[screen.known[others]])
        number, agree = votes.sum(), votes[screen.y[others] == label].sum()
        if binom.sf(np.ceil(agree) - 1, np.ceil(number), screen.prior[label]) > SETTLED:
            return False
        log_odds = screen.forest.of(mine, (items.column,))
        return log_odds is not None and natural_share(screen.log_ratio(log_odds, label)) <= OF_OTHERS

    def set_apart(self, column: int, label: int) -> bool:
        """Whether the values that decide are a few numbers put into a column that says nothing else.

        They have one label all, hardly any other number of the column is as frequent, and the rest of it
        says nothing about the label: codes that mean something have others beside them.
        """
        rules = self._rules.get(column, [])
        table, screen = self.screen.context.table, self.screen
        exact = [r for r in rules if screen.items[r.cut].conditions[r.cell].value is not None]
        if not exact or any(rule.label != label for rule in rules):
            return False
        met = np.logical_or.reduce([screen.items[rule.cut].code == rule.cell for rule in exact])
        values = table.columns[column].values[screen.known]  # type: ignore[union-attr]
        count = [np.unique(values[part], return_counts=True)[1] for part in (met, ~met & ~np.isnan(values))]
        return bool(
            count[0].min() > np.quantile(np.append(0, count[1]), 1 - AS_FREQUENT)
            and all(met[rule.own].all() for rule in rules)
            and says_nothing(screen, column, met)
        )

    def doubt_of_kind(self, cell: Cell, own: NDArray[np.int64]) -> str:
        """Why a combination may be such a rule: others of the same columns decide the label as it does.

        Where the label follows from two columns together, as a place does from its coordinates, any cell of
        theirs looks planted.
        """
        screen = self.screen
        inside = np.flatnonzero(cell.cut.cell >= 0)
        log_odds = screen.forest.of(inside, cell.cut.columns)
        if len(cell.cut.items) < 2 or log_odds is None:
            return ""
        if any(self.set_apart(column, cell.label) for column in cell.cut.columns):
            return ""
        parts = zip(cell.cut.items, cell.cut.positions(cell.cell), strict=True)
        elsewhere = [(items.code == position) & ~cell.inside for items, position in parts]
        if all(self.means_another(rows, cell.label) for rows in elsewhere):
            return ""
        others = self._deciding(cell.cut, screen.log_ratio(log_odds, screen.y[inside]), own)
        if len(others) > 1 or any(label != cell.label for label, _ in others):
            columns = " and ".join(screen.context.table.names[c] for c in cell.cut.columns)  # type: ignore[union-attr]
            return f"; but {len(others)} other combinations of {columns} decide the label alike"
        return ""

    def doubt_of_range(self, column: int, label: int, own: NDArray[np.int64]) -> str:
        """Why a range of a column may be such a rule: with some other column it decides elsewhere too.

        Parameters
        ----------
        column, label : int
        own : int64 ndarray
            Rows of the range with the label, as positions in ``screen.known``.
        """
        screen = self.screen
        log_odds = screen.forest.of(np.arange(len(screen.y)), (column,))
        if log_odds is None:
            return ""
        ratio = screen.log_ratio(log_odds, screen.y)
        cuts = [
            cross(mine, other)
            for mine in screen.items
            for other in screen.items
            if mine.column == column != other.column
        ]
        had = [own]
        for cut in cuts:
            # a range need not be pure either
            found = self._deciding(cut, ratio[cut.cell >= 0], own, cuts=len(cuts), purity=0.0, beside=True)
            for of, rows in found:
                if all(apart(rows, others) for others in had):
                    had.append(rows)
                if len(had) > 2 or of != label:
                    name, other = (screen.context.table.names[c] for c in cut.columns)  # type: ignore[union-attr]
                    return f"; but {name} decides elsewhere too, with {other}"
        return ""

    def _deciding(
        self,
        cut: Cut,
        ratio: NDArray[np.float64],
        own: NDArray[np.int64],
        *,
        cuts: int = 1,
        purity: float = PURE_COMBINATION,
        beside: bool = False,
    ) -> list[tuple[int, NDArray[np.int64]]]:
        """Label and rows of cells that would not have that label without the cut, but for those of ``own``.

        ``ratio`` is that of the rows in any cell, ``cuts`` the number of cuts that are asked. Asked for what
        is ``beside`` the last part of the cut, a cell counts only beyond the rows that have that part without
        it: they may be hard to tell whatever else they are.
        """
        screen, at = self.screen, cut.cell
        inside = np.flatnonzero(at >= 0)
        joint, group = np.unique(at[inside] * screen.k + screen.y[inside], return_inverse=True)
        rows = np.bincount(group, minlength=len(joint))
        cells, of_cell = np.unique(joint // screen.k, return_inverse=True)
        all_rows = np.bincount(of_cell, rows, len(cells))[of_cell]
        votes = one_vote_each(group, screen.whole.copies[screen.known[inside]])
        found = mixture_evidence(ratio, group, len(joint), weight=votes)
        possible = (rows >= screen.least) & (rows >= purity * all_rows)
        strong = possible & (found.share >= LEAST_SHARE)
        least = float(np.log(STRONG * cuts * max(possible.sum(), 1)))
        strong &= found.log_e >= least
        strong &= np.bincount(group, np.isin(inside, own), len(joint)) <= OF_OTHERS * rows
        if beside:
            part = (at[inside] % len(cut.items[-1])) * screen.k + screen.y[inside]
            for g in np.flatnonzero(strong):
                mine = group == g
                elsewhere = (part == part[mine][0]) & ~mine
                noise = min(lowest_share(ratio[elsewhere]), MOST_NOISE)
                again = mixture_evidence(ratio[mine], group[mine] * 0, 1, noise=noise, weight=votes[mine])
                strong[g] = again.share[0] >= LEAST_SHARE and again.log_e[0] >= least
        return [(int(joint[g]) % screen.k, inside[group == g]) for g in np.flatnonzero(strong)]


def apart(rows: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
    """Whether hardly any of these rows are among the others."""
    return float(np.isin(rows, others).mean()) <= OF_OTHERS
