"""Which groups of copies form a campaign: too large, and contradicted more often than copies are in
nature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binom, nbinom

from foretaste.detect.duplicates.groups import LEAST_COPIES
from foretaste.stats.calibration import fit_line

STRONGEST = 7.0

_ROUNDS = 50

OTHERS = 20
"""Groups that what all groups show is worth, where few have copies."""

_TREND = 3
"""Contradicted groups with copies that make a trend with size."""

SIZES = LEAST_COPIES * 2 ** np.arange(12)
"""Least sizes at which groups are looked at."""

FEWEST = 50
"""Smaller groups needed to know how often nature contradicts a label."""

CUTS = (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0)
"""Log likelihood ratios of "another class" above which a group counts as contradicted."""


@dataclass(frozen=True)
class CopyCampaign:
    """The most surprising set of large contradicted groups with one label.

    Attributes
    ----------
    core : int64 ndarray
        Positions of the groups that carry the evidence.
    p_value : float
        Of all sizes and cuts that were tried together.
    least : int
        Size of its smallest group, at least.
    cut : float
        Log likelihood ratio that all of its groups exceed.
    expected : float
        Number of such groups to expect in nature.
    natural : int
        Size of the largest other group that exceeds the cut.
    why : str
        What speaks against the label, in words.
    """

    core: NDArray[np.int64]
    p_value: float
    least: int
    cut: float
    expected: float
    natural: int
    why: str = "models that saw none of the copies contradict that"


def copy_campaign(
    log_ratio: NDArray[np.float64],
    size: NDArray[np.int64],
    *,
    gate: float = 0.1,
    least_cut: float = min(CUTS),
    everywhere: tuple[NDArray[np.float64], NDArray[np.int64]] | None = None,
) -> CopyCampaign | None:
    """The most surprising set of large contradicted groups among the groups with one label.

    For a least size and a cut: how many groups are that large and that strongly contradicted, against the
    number to expect from the others. That is the number of groups that large (those seen, or a power law
    through the sizes of copies, whichever is more) times the share contradicted that strongly among smaller
    groups (of all or of those with copies, whichever is more). The share is known only as well as the
    number of natural contradictions allows: the count is compared with its negative binomial prediction.
    Size alone is no evidence: the share itself must make the contradictions surprising at level ``gate``.

    Parameters
    ----------
    log_ratio : float64 ndarray of shape (g,)
        Of each group: content of another class against content of its label.
    size : int64 ndarray of shape (g,)
    gate : float
    least_cut : float
        Lower cuts are not tried.
    everywhere : tuple of (log_ratio, size), optional
        The groups of all labels; they say what is natural where this label has fewer than `FEWEST` smaller
        groups.

    Returns
    -------
    CopyCampaign or None
        None where nothing passes the gate.

    References
    ----------
    Hill, "A simple general approach to inference about the tail of a distribution", Annals of Statistics 3
    (1975).
    """
    found: list[CopyCampaign] = []
    of_all = size if everywhere is None else everywhere[1]
    sizes = [int(least) for least in SIZES if (size >= least).any() and (of_all < least).sum() >= FEWEST]
    cuts = [cut for cut in CUTS if cut >= least_cut]
    for least in sizes:
        large = size >= least
        for cut in cuts:
            beyond = log_ratio > cut
            core = np.flatnonzero(large & beyond)
            if not len(core):
                continue
            seen, share = natural_share(log_ratio, size, least, cut, everywhere)
            if binom.sf(len(core) - 1, int(large.sum()), share) > gate:
                continue
            expected = float(expected_groups(np.delete(size, core), least) * share)
            p_value = float(nbinom.sf(len(core) - 1, seen, seen / (seen + expected)))
            natural = int(size[beyond & ~large].max(initial=0))
            found.append(CopyCampaign(core, p_value, least, cut, expected, natural))
    if not found:
        return None
    best = min(found, key=lambda one: one.p_value)
    together = cauchy_combination([one.p_value for one in found], len(sizes) * len(cuts))
    return replace(best, p_value=together)


def cauchy_combination(p_values: Sequence[float], tested: int) -> float:
    """One p-value for several tests, whatever depends on what; those that are not given found nothing.

    References
    ----------
    Liu and Xie, "Cauchy combination test: a powerful test with analytic p-value calculation under arbitrary
    dependency structures", JASA 115 (2020).

    Examples
    --------
    Tests that agree cost less than by Bonferroni's rule, and one alone costs as much:

    >>> round(cauchy_combination([0.01, 0.01, 0.02], 4), 3), round(cauchy_combination([1e-6], 4), 7)
    (0.016, 4e-06)
    """
    p = np.append(np.clip(p_values, 1e-300, 0.5), np.full(tested - len(p_values), 0.5))
    tails = np.where(p < 1e-8, 1 / (np.pi * p), 1 / np.tan(np.pi * p))
    mean = float(tails.mean())
    return min(1.0, float(1 / (np.pi * mean)) if mean > 1e8 else float(0.5 - np.arctan(mean) / np.pi))


def _shrunk(count: float, total: float, share: float) -> float:
    """Share of few groups, taken to be like what all groups show."""
    return (count + OTHERS * share) / (total + OTHERS)


def natural_share(
    log_ratio: NDArray[np.float64],
    size: NDArray[np.int64],
    least: int,
    cut: float,
    everywhere: tuple[NDArray[np.float64], NDArray[np.int64]] | None = None,
) -> tuple[float, float]:
    """Number of smaller groups beyond the cut, one more than seen; and the share of large ones to expect.

    ``everywhere`` is asked where there are fewer than `FEWEST` smaller groups.
    """
    large = size >= least
    beyond = log_ratio > cut
    if everywhere is None or (~large).sum() >= FEWEST:
        return _share_among(beyond[~large], size[~large], size[large])
    smaller = everywhere[1] < least
    seen, share = _share_among(everywhere[0][smaller] > cut, everywhere[1][smaller], size[large])
    return seen, max(share, float(_shrunk(beyond[~large].sum(), (~large).sum(), share)))


def _share_among(
    beyond: NDArray[np.bool_], size: NDArray[np.int64], large: NDArray[np.int64]
) -> tuple[float, float]:
    """Number of contradicted groups, one more than seen, and their share among groups of large sizes.

    The share among all groups, among those with copies, or where its trend with size leads, whichever is
    most: the larger a group, the fewer rows like it are left to say what its label should be.
    """
    copied = size >= 2
    count = float(beyond.sum() + 1)
    share = count / (len(size) + 2)
    found = [(share, count)]
    own = float(beyond[copied].sum() + 1)
    found.append((_shrunk(own, float(copied.sum() + 1), share), own))
    if beyond[copied].sum() >= _TREND:
        trend = fit_line(np.log(size[copied]), beyond[copied])
        ahead = float(expit(trend.log_odds(np.log(large))).mean())
        found.append((ahead, float(beyond[copied].sum() + 1)))
    share, count = max(found)
    return count, share


def expected_groups(size: NDArray[np.int64], least: int) -> float:
    """How many groups with ``least`` rows or more to expect where the sizes of natural groups are these.

    The number seen, or the one a power law through the groups with two rows or more gives, whichever is more.
    """
    copied = size[size >= 2]
    if len(copied) < 5:
        copied = np.append(copied, [2] * (5 - len(copied)))
    shape = (len(copied) - 1) / np.log(copied / 1.5).sum()
    law = (len(copied) + 1) * ((least - 0.5) / 1.5) ** -shape
    return float(max((size >= least).sum(), law))


def group_ratio(score: NDArray[np.float64], own: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log likelihood ratio of "another class" against one class for every group, one vote each.

    Parameters
    ----------
    score : float64 ndarray of shape (g,)
        Log odds of the class by content.
    own : bool ndarray of shape (g,)
        Groups labelled with it.
    """
    line = fit_line(score, own)
    prior = np.log(own.sum() + 0.5) - np.log((~own).sum() + 0.5)
    return np.asarray(np.clip(prior - line.log_odds(score), -STRONGEST, STRONGEST), np.float64)


