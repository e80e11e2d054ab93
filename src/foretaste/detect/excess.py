"""Which groups of rows (sources, stretches of time) hold more contradicted labels than other groups do.

Two questions are asked of every group, because groups differ in nature in two ways. *Among rows with the same
content*, do labels contradict it more often than elsewhere? Material that is merely different passes this
one. *Among rows with the same label*, does the content contradict it more often than elsewhere? Groups with
other class shares, also for reasons that no column shows, pass this one. Wrong labels fail both; a group is
called bad only then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from foretaste.stats.between_groups import NaturalSpread
from foretaste.stats.stratified import Comparison, Strata

TOLERANCE = 0.02
"""Wrong rows beyond what other groups have that are still nature: a group is bad only where more than this is
sure.
"""

FEWEST_ROWS = 5

_CONFIDENCE = np.array([-1, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6])
_SUPPORT = np.array([-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4])
_JUDGED_SHARE = 1 / 3
_MOST_FOR_SPREAD = 100


def contradiction_strata(
    log_probability: NDArray[np.float64], y: NDArray[np.integer], group: NDArray[np.integer], n_groups: int
) -> tuple[Strata, Strata]:
    """Rows by content (does the label contradict it?) and by label (how much does the content support it?).

    Parameters
    ----------
    log_probability : float64 ndarray of shape (n, n_classes)
        By models that did not see the row's group.
    y : int ndarray of shape (n,)
        Labels, none of them missing.
    group : int ndarray of shape (n,)
        0 to ``n_groups - 1``; negative where a row belongs to none.
    """
    k = log_probability.shape[1]
    odds = _log_odds(_shifted_to_content(log_probability, group, n_groups))
    said = odds.argmax(axis=1)
    confidence = np.digitize(odds.max(axis=1), _CONFIDENCE)
    n_bins = len(_CONFIDENCE) + 1
    contradicted = (said != y).astype(np.int64)
    rate = (np.bincount(confidence, contradicted, n_bins) + 0.5) / (
        np.bincount(confidence, minlength=n_bins) + 1
    )
    rate = np.tile(rate, k)
    still = rate / max(k - 1, 1)  # a wrong label that happens to be what the content says
    by_content = Strata(
        group,
        n_groups,
        said * n_bins + confidence,
        contradicted,
        wrong=np.stack([still, 1 - still], axis=1),
        prior=np.stack([1 - rate, rate], axis=1),
    )

    support = np.digitize(_log_odds(log_probability), _SUPPORT)
    n_bins = len(_SUPPORT) + 1
    own = support[np.arange(len(y)), y]
    prior = np.bincount(own, minlength=n_bins) + 0.5
    wrong = np.stack([np.bincount(support[y != c, c], minlength=n_bins) + 0.1 for c in range(k)])
    by_label = Strata(
        group,
        n_groups,
        y,
        own,
        wrong=wrong / wrong.sum(axis=1, keepdims=True),
        prior=np.tile(prior / prior.sum(), (k, 1)),
    )
    return by_content, by_label


def _log_odds(log_probability: NDArray[np.float64]) -> NDArray[np.float64]:
    share = np.clip(np.exp(log_probability), 1e-9, 1 - 1e-9)
    return np.asarray(np.log(share) - np.log1p(-share), np.float64)


def _shifted_to_content(
    log_probability: NDArray[np.float64], group: NDArray[np.integer], n_groups: int
) -> NDArray[np.float64]:
    """Opinions after each group is granted the class shares that its content, not its labels, speaks for.

    References
    ----------
    Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
    Neural Computation 14 (2002).
    """
    slot = np.where(group < 0, n_groups, group)
    size = np.bincount(slot, minlength=n_groups + 1)[:, None]
    overall = np.exp(log_probability).mean(axis=0)
    overall /= overall.sum()
    shift = np.zeros((n_groups + 1, len(overall)))
    shifted = log_probability
    for _ in range(30):
        sums = [np.bincount(slot, column, n_groups + 1) for column in np.exp(shifted).T]
        own = (np.stack(sums, axis=1) + 20 * overall) / (size + 20)
        shift = np.log(own / overall)
        shift[n_groups] = 0
        shifted = log_probability + shift[slot]
        shifted -= logsumexp(shifted, axis=1, keepdims=True)
    return shifted


@dataclass(frozen=True)
class GroupExcess:
    """The verdict on every group; arrays of shape (n_groups,).

    Attributes
    ----------
    rows : int64 ndarray
        Rows that were compared.
    share, low, high : float64 ndarray
        Share of wrong rows beyond what other groups have, with one-sided 95 % bounds; of the two questions
        the smaller.
    p_value : float64 ndarray
        Of both questions the larger; 1 where a group was not judged.
    judged, bad : bool ndarray
    tested : int
        Groups the multiplicity counts.
    spread : float
        Standard deviation of the natural share of wrong rows between groups; of the two questions the larger.
    """

    rows: NDArray[np.int64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_value: NDArray[np.float64]
    judged: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    tested: int
    spread: float


def judge_groups(
    strata: tuple[Strata, ...],
    rows: NDArray[np.int64],
    *,
    alpha: float = 0.05,
    tolerance: float = TOLERANCE,
    only: NDArray[np.bool_] | None = None,
) -> GroupExcess:
    """Find the groups with an excess of wrong labels; the worst are set aside before the others are compared.

    Parameters
    ----------
    strata : tuple of Strata
        The questions; a group is bad only where all agree.
    rows : int64 ndarray of shape (n_groups,)
    alpha : float
        Family-wise error rate over all groups that can be judged (Holm; Tarone for those too small).
    tolerance : float
        Smallest share of wrong rows, beyond that of other groups, worth calling bad.
    only : bool ndarray, optional
        Groups to ask about; the others are reference.
    """
    n_groups = len(rows)
    asked = rows >= FEWEST_ROWS if only is None else only & (rows >= FEWEST_ROWS)
    aside = np.zeros(n_groups, bool)
    views = [_View.of(s, aside, rows) for s in strata]
    judged = _large_enough([v.comparison for v in views], asked, alpha)
    tested = int(judged.sum())
    while tested:
        views = [_View.of(s, aside, rows) for s in strata]
        score = np.min([v.comparison.share / v.comparison.error for v in views], axis=0)
        score[aside | ~judged] = -np.inf
        worst = np.argsort(-score, kind="stable")[: max(1, tested // 20)]
        worst = worst[score[worst] > 2]
        if not len(worst) or 2 * (aside.sum() + len(worst)) > max(tested, 2):
            break
        trial = aside.copy()
        trial[worst] = True
        without = [_View.of(s, trial, rows) for s in strata]
        level = alpha / (tested - aside.sum())
        found = [g for g in worst.tolist() if _is_bad(without, g, level, tolerance)]
        if not found:
            break
        aside[found] = True

    views = [_View.of(s, aside, rows) for s in strata]
    p_value = np.ones(n_groups)
    for group in np.flatnonzero(judged):
        p_value[group] = max(view.p_value(int(group)) for view in views)
    smaller = np.argmin([v.comparison.share for v in views], axis=0)
    share, low, high = np.zeros(n_groups), np.zeros(n_groups), np.ones(n_groups)
    for group in np.flatnonzero(rows > 0):
        comparison = views[smaller[group]].comparison
        share[group] = min(comparison.share[group], 1.0)
        low[group], high[group] = _interval(comparison, int(group), exact=bool(aside[group]))
    spread = max((view.natural.typical for view in views), default=0.0)
    return GroupExcess(rows, share, low, high, p_value, judged, aside, tested, spread)


@dataclass(frozen=True)
class _View:
    """One question, with what its groups tell about the spread between groups."""

    comparison: Comparison
    natural: NaturalSpread

    @classmethod
    def of(cls, strata: Strata, aside: NDArray[np.bool_], rows: NDArray[np.int64]) -> _View:
        comparison = Comparison(strata, aside)
        usable = np.flatnonzero((rows >= FEWEST_ROWS) & ~aside & np.isfinite(comparison.error))
        if len(usable) > _MOST_FOR_SPREAD:
            usable = usable[np.linspace(0, len(usable) - 1, _MOST_FOR_SPREAD).astype(np.int64)]
        usable = usable if len(usable) > 1 else usable[:0]  # one alone has nothing to differ from
        z = np.array([comparison.normal_score(int(group)) for group in usable])
        return cls(comparison, NaturalSpread.of(z, comparison.error[usable]))

    def p_value(self, group: int) -> float:
        return self.comparison.p_value(group, self.natural)


def _is_bad(views: list[_View], group: int, level: float, tolerance: float) -> bool:
    if any(view.p_value(group) > level for view in views):
        return False
    bounds = [view.comparison.bound(group) for view in views]
    return max(bounds) > tolerance and min(bounds) > tolerance / 2


def _large_enough(comparisons: list[Comparison], asked: NDArray[np.bool_], alpha: float) -> NDArray[np.bool_]:
    """Groups that could be called bad if a third of their rows were wrong (Tarone, Biometrics 46, 1990)."""
    best = np.full(len(asked), 1.0)
    for group in np.flatnonzero(asked):
        best[group] = max(np.exp(c.attainable(int(group), _JUDGED_SHARE)) for c in comparisons)
    count = int(asked.sum())
    for tested in range(1, count + 1):
        if (best <= alpha / tested).sum() <= tested:
            return asked & (best <= alpha / tested)
    return asked & (best <= alpha)


def _interval(comparison: Comparison, group: int, *, exact: bool) -> tuple[float, float]:
    if exact:
        return comparison.bound(group), comparison.bound(group, upper=True)
    reach = 1.645 * min(float(comparison.error[group]), 1.0)
    return float(comparison.share[group] - reach), min(float(comparison.share[group] + reach), 1.0)
