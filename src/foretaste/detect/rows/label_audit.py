"""Probably wrong labels (FT101), counted with an interval; and sets of them that go one way (FT102)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Evidence, Mislabels, Skipped
from foretaste.detect.rows.one_way import one_way
from foretaste.stats.ambiguity import ambiguous_copies, most_common_share
from foretaste.stats.calibration import pool_opinions
from foretaste.stats.label_noise import (
    MOST_NOISE,
    Plateau,
    expected_rates,
    plateau,
    wrong_label_counts,
    wrong_label_posterior,
)
from foretaste.stats.mixture import surest
from foretaste.stats.random_labels import RandomLabels, random_labels

LEAST_ROWS = 100

WEAK = 0.05
"""Doubt about a row's class, on average, above which labels are too hard to settle: where the models would be
right about fewer than 95 % of rows if no label were wrong, their errors look like wrong labels."""

LOCAL = 10
"""A flagged row's own probability to be right is at most this many times the tolerated share: by default it
is wrong more likely than right, with less tolerance clearly so."""

LIKELY = 0.5
"""No row is flagged that is less likely wrong than this, however much is tolerated."""

CLEAR = 0.98
"""Share of the rows counted wrong that are flagged at most: the last of them are as often right as wrong."""

MOST_ROUNDS, SETTLED = 10, 0.001
"""The rates have converged where none changes by more than this."""

LEAST_WRONG = 3
"""Fewer wrong labels than this are not worth fitting all models again."""


class LabelAudit(Detector):
    """Which labels the rest of the data contradicts, row by row.

    The models are asked about all rows; the rows they doubt are left out, and they are asked again, now with
    each row's near-duplicates among those they learn from. Nearly as many rows are flagged as are counted
    wrong (`CLEAR`), those whose labels are wrong more likely than right (`LOCAL`). Where the models would be
    in doubt about the class even if no label were wrong, their errors are no sign of wrong labels: only those
    that seem drawn at random are counted then (`random_labels`), and those flagged of which the tolerated
    share is right; where there are none, nothing is flagged, and that is said: as many may be wrong as the
    models contradict. Exact copies whose labels
    differ more than wrong labels would make them have no class that anything could tell: none of them is
    called wrong.

    Parameters
    ----------
    fdr : float
        Tolerated share of right labels among the flagged rows; each row's own may be `LOCAL` times as much,
        so that less than the default flags only clear rows.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT101", "FT102")
    title: ClassVar[str] = "label audit"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular", "image")
    scope: ClassVar[str] = "row"
    stage: ClassVar[str] = "label"

    def __init__(self, *, fdr: float = 0.05) -> None:
        self.fdr = fdr

    def examine(self, context: Context) -> Evidence:
        known = np.flatnonzero(context.y >= 0)
        if context.n_classes < 2:
            return _nothing("fewer than two classes can be learned")
        if len(known) < LEAST_ROWS:
            return _nothing(
                f"{len(known)} labelled rows are too few to learn the labels from ({LEAST_ROWS} needed)"
            )
        if not context.has_content:
            return _nothing("there are no text, feature columns or images to judge labels by")
        y = context.y[known]
        judged = _judge(context, known, y)
        if judged.drawn is None and not any(len(rows) for rows in judged.found.anchors):
            return _nothing(
                "no class has rows the models are sure of and right about, "
                "so wrong labels cannot be told from hard rows"
            )
        log_p, posterior, doubt = judged.log_p, judged.posterior, judged.doubt
        estimate = float(judged.count)
        if judged.drawn is None:
            counts = wrong_label_counts(
                np.exp(log_p),
                y,
                judged.found,
                context.components[known],
                told=~judged.ambiguous,
                random_state=context.random_state,
            )
            low, high = np.quantile(counts, (0.025, 0.975))
            chosen = self._flag(judged, y, low)
        else:
            low, high = judged.drawn.low, judged.drawn.high
            chosen = np.sort(surest(posterior, self.fdr))
        # the draws know what chance does; rows that are hard by nature are counted, or missed
        hard = float((1 - posterior[chosen]).sum())
        predicted = log_p.argmax(axis=1)
        if judged.hard and judged.drawn is None:  # whichever labels the models contradict may be wrong
            high = max(float(high), float((predicted != y).sum()))
        mislabels = Mislabels(
            rows=known[chosen],
            posterior=posterior[chosen],
            expected=np.where(predicted == y, _second(log_p), predicted)[chosen],
            all_posterior=_spread(posterior, known, len(context)),
            estimate=estimate,
            low=max(min(float(low), estimate) - hard, 0.0),
            high=max(float(high), estimate) + hard,
            accuracy=float((predicted == y).mean()),
            doubt=doubt,
            reason=_abstention(judged, context),
        )
        campaigns = [] if judged.hard else one_way(context, mislabels)
        return Evidence(campaigns=campaigns, mislabels=mislabels)

    def _flag(self, judged: _Judged, y: NDArray[np.integer], low: float) -> NDArray[np.int64]:
        """Positions of the flagged rows, ascending."""
        if low < 1 or judged.hard:
            return np.zeros(0, np.int64)
        likely = np.flatnonzero(judged.posterior >= max(1 - LOCAL * self.fdr, LIKELY))
        most = ceil(CLEAR * judged.count)
        return np.sort(likely[_most_contradicted(judged.log_p[likely], y[likely], most)])


