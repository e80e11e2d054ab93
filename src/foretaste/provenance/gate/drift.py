"""How far data have moved from an earlier version: column by column, as a distance from 0 to 1.

Numbers: the Kolmogorov-Smirnov distance, the largest gap between the two distribution functions. Everything
else: the total variation distance, half the summed difference of shares. Both are effect sizes: unlike a
p-value they do not grow with the number of rows. Neither sees a backdoor of half a percent; that is not what
they are for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretaste.data import open_file, row_hashes

SAMPLE = 200_000
"""Rows compared per column, evenly spaced."""


@dataclass(frozen=True)
class Drift:
    """The column that moved most, and how far."""

    column: str
    distance: float


def drift(old: pa.Table, new: pa.Table) -> Drift:
    """The largest distance between two versions of a data set over all their columns.

    Parameters
    ----------
    old, new : pyarrow.Table
        Of plain types. A column that only one of them has counts as 1.

    Examples
    --------
    >>> drift(pa.table({"x": [1, 2, 3, 4]}), pa.table({"x": [1, 2, 3, 9]}))
    Drift(column='x', distance=0.25)
    """
    only = set(old.column_names) ^ set(new.column_names)
    if only:
        return Drift(min(only), 1.0)
    old, new = _sample(old), _sample(new)
    found = [Drift(name, _distance(old.select([name]), new.select([name]))) for name in old.column_names]
    return max(found, key=lambda one: one.distance, default=Drift("", 0.0))


def file_drift(path: Path, before: Sequence[Path]) -> Drift:
    """The drift of a data file from the files of an earlier version together.

    Raises
    ------
    DataError
        Where one of them cannot be read as a table.
    """
    earlier = [open_file(file).read() for file in before]
    old = earlier[0] if len(earlier) == 1 else pa.concat_tables(earlier, promote_options="permissive")
    return drift(old, open_file(path).read())


def _sample(table: pa.Table) -> pa.Table:
    if table.num_rows <= SAMPLE:
        return table
    return table.take(pa.array(np.linspace(0, table.num_rows - 1, SAMPLE).astype(np.int64)))


def _distance(old: pa.Table, new: pa.Table) -> float:
    a, b = old.column(0), new.column(0)
    if _numeric(a.type) and _numeric(b.type):
        missing = abs(a.null_count / max(1, len(a)) - b.null_count / max(1, len(b)))
        return max(float(missing), _kolmogorov_smirnov(a, b))
    return _total_variation(old, new)


def _numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _kolmogorov_smirnov(a: pa.ChunkedArray, b: pa.ChunkedArray) -> float:
    one, other = (np.sort(pc.cast(c.drop_null(), pa.float64(), safe=False).to_numpy()) for c in (a, b))
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
    if not len(one) or not len(other):
        return float(len(one) != len(other))
    both = np.concatenate([one, other])
    order = np.argsort(both, kind="stable")  # of two sorted runs that is one merge
    ranked, old = both[order], np.cumsum(order < len(one))
    last = np.append(ranked[1:] != ranked[:-1], True)  # of equal values
    new = np.arange(1, len(both) + 1) - old
    return float(np.abs(old[last] / len(one) - new[last] / len(other)).max())


def _total_variation(old: pa.Table, new: pa.Table) -> float:
    both = np.ascontiguousarray(np.concatenate([row_hashes(old), row_hashes(new)]))
    hashes = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(both), [None, pa.py_buffer(both)])
    codes = hashes.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    n = old.num_rows
    count = int(codes.max()) + 1 if len(codes) else 0
    shares = [np.bincount(part, minlength=count) / max(1, len(part)) for part in (codes[:n], codes[n:])]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


__all__ = ["Drift", "drift", "file_drift"]
