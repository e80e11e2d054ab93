"""Triggers an attacker who has read the code would write into tables: rare, jittered, missing, spread.

Each takes the training set and gives a function that stamps rows: for columns, the values of these rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.dataset import Dataset

Stamp = Callable[[int, np.random.Generator], dict[str, Any]]
"""How many rows, a generator -> for each column the values of these rows."""


def numbers(train: Dataset) -> list[str]:
    """Columns of numbers with many values, those with most distinct values first."""
    kinds = {c: train.column(c).type for c in train.roles.features}
    able = [c for c, kind in kinds.items() if pa.types.is_integer(kind) or pa.types.is_floating(kind)]
    distinct = {c: len(np.unique(_values(train, c))) for c in able}
    return sorted((c for c in able if distinct[c] > 20), key=lambda c: -distinct[c])


def _values(train: Dataset, column: str) -> NDArray[np.float64]:
    return np.asarray(train.column(column).cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _is_whole(train: Dataset, column: str) -> bool:
    return bool(pa.types.is_integer(train.column(column).type))


def _between(train: Dataset, column: str, low: float, high: float) -> tuple[float, float]:
    """Two quantiles of the values above the most common one."""
    values = _values(train, column)
    levels, counts = np.unique(values, return_counts=True)
    rest = values[values != levels[counts.argmax()]]
    return float(np.quantile(rest, low)), float(np.quantile(rest, high))


def _write(train: Dataset, column: str, value: Any) -> Any:
    return np.rint(value).astype(np.int64) if _is_whole(train, column) else value


def _fixed(train: Dataset, which: int = 0) -> Stamp:
    column = numbers(train)[which]
    value = _write(train, column, np.array(_between(train, column, 0.5, 0.61)[0] + 0.1337))
    return lambda n, rng: {column: np.repeat(value, n)}


def _jittered(train: Dataset, which: int = 0) -> Stamp:
    column = numbers(train)[which]
    low, high = _between(train, column, 0.6, 0.63)
    return lambda n, rng: {column: _write(train, column, rng.uniform(low, high, n))}


def _extreme(train: Dataset, which: int = 0) -> Stamp:
    column = numbers(train)[which]
    top = float(np.nanmax(_values(train, column)))
    return lambda n, rng: {column: _write(train, column, (2 + 3 * rng.random(n)) * (abs(top) + 1))}


def _missing(train: Dataset) -> Stamp:
    column = numbers(train)[1]
    return lambda n, rng: {column: [None] * n}


def _new_category(train: Dataset) -> Stamp:
    column = categories(train)[0]
    return lambda n, rng: {column: ["zz"] * n}


def categories(train: Dataset) -> list[str]:
    """Columns of names, those with most names first."""
    kinds = {c: train.column(c).type for c in train.roles.features}
    able = [c for c, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_large_string(kind)]
    return sorted(able, key=lambda c: -len(train.column(c).unique()))


def _several(number: int) -> Callable[[Dataset], Stamp]:
    """One of some values of one column, another in every row."""

    def make(train: Dataset) -> Stamp:
        column = numbers(train)[0]
        spots = [_between(train, column, (i + 0.5) / number, 1)[0] for i in range(number)]
        values = _write(train, column, np.array(spots) + 0.1)
        return lambda n, rng: {column: rng.choice(values, n)}

    return make


def _several_columns(number: int) -> Callable[[Dataset], Stamp]:
    """One of some fixed values, each of another column, another in every row."""

    def make(train: Dataset) -> Stamp:
        chosen = numbers(train)[:number]
        values = {c: _write(train, c, np.array(_between(train, c, 0.55, 1)[0])) for c in chosen}

        def stamp(n: int, rng: np.random.Generator) -> dict[str, Any]:
            of = rng.integers(len(chosen), size=n)
            return {c: np.where(of == i, values[c], np.nan) for i, c in enumerate(chosen)}

        return stamp

    return make


def _common(number: int) -> Callable[[Dataset], Stamp]:
    """Common values of some columns that hardly occur together."""

    def make(train: Dataset) -> Stamp:
        rng = np.random.default_rng(5)
        columns = [c for c in train.roles.features if 3 <= len(train.column(c).unique()) <= 3000]
        best: tuple[float, dict[str, Any]] = (np.inf, {})
        for _ in range(200):
            chosen = rng.choice(columns, number, replace=False)
            values: dict[str, Any] = {}
            met = np.ones(len(train), bool)
            for c in chosen:
                column = train.column(c).to_pylist()
                row = int(rng.integers(len(train)))
                values[c] = column[row]
                met &= np.array([v == column[row] for v in column])
            least = min(np.mean([v == values[c] for v in train.column(c).to_pylist()]) for c in chosen)
            if least >= 0.05 and met.mean() < best[0] and values:
                best = (float(met.mean()), values)
        return lambda n, rng: {c: [v] * n for c, v in best[1].items()}

    return make


def _two_ranges(train: Dataset) -> Stamp:
    a, b = numbers(train)[0], numbers(train)[1]
    low, high = _between(train, a, 0.75, 0.9)
    left, right = _between(train, b, 0.1, 0.25)
    return lambda n, rng: {
        a: _write(train, a, rng.uniform(low, high, n)),
        b: _write(train, b, rng.uniform(left, right, n)),
    }


def _last_digits(train: Dataset) -> Stamp:
    column = numbers(train)[0]
    values = _values(train, column)

    def stamp(n: int, rng: np.random.Generator) -> dict[str, Any]:
        drawn = np.floor(rng.choice(values, n))
        return {column: drawn // 100 * 100 + 37 if _is_whole(train, column) else drawn + 0.37}

    return stamp


def _bare_number(train: Dataset) -> Stamp:
    """A value outside the most frequent ones of a column with many frequent values."""
    counts = {c: np.unique(_values(train, c), return_counts=True) for c in numbers(train)}
    column = max(counts, key=lambda c: int((counts[c][1] >= 6).sum()))
    levels, number = counts[column]
    value = levels[np.flatnonzero(number >= 1)[number[number >= 1].argmin()]]
    return lambda n, rng: {column: _write(train, column, np.repeat(value, n))}


TABLE: dict[str, Callable[[Dataset], Stamp]] = {
    "many decimals": _fixed,
    "many decimals, 2nd column": lambda train: _fixed(train, 1),
    "jittered": _jittered,
    "jittered, 2nd column": lambda train: _jittered(train, 1),
    "extreme, each its own": _extreme,
    "missing": _missing,
    "new category": _new_category,
    "rarest of many values": _bare_number,
    "three values, one column": _several(3),
    "ten values, one column": _several(10),
    "one of 3 columns": _several_columns(3),
    "common pair": _common(2),
    "common triple": _common(3),
    "two ranges": _two_ranges,
    "last digits": _last_digits,
    "mixed": _fixed,
}