@dataclass(frozen=True)
class _Judged:
    """What the models make of the labels; ``doubt`` is from before any row was left out.

    ``hard`` says that natural errors cannot be told from wrong labels; ``drawn`` are those that can all the
    same, being drawn at random, where there are any; ``ambiguous`` marks rows whose exact copies more likely
    than not have no class in common.
    """

    log_p: NDArray[np.float64]
    found: Plateau
    posterior: NDArray[np.float64]
    count: int
    doubt: float
    hard: bool
    ambiguous: NDArray[np.bool_]
    drawn: RandomLabels | None = None


def _judge(context: Context, known: NDArray[np.int64], y: NDArray[np.int64]) -> _Judged:
    """Rows that are doubted do not train the models that are asked a second time.

    The rates stay those found before: fitted to opinions that leave labels out, they would shrink. The
    pool is fitted to all labels, the doubted ones included, by the rates, and what it would be sure of if no
    label were wrong does not depend on how many are. The second opinions join the first: where a row is
    rare but right, and left out, its like look wrong to the second alone.

    Near-duplicates of a row are the best witnesses to its label, and models that never saw them know too
    little. What wrong rows they brought in together has been found, and left out, by the time labels are
    judged one by one; here they have a say, the nearest at once and the models when they are asked again.
    """
    beside = context.beside_copies()
    opinions = [*_opinions(context, known), beside.opinion("neighbours")[known]]
    found = plateau(context.log_probability[known], y)
    log_p, found = _pool(opinions, y, found)
    copies = context.identical[known]
    ambiguous = ambiguous_copies(y, copies, found.rates, most=MOST_NOISE) > LIKELY
    unsure = 1 - np.exp(log_p.max(axis=1))
    unsure[ambiguous] = np.maximum(unsure, 1 - most_common_share(y, copies))[ambiguous]
    doubt = float(unsure.mean())
    hard = doubt > WEAK or _share(log_p, y, found) > MOST_NOISE
    if hard:
        doubt = max(doubt, float(1 - np.exp(context.log_probability[known].max(axis=1)).mean()))
        drawn = random_labels(opinions, np.where(ambiguous, -1, y), context.components[known])
        if drawn.low >= 1:
            count = round(drawn.count)
            return _Judged(drawn.log_p, found, drawn.posterior, count, doubt, hard, ambiguous, drawn)
        found = plateau(context.log_probability[known], y, strict=True)
        log_p, _ = pool_opinions(opinions, y, rates=found.rates)
    posterior = wrong_label_posterior(np.exp(log_p), y, found.rates) * ~ambiguous
    count = round(float(posterior.sum()))
    if not hard and count >= LEAST_WRONG:
        taught = beside.without(known[_most_contradicted(log_p, y, count)])
        log_p, _ = pool_opinions(opinions + _opinions(taught, known), y, rates=found.rates)
        posterior = wrong_label_posterior(np.exp(log_p), y, found.rates) * ~ambiguous
        count = round(float(posterior.sum()))
    return _Judged(log_p, found, posterior, count, doubt, hard, ambiguous)


def _pool(
    opinions: list[NDArray[np.float64]], y: NDArray[np.int64], found: Plateau
) -> tuple[NDArray[np.float64], Plateau]:
    """Expectation and maximisation in turn: all rows, not the anchors alone, say what the rates are.

    The anchors choose which explanation it converges to: where they show no wrong label, none is assumed.
    """
    log_p, weights = pool_opinions(opinions, y, rates=found.rates)
    for _ in range(MOST_ROUNDS):
        rates = expected_rates(np.exp(log_p), y, found.rates)
        settled = float(np.abs(rates - found.rates).max()) < SETTLED
        found = replace(found, rates=rates)
        log_p, weights = pool_opinions(opinions, y, rates=found.rates, start=weights)
        if settled:
            break
    return log_p, found


def _share(log_p: NDArray[np.float64], y: NDArray[np.int64], found: Plateau) -> float:
    return float(wrong_label_posterior(np.exp(log_p), y, found.rates).mean())


def _opinions(context: Context, known: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    return [context.opinion(name)[known] for name in context.models]


def _nothing(reason: str) -> Evidence:
    return Evidence(skipped=[Skipped("FT101", reason)])


def _most_contradicted(log_p: NDArray[np.float64], y: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    own = log_p[np.arange(len(y)), y]
    return np.argsort(own, kind="stable")[:count]


def _second(log_p: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.argsort(-log_p, axis=1, kind="stable")[:, 1]


def _spread(values: NDArray[np.float64], rows: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    out = np.zeros(n)
    out[rows] = values
    return out


def _abstention(judged: _Judged, context: Context) -> str:
    """Which classes were left out, and whether labels are hard; empty where neither."""
    parts = []
    left_out = [
        name for name, anchors in zip(context.classes, judged.found.anchors, strict=True) if not len(anchors)
    ]
    if left_out and judged.drawn is None:
        shown = ", ".join(left_out[:5]) + (f" and {len(left_out) - 5} more" if len(left_out) > 5 else "")
        parts.append(f"no rows sure enough to judge the labels of: {shown}")
    copies = int(judged.ambiguous.sum())
    if copies:
        parts.append(
            f"{copies} rows have exact copies with other labels, more of them than wrong labels make, so "
            "their content does not tell their class and none of them is called wrong"
        )
    if judged.drawn is not None:
        parts.append(
            f"the models leave {judged.doubt:.0%} doubt about a row's class whatever its label: counted are "
            "labels that seem drawn at random, flagged those that no hard row would have"
        )
    elif judged.hard:
        parts.append(
            f"the models leave {judged.doubt:.0%} doubt about a row's class whatever its label, so hard rows "
            "cannot be told from wrong labels and none is flagged"
        )
    return "; ".join(parts)
