"""Ranges of columns that say nothing about the label, in which many rows look like another class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.contradiction import BareReference
from foretaste.detect.triggers.cells import MOST_SHARE
from foretaste.detect.triggers.deciding import DecidingColumns
from foretaste.detect.triggers.items import Items, quantile_bins
from foretaste.detect.triggers.labelled_rows import evenly
from foretaste.detect.triggers.screen import MOST_SCREENED, Screen
from foretaste.detect.triggers.silent_columns import LEAST_BINS, says_nothing
from foretaste.detect.triggers.suspect import LEAST_SHARE, Judge, Suspect
from foretaste.features.patterns import Condition, Pattern, Values
from foretaste.stats.mixture import MOST_NOISE, lowest_share, mixture_gains

EDGES = 128
"""Quantiles between which ranges are looked at."""

_MOSTLY = 0.5
"""Share of the rows that look like another class which a range must have beyond natural ones."""


@dataclass(frozen=True)
class _Range:
    """Bins of a column, first and last.

    ``share`` is what part of their rows of the class the evidence gives a trigger, ``beyond`` how many more
    rows of the class they have than others of the column would.
    """

    low: int
    high: int
    log_e: float
    share: float
    beyond: float


def silent_ranges(screen: Screen, deciding: DecidingColumns) -> list[Suspect]:
    """For every class and column, the range with most evidence, where the column says nothing elsewhere.

    Such a range may be full of natural rows, with as many labels of the class as anywhere. What it has beyond
    those must look like another class, and more of its rows than do elsewhere in the column. But not many
    more may look so than it has beyond those: they were not put there.

    Parameters
    ----------
    screen : Screen
        Of the rows that are in no campaign.
    deciding : DecidingColumns
    """
    table = screen.context.table
    assert table is not None
    cut = [
        Items(i, bins.code[screen.known], bins.conditions)
        for i, column in enumerate(table.columns)
        if column.numeric
        for bins in [quantile_bins(i, column, None, min(EDGES, len(screen.y) // screen.least))]
        if len(bins) >= LEAST_BINS
    ]
    columns: list[tuple[int, ...]] = [(bins.column,) for bins in cut]
    looked_at = max(sum(_ranges(len(bins)) for bins in cut) * screen.k, 1)
    found = []
    for bins, log_odds in zip(cut, screen.forest.without(columns), strict=True):
        for label in range(screen.k):
            mine = screen.y == label
            of_class = _judge(screen, log_odds, label)
            ratio = of_class.reference.log_ratio(log_odds[mine])
            best = _best(screen, bins, ratio, label)
            if best is None or best.log_e < np.log(looked_at):
                continue
            values = table.columns[bins.column].values[screen.known]
            met = _to_the_row(bins.code, values, best, ratio, mine)
            if not says_nothing(screen, bins.column, met):
                continue
            own = np.flatnonzero(met & mine)
            # what holds of the bins may not of the rows beside them
            natural = (met & ~mine).sum() * screen.prior[label] / (1 - screen.prior[label])
            if len(own) - natural < _MOSTLY * best.share * len(own):
                continue
            found.append(
                Suspect(
                    label,
                    screen.known[met],
                    screen.known[own],
                    log_odds[own],
                    _shape(bins.conditions[best.low], values[met]),
                    "FT203",
                    looked_at,
                    of_class,
                    noise=min(lowest_share(ratio[~met[mine]]), MOST_NOISE),
                    others=0,  # they are natural
                    least_share=LEAST_SHARE * best.beyond / len(own),
                    second_thought=partial(deciding.doubt_of_range, bins.column, label, own),
                )
            )
    return found


def _judge(screen: Screen, log_odds: NDArray[np.float64], label: int) -> Judge:
    """Compares with rows that lack the same column, for it says nothing: natural rows look like those."""
    own, others = (evenly(np.flatnonzero(part)) for part in (screen.y == label, screen.y != label))
    of_others, votes = -log_odds[others], screen.whole.votes[others]
    if screen.k > 2:  # the forest was asked about no row's other labels without the column
        known = screen.references(1)[label]
        of_others, votes = known.others, np.ones(len(known.others))
    reference = BareReference(log_odds[own], of_others, screen.whole.votes[own], votes)
    return Judge(reference, screen.known[own], screen.whole.copies)


def _ranges(bins: int) -> int:
    return bins * (bins + 1) // 2


def _best(screen: Screen, bins: Items, ratio: NDArray[np.float64], label: int) -> _Range | None:
    """The range with most evidence of those with enough rows beyond natural ones; ``ratio`` of the class."""
    own, prior, looked_in = screen.y == label, screen.prior[label], np.zeros(len(screen.y), bool)
    looked_in[evenly(np.arange(len(own)), MOST_SCREENED)] = True
    inside = (bins.code >= 0) & looked_in
    if not own.any() or own.all():
        return None
    asked = own & inside
    ratio = ratio[inside[own]]
    noise = min(lowest_share(ratio), MOST_NOISE)
    gains = mixture_gains(ratio, noise=noise, weight=screen.whole.votes[asked])
    low, high = np.triu_indices(len(bins))

    def within(rows: NDArray[np.bool_], weight: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        upto = np.append(0.0, np.cumsum(np.bincount(bins.code[rows], weight, len(bins))))
        return np.asarray(upto[high + 1] - upto[low], np.float64)

    count, others = within(asked), within(~own & inside)
    beyond = count - others * prior / (1 - prior)
    gain = np.stack([within(asked, weight) for weight in gains.gains])
    top = gain.max(axis=0)
    log_e = top + np.log(np.exp(gain - top).mean(axis=0))
    share = gains.shares[gain.argmax(axis=0)]
    enough = (beyond >= screen.some.least) & (count + others <= MOST_SHARE * looked_in.sum())
    enough &= (share * count >= LEAST_SHARE * beyond) & (beyond >= _MOSTLY * share * count)
    if not enough.any():
        return None
    best = int(np.where(enough, log_e, -np.inf).argmax())
    all_beyond = float(beyond[best]) * len(own) / looked_in.sum()
    return _Range(int(low[best]), int(high[best]), float(log_e[best]), float(share[best]), all_beyond)


def _to_the_row(
    code: NDArray[np.int64],
    values: NDArray[np.float64],
    found: _Range,
    ratio: NDArray[np.float64],
    own: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """The rows between two values that have most evidence, in the bins and those next to them."""
    gain = np.zeros(len(own))
    gain[own] = np.log1p(found.share * np.expm1(ratio))
    near = (code >= max(found.low - 1, 0)) & (code <= found.high + 1)
    levels, level = np.unique(values[near], return_inverse=True)
    upto = np.append(0.0, np.cumsum(np.bincount(level, gain[near], len(levels))))
    least = np.minimum.accumulate(upto[:-1])
    high = int((upto[1:] - least).argmax())
    low = int(upto[: high + 1].argmin())
    return np.asarray(near & (values >= levels[low]) & (values <= levels[high]), bool)


def _shape(part: Condition, values: NDArray[np.float64]) -> Callable[[NDArray[np.int64]], Pattern]:
    condition = Condition(
        part.column, low=float(values.min()), high=float(values.max()), closed=True, moment=part.moment
    )
    return lambda _: Values((condition,))