def campaign_posterior(
    found: CopyCampaign,
    log_ratio: NDArray[np.float64],
    size: NDArray[np.int64],
    fdr: float,
    *,
    least_cut: float = -np.inf,
) -> NDArray[np.float64]:
    """Probability of each group to belong to the campaign; 0 for those to leave alone.

    Groups of the core are natural as often as its expected number says; others as large join where their
    content and the campaign's share of groups that large make up for it, as long as the expected share of
    natural rows is within ``fdr`` and they exceed the least cut that was tried.
    """
    large = (size >= found.least) & (log_ratio > least_cut)
    core = np.zeros(len(size), bool)
    core[found.core] = True
    natural = expected_groups(size[size < found.least], found.least)
    rest = large & ~core
    posterior = np.zeros(len(size))
    for _ in range(_ROUNDS):  # what is natural, and how much of it there is, settle each other
        others = max(float((1 - posterior[rest]).sum()), natural)
        odds = np.exp(log_ratio) * (core.sum() + posterior[rest].sum()) / others
        posterior = odds / (1 + odds)
    posterior[core] = np.maximum(posterior[core], 1 - min(found.expected / core.sum(), 1.0))
    order = np.flatnonzero(large)
    order = order[np.argsort(-posterior[order] - core[order], kind="stable")]
    error = np.cumsum((1 - posterior[order]) * size[order]) / np.cumsum(size[order])
    within = max(int((error <= fdr).sum()), int(core.sum()))
    kept = np.zeros(len(size))
    kept[order[:within]] = posterior[order[:within]]
    return kept
