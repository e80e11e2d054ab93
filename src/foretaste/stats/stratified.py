"""Does a group of rows hold more contradictions than rows of the same kind elsewhere? Exact, stratified,
over-dispersed.

Every row lies in a stratum and has an outcome. If groups did not matter, the outcomes of a group's rows would
be drawn from what the same strata show in the other groups. The statistic is the log likelihood ratio against
"a few of the rows are wrong", summed over rows in whole levels; its tail is computed exactly
(`foretaste.stats.integer_sums`). Groups also differ in nature. Therefore the null is not "no wrong rows" but
"as many wrong rows as groups naturally have": a mixture over the spread between groups, of which the other
groups tell (`foretaste.stats.between_groups`).

References
----------
Mantel and Haenszel, "Statistical aspects of the analysis of data from retrospective studies", JNCI 22 (1959).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import logsumexp, ndtri_exp

from foretaste.stats.between_groups import NaturalSpread
from foretaste.stats.integer_sums import log_tail

ALTERNATIVE = 0.05
"""Share of wrong rows that the weights are best for, in a group of many rows."""

NEEDED = 5.0
"""Standard errors that a share must be to be told: in a group of few rows the weights are best for that."""

_MOST_NEEDED = 0.5

LEVELS = 16
"""The statistic counts in this many steps per row."""

STRONGEST = 400.0
"""Likelihood ratio that gets the highest level."""

_TAILS = 16
"""Natural shares of wrong rows at which the tail is computed; between them it is interpolated."""

_STEPS = 200
"""Natural shares that the spread between groups is summed over."""


class Strata:
    """Rows by group, stratum and outcome, and what wrong rows would look like.

    Parameters
    ----------
    group : int ndarray of shape (n,)
        0 to ``n_groups - 1``; negative where a row belongs to no group (it is part of the rest all the same).
    n_groups : int
    stratum, outcome : int ndarray of shape (n,)
    wrong : float64 ndarray of shape (n_strata, n_outcomes)
        Distribution of the outcome for a wrong row of the stratum; rows sum to 1.
    prior : float64 ndarray of shape (n_strata, n_outcomes)
        What a stratum is taken to look like before any row was seen, worth one row; rows sum to 1.
    """

    def __init__(
        self,
        group: NDArray[np.integer],
        n_groups: int,
        stratum: NDArray[np.integer],
        outcome: NDArray[np.integer],
        wrong: NDArray[np.float64],
        prior: NDArray[np.float64],
    ) -> None:
        self.n_groups = n_groups
        self.wrong = wrong
        self.prior = prior
        cell = stratum.astype(np.int64) * wrong.shape[1] + outcome
        self.total = np.bincount(cell, minlength=wrong.size).reshape(wrong.shape)
        order = np.argsort(group, kind="stable")
        self._cells = cell[order]
        self._start = np.searchsorted(group[order], np.arange(n_groups + 1))

    def of(self, group: int) -> NDArray[np.int64]:
        """Counts of one group, shape (n_strata, n_outcomes)."""
        cells = self._cells[self._start[group] : self._start[group + 1]]
        return np.bincount(cells, minlength=self.wrong.size).reshape(self.wrong.shape)


@dataclass(frozen=True)
class _Against:
    """One group beside the rest, in the strata it has rows in; arrays of shape (n_used, n_outcomes)."""

    own: NDArray[np.int64]
    natural: NDArray[np.float64]
    wrong: NDArray[np.float64]
    level: NDArray[np.int64]
    rest: NDArray[np.int64]


class Comparison:
    """Groups compared with the rest, where the groups ``aside`` are no part of the rest.

    Parameters
    ----------
    strata : Strata
    aside : bool ndarray of shape (n_groups,)
        Groups already known to be bad; they neither serve as reference nor count for the spread.

    Attributes
    ----------
    share : float64 ndarray of shape (n_groups,)
        Estimated share of wrong rows beyond what the strata explain; may be negative.
    error : float64 ndarray of shape (n_groups,)
        Standard error of ``share``; infinite where a group's rows say nothing.
    reference_error : float64 ndarray of shape (n_groups,)
        The part of it that is due to the rest: what is expected is itself an estimate.
    """

    def __init__(self, strata: Strata, aside: NDArray[np.bool_]) -> None:
        self.strata = strata
        self.aside = aside
        self.pool = strata.total - sum(strata.of(int(g)) for g in np.flatnonzero(aside))
        self.share = np.zeros(len(aside))
        self.error = np.full(len(aside), np.inf)
        self.reference_error = np.zeros(len(aside))
        self._alternative = np.full(len(aside), ALTERNATIVE)
        for group in range(len(aside)):
            seen = self._against_rest(group)
            estimate = _estimate(seen)
            if ALTERNATIVE < NEEDED * estimate[1] < np.inf:
                self._alternative[group] = min(NEEDED * estimate[1], _MOST_NEEDED)
                level = _levels(seen.natural, seen.wrong, self._alternative[group])
                estimate = _estimate(replace(seen, level=level))
            self.share[group], self.error[group], self.reference_error[group] = estimate

    def _against_rest(self, group: int) -> _Against:
        own = self.strata.of(group)
        used = np.flatnonzero(own.sum(axis=1))
        own = own[used]
        rest = self.pool[used] - (0 if self.aside[group] else own)
        natural = (rest + self.strata.prior[used]) / (rest.sum(axis=1, keepdims=True) + 1)
        wrong = self.strata.wrong[used]
        level = _levels(natural, wrong, self._alternative[group])
        return _Against(own, natural, wrong, level, rest.sum(axis=1))

    def tail(self, group: int, wrong_share: float = 0.0, *, value: int | None = None) -> tuple[float, float]:
        """Log of ``P(T >= value)`` and of the mid-p-value when ``wrong_share`` of the rows are wrong."""
        seen = self._against_rest(group)
        mixed = (1 - wrong_share) * seen.natural + wrong_share * seen.wrong
        by_level = np.stack(
            [(mixed * (seen.level == step)).sum(axis=1) for step in range(LEVELS + 1)], axis=1
        )
        value = int((seen.own * seen.level).sum()) if value is None else value
        return log_tail(by_level / by_level.sum(axis=1, keepdims=True), seen.own.sum(axis=1), value)

    def attainable(self, group: int, wrong_share: float) -> float:
        """Log of the p-value that a typical group of this size gets when ``wrong_share`` of its rows are
        wrong.
        """
        seen = self._against_rest(group)
        size = seen.own.sum(axis=1)
        mixed = (1 - wrong_share) * seen.natural + wrong_share * seen.wrong
        typical = float((size * (mixed * seen.level).sum(axis=1)).sum())
        return self.tail(group, value=int(np.floor(typical)))[0]

    def normal_score(self, group: int) -> float:
        return float(-ndtri_exp(min(self.tail(group)[1], -1e-12)))

    def p_value(self, group: int, natural: NaturalSpread) -> float:
        """Against a natural share of wrong rows drawn from the spread between groups, where positive.

        The uncertainty of what is expected counts as spread.
        """
        log_null = self.tail(group)[0]
        natural = natural.widened(float(self.reference_error[group]))
        spread = natural.typical
        if log_null > np.log(0.2) or spread <= 0:
            return float(np.exp(log_null))
        top = min(max(1.5 * self.share[group], 4 * spread), 0.9)
        lowest = min(spread, top) / 8
        known = np.append(0.0, np.geomspace(lowest, top, _TAILS))
        tails = [log_null, *(self.tail(group, float(share))[0] for share in known[1:])]
        edges = np.append(0.0, np.geomspace(lowest, top, _STEPS))
        log_beyond = natural.log_beyond(edges)
        with np.errstate(divide="ignore"):
            log_mass = np.log(-np.diff(np.exp(log_beyond)))
        log_tail_between = PchipInterpolator(known, tails)((edges[1:] + edges[:-1]) / 2)
        log_p = [log_null + np.log(0.5), *(log_mass + log_tail_between)]
        log_p.append(float(log_beyond[-1]))
        return float(np.exp(min(logsumexp(log_p), 0.0)))

    def bound(self, group: int, level: float = 0.05, *, upper: bool = False) -> float:
        """One-sided confidence bound of the share of wrong rows beyond the expected."""
        low, high = 0.0, 1.0
        goal = np.log1p(-level) if upper else np.log(level)
        if not upper and self.tail(group)[0] > goal:
            return 0.0
        for _ in range(12):
            half = (low + high) / 2
            low, high = (half, high) if self.tail(group, half)[0] < goal else (low, half)
        return high if upper else low


def _levels(natural: NDArray[np.float64], wrong: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    """What an outcome counts: its log likelihood ratio when this share of rows is wrong, in whole steps."""
    weight = np.log1p(share * np.maximum(wrong / natural - 1, 0))
    level = np.rint(weight * (LEVELS / np.log1p(share * STRONGEST))).astype(np.int64)
    return np.asarray(np.minimum(level, LEVELS), np.int64)


def _estimate(seen: _Against) -> tuple[float, float, float]:
    """The share of wrong rows beyond the rest's, its standard error, and the part due to the rest."""
    size = seen.own.sum(axis=1)
    expected = (seen.natural * seen.level).sum(axis=1)
    reach = float((size * ((seen.wrong * seen.level).sum(axis=1) - expected)).sum())
    if reach <= 0:
        return 0.0, np.inf, 0.0
    variance = (seen.natural * seen.level**2).sum(axis=1) - expected**2
    own = float((variance * size).sum()) / reach**2
    reference = float((variance * size**2 / (seen.rest + 1.0)).sum()) / reach**2
    share = (float((seen.own * seen.level).sum()) - float((size * expected).sum())) / reach
    return share, float(np.sqrt(own + reference)), float(np.sqrt(reference))
