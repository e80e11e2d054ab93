"""Rows that copies were taken from: still in the data, with their right label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma

from foretaste.detect.context import Context
from foretaste.detect.duplicates.campaign import OTHERS, CopyCampaign, cauchy_combination
from foretaste.detect.duplicates.groups import LEAST_COPIES, CopyGroups
from foretaste.detect.duplicates.middle import Middles
from foretaste.features.table import group_rows
from foretaste.stats.mixture import share_posterior

_KNOWN = 0.5
"""How likely the row that was copied is in the data, with its right label."""

TELLING = tuple(0.25 / 2.0 ** np.arange(7))
"""How often nature may put a row of another class there, where one that is there is looked at."""

_FACTORS = 64
_MOST_SEEN = 1e6
_BOUNDS = (1e-6, 1 - 1e-6)


@dataclass(frozen=True)
class Originals:
    """Of every group of copies: whether the row they were copied from is in the data, with another label.

    Attributes
    ----------
    there : bool ndarray of shape (g,)
    natural : float64 ndarray of shape (g,)
        How likely nature puts a row with those very cells and another label there.
    seen : float64 ndarray of shape (g,)
        Natural rows of another class that say so.
    """

    there: NDArray[np.bool_]
    natural: NDArray[np.float64]
    seen: NDArray[np.float64]

    def of(self, groups: NDArray[np.integer] | NDArray[np.bool_]) -> Originals:
        """Of some of the groups."""
        return Originals(self.there[groups], self.natural[groups], self.seen[groups])

    @property
    def log_ratio(self) -> NDArray[np.float64]:
        """Log likelihood ratio of "copies of a row of another class" against nature."""
        there = np.log(_KNOWN) - np.log(self.natural)
        missing = np.minimum(np.log1p(-_KNOWN) - np.log1p(-self.natural), 0.0)
        return np.asarray(np.where(self.there, there, missing), np.float64)


def originals(context: Context, once: Context, groups: CopyGroups) -> Originals:
    """Which groups agree on the cells of a row of another class.

    In nature a row with those very cells has another label as often as such rows have among groups at most
    half as large, for each row of the group that has them too: a campaign is not what its own copies are
    compared with. Where wrong labels are many, all groups have such rows, and they say nothing.
    """
    assert context.table is not None
    assert once.table is not None
    label = context.label_index
    member = np.flatnonzero(groups.of_row >= 0)
    _, first = np.unique(groups.of_row[member], return_index=True)
    row = member[first]
    agreed = [column.values[row] for column in once.table.columns]
    cells = [np.append(column.values, own) for column, own in zip(context.table.columns, agreed, strict=True)]
    place = group_rows(np.stack(cells, axis=1))
    of_rows, of_groups = place[: len(label)], place[len(label) :]
    known = np.flatnonzero(label >= 0)
    width = int(label.max()) + 2
    count = np.zeros((int(place.max()) + 1, width), np.int64)
    np.add.at(count, (of_rows[known], label[known]), 1)
    same = count[of_groups, groups.label] + 1
    twins = count[of_groups].sum(axis=1) - count[of_groups, groups.label]
    return _beside_nature(twins, same, groups.size)


def near_originals(groups: CopyGroups, middle: Middles, exact: CopyGroups) -> Originals:
    """Which groups of copies of texts or images have a row of another class in their middle.

    Texts and images need agree on nothing: the component is what its rows share. In nature a row of another
    class is in it as often as in smaller ones, and in the middle by chance; where rows of the group are
    exactly like the one there, it is there as often as equal rows have different labels.

    Parameters
    ----------
    groups : CopyGroups
        All of them.
    middle : Middles
        Of the groups.
    exact : CopyGroups
        The same for components of equal rows.

    Returns
    -------
    Originals
        Of all groups.

    Examples
    --------
    Forty pairs of which two are mixed, and nine copies of one row that has another label:

    >>> component = np.append(np.repeat(np.arange(40), 2), [40] * 10)
    >>> y = np.zeros(90, np.int64)
    >>> y[[0, 2, 89]] = 1
    >>> groups, alone = CopyGroups.of(component, y, 2), CopyGroups.of(np.arange(90), y, 2)
    >>> row, chance = np.full(44, -1), np.ones(44)
    >>> row[-2], chance[-2] = 89, 0.1
    >>> found = near_originals(groups, Middles(row, chance, groups.leads), alone)
    >>> bool(found.there[-2]), round(float(found.natural[-2]), 3)
    (True, 0.025)
    """
    near, equal = _mixed(groups), _mixed(exact)
    natural = near.natural * middle.chance
    of_set = dict(
        zip(zip(exact.component.tolist(), exact.label.tolist(), strict=True), equal.natural, strict=True)
    )
    for group in np.flatnonzero(middle.row >= 0).tolist():
        number = int(exact.component[exact.of_row[middle.row[group]]])
        natural[group] = min(natural[group], of_set.get((number, int(groups.label[group])), 1.0))
    there = np.where(groups.size >= LEAST_COPIES, middle.row >= 0, near.there)
    return Originals(there, np.clip(natural, *_BOUNDS), near.seen)


def _mixed(groups: CopyGroups) -> Originals:
    """Whether a row of another class is in the component of the group that is its largest; true of others."""
    total = np.bincount(groups.component, groups.size).astype(np.int64)[groups.component]
    order = np.lexsort((-groups.size, groups.component))
    _, first = np.unique(groups.component[order], return_index=True)
    largest = order[first]  # a pair of two labels is led by neither, and says what nature does
    size = groups.size[largest]
    found = _beside_nature(total[largest] - size, size, np.minimum(np.maximum(size, 2), total[largest]))
    there, natural, seen = np.ones(len(total), bool), np.ones(len(total)), np.full(len(total), np.inf)
    there[largest], natural[largest], seen[largest] = found.there, found.natural, found.seen
    return Originals(there, natural, seen)


def _beside_nature(twins: NDArray[np.int64], same: NDArray[np.int64], size: NDArray[np.int64]) -> Originals:
    found, rate = _natural_rate(twins, same, size)
    natural = np.clip(-np.expm1(same * np.log1p(-rate)), *_BOUNDS)
    return Originals(twins > 0, natural, found)


def _natural_rate(
    twins: NDArray[np.int64], same: NDArray[np.int64], size: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each group, rows with another label in smaller groups of copies; and for each row like them.

    Where few rows have copies, what all smaller groups show is worth `OTHERS` of their rows.
    """
    counted = []
    for least in (1, 2):
        order = np.argsort(size, kind="stable")
        order = order[size[order] >= least]
        smaller = np.searchsorted(size[order], size / 2, side="right")
        found = np.append(0, np.cumsum(np.minimum(twins, same)[order]))[smaller]
        among = np.append(0, np.cumsum(same[order]))[smaller]
        counted.append((found, among))
    (found_all, among_all), (found, among) = counted
    everywhere = (found_all + 0.5) / (among_all + 1.0)
    rate = (found + 0.5 + OTHERS * everywhere) / (among + 1.0 + OTHERS)
    return found.astype(np.float64), np.asarray(rate, np.float64)


