"""Narrow ranges of numbers that decide the label: where a trigger that differs from row to row would lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.contradiction import one_vote_each
from foretaste.detect.triggers.cells import MOST_SHARE, cross
from foretaste.detect.triggers.deciding import DecidingColumns
from foretaste.detect.triggers.items import Items, narrow_ranges
from foretaste.detect.triggers.screen import Cell, Screen
from foretaste.detect.triggers.suspect import LEAST_SHARE, Judge, Suspect
from foretaste.detect.triggers.suspects import COUNTER
from foretaste.features.patterns import Condition, Pattern, Values
from foretaste.stats.mixture import mixture_evidence

LEAST_PURE = 0.5
"""Share of a range's rows with the target label: natural rows lie in it too."""

SUSPECTS = 50

_TURNED = 0.9
"""Share of a trigger's rows that look like another class, for where it ends."""

_DOUBT = "; numbers near one another may be alike by nature, so this is to be looked at"


def suspicious_ranges(
    screen: Screen, judge: Callable[[int, int], Judge], deciding: DecidingColumns, *, alpha: float
) -> list[Suspect]:
    """Ranges whose rows look like another class to the trees that never saw the column.

    Those that are as pure as any cell must be, by the evidence of one narrow range alone, and in a column in
    which nothing else decides, are a trigger of its own (FT203); others are for review (FT206).

    Parameters
    ----------
    screen : Screen
        Of the rows that are in no campaign.
    judge : callable
        Gives the judge of a class and a number of columns left out.
    deciding : DecidingColumns
    alpha : float
        False-discovery rate among campaigns.
    """
    table = screen.context.table
    assert table is not None
    ranges = [
        Items(items.column, items.code[screen.known], items.conditions)
        for position, column in enumerate(table.columns)
        for items in narrow_ranges(position, column, screen.least)
    ]
    looked_at = max(sum(len(items) for items in ranges) * screen.k, 1)
    found: dict[tuple[int, int, bytes], tuple[float, Suspect]] = {}
    columns: list[tuple[int, ...]] = [(items.column,) for items in ranges]
    for items, log_odds in zip(ranges, screen.forest.without(columns), strict=True):
        ratio = screen.log_ratio(log_odds, screen.y)
        values = table.columns[items.column].values[screen.known]
        for label in range(screen.k):
            for position, log_e in _strong(screen, items, ratio, label, float(np.log(looked_at))):
                inside = _widened(items.code, values, position, ratio, screen.y == label)
                own = inside[screen.y[inside] == label]
                doubt = _DOUBT
                if log_e >= np.log(looked_at / alpha) and len(own) >= screen.whole.least_pure[label] * len(
                    inside
                ):
                    doubt = deciding.doubt(Cell(cross(items), position, label, 0.0), own)
                suspect = Suspect(
                    label,
                    screen.known[inside],
                    screen.known[own],
                    log_odds[own],
                    _shape(items.conditions[position], values[inside]),
                    "FT206" if doubt else "FT203",
                    looked_at,
                    judge(label, 1),
                    doubt,
                    second_thought=partial(deciding.doubt_of_range, items.column, label, own),
                )
                found.setdefault((items.column, label, inside.tobytes()), (log_e, suspect))
    return [suspect for _, suspect in sorted(found.values(), key=lambda entry: -entry[0])[:SUSPECTS]]


def _widened(
    code: NDArray[np.int64],
    values: NDArray[np.float64],
    position: int,
    ratio: NDArray[np.float64],
    own: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Rows of a range and, on both sides, of the values that fit it as well: a trigger ends where it ends."""
    gain = np.where(own, np.log1p(_TURNED * np.expm1(ratio)), -COUNTER)
    able = np.flatnonzero(code >= 0)
    levels, level = np.unique(values[able], return_inverse=True)
    inside = np.unique(level[code[able] == position])
    sums = np.bincount(level, gain[able], len(levels))
    above, below = np.cumsum(sums[inside[-1] + 1 :]), np.cumsum(sums[: inside[0]][::-1])
    high = inside[-1] + (above.argmax() + 1 if above.max(initial=0.0) > 0 else 0)
    low = inside[0] - (below.argmax() + 1 if below.max(initial=0.0) > 0 else 0)
    return np.asarray(able[(level >= low) & (level <= high)], np.int64)


def _strong(
    screen: Screen, items: Items, ratio: NDArray[np.float64], label: int, least: float
) -> list[tuple[int, float]]:
    """Ranges of a column with evidence beyond the number looked at, and that evidence."""
    total = np.bincount(items.code[items.code >= 0], minlength=len(items))
    own = np.flatnonzero((items.code >= 0) & (screen.y == label))
    count = np.bincount(items.code[own], minlength=len(items))
    votes = one_vote_each(items.code[own], screen.whole.copies[screen.known[own]])
    seen = mixture_evidence(ratio[own], items.code[own], len(items), weight=votes)
    enough = (count >= screen.least) & (total <= MOST_SHARE * len(screen.y))
    enough &= (count >= LEAST_PURE * total) & (count > screen.prior[label] * total)
    enough &= (seen.share >= LEAST_SHARE) & (seen.log_e > least)
    return [(int(position), float(seen.log_e[position])) for position in np.flatnonzero(enough)]


def _shape(part: Condition, values: NDArray[np.float64]) -> Callable[[NDArray[np.int64]], Pattern]:
    condition = replace(part, low=float(values.min()), high=float(values.max()), closed=True)
    return lambda _: Values((condition,))
