"""Narrow ranges of numbers that decide the label: where a trigger that differs from row to row would lie."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.contradiction import one_vote_each
from foretaste.detect.triggers.cells import MOST_SHARE
from foretaste.detect.triggers.items import Items, narrow_ranges
from foretaste.detect.triggers.screen import Screen
from foretaste.detect.triggers.suspects import LEAST_SHARE, Judge, Suspect
from foretaste.features.patterns import Pattern, Values
from foretaste.stats.mixture import mixture_evidence

LEAST_PURE = 0.5
"""Share of a range's rows with the target label: natural rows lie in it too."""

SUSPECTS = 50

_DOUBT = "; numbers near one another may be alike by nature, so this is to be looked at"


def suspicious_ranges(screen: Screen, judge: Callable[[int, int], Judge]) -> list[Suspect]:
    """Ranges whose rows look like another class to the trees that never saw the column; for review.

    Parameters
    ----------
    screen : Screen
        Of the rows that are in no campaign.
    judge : callable
        Gives the judge of a class and a number of columns left out.
    """
    table = screen.context.table
    assert table is not None
    ranges = [
        Items(items.column, items.code[screen.known], items.conditions)
        for position, column in enumerate(table.columns)
        for items in narrow_ranges(position, column, screen.least)
    ]
    looked_at = max(sum(len(items) for items in ranges) * screen.k, 1)
    found: list[tuple[float, Suspect]] = []
    columns: list[tuple[int, ...]] = [(items.column,) for items in ranges]
    for items, log_odds in zip(ranges, screen.forest.without(columns), strict=True):
        ratio = screen.log_ratio(log_odds, screen.y)
        for label in range(screen.k):
            for position, log_e in _strong(screen, items, ratio, label, float(np.log(looked_at))):
                inside = np.flatnonzero(items.code == position)
                own = inside[screen.y[inside] == label]
                found.append(
                    (
                        log_e,
                        Suspect(
                            label,
                            screen.known[inside],
                            screen.known[own],
                            log_odds[own],
                            _shape(items, position),
                            "FT206",
                            looked_at,
                            judge(label, 1),
                            _DOUBT,
                        ),
                    )
                )
    return [suspect for _, suspect in sorted(found, key=lambda entry: -entry[0])[:SUSPECTS]]


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


def _shape(items: Items, position: int) -> Callable[[NDArray[np.int64]], Pattern]:
    return lambda _: Values((items.conditions[position],))
