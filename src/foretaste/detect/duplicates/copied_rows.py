"""Copies of rows of a table: which there are, and what they are copies of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.duplicates.centres import divided
from foretaste.detect.duplicates.groups import LEAST_COPIES, CopyGroups
from foretaste.features.agreement import (
    AGREES,
    agreeing_components,
    alike,
    with_consensus,
)
from foretaste.features.information import SharedInformation
from foretaste.features.table import TableFeatures

_FEW = 0.25
"""Rows of other labels, for each row of a group, that are few enough to be mistakes."""

_SPREAD = 2.5
"""Standard deviations of how much the rows of a group agree with what is in their middle."""

_NEAR = 4
"""Rows near a group that may be farther copies, for each of its own."""


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
    alike_rows = CopyGroups.of(components, context.y, context.n_classes)
    parts = divided(context.table, components, (rows for _, rows in alike_rows.members()))
    groups = CopyGroups.of(parts, context.y, context.n_classes)
    members = dict(groups.members())
    if not members:
        return None
    table = with_consensus(context.table, list(members.values()))
    for rows, some in _stragglers(context, table, groups):
        parts[some], components[some] = parts[rows[0]], components[rows[0]]
    groups = CopyGroups.of(parts, context.y, context.n_classes)
    members = dict(groups.members())
    table = with_consensus(context.table, list(members.values()))  # stragglers may come first
    few = _few_of_other_labels(context, table, list(members.values()))
    left_out = np.unique(np.concatenate([groups.surplus(), *few]))
    return groups, context.with_table(table, components).without(left_out)


def _stragglers(
    context: Context, table: TableFeatures, groups: CopyGroups
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Every group of copies, and the rows that are like what it agrees on, but like none of its rows."""
    for label in range(context.n_classes):
        own = [rows for _, rows in groups.members() if context.y[rows[0]] == label]
        single = np.flatnonzero((context.y == label) & (groups.size[groups.of_row] < LEAST_COPIES))
        near = alike(table, np.array([rows[0] for rows in own], np.int64), single)
        yield from zip(own, near, strict=True)


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


def with_farther_copies(context: Context, groups: CopyGroups, chosen: NDArray[np.int64]) -> CopyGroups:
    """The groups, the chosen ones joined by rows that nothing else with their label is as much like.

    A copy with more changed cells than most is like no other row, yet as near to what its group agrees on as
    the spread of the group allows. Beyond what makes rows alike a group takes no more rows than it has there
    itself, the nearest first: farther out there is more and more nature.

    Parameters
    ----------
    context : Context
        With a table.
    groups : CopyGroups
    chosen : int64 ndarray
        Positions of the groups of a campaign, which have one label.
    """
    assert context.table is not None
    cells = SharedInformation(context.table)
    of_row = groups.of_row.copy()
    outside = np.flatnonzero((context.y == groups.label[chosen[0]]) & ~np.isin(of_row, chosen))
    for group in chosen.tolist():
        own = np.flatnonzero(of_row == group)
        place = cells.consensus(cells.levels[own])
        share = cells.agreement(place, cells.levels[own])
        far = int((share < AGREES).sum())
        spread = min(share.mean() - _SPREAD * share.std(), AGREES)
        agreeing = cells.agreement(place, cells.levels[outside])
        nearest = np.argsort(-agreeing, kind="stable")[: _NEAR * len(own)]
        nearest = nearest[agreeing[nearest] >= spread]
        near = outside[nearest]
        others = np.setdiff1d(outside, near[groups.size[of_row[near]] < LEAST_COPIES])
        for row, agrees in zip(near.tolist(), agreeing[nearest].tolist(), strict=True):
            rival = cells.agreement(cells.levels[row], cells.levels[others[others != row]])
            if rival.max(initial=0.0) < max(agrees, AGREES) and (agrees >= AGREES or far > 0):
                of_row[row] = group
                far -= agrees < AGREES
                others = others[others != row]
        outside = outside[of_row[outside] != group]
    size = np.bincount(of_row[of_row >= 0], minlength=len(groups.size))
    return replace(groups, of_row=of_row, size=size)


__all__ = ["copied_rows", "with_farther_copies"]
