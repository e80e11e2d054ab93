"""Table triggers: values, alone or combined, with a label their rows do not deserve (FT203, FT204)."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped
from foretaste.detect.triggers.cells import Cut, cross, shape_of
from foretaste.detect.triggers.deciding import DecidingColumns
from foretaste.detect.triggers.items import Items
from foretaste.detect.triggers.labelled_rows import PURE_COMBINATION, evenly
from foretaste.detect.triggers.met_values import met_values
from foretaste.detect.triggers.other_values import of_a_kind
from foretaste.detect.triggers.own_kind import AGREE, are_of_a_kind
from foretaste.detect.triggers.peel import peel
from foretaste.detect.triggers.ranges import suspicious_ranges
from foretaste.detect.triggers.screen import Cell, Screen
from foretaste.detect.triggers.silent_ranges import silent_ranges
from foretaste.detect.triggers.spelling import in_full
from foretaste.detect.triggers.suspect import Judge, Suspect
from foretaste.detect.triggers.suspects import decide
from foretaste.detect.triggers.uncalled_values import uncalled_values
from foretaste.features.patterns import Condition, Values
from foretaste.stats.mixture import MOST_NOISE, lowest_share, mixture_gains

BUDGET = {1: 0.3, 2: 0.6, 3: 0.1}
"""How the false-discovery budget is shared between single values, pairs and triples."""

CLOSED = 60
"""Cells whose rows are asked what else they share."""

MOST_REVIEWED = 12

NEW = 0.5
"""A range or a pair with at least this share of its rows in patterns to review says nothing new."""

SUSPECTS = 250
"""Cells with different rows that are judged, each without its own rows in the reference."""


class ValueTriggers(Detector):
    """Values and combinations of values that decide the label against what the rest of the row says.

    Every cell of one or two columns is asked again by the trees of a subspace forest that never saw those
    columns; pairs whose rows are only partly suspicious are cut once more by a third column. Where labels are
    hard, two values that alone of their columns meet beyond chance are asked for their labels; where they are
    right, two values are asked whether anything else in their rows calls for them. See
    `foretaste.stats.mixture` for the evidence and `foretaste.detect.contradiction` for the null.

    Parameters
    ----------
    alpha : float
        False-discovery rate among campaigns.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT203", "FT204", "FT206")
    title: ClassVar[str] = "value triggers"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    scope: ClassVar[str] = "group"

    def __init__(self, *, alpha: float = 0.01) -> None:
        self.alpha = alpha

    def examine(self, context: Context) -> Evidence:
        problem = None
        if context.table is None:
            problem = "there are no feature columns"
        elif context.n_classes < 2:
            problem = "fewer than two classes can be learned"
        elif len(context.table.columns) < 3:
            problem = "with fewer than three features nothing is left to judge a value by"
        if problem is not None:
            return Evidence(skipped=[Skipped(rule, problem) for rule in self.rules])
        searches: list[_Search] = []

        def search(rest: Context) -> list[Suspect]:
            searches.append(_Search(rest))
            return searches[-1].suspects()

        found = peel(context, search, alpha=self.alpha)
        last = searches[-1]
        suspects = suspicious_ranges(last.screen, last.judge, last.deciding, alpha=self.alpha)
        suspects += silent_ranges(last.screen, last.deciding)
        ranges = decide(suspects, context.classes, alpha=self.alpha)
        said = np.concatenate([np.zeros(0, np.int64), *(item.rows for item in found.review)])
        met = met_values(last.screen, last.deciding, alpha=self.alpha)
        new, met = ([i for i in part if np.isin(i.rows, said).mean() < NEW] for part in (ranges.review, met))
        uncalled = uncalled_values(last.screen, alpha=self.alpha)
        uncalled = [i for i in uncalled if i.rule != "FT206" or np.isin(i.rows, said).mean() < NEW]
        alarms = [*found.campaigns, *ranges.campaigns, *met, *uncalled]
        told = of_a_kind(alarms, [*found.strong, *ranges.strong], searches[0].excused)
        doubted = [item for item in told if item.rule == "FT206"]
        return Evidence(
            campaigns=in_full(context, [item for item in told if item.rule != "FT206"]),
            review=[*doubted, *new, *found.review][:MOST_REVIEWED],
        )


