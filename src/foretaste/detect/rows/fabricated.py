"""FT303 fabricated rows: a block of rows that looks as if every column had been drawn on its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom
from sklearn.isotonic import isotonic_regression

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic
from foretaste.detect.rows.shuffled import Shuffled, shuffled_rows, shuffled_scores

LEAST_ROWS = 300
LEAST_COLUMNS = 3

NEARLY_ALL = 0.9
"""A label that this share of a block has is the block's."""

BANDS = ((0.2, 0.5), (0.4, 0.7), (0.5, 0.75))
"""Shares of the shuffled rows below the start of a band and below the start of the one above it."""

FALL = 5.0
"""The density of natural rows against shuffled ones falls at least by this factor from a band to the next."""

CONFUSED = 0.1
"""Above this share of the real rows (relative to shuffled ones) in the upper half, the two cannot be told
apart.
"""

LEAST_SHARE = 0.002
"""Smallest share of fabricated rows that is called a block, and of all rows to be named for an alarm."""

LOCAL = 10
"""A named row's own probability to be natural is at most this many times the tolerated share: by default it
is fabricated more likely than natural. Rows of the block are alike to the score, which gives many of them one
probability, and the mean of those is far above the share of natural rows among the first."""

LIKELY = 0.5
"""No row is named that is less likely fabricated than this, however much is tolerated."""

FEWEST_NAMED = 10
"""A block of which fewer rows can be named is for review."""