def copied_from_others(
    found: Originals,
    size: NDArray[np.int64],
    log_ratio: NDArray[np.float64],
    doubted: NDArray[np.bool_],
    fdr: float,
) -> tuple[CopyCampaign, NDArray[np.float64]] | None:
    """The groups of one label whose originals have another, as a campaign; and each group's posterior.

    How many of the large groups have such a row, against what is natural for each: among all, and among those
    whose label models doubt. What is natural is known as well as the number of natural rows allows. No
    model need contradict a group: what was copied may look like the campaign's class.

    Parameters
    ----------
    found : Originals
    size : int64 ndarray of shape (g,)
    log_ratio : float64 ndarray of shape (g,)
        By content: another class against the label.
    doubted : bool ndarray of shape (g,)
        Groups that models rather take for another class.
    fdr : float
        Tolerated share of natural rows.
    """
    large = size >= LEAST_COPIES
    looked = [large & (found.natural <= most) for most in TELLING]
    looked = [group for groups in looked for group in (groups, groups & doubted)]
    p_values = [_surprise(found.of(groups), int((groups & found.there).sum())) for groups in looked]
    if min(p_values) >= 1:
        return None
    there = large & found.there
    expected = np.where(there, _expected_beside(found.natural, large, there), 1.0)
    sure = expected <= fdr
    share = max(float(sure.sum()), 0.5) / float(large.sum())
    posterior = share_posterior(log_ratio + np.log(_KNOWN) - np.log(found.natural), share)
    core = sure & (posterior > fdr)
    posterior[core] = np.maximum(posterior[core], 1 - expected[core])
    posterior[~there] = 0.0
    order = np.argsort(-posterior, kind="stable")
    error = np.cumsum((1 - posterior[order]) * size[order]) / np.cumsum(size[order])
    posterior[order[error > fdr]] = 0.0
    core = posterior > 0
    campaign = CopyCampaign(
        np.flatnonzero(core),
        cauchy_combination(p_values, len(looked)),
        LEAST_COPIES,
        0.0,
        float(found.natural[large].sum()),
        int(size[there & ~core].max(initial=0)),
        "the row they agree on is in the data with another label",
    )
    return campaign, posterior


def _expected_beside(
    natural: NDArray[np.float64], large: NDArray[np.bool_], there: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """For each group that is there, how many natural ones to expect in its place: the local false discovery
    rate.

    References
    ----------
    Strimmer, "A unified approach to false discovery rate estimation", BMC Bioinformatics 9 (2008): by the
    Grenander estimator, the slopes of the least concave majorant of what is seen over what is expected.
    """
    groups = np.flatnonzero(there)
    groups = groups[np.argsort(natural[groups], kind="stable")]
    all_large = np.sort(natural[large])
    up_to = np.append(0.0, np.cumsum(all_large))
    up_to = up_to[np.searchsorted(all_large, natural[groups], side="right")]
    found = np.ones(len(natural))
    start = 0
    while start < len(groups):
        before = (start, up_to[start - 1] if start else 0.0)
        seen = np.arange(start, len(groups)) + 1 - before[0]
        rate = (up_to[start:] - before[1]) / seen
        end = start + len(rate) - int(rate[::-1].argmin())
        found[groups[start:end]] = rate.min()
        start = end
    return found


def _surprise(found: Originals, count: int) -> float:
    """Probability of that many originals of another class or more, each there as often as is natural.

    One number of natural rows says what is natural for all groups: they are wrong together, by a factor that
    has a gamma distribution.
    """
    if not count:
        return 1.0
    shape = min(float(found.seen.min()) + 0.5, _MOST_SEEN)
    factors = gamma.ppf((np.arange(_FACTORS) + 0.5) / _FACTORS, shape) / shape
    chances = np.zeros((_FACTORS, count + 1))  # of so many; the last: or more
    chances[:, 0] = 1.0
    for natural in found.natural:
        there = np.minimum(factors * natural, 1.0)[:, None]
        moved = chances * there
        chances -= moved
        chances[:, 1:] += moved[:, :-1]
        chances[:, -1] += moved[:, -1]
    return float(chances[:, -1].mean())
