"""Rows that copies were taken from: still in the data, with their right label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.duplicates.campaign import LEAST_COPIES, CopyCampaign, CopyGroups
from foretaste.features.table import group_rows
from foretaste.stats.mixture import SHARES, mixture_evidence, share_posterior

_KNOWN = 0.5
"""How likely the row that was copied is in the data, with its right label."""

_FEW = np.array([0.002, 0.005, 0.01, 0.02])
"""Shares of the groups below those of `SHARES`: a campaign may have few of many."""


@dataclass(frozen=True)
class Originals:
    """Of every group of copies: whether the row they were copied from is in the data, with another label.

    Attributes
    ----------
    there : bool ndarray of shape (g,)
    natural : float64 ndarray of shape (g,)
        How likely nature puts a row with those very cells and another label there.
    """

    there: NDArray[np.bool_]
    natural: NDArray[np.float64]

    def of(self, groups: NDArray[np.int64]) -> Originals:
        """Of some of the groups."""
        return Originals(self.there[groups], self.natural[groups])

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


def near_originals(groups: CopyGroups) -> Originals:
    """Which of the groups that lead their components have rows of another class among their near-copies.

    The same for texts and images, whose copies need agree on nothing: the component is what they share.

    Parameters
    ----------
    groups : CopyGroups
        All of them, those that are outvoted too.

    Returns
    -------
    Originals
        Of those that lead, in their order.

    Examples
    --------
    Forty pairs of which two are mixed, and nine copies of one row that has another label:

    >>> component = np.append(np.repeat(np.arange(40), 2), [40] * 10)
    >>> y = np.zeros(90, np.int64)
    >>> y[[0, 2, 89]] = 1
    >>> found = near_originals(CopyGroups.of(component, y, 2))
    >>> bool(found.there[-1]), round(float(found.natural[-1]), 2)
    (True, 0.25)
    """
    total = np.bincount(groups.component, groups.size).astype(np.int64)[groups.component]
    order = np.lexsort((-groups.size, groups.component))
    _, first = np.unique(groups.component[order], return_index=True)
    largest = order[first]  # a pair of two labels is led by neither, and says what nature does
    size = groups.size[largest]
    found = _beside_nature(total[largest] - size, size, np.minimum(np.maximum(size, 2), total[largest]))
    return found.of(np.flatnonzero(groups.leads[largest]))


def _beside_nature(twins: NDArray[np.int64], same: NDArray[np.int64], size: NDArray[np.int64]) -> Originals:
    natural = np.clip(-np.expm1(same * np.log1p(-_natural_rate(twins, same, size))), 1e-6, 1 - 1e-6)
    return Originals(twins > 0, natural)


def _natural_rate(
    twins: NDArray[np.int64], same: NDArray[np.int64], size: NDArray[np.int64]
) -> NDArray[np.float64]:
    """For each group, rows with another label per row with the same cells, in smaller groups of copies."""
    order = np.argsort(size, kind="stable")
    order = order[size[order] >= 2]
    smaller = np.searchsorted(size[order], size / 2, side="right")
    found = np.append(0, np.cumsum(np.minimum(twins, same)[order]))[smaller]
    among = np.append(0, np.cumsum(same[order]))[smaller]
    return np.asarray((found + 0.5) / (among + 1.0), np.float64)


def copied_from_others(
    found: Originals, size: NDArray[np.int64], fdr: float
) -> tuple[CopyCampaign, NDArray[np.float64]] | None:
    """The groups of one label whose originals have another, as a campaign; and each group's posterior.

    Several such groups among the large ones are a mixture with nature's, and its e-value bounds the p-value.
    No model need contradict them: what was copied may look like the campaign's class.

    Parameters
    ----------
    found : Originals
    size : int64 ndarray of shape (g,)
    fdr : float
        Tolerated share of natural rows.
    """
    large = np.flatnonzero(size >= LEAST_COPIES)
    if not found.there[large].any():
        return None
    ratio = found.log_ratio[large]
    mixed = mixture_evidence(ratio, np.zeros(len(large), np.int64), 1, shares=np.concatenate([_FEW, SHARES]))
    posterior = np.zeros(len(size))
    posterior[large] = np.where(found.there[large], share_posterior(ratio, float(mixed.share[0])), 0.0)
    order = np.argsort(-posterior, kind="stable")
    error = np.cumsum((1 - posterior[order]) * size[order]) / np.cumsum(size[order])
    posterior[order[error > fdr]] = 0.0
    core = np.flatnonzero(posterior)
    if not len(core):
        return None
    alike = large[found.natural[large] <= found.natural[core].max()]
    others = np.setdiff1d(large[found.there[large]], core)
    campaign = CopyCampaign(
        core,
        float(np.exp(-np.clip(mixed.log_e[0], 0, 690))),
        LEAST_COPIES,
        0.0,
        float(found.natural[alike].sum()),
        int(size[others].max(initial=0)),
        "the row they agree on is in the data with another label",
    )
    return campaign, posterior
