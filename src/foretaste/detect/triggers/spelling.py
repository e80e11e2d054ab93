"""Saying a value pattern in full: what its rows share beyond chance, without what only goes along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign
from foretaste.detect.triggers.items import Items, cut
from foretaste.detect.triggers.suspects import reason_of
from foretaste.features.patterns import Condition, Values

NARROWS = 0.95
"""A condition is left out where this share of the other conditions' rows meet it anyway."""

SHARED = 0.97
MOST_CONDITIONS = 4
MISSED = 0.2
"""Rows with the whole pattern and its label join the campaign, if they are not more than this share of it."""

_ALPHA = 0.001


def in_full(context: Context, campaigns: list[Campaign]) -> list[Campaign]:
    """The campaigns with their conditions completed, and the few rows that have all of them; evidence stays.

    The search stops at the fewest columns that single the rows out. A value of another column belongs to the
    pattern where nearly all its rows have it, and chance (binomial, in the class where the value is most
    common) would not give them that.
    """
    if context.table is None or not campaigns:
        return campaigns
    items = cut(context.table, 1)
    return [_in_full(context, campaign, items) for campaign in campaigns]


def _in_full(context: Context, campaign: Campaign, items: list[Items]) -> Campaign:
    if not isinstance(campaign.shape, Values):
        return campaign
    where = {
        condition: (item.code == position)
        for item in items
        for position, condition in enumerate(item.conditions)
        if condition in campaign.shape.conditions
    }
    if len(where) < len(campaign.shape.conditions):
        return campaign
    core = _narrowing(where)
    inside = np.logical_and.reduce([where[condition] for condition in core])
    target = context.classes.index(campaign.target) if campaign.target in context.classes else -1
    own = context.label_index == target
    rows = np.flatnonzero(inside & own)
    shared = _shared(context, items, rows)
    columns = {condition.column for condition in core}
    where |= {c: _met(items, c) for c in shared if c.column not in columns}
    # what was only the search's help to single the rows out is not needed beside what they truly share
    conditions = tuple(_narrowing(where, but=shared)[:MOST_CONDITIONS])
    if set(conditions) == set(campaign.shape.conditions):
        return campaign
    place = {column.name: i for i, column in enumerate(context.table.columns)} if context.table else {}
    shape = Values(tuple(sorted(conditions, key=lambda c: place.get(c.column, 0))))
    text = shape.describe()
    met = np.logical_and.reduce([_met(items, condition) for condition in conditions])
    missed = np.setdiff1d(np.flatnonzero(met & own), campaign.rows)
    if len(missed) <= MISSED * len(campaign.rows) and campaign.posterior is not None:
        joined = np.concatenate([campaign.rows, missed])
        posterior = np.concatenate([campaign.posterior, np.full(len(missed), campaign.effect)])
        order = np.argsort(joined, kind="stable")
        campaign = replace(campaign, rows=joined[order], posterior=posterior[order])
    return replace(
        campaign,
        rule="FT204" if len(conditions) > 1 else "FT203",
        shape=shape,
        pattern=text,
        parts=shape.parts(),
        support=int(met.sum()),
        reason=reason_of(text, str(campaign.target), campaign.effect, (met & own).sum(), met.sum()),
    )


def _met(items: list[Items], condition: Condition) -> NDArray[np.bool_]:
    return next(
        item.code == item.conditions.index(condition) for item in items if condition in item.conditions
    )


def _narrowing(where: dict[Condition, NDArray[np.bool_]], but: Sequence[Condition] = ()) -> list[Condition]:
    """Conditions without those that the others imply, the most common ones being left out first.

    Those in ``but`` are kept whatever the others imply.
    """
    kept = list(where)
    for condition in sorted([c for c in where if c not in but], key=lambda c: -int(where[c].sum())):
        others = [where[other] for other in kept if other != condition]
        if others:
            without = np.logical_and.reduce(others)
            if (without & where[condition]).sum() >= NARROWS * without.sum():
                kept.remove(condition)
    return kept


def _shared(context: Context, items: list[Items], rows: NDArray[np.int64]) -> list[Condition]:
    """Exact values that nearly all the rows share, beyond chance; rarest first."""
    found: list[tuple[float, Condition]] = []
    for item in items:
        codes = item.code[rows]
        known = codes[codes >= 0]
        if not len(known):
            continue
        value = int(np.bincount(known).argmax())
        condition, count = item.conditions[value], int((known == value).sum())
        if condition.value is None or count < SHARED * len(rows):
            continue
        has = item.code == value
        common = max(
            float((has & (context.label_index == label)).sum() / max((context.label_index == label).sum(), 1))
            for label in range(context.n_classes)
        )
        if binom.sf(count - 1, len(rows), common) * len(items) < _ALPHA:
            found.append((common, condition))
    return [condition for _, condition in sorted(found, key=lambda entry: entry[0])]
