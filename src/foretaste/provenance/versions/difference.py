"""What changed between two versions, row by row and per source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data import open_file, row_hashes
from foretaste.data.names import require_column

LISTED = 100
"""Rows listed per kind of change."""


@dataclass
class Difference:
    """Rows that differ, as multisets: a row that is there twice and was once is added once.

    Attributes
    ----------
    added, removed : int
        Rows without a counterpart.
    relabelled : int
        Rows whose label alone changed.
    changed : int
        Rows of the same id with other features.
    unchanged : int
    sources : dict
        By source: how many rows were added, removed, relabelled, changed.
    rows : dict
        By kind of change, positions in the new version (in the old one for removed rows), at most `LISTED`.
    columns : dict
        Names of columns that were added or removed.
    """

    added: int = 0
    removed: int = 0
    relabelled: int = 0
    changed: int = 0
    unchanged: int = 0
    sources: dict[str, dict[str, int]] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"schema": 1, **self.__dict__}


def difference(
    old: Sequence[Path],
    new: Sequence[Path],
    *,
    label: str | None = None,
    id: str | None = None,
    source: str | None = None,
) -> Difference:
    """Compare two versions of a data set row by row.

    Parameters
    ----------
    old, new : sequence of Path
        Their data files, in order.
    label, id, source : str, optional
        Columns. With a label, a row whose label alone changed is recognised; with an id, so is a row whose
        features changed.

    Raises
    ------
    DataError
        Where a file cannot be read or a column does not exist.
    """
    before, after = _read(old), _read(new)
    for name, use in ((label, "label"), (id, "id"), (source, "source")):
        if name is not None:
            require_column(name, after.column_names, use=use)
    found = Difference()
    gone, come = set(before.column_names), set(after.column_names)
    if gone != come:
        found.columns = {"added": sorted(come - gone), "removed": sorted(gone - come)}
    common = sorted(gone & come)
    was, now = _codes(row_hashes(before, common), row_hashes(after, common))
    removed, added = np.flatnonzero(_beyond(was, now)), np.flatnonzero(_beyond(now, was))
    found.unchanged = len(now) - len(added)
    if label is not None and label in common:
        removed, added = _relabelled(found, before, after, removed, added, (label, id, source, common))
    if id is not None and id in common:
        removed, added = _matched(found, "changed", before, after, removed, added, [id], source)
    for kind, table, rows in (("added", after, added), ("removed", before, removed)):
        setattr(found, kind, len(rows))
        _note(found, kind, table, rows, source)
    return found


def _relabelled(
    found: Difference, before: pa.Table, after: pa.Table, removed: NDArray[Any], added: NDArray[Any], how: Any
) -> tuple[NDArray[Any], NDArray[Any]]:
    label, _, source, common = how
    rest = [name for name in common if name != label]
    if not rest:
        return removed, added
    return _matched(found, "relabelled", before, after, removed, added, rest, source)


def _matched(
    found: Difference, kind: str, before: pa.Table, after: pa.Table,
    removed: NDArray[Any], added: NDArray[Any], columns: list[str], source: str | None,
) -> tuple[NDArray[Any], NDArray[Any]]:  # fmt: skip
    """Pair removed with added rows that agree in ``columns``; gives those that are left."""
    was = row_hashes(before.take(pa.array(removed)), columns)
    now = row_hashes(after.take(pa.array(added)), columns)
    old, new = _codes(was, now)
    left_old, left_new = _beyond(old, new), _beyond(new, old)
    paired = added[~left_new]
    setattr(found, kind, len(paired))
    _note(found, kind, after, paired, source)
    return removed[left_old], added[left_new]


def _note(found: Difference, kind: str, table: pa.Table, rows: NDArray[Any], source: str | None) -> None:
    if len(rows):
        found.rows[kind] = [int(row) for row in rows[:LISTED]]
    if source is not None and source in table.column_names:
        names = table.column(source).take(pa.array(rows)).to_pylist()
        for name, count in Counter(str(name) for name in names).items():
            found.sources.setdefault(name, {})[kind] = count


def _read(paths: Sequence[Path]) -> pa.Table:
    tables = [open_file(path).read() for path in paths]
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")


def _codes(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Equal hashes as equal small numbers."""
    both = np.ascontiguousarray(np.concatenate([one, other]))
    hashes = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(both), [None, pa.py_buffer(both)])
    codes = hashes.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes[: len(one)], codes[len(one) :]


def _beyond(codes: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows that ``other`` does not have, or not as often: of equal rows, the last ones."""
    if not len(codes):
        return np.zeros(0, dtype=bool)
    known = np.bincount(other, minlength=int(codes.max()) + 1)
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank = np.arange(len(codes)) - np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
    beyond = np.zeros(len(codes), dtype=bool)
    beyond[order] = rank >= known[ordered]
    return beyond


__all__ = ["LISTED", "Difference", "difference"]
