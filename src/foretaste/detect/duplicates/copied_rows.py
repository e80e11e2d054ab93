"""Copies of rows of a table: which there are, and what they are copies of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from foretaste.detect.context import Context
from foretaste.detect.duplicates.campaign import LEAST_COPIES, CopyGroups
from foretaste.features.agreement import (
    agreeing_components,
    alike,
    expected_by_chance,
    with_consensus,
)
from foretaste.features.table import TableFeatures, group_rows

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

    The rows of a campaign agree on the cells of one row of another class; those of a natural group do so as
    often as its size and the rate of such rows among all groups say. Where wrong labels are many, each large
    group has such rows, and they say nothing.
    """
    assert context.table is not None
    assert once.table is not None
    label = context.label_index
    member = np.flatnonzero(groups.of_row >= 0)
    _, first = np.unique(groups.of_row[member], return_index=True)
    row = member[first]
    cells = np.stack([column.values for column in context.table.columns], axis=1)
    cells[row] = np.stack([column.values[row] for column in once.table.columns], axis=1)
    identical = group_rows(cells)
    known = np.flatnonzero(label >= 0)
    width = int(label.max()) + 2
    of_label = np.bincount(identical[known] * width + label[known], minlength=(identical.max() + 1) * width)
    of_any = np.bincount(identical[known], minlength=identical.max() + 1)
    twins = of_any[identical[row]] - of_label[identical[row] * width + groups.label]
    copied = groups.size >= 2
    rate = np.minimum(twins, groups.size)[copied].sum() / max(groups.size[copied].sum(), 1)
    natural = np.clip(-np.expm1(-rate * groups.size), 1e-6, 1 - 1e-6)
    there = np.log(_KNOWN) - np.log(natural)
    missing = np.minimum(np.log1p(-_KNOWN) - np.log1p(-natural), 0.0)
    return np.asarray(np.where(twins > 0, np.clip(there, -_STRONGEST, _STRONGEST), missing), np.float64)


__all__ = ["copied_rows", "originals"]
