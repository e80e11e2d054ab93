"""Copies of rows of a table: which there are, and what they are copies of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from foretaste.detect.context import Context
from foretaste.detect.duplicates.groups import LEAST_COPIES, CopyGroups
from foretaste.features.agreement import (
    AGREES,
    agreeing_components,
    agreement,
    alike,
    expected_by_chance,
    with_consensus,
)
from foretaste.features.table import TableFeatures

_DENSE = 1e-3
"""A group as large as this by chance is no group of copies."""

_FEW = 0.25
"""Rows of other labels, for each row of a group, that are few enough to be mistakes."""


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
            replace(column, values=np.append(column.values, agreed.values[first]))
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


__all__ = ["copied_rows", "with_farther_copies"]