class _Search:
    """Turns the screened cells into suspects."""

    def __init__(self, context: Context) -> None:
        self.screen = Screen(context)
        self.deciding = DecidingColumns(self.screen)
        self._judges: dict[tuple[int, int], Judge] = {}

    def excused(self, condition: Condition, campaign: Campaign) -> bool:
        """Whether a part of a campaign is a number put there, or a value that means another label."""
        context, screen = self.screen.context, self.screen
        assert context.table is not None
        label = context.classes.index(str(campaign.target))
        if self.deciding.set_apart(context.table.names.index(condition.column), label):
            return True
        assert campaign.shape is not None
        elsewhere = Values((condition,)).matches(context.dataset) & ~campaign.shape.matches(context.dataset)
        return self.deciding.means_another(elsewhere[screen.known], label)

    def suspects(self) -> list[Suspect]:
        found: dict[tuple[int, float, bytes], Suspect] = {}  # one of each size for the same rows
        for at, (cell, own) in enumerate(self._distinct()):
            made = [self._suspect(cell, own), self._narrow(cell, own)]
            if at < CLOSED:
                made.append(self._closed(cell, own))
            for suspect in made:
                if suspect is not None:
                    found.setdefault((suspect.label, suspect.odds_against, suspect.rows.tobytes()), suspect)
        return list(found.values())

    def _distinct(self) -> list[tuple[Cell, NDArray[np.int64]]]:
        """The worst cells with different rows of their class; of those with the same, the purest."""
        purest: dict[tuple[int, bytes], tuple[int, Cell, NDArray[np.int64]]] = {}
        for cell in self.screen.worst():
            inside = cell.inside
            own = np.flatnonzero(inside & (self.screen.y == cell.label))
            key, size = (cell.label, own.tobytes()), int(inside.sum())
            if key not in purest or size < purest[key][0]:
                purest[key] = (size, cell, own)
            if len(purest) >= SUSPECTS:
                break
        return [(cell, own) for _, cell, own in purest.values()]

    def _suspect(self, cell: Cell, own: NDArray[np.int64]) -> Suspect | None:
        screen = self.screen
        inside = cell.inside
        size = len(cell.cut.items)
        if size > 1 and len(own) < PURE_COMBINATION * inside.sum():
            return None
        companions = self._companions(cell.cut, own)
        for some in (companions, companions[:1], ()):
            columns = cell.cut.columns + some
            log_odds = screen.forest.of(own, columns)
            if log_odds is not None:
                break
        else:
            return None
        judge = self.judge(cell.label, len(columns))
        doubt = self.deciding.doubt(cell, own)
        rule = "FT206" if doubt else "FT203" if size == 1 else "FT204"
        return Suspect(
            cell.label,
            screen.known[inside],
            screen.known[own],
            log_odds,
            shape_of(cell.cut, cell.cell),
            rule,
            max(screen.looked_at[size], 1) / BUDGET[size],
            judge,
            doubt,
            self._noise(cell, columns, judge),
            second_thought=partial(self._second_thought, cell, own, columns),
        )

    def _second_thought(self, cell: Cell, own: NDArray[np.int64], left_out: tuple[int, ...]) -> str:
        doubt = self.deciding.doubt_of_kind(cell, own)
        screen = self.screen
        seed = screen.context.random_state
        if not doubt and are_of_a_kind(screen.items, own, screen.y, left_out=left_out, random_state=seed):
            doubt = AGREE
        return doubt

    def _noise(self, cell: Cell, columns: tuple[int, ...], judge: Judge) -> float:
        """The largest share of contradicted rows among those that lack one part of a combination.

        A column that decides the class leaves its extreme rows bare whatever they are combined with; only
        what a combination has beyond its parts speaks for it.
        """
        screen = self.screen
        worst = 0.0
        if len(cell.cut.items) == 1:
            return worst
        positions = cell.cut.positions(cell.cell)
        met = [item.code == position for item, position in zip(cell.cut.items, positions, strict=True)]
        for left_out in range(len(met)):
            others = np.logical_and.reduce([m for i, m in enumerate(met) if i != left_out])
            rows = np.flatnonzero(others & ~met[left_out] & (screen.y == cell.label))
            rows = rows[
                np.unique(judge.component[screen.known[rows]], return_index=True)[1]
            ]  # copies: one vote
            rows = evenly(rows)
            log_odds = screen.forest.of(rows, columns) if len(rows) >= screen.least else None
            if log_odds is not None:
                worst = max(worst, lowest_share(judge.reference.log_ratio(log_odds)))
        return min(worst, MOST_NOISE)

    def judge(self, label: int, width: int) -> Judge:
        """The judge of suspects of a class that leave out so many columns."""
        screen = self.screen
        if (label, width) not in self._judges:
            rows = screen.some.rows[screen.some.y == label]
            reference = screen.references(width)[label]
            self._judges[label, width] = Judge(reference, rows, screen.whole.copies)
        return self._judges[label, width]

    def _companions(self, made: Cut, own: NDArray[np.int64]) -> tuple[int, ...]:
        """Up to two more columns in which these rows nearly all agree on something that is rare elsewhere.

        They may be parts of the same trigger; a forest that still sees them would explain the pattern by
        them.
        """
        rare: list[tuple[float, int]] = []
        for item, everywhere in zip(self.screen.items, self.screen.whole.item_counts, strict=True):
            codes = item.code[own]
            codes = codes[codes >= 0]
            if item.column in made.columns or not len(codes):
                continue
            count = np.bincount(codes)
            value = int(count.argmax())
            elsewhere = float(everywhere[value] / len(item.code))
            if count[value] >= 0.9 * len(own) and elsewhere <= 0.2:
                rare.append((elsewhere, item.column))
        return tuple(dict.fromkeys(column for _, column in sorted(rare)))[:2]

    def _closed(self, cell: Cell, own: NDArray[np.int64]) -> Suspect | None:
        """The rarest items that nearly all suspicious rows of a cell share, as a pattern of their own.

        A cell may hold only a part of the trigger and, by chance, something else; what its rows have in
        common is nearer to the trigger, and finds the rows the cell has missed.
        """
        screen = self.screen
        log_odds = screen.forest.of(own, cell.cut.columns)
        if log_odds is None:
            return None
        suspicious = own[screen.log_ratio(log_odds, cell.label) > 0]
        if len(suspicious) < screen.least:
            return None
        shared: list[tuple[float, int, Items]] = []
        for item, everywhere in zip(screen.items, screen.whole.item_counts, strict=True):
            codes = item.code[suspicious]
            codes = codes[codes >= 0]
            if len(codes):
                value = int(np.bincount(codes).argmax())
                if (codes == value).sum() >= 0.9 * len(suspicious):
                    shared.append((float(everywhere[value]), value, item))
        chosen: list[tuple[int, Items]] = []
        inside = np.ones(len(screen.y), bool)
        for _, value, item in sorted(shared, key=lambda s: s[0]):
            narrowed = inside & (item.code == value)
            fresh = item.column not in [other.column for _, other in chosen]
            if fresh and narrowed.sum() < 0.9 * inside.sum() and len(chosen) < 3:
                chosen.append((value, item))
                inside = narrowed
        if not chosen:
            return None
        chosen.sort(key=lambda c: c[1].column)
        made = cross(*[item for _, item in chosen])
        position = 0
        for value, item in chosen:
            position = position * len(item) + value
        return self._whole(made, position, cell.label)

    def _whole(self, made: Cut, position: int, label: int) -> Suspect | None:
        """A cell as a suspect, if it has the rows and is pure enough."""
        screen = self.screen
        inside = made.inside(position)
        own = np.flatnonzero(inside & (screen.y == label))
        if len(own) < screen.least or len(own) < screen.whole.least_pure[label] * inside.sum():
            return None
        if len(made.items) == 3:
            screen.looked_at[3] = screen.looked_at[2] * max(sum(len(item) for item in screen.items) // 3, 1)
        return self._suspect(Cell(made, position, label, 0.0), own)

    def _narrow(self, cell: Cell, own: NDArray[np.int64]) -> Suspect | None:
        """The most suspicious part of a partly suspicious pair that agrees in one more column."""
        screen = self.screen
        inside_all = cell.inside
        if len(cell.cut.items) != 2:
            return None
        some = evenly(own)
        log_odds = screen.forest.of(some, cell.cut.columns)
        if log_odds is None:
            return None
        gains = mixture_gains(screen.log_ratio(log_odds, cell.label))
        whole = gains.evidence(np.zeros(len(some), np.int64), 1)
        if whole.log_e[0] < 3 or (whole.share[0] > 0.6 and len(own) >= 0.9 * inside_all.sum()):
            return None
        least = screen.least * len(some) / len(own)
        best: tuple[float, Cut, int] | None = None
        for item in screen.items:
            codes = item.code[some]
            inside = codes >= 0
            if item.column in cell.cut.columns or not inside.any():
                continue
            part = gains.of(inside).evidence(codes[inside], len(item))
            rows = np.bincount(codes[inside], minlength=len(item))
            clearer = (rows >= least) & (part.share >= min(whole.share[0] + 0.2, 1.0))
            log_e = np.where(clearer, part.log_e, -np.inf)
            top = int(log_e.argmax())
            if log_e[top] > max(whole.log_e[0], best[0] if best else -np.inf):
                best = (float(log_e[top]), cross(*cell.cut.items, item), cell.cell * len(item) + top)
        if best is None:
            return None
        return self._whole(best[1], best[2], cell.label)
