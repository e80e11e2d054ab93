"""FT303 fabricated rows: a block of rows that looks as if every column had been drawn on its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import beta, binom
from sklearn.ensemble import HistGradientBoostingClassifier

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic
from foretaste.learners.threads import one_thread_each
from foretaste.stats.folds import MOST_TAUGHT, enough_folds, taught_rows

LEAST_ROWS = 300
LEAST_COLUMNS = 3
N_FOLDS = 3

MOST_SHUFFLED = 2 * MOST_TAUGHT
"""Shuffled rows that are made of any number of real ones."""

BANDS = ((0.2, 0.5), (0.4, 0.7), (0.5, 0.75))
"""Shares of the shuffled rows below the start of a band and below the start of the one above it."""

FALL = 5.0
"""The density of natural rows against shuffled ones falls at least by this factor from a band to the next."""

CONFUSED = 0.1
"""Above this share of the real rows (relative to shuffled ones) in the upper half, the two cannot be told
apart.
"""

LEAST_SHARE = 0.002
"""Smallest share of fabricated rows that is called a block."""

LEAST_SLOPE = float(np.log(0.5))
"""A calibrated log odds makes the natural ratio fall with slope one; an overconfident one, with half of
it.
"""


class FabricatedRows(Detector):
    """Tell real rows from rows with shuffled columns; a block of real rows that cannot be told is fabricated.

    A classifier, out of fold, scores how shuffled every row looks. Among the most shuffled-looking rows the
    density of natural rows against shuffled ones keeps falling; rows whose columns were drawn independently
    *are* shuffled rows, so there the ratio stops falling and stays at their share. The test asks whether it
    stops.

    Parameters
    ----------
    level : float
        Error rate of the rule on a data set; stricter than that of other rules, since its null is a rule of
        thumb about how fast natural densities fall.
    fdr : float
        Expected share of natural rows among those listed.

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
        """At most one campaign: the rows whose columns do not belong together."""
        rows = np.flatnonzero(context.y >= 0)
        reason = _untestable(context, rows)
        if reason is not None:
            return Evidence(skipped=[Skipped("FT303", reason)])
        assert context.table is not None
        X = np.column_stack([context.table.matrix[rows], context.y[rows].astype(np.float32)])
        real, shuffled, label = shuffled_scores(
            X, context.identical[rows], random_state=context.random_state, jobs=context.jobs
        )
        confused = 2 * float((real > np.median(shuffled)).mean())
        if confused > CONFUSED:
            share = min(confused, 1.0)
            reason = f"real rows cannot be told from rows with shuffled columns ({share:.0%} look like them)"
            return Evidence(skipped=[Skipped("FT303", reason)])
        y = context.y[rows]
        found, target = _flattest(real, y, shuffled, label)
        if found.p_value > self.level or found.low < LEAST_SHARE:
            return Evidence()
        own = np.ones(len(y), bool) if target is None else y == target
        alike = np.ones(len(label), bool) if target is None else label == target
        posterior = np.zeros(len(y))
        posterior[own] = tail_posterior(real[own], shuffled[alike])
        order = np.argsort(-posterior, kind="stable")
        error = np.cumsum(1 - posterior[order]) / np.arange(1, len(order) + 1)
        # the curve is an estimate: half of the budget is for its error
        chosen = np.sort(order[: int((error <= self.fdr / 2).sum())])
        if not len(chosen):
            return Evidence()
        name = None if target is None else context.classes[target]
        return Evidence(campaigns=[_campaign(rows[chosen], posterior[chosen], found, int(own.sum()), name)])


@dataclass(frozen=True)
class FlatTail:
    """Where the density of real against shuffled rows stops falling.

    Attributes
    ----------
    p_value : float
        Of a density that falls as fast as natural ones do.
    start : float
        Score from which real rows are as dense as their share says.
    share, low : float
        Share of the real rows that looks shuffled through and through, and its lower 95 % bound.
    """

    p_value: float
    start: float
    share: float
    low: float


def flat_tail(real: NDArray[np.float64], shuffled: NDArray[np.float64]) -> FlatTail:
    """Compare the numbers of real rows in two neighbouring bands of the score, for every pair of `BANDS`."""
    best = FlatTail(1.0, float("inf"), 0.0, 0.0)
    for lower, upper in BANDS:
        start, top = np.quantile(shuffled, [lower, upper])
        above, below = int((real > top).sum()), int(((real > start) & (real <= top)).sum())
        fallen = (1 - upper) / FALL
        null = fallen / (fallen + upper - lower)
        p_value = min(1.0, len(BANDS) * float(binom.sf(above - 1, above + below, null)))
        if p_value < best.p_value:
            low = float(beta.ppf(0.05, above, len(real) - above + 1)) / (1 - upper)
            best = FlatTail(max(p_value, 1e-300), float(top), above / len(real) / (1 - upper), low)
    return best