class FabricatedRows(Detector):
    """Tell real rows from rows with shuffled columns; a block of real rows that cannot be told is fabricated.

    A classifier, out of fold, scores how shuffled every row looks. Among the most shuffled-looking rows the
    density of natural rows against shuffled ones keeps falling; rows whose columns were drawn independently
    *are* shuffled rows, so there the ratio stops falling and stays at their share. The test asks whether it
    stops. Once a block is seen, the rows are scored again by a classifier that was trained without it.

    Parameters
    ----------
    level : float
        Error rate of the rule on a data set; stricter than that of other rules, since its null is a rule of
        thumb about how fast natural densities fall.
    fdr : float
        Tolerated share of natural rows among those listed; each row's own may be `LOCAL` times as much.

    References
    ----------
    Shi and Horvath, "Unsupervised learning with random forest predictors", J. Comput. Graph. Stat. 15 (2006).
    Blanchard, Lee and Scott, "Semi-supervised novelty detection", JMLR 11 (2010): the share of one
    distribution in another from the ratio of their tails.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT303",)
    title: ClassVar[str] = "fabricated rows"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    scope: ClassVar[str] = "group"

    def __init__(self, *, level: float = 1e-3, fdr: float = 0.05) -> None:
        self.level = level
        self.fdr = fdr

    def examine(self, context: Context) -> Evidence:
        """At most one campaign, or one for review where few rows can be named: whose columns do not belong
        together.
        """
        rows = np.flatnonzero(context.y >= 0)
        reason = _untestable(context, rows)
        if reason is not None:
            return Evidence(skipped=[Skipped("FT303", reason)])
        assert context.table is not None
        X = np.column_stack([context.table.matrix[rows], context.y[rows].astype(np.float32)])
        fake = shuffled_rows(X, context.random_state)
        identical, y = context.identical[rows], context.y[rows]

        def scores(weight: NDArray[np.float64] | None = None) -> Shuffled:
            return shuffled_scores(
                X, fake, identical, weight, random_state=context.random_state, jobs=context.jobs
            )

        first = scores()
        confused = 2 * float((first.real > np.median(first.shuffled)).mean())
        if confused > CONFUSED:
            share = min(confused, 1.0)
            reason = f"real rows cannot be told from rows with shuffled columns ({share:.0%} look like them)"
            return Evidence(skipped=[Skipped("FT303", reason)])
        content = np.stack([identical, y])
        _, once, kind = np.unique(content, axis=1, return_index=True, return_inverse=True)
        among = np.isin(np.arange(len(y)), once)  # many rows of one content would be a tail of their own
        found, target = _flattest(first, y, among)
        if found.p_value > self.level or found.low < LEAST_SHARE:
            return Evidence()
        own = among if target is None else among & (y == target)
        n = len(y) if target is None else int((y == target).sum())
        likely = _posterior(first, own, target, found.share * n)
        single = np.bincount(kind)[kind] == 1
        if likely[single].sum() >= likely.sum() / 2:
            own &= single  # columns drawn one by one hardly ever make a row twice
        # the block has taught the models that such rows are real: ask again without it
        again = scores(1 - likely[once][kind])
        posterior = _posterior(first.averaged(again), own, target, found.share * n)[once][kind]
        chosen = np.flatnonzero(posterior >= max(1 - LOCAL * self.fdr, LIKELY))
        if not len(chosen):
            return Evidence()
        name = None if target is None else context.classes[target]
        campaign = _campaign(rows[chosen], posterior[chosen], found, n, name)
        if len(chosen) < max(FEWEST_NAMED, LEAST_SHARE * len(y)):
            return Evidence(review=[campaign])
        return Evidence(campaigns=[campaign])


@dataclass(frozen=True)
class FlatTail:
    """Where the density of real against shuffled rows stops falling.

    Attributes
    ----------
    p_value : float
        Of a density that falls as fast as natural ones do.
    share, low : float
        Share of the real rows that looks shuffled through and through, and its lower 95 % bound.
    """

    p_value: float
    share: float
    low: float


def flat_tail(real: NDArray[np.float64], shuffled: NDArray[np.float64]) -> FlatTail:
    """Compare the numbers of real rows in two neighbouring bands of the score, for every pair of `BANDS`."""
    best = FlatTail(1.0, 0.0, 0.0)
    for lower, upper in BANDS:
        start, top = np.quantile(shuffled, [lower, upper])
        above, below = int((real > top).sum()), int(((real > start) & (real <= top)).sum())
        fallen = (1 - upper) / FALL
        null = fallen / (fallen + upper - lower)
        p_value = min(1.0, len(BANDS) * float(binom.sf(above - 1, above + below, null)))
        if p_value < best.p_value:
            low = float(beta.ppf(0.05, above, len(real) - above + 1)) / (1 - upper)
            best = FlatTail(max(p_value, 1e-300), above / len(real) / (1 - upper), low)
    return best


def _flattest(
    scores: Shuffled, y: NDArray[np.int64], among: NDArray[np.bool_]
) -> tuple[FlatTail, int | None]:
    """The flattest tail of some rows or of those with one label, and that label; corrected for the choice.

    A fabricated block with one label teaches the classifier that shuffled rows with this label are a little
    more real than others, so it is sought among its own kind, too. Shares are of all rows (with the label).
    """
    tails: list[tuple[FlatTail, int | None, float]] = []
    for value in [None, *np.unique(y).tolist()]:
        own = np.ones(len(y), bool) if value is None else y == value
        alike = scores.shuffled if value is None else scores.shuffled[scores.label == value]
        if own.sum() >= LEAST_ROWS and (own & among).any():
            tail = flat_tail(scores.real[own & among], alike)
            part = float(among[own].mean())
            tail = replace(tail, share=tail.share * part, low=tail.low * part)
            tails.append((tail, value, tail.share * float(own.sum())))
    best, target, block = min(tails, key=lambda entry: entry[0].p_value)
    if target is None:
        labelled = max(tails, key=lambda entry: entry[2] if entry[1] is not None else -1.0)
        if labelled[2] >= NEARLY_ALL * block:
            best, target = replace(labelled[0], p_value=best.p_value), labelled[1]
    return replace(best, p_value=min(1.0, best.p_value * len(tails))), target


def _posterior(
    scores: Shuffled, own: NDArray[np.bool_], target: int | None, count: float
) -> NDArray[np.float64]:
    """`tail_posterior` of the rows among which the block is; 0 of others."""
    alike = np.ones(len(scores.label), bool) if target is None else scores.label == target
    posterior = np.zeros(len(own))
    posterior[own] = tail_posterior(scores.real[own], scores.shuffled[alike], count)
    return posterior


def tail_posterior(
    real: NDArray[np.float64], shuffled: NDArray[np.float64], count: float
) -> NDArray[np.float64]:
    """Probability of each real row to be a shuffled one.

    So many shuffled rows lie above any score as their distribution says; what real rows there are beyond
    them is natural. The share that is shuffled may only fall from the highest score to the lowest, and among
    those that do, the one nearest to what is seen is taken.

    Parameters
    ----------
    real, shuffled : float64 ndarray
        Log odds to be shuffled.
    count : float
        Real rows that are shuffled ones.

    References
    ----------
    Grenander, "On the theory of mortality measurement", Skandinavisk Aktuarietidskrift 39 (1956). Strimmer,
    "A unified approach to false discovery rate estimation", BMC Bioinformatics 9 (2008): local rates by it.

    Examples
    --------
    >>> tail_posterior(np.array([9.0, 8, 2, 1]), np.array([7.0, 8, 9, 10]), 2).round(2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    order = np.argsort(-real, kind="stable")
    above = 1 - np.searchsorted(np.sort(shuffled), real[order], side="left") / len(shuffled)
    expected = np.diff(count * above, prepend=0.0)
    posterior = np.zeros(len(real))
    posterior[order] = np.clip(isotonic_regression(expected, increasing=False), 0.0, 1.0)
    return posterior


def _untestable(context: Context, rows: NDArray[np.int64]) -> str | None:
    if context.table is None:
        return "there are no feature columns"
    if len(context.table.columns) < LEAST_COLUMNS:
        return f"fewer than {LEAST_COLUMNS} feature columns: too few dependencies to break"
    if len(rows) < LEAST_ROWS:
        return f"{len(rows)} labelled rows are too few to learn how columns depend on one another"
    return None


def _campaign(
    rows: NDArray[np.int64],
    posterior: NDArray[np.float64],
    found: FlatTail,
    n: int,
    target: str | None,
) -> Campaign:
    label = f" labelled {target!r}" if target is not None else ""
    return Campaign(
        rule="FT303",
        rows=rows,
        target=target,
        pattern="columns drawn independently",
        kind="rows",
        p_value=found.p_value,
        q_value=found.p_value,
        effect=float(posterior.mean()),
        support=round(found.share * n),
        statistic=Statistic("share of rows that look shuffled (lower bound)", found.low, None, LEAST_SHARE),
        reason=(
            f"about {found.share:.1%} of the rows{label} (at least {found.low:.1%}) break the dependencies "
            f"between columns as if each column had been drawn on its own; {len(rows)} of them can be named"
        ),
        posterior=posterior,
    )
