"""Rows that copies were taken from: still in the data, with their right label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from foretaste.detect.context import Context
from foretaste.detect.duplicates.campaign import OTHERS
from foretaste.detect.duplicates.groups import LEAST_COPIES, CopyGroups
from foretaste.detect.duplicates.middle import Middles
from foretaste.features.table import group_rows

KNOWN = 0.5
"""How likely the row that was copied is in the data, with its right label."""

_CERTAIN = 0.01
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
    unchanged : int64 ndarray of shape (g,)
        1 where most rows of the group are what it agrees on, -1 where few are, 0 where that is not known.
    """

    there: NDArray[np.bool_]
    natural: NDArray[np.float64]
    seen: NDArray[np.float64]
    unchanged: NDArray[np.int64]

    def of(self, groups: NDArray[np.integer] | NDArray[np.bool_]) -> Originals:
        """Of some of the groups."""
        return Originals(self.there[groups], self.natural[groups], self.seen[groups], self.unchanged[groups])

    @property
    def log_ratio(self) -> NDArray[np.float64]:
        """Log likelihood ratio of "copies of a row of another class" against nature."""
        there, missing = self.log_ratios
        return np.asarray(np.where(self.there, there, missing), np.float64)

    @property
    def log_ratios(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same, were the row there, and were it not."""
        there = np.log(KNOWN) - np.log(self.natural)
        return there, np.minimum(np.log1p(-KNOWN) - np.log1p(-self.natural), 0.0)


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
    most = binom.sf(same - 2, groups.size, 0.5) <= _CERTAIN
    few = binom.cdf(same - 1, groups.size, 0.5) <= _CERTAIN
    return _beside_nature(twins, same, groups.size, most.astype(np.int64) - few)


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
    return Originals(there, np.clip(natural, *_BOUNDS), near.seen, near.unchanged)


def _mixed(groups: CopyGroups) -> Originals:
    """Whether a row of another class is in the component of the group that is its largest; true of others."""
    total = np.bincount(groups.component, groups.size).astype(np.int64)[groups.component]
    order = np.lexsort((-groups.size, groups.component))
    _, first = np.unique(groups.component[order], return_index=True)
    largest = order[first]  # a pair of two labels is led by neither, and says what nature does
    size = groups.size[largest]
    unknown = np.zeros(len(total), np.int64)
    vote = np.minimum(np.maximum(size, 2), total[largest])
    found = _beside_nature(total[largest] - size, size, vote, unknown[largest])
    there, natural, seen = np.ones(len(total), bool), np.ones(len(total)), np.full(len(total), np.inf)
    there[largest], natural[largest], seen[largest] = found.there, found.natural, found.seen
    return Originals(there, natural, seen, unknown)


def _beside_nature(
    twins: NDArray[np.int64], same: NDArray[np.int64], size: NDArray[np.int64], unchanged: NDArray[np.int64]
) -> Originals:
    found, rate = _natural_rate(twins, same, size)
    natural = np.clip(-np.expm1(same * np.log1p(-rate)), *_BOUNDS)
    return Originals(twins > 0, natural, found, unchanged)


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


__all__ = ["KNOWN", "Originals", "near_originals", "originals"]