def _flattest(
    real: NDArray[np.float64], y: NDArray[np.int64], shuffled: NDArray[np.float64], label: NDArray[np.int64]
) -> tuple[FlatTail, int | None]:
    """The flattest tail of all rows or of those with one label, and that label; corrected for the choice.

    A fabricated block with one label teaches the classifier that shuffled rows with this label are a little
    more real than others, so it is sought among its own kind, too.
    """
    tails: list[tuple[FlatTail, int | None]] = [(flat_tail(real, shuffled), None)]
    for value in np.unique(y).tolist():
        own, alike = y == value, label == value
        if own.sum() >= LEAST_ROWS:
            tails.append((flat_tail(real[own], shuffled[alike]), value))
    best, target = min(tails, key=lambda tail: tail[0].p_value)
    return replace(best, p_value=min(1.0, best.p_value * len(tails))), target


def tail_posterior(real: NDArray[np.float64], shuffled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each real row to be a shuffled one; 0 below the lowest twentieth of the shuffled.

    Above it the ratio of the densities of real and shuffled rows is a constant, the fabricated share, plus
    natural rows whose ratio falls exponentially with the score; the most likely such curve tells them
    apart.

    Parameters
    ----------
    real, shuffled : float64 ndarray
        Log odds to be shuffled.
    """
    start = float(np.quantile(shuffled, 0.05))
    score = np.concatenate([real[real > start], shuffled[shuffled > start]]) - start
    is_real = np.arange(len(score)) < (real > start).sum()
    offset = np.log(len(real)) - np.log(len(shuffled))

    def loss(theta: NDArray[np.float64]) -> float:
        z = offset + np.logaddexp(theta[0], theta[1] - np.exp(theta[2]) * score)
        return float((np.logaddexp(0, z) - is_real * z).sum())

    count = max(int(is_real.sum()), 1)
    first = np.log(count / len(real))
    found = minimize(
        loss,
        np.array([first - 1, first, 0.0]),
        bounds=[(-15, 3), (-15, 5), (LEAST_SLOPE, 3)],
        method="L-BFGS-B",
    ).x
    natural = found[1] - np.exp(found[2]) * (real - start)
    return np.where(real > start, expit(found[0] - natural), 0.0)


def shuffled_scores(
    X: NDArray[np.float32], identical: NDArray[np.int64], *, random_state: int = 0, jobs: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Log odds of real and of shuffled rows to be shuffled, by models that saw neither the row nor its twins.

    Parameters
    ----------
    X : float32 ndarray of shape (n, d)
        Numbers and codes; the last column is the label.
    identical : int ndarray of shape (n,)
        Rows with the same number share a fold.

    Returns
    -------
    real : float64 ndarray of shape (n,)
    shuffled : float64 ndarray of shape (n,)
    label : int64 ndarray of shape (n,)
        Of the shuffled rows.
    """
    rng = np.random.default_rng(random_state)
    n = len(X)
    folds = min(N_FOLDS, enough_folds(n))
    fake = np.column_stack([rng.permutation(column)[:MOST_SHUFFLED] for column in X.T])
    _, twin = np.unique(identical, return_inverse=True)
    fold = np.concatenate(
        [rng.integers(folds, size=int(twin.max()) + 1)[twin], rng.integers(folds, size=len(fake))]
    )
    both, is_fake = np.concatenate([X, fake]), np.repeat([0, 1], [n, len(fake)])
    score, nothing = np.zeros(len(both)), np.zeros(n, np.int64)

    def fit(k: int) -> None:
        model = HistGradientBoostingClassifier(
            max_iter=100,
            max_leaf_nodes=31,
            learning_rate=0.15,
            early_stopping=False,
            random_state=random_state,
        )
        train = np.concatenate([taught_rows(fold[:n], nothing, k), n + np.flatnonzero(fold[n:] != k)])
        model.fit(both[train], is_fake[train])
        score[fold == k] = model.decision_function(both[fold == k])

    with one_thread_each(jobs) as pool:
        list(pool.map(fit, range(folds)))
    return score[:n], score[n:], fake[:, -1].astype(np.int64)


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
