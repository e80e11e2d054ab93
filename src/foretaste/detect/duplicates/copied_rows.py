"""Copies of rows of a table: which there are, and what they are copies of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from foretaste.detect.context import Context
from foretaste.detect.duplicates.campaign import LEAST_COPIES, CopyGroups
from foretaste.features.agreement import (
    AGREES,
    agreeing_components,
    agreement,
    alike,
    expected_by_chance,
    with_consensus,
)
from foretaste.features.table import Column, TableFeatures, group_rows

_DENSE = 1e-3
"""A group as large as this by chance is no group of copies."""

_FEW = 0.25
"""Rows of other labels, for each row of a group, that are few enough to be mistakes."""

_KNOWN = 0.5
"""How likely the row that was copied is in the data, with its right label."""

_STRONGEST = 4.0


def copied_rows(context: Context) -> tuple[CopyGroups, Context] | None:
    """Groups of copies with one label each, and the context in which each is what its rows agree on, once.

    Rows with other labels are no part of a group: the rows a template was taken from are alike, and their
    right labels are what contradicts the copies. Only the few of them that are like a whole group are left
    out of training. Where a hundred rows have one label and one row like them has another, that one is as
    likely a mistake as the row they were copied from: it must not be what the models learn from.

    Parameters
    ----------
    context : Context
        With a table.

    Returns
    -------
    tuple of (CopyGroups, Context), or None
        None where there is no group of `LEAST_COPIES`.
    """
    assert context.table is not None
    components = agreeing_components(
        context.table,
        context.y,
        context.neighbours[0][:, :15],
        random_state=context.random_state,
        jobs=context.jobs,
    )
    groups = CopyGroups.of(components, context.y, context.n_classes)
    members = dict(groups.members())
    if not members:
        return None
    table = with_consensus(context.table, list(members.values()))
    components = _with_stragglers(context, table, components, groups)
    groups = CopyGroups.of(components, context.y, context.n_classes)
    members = dict(groups.members())
    table = with_consensus(context.table, list(members.values()))  # stragglers may come first
    dense = np.zeros(len(groups.size), bool)
    expected = expected_by_chance(table, np.array([rows[0] for rows in members.values()]))
    dense[list(members)] = poisson.sf(groups.size[list(members)] - 2, expected) > _DENSE
    groups = groups.only(~dense)
    if groups.size.max(initial=0) < LEAST_COPIES:
        return None
    few = _few_of_other_labels(context, table, [rows for _, rows in groups.members()])
    left_out = np.unique(np.concatenate([groups.surplus(), *few]))
    return groups, context.with_table(table, components).without(left_out)


def _with_stragglers(
    context: Context, table: TableFeatures, components: NDArray[np.int64], groups: CopyGroups
) -> NDArray[np.int64]:
    """Components joined by the rows that are like what a group agrees on, but like none of its rows."""
    joined = components.copy()
    for label in range(context.n_classes):
        own = [rows for _, rows in groups.members() if context.y[rows[0]] == label]
        single = np.flatnonzero((context.y == label) & (groups.size[groups.of_row] < LEAST_COPIES))
        near = alike(table, np.array([rows[0] for rows in own], np.int64), single)
        for rows, some in zip(own, near, strict=True):
            joined[some] = components[rows[0]]
    return joined


def _few_of_other_labels(
    context: Context, table: TableFeatures, members: list[NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    found = []
    for label in range(context.n_classes):
        own = [rows for rows in members if context.y[rows[0]] == label]
        others = np.flatnonzero((context.y >= 0) & (context.y != label))
        near = alike(table, np.array([rows[0] for rows in own], np.int64), others)
        found += [some for rows, some in zip(own, near, strict=True) if len(some) <= _FEW * len(rows)]
    return found


def originals(context: Context, once: Context, groups: CopyGroups) -> NDArray[np.float64]:
    """Log likelihood ratio of every group for the row it was copied from being there, with another label.

    The rows of a campaign agree on the cells of one row of another class. In nature a row with those very
    cells has another label as often as such rows have among groups at most half as large, for each row of the
    group that has them too: a campaign is not what its own copies are compared with. Where wrong labels are
    many, all groups have such rows, and they say nothing.
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
    natural = np.clip(-np.expm1(same * np.log1p(-_natural_rate(twins, same, groups.size))), 1e-6, 1 - 1e-6)
    there = np.log(_KNOWN) - np.log(natural)
    missing = np.minimum(np.log1p(-_KNOWN) - np.log1p(-natural), 0.0)
    return np.asarray(np.where(twins > 0, np.clip(there, -_STRONGEST, _STRONGEST), missing), np.float64)


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


def with_farther_copies(
    context: Context, once: Context, groups: CopyGroups, chosen: NDArray[np.int64]
) -> CopyGroups:
    """The groups, the chosen ones joined by free rows as far from what they agree on as their farthest row.

    A copy with more changed cells than most is like no other row. Beyond what makes rows alike a group takes
    no more rows than it has there itself: where there are more, they are nature.

    Parameters
    ----------
    context, once : Context
        As given to and by `copied_rows`.
    groups : CopyGroups
    chosen : int64 ndarray
        Positions of the groups of a campaign.
    """
    assert context.table is not None
    assert once.table is not None
    n, of_row = len(context), groups.of_row.copy()
    first = np.array([np.flatnonzero(of_row == group)[0] for group in chosen], np.int64)
    table = TableFeatures(
        [
            Column(column.name, column.numeric, np.append(column.values, agreed.values[first]), column.levels)
            for column, agreed in zip(context.table.columns, once.table.columns, strict=True)
        ]
    )
    free = ~np.isin(of_row, chosen) & (of_row >= 0)
    for position, group in enumerate(chosen.tolist()):
        share = agreement(table, np.full(n, n + position), np.arange(n))
        own = share[of_row == group]
        far = free & (groups.label[of_row] == groups.label[group]) & (share < AGREES) & (share >= own.min())
        if far.sum() <= (own < AGREES).sum():
            of_row[far] = group
            free &= ~far
    size = np.bincount(of_row[of_row >= 0], minlength=len(groups.size))
    return replace(groups, of_row=of_row, size=size)


__all__ = ["copied_rows", "originals", "with_farther_copies"]
