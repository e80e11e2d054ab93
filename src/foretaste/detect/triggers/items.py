"""The values a table pattern is made of: exact values, and ranges of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.features.patterns import Condition, exactly
from foretaste.features.table import Column, TableFeatures

_BINS = 16
_EXACT_NUMBERS = 60
_NARROW = (64, 256)


@dataclass(frozen=True)
class Items:
    """One way to cut one column into items.

    Attributes
    ----------
    column : int
        Position of the column.
    code : int64 ndarray of shape (n,)
        Item of each row; -1 where the row has none of them.
    conditions : list of Condition
        What each item says.
    """

    column: int
    code: NDArray[np.int64]
    conditions: list[Condition]

    def __len__(self) -> int:
        return len(self.conditions)


def cut(table: TableFeatures, least_rows: int) -> list[Items]:
    """All items of a table with at least ``least_rows`` rows: exact values, and quantile bins of numbers."""
    found: list[Items] = []
    for position, column in enumerate(table.columns):
        exact = _exact(position, column, least_rows)
        if len(exact):
            found.append(exact)
        if column.numeric:
            bins = quantile_bins(position, column)
            if len(bins) > 1:
                found.append(bins)
    return found


def _exact(position: int, column: Column, least_rows: int) -> Items:
    missing = np.isnan(column.values)
    levels, inverse, counts = np.unique(column.values[~missing], return_inverse=True, return_counts=True)
    kept = np.flatnonzero(counts >= least_rows)
    if column.numeric:
        kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")][:_EXACT_NUMBERS])
    slot = np.full(len(levels), -1, np.int64)
    slot[kept] = np.arange(len(kept))
    code = np.full(len(column.values), -1, np.int64)
    code[~missing] = slot[inverse]
    conditions = [exactly(column, float(value)) for value in levels[kept]]
    if missing.sum() >= least_rows:
        code[missing] = len(conditions)
        conditions.append(Condition(column.name, value="missing"))
    return Items(position, code, conditions)


def narrow_ranges(position: int, column: Column, least_rows: int) -> list[Items]:
    """Quantile bins of a column's less frequent numbers, as narrow as its rows allow.

    A trigger that is another number in every row lies in a narrow range, but is a small part of a wide one.
    """
    known = column.values[~np.isnan(column.values)]
    levels, counts = np.unique(known, return_counts=True)
    found: list[Items] = []
    for number in _NARROW:
        rare = np.isin(column.values, levels[counts < len(known) / number])
        if column.numeric and min(len(known) / number, rare.sum()) >= 2 * least_rows:
            found.append(quantile_bins(position, column, rare, max(int(number * rare.sum() / len(known)), 2)))
    return [items for items in found if len(items) > 1]


def quantile_bins(
    position: int, column: Column, among: NDArray[np.bool_] | None = None, number: int = _BINS
) -> Items:
    """Quantile bins of the values of some rows, all by default."""
    known = ~np.isnan(column.values) if among is None else among
    edges = np.unique(np.quantile(column.values[known], np.linspace(0, 1, number + 1)))
    if len(edges) < 3:
        return Items(position, np.full(len(column.values), -1, np.int64), [])
    code = np.full(len(column.values), -1, np.int64)
    code[known] = np.clip(np.searchsorted(edges, column.values[known], side="right") - 1, 0, len(edges) - 2)
    conditions = [
        Condition(column.name, low=float(low), high=float(high), closed=last, moment=column.moment)
        for low, high, last in zip(edges, edges[1:], np.arange(2, len(edges) + 1) == len(edges), strict=False)
    ]
    return Items(position, code, conditions)
