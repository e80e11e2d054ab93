"""Which groups of copies form a campaign: too large, and contradicted more often than copies are in
nature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binom, nbinom

from foretaste.stats.calibration import fit_line

STRONGEST = 7.0

_ROUNDS = 50

_OTHERS = 20
"""Groups that what all groups show is worth, where few have copies."""

_TREND = 3
"""Contradicted groups with copies that make a trend with size."""

LEAST_COPIES = 5
"""Smallest group that is called a campaign of copies."""

SIZES = LEAST_COPIES * 2 ** np.arange(12)
"""Least sizes at which groups are looked at."""

FEWEST = 50
"""Smaller groups needed to know how often nature contradicts a label."""

CUTS = (-1.0, 0.0, 2.0, 4.0)
"""Log likelihood ratios of "another class" above which a group counts as contradicted."""


@dataclass(frozen=True)
class CopyGroups:
    """The rows with one label in one near-duplicate component, for every label and component.

    Attributes
    ----------
    of_row : int64 ndarray of shape (n,)
        Group of each row, -1 for rows without a judged label.
    component, label, size : int64 ndarray of shape (g,)
    leads : bool ndarray of shape (g,)
        Whether most rows of its component have its label. Where the others outvote it, the group is what
        wrong labels, or classes that overlap, leave among rows that are alike for another reason.
    """

    of_row: NDArray[np.int64]
    component: NDArray[np.int64]
    label: NDArray[np.int64]
    size: NDArray[np.int64]
    leads: NDArray[np.bool_]

    @classmethod
    def of(cls, component: NDArray[np.int64], y: NDArray[np.int64], n_classes: int) -> CopyGroups:
        known = np.flatnonzero(y >= 0)
        keys, inverse, size = np.unique(
            component[known] * n_classes + y[known], return_inverse=True, return_counts=True
        )
        of_row = np.full(len(y), -1, np.int64)
        of_row[known] = inverse
        of = keys // n_classes
        leads = 2 * size > np.bincount(of, size)[of]
        return cls(of_row, of, keys % n_classes, size.astype(np.int64), leads)

    def only(self, kept: NDArray[np.bool_]) -> CopyGroups:
        """The groups that are kept; rows of the others belong to none."""
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        of_row = np.append(number, -1)[self.of_row]
        return CopyGroups(of_row, self.component[kept], self.label[kept], self.size[kept], self.leads[kept])

    def members(self, least: int = LEAST_COPIES) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Every group with ``least`` rows or more, and its rows."""
        order = np.argsort(self.of_row, kind="stable")
        ends = np.searchsorted(self.of_row[order], np.arange(len(self.size)), side="right")
        for group in np.flatnonzero(self.size >= least).tolist():
            yield group, np.sort(order[ends[group] - self.size[group] : ends[group]])

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over each group's rows of a value per row, shape (g,): copies have one vote."""
        known = self.of_row >= 0
        total = np.bincount(self.of_row[known], values[known], len(self.size))
        return total / np.maximum(self.size, 1)

    def surplus(self, least: int = LEAST_COPIES) -> NDArray[np.int64]:
        """Rows of groups with ``least`` copies or more, but the first of each."""
        known = np.flatnonzero(self.of_row >= 0)
        group = self.of_row[known]
        _, first = np.unique(group, return_index=True)
        later = np.ones(len(known), bool)
        later[first] = False
        return known[later & (self.size[group] >= least)]


@dataclass(frozen=True)
class CopyCampaign:
    """The most surprising set of large contradicted groups with one label.

    Attributes
    ----------
    core : int64 ndarray
        Positions of the groups that carry the evidence.
    p_value : float
        Corrected for the sizes and cuts that were tried.
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
    best: CopyCampaign | None = None
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
            seen, share = _natural_share(beyond[~large], size[~large], size[large])
            if everywhere is not None and (~large).sum() < FEWEST:
                smaller = of_all < least
                contradicted = everywhere[0][smaller] > cut
                seen, share = _natural_share(contradicted, of_all[smaller], size[large])
                share = max(share, float(_shrunk(beyond[~large].sum(), (~large).sum(), share)))
            if binom.sf(len(core) - 1, int(large.sum()), share) > gate:
                continue
            expected = float(expected_groups(np.delete(size, core), least) * share)
            p_value = float(nbinom.sf(len(core) - 1, seen, seen / (seen + expected)))
            p_value = min(1.0, max(p_value * len(sizes) * len(cuts), 1e-300))
            if best is None or p_value < best.p_value:
                natural = int(size[beyond & ~large].max(initial=0))
                best = CopyCampaign(core, p_value, least, cut, expected, natural)
    return best


def _shrunk(count: float, total: float, share: float) -> float:
    """Share of few groups, taken to be like what all groups show."""
    return (count + _OTHERS * share) / (total + _OTHERS)


def _natural_share(
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
