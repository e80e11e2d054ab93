"""Does a group of rows hold more contradictions than rows of the same kind elsewhere? Exact, stratified,
over-dispersed.

Every row lies in a stratum and has an outcome. If groups did not matter, the outcomes of a group's rows would
be drawn from what the same strata show in the other groups. The statistic is the log likelihood ratio against
"a few of the rows are wrong", summed over rows in whole levels; its tail is computed exactly, by an
exponentially tilted convolution that is as precise at 1e-200 as at 0.1. Groups also differ in nature.
Therefore the null is not "no wrong rows" but "as many wrong rows as groups naturally have": a mixture over
the spread between groups, of which the other groups tell (`foretaste.stats.between_groups`).

References
----------
Mantel and Haenszel, "Statistical aspects of the analysis of data from retrospective studies", JNCI 22 (1959).
Lugannani and Rice, "Saddle point approximation for the distribution of the sum", Adv. Appl. Prob. 12
(1980).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.interpolate import PchipInterpolator
from scipy.special import log_ndtr, logsumexp, ndtri_exp
from scipy.stats import norm

from foretaste.stats.between_groups import NaturalSpread

ALTERNATIVE = 0.05
"""Share of wrong rows that the weights are best for, in a group of many rows."""

NEEDED = 5.0
"""Standard errors that a share must be to be told: in a group of few rows the weights are best for that."""

LEVELS = 16
"""The statistic counts in this many steps per row."""

STRONGEST = 400.0
"""Likelihood ratio that gets the highest level."""

_EXACT_WIDTH = 1 << 14

_REACH = 9

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
            needed = NEEDED * self._estimate(group)[1]
            if np.isfinite(needed):
                self._alternative[group] = np.clip(needed, ALTERNATIVE, 1 / 2)
            self.share[group], self.error[group], self.reference_error[group] = self._estimate(group)

    def _against_rest(self, group: int) -> _Against:
        own = self.strata.of(group)
        used = np.flatnonzero(own.sum(axis=1))
        own = own[used]
        rest = self.pool[used] - (0 if self.aside[group] else own)
        natural = (rest + self.strata.prior[used]) / (rest.sum(axis=1, keepdims=True) + 1)
        wrong = self.strata.wrong[used]
        share = self._alternative[group]
        weight = np.log1p(share * np.maximum(wrong / natural - 1, 0))
        level = np.rint(weight * (LEVELS / np.log1p(share * STRONGEST))).astype(np.int64)
        return _Against(own, natural, wrong, np.minimum(level, LEVELS), rest.sum(axis=1))

    def _estimate(self, group: int) -> tuple[float, float, float]:
        seen = self._against_rest(group)
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
        known = np.concatenate([[0.0], np.geomspace(min(spread, top) / 8, top, _TAILS)])
        tails = [log_null, *(self.tail(group, float(share))[0] for share in known[1:])]
        edges = np.linspace(0, top, _STEPS + 1)
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


def log_tail(pmf: NDArray[np.float64], size: NDArray[np.int64], value: int) -> tuple[float, float]:
    """Upper tail of a sum of independent small integers.

    Parameters
    ----------
    pmf : float64 ndarray of shape (n_strata, n_levels)
        Distribution of one row's level in each stratum.
    size : int64 ndarray of shape (n_strata,)
        Rows of each stratum.
    value : int

    Returns
    -------
    log_upper, log_mid : float
        Logarithms of ``P(T >= value)`` and of ``P(T > value) + P(T = value) / 2``.

    Examples
    --------
    >>> round(float(np.exp(log_tail(np.array([[0.5, 0.5]]), np.array([10]), 9)[0])), 6)  # 11 of 1024
    0.010742
    """
    levels = np.arange(pmf.shape[1])
    highest = int((size * np.where(pmf > 0, levels, 0).max(axis=1)).sum())
    if value > highest:
        return -np.inf, -np.inf
    if value <= 0:
        at = float((size * np.log(pmf[:, 0])).sum()) if value == 0 and (pmf[:, 0] > 0).all() else -np.inf
        return 0.0, float(np.log1p(-np.exp(at) / 2))
    alive = (size > 0) & (pmf[:, 0] < 1)
    pmf, size = pmf[alive], size[alive]
    tilt, log_mgf, mean, variance = _tilt(pmf, size, min(value, highest - 0.25))
    # the tilted sum lies around its mean; only what lies near has mass, so a short circle will do
    reach = int(_REACH * np.sqrt(variance)) + _REACH * (len(levels) - 1)
    end = min(highest, int(mean) + reach)
    width = next_fast_len(min(highest, int(mean) + reach, 2 * reach) + 1, real=True)
    if mean - value > reach:
        return 0.0, 0.0
    if width > _EXACT_WIDTH:
        return _saddlepoint(tilt, log_mgf, variance, value)
    tilted = pmf * np.exp(tilt * levels)
    tilted /= tilted.sum(axis=1, keepdims=True)
    point = _angles(width, len(levels)) @ tilted.T
    loudness = np.log(point.real**2 + point.imag**2 + 1e-300) @ (size / 2)  # a complex log is far slower
    spectrum = np.exp(loudness + 1j * (np.arctan2(point.imag, point.real) @ size))
    circle = np.fft.irfft(spectrum, width)
    mass = np.clip(circle[np.arange(value, end + 1) % width], 0, None)
    beyond = mass * np.exp(-tilt * np.arange(len(mass)))
    base = log_mgf - tilt * value
    upper = float(beyond.sum())
    return (
        min(base + float(np.log(max(upper, 1e-300))), 0.0),
        min(base + float(np.log(max(upper - beyond[0] / 2, 1e-300))), 0.0),
    )


@lru_cache(maxsize=32)
def _angles(width: int, n_levels: int) -> NDArray[np.complex128]:
    turns = np.outer(np.arange(width // 2 + 1) / width, np.arange(n_levels))
    return np.asarray(np.exp(-2j * np.pi * turns), np.complex128)


def _tilt(
    pmf: NDArray[np.float64], size: NDArray[np.int64], goal: float
) -> tuple[float, float, float, float]:
    """The tilt under which the mean is ``goal`` (at least 0), its log moment generating function, the mean
    and the variance.
    """
    levels = np.arange(pmf.shape[1])

    def moments(tilt: float) -> tuple[float, float, float]:
        weight = pmf * np.exp(tilt * (levels - levels[-1]))
        total = weight.sum(axis=1)
        mean = (weight * levels).sum(axis=1) / total
        variance = (weight * levels**2).sum(axis=1) / total - mean**2
        log_mgf = float((size * (np.log(total) + tilt * levels[-1])).sum())
        return log_mgf, float((size * mean).sum()), float((size * variance).sum())

    low, high = 0.0, 1.0
    if moments(0.0)[1] >= goal:
        high = 0.0
    while moments(high)[1] < goal and high < 64:
        high *= 2
    for _ in range(18):
        half = (low + high) / 2
        low, high = (half, high) if moments(half)[1] < goal else (low, half)
    return low, *moments(low)


def _saddlepoint(tilt: float, log_mgf: float, variance: float, value: int) -> tuple[float, float]:
    """Lugannani and Rice's formula with the lattice correction; for sums too long to convolve."""
    if tilt < 1e-6:
        return float(np.log(0.5)), float(np.log(0.5))
    w = np.sqrt(max(2 * (tilt * value - log_mgf), 1e-12))
    u = 2 * np.sinh(tilt / 2) * np.sqrt(variance)
    log_density = float(norm.logpdf(w))
    correction = 1 / u - 1 / w
    log_upper = float(log_ndtr(-w) + np.log1p(max(correction * np.exp(log_density - log_ndtr(-w)), -0.99)))
    return log_upper, log_upper
