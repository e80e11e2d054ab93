"""Two versions of a data set made comparable: every row as hashes, files that both have left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from foretaste.data.formats import DataFile, open_file
from foretaste.data.names import name_some, require_column
from foretaste.data.rows import row_hashes
from foretaste.errors import DataError
from foretaste.provenance.key_sets import Keys, Positions, keys_of
from foretaste.provenance.listing import files_below
from foretaste.provenance.manifest import parts_of
from foretaste.provenance.store import sha256_of

Named = Mapping[str, str | None]
"""Columns by their part: ``label``, ``id``, ``source``."""


@dataclass(frozen=True)
class Side:
    """The rows of one version.

    Attributes
    ----------
    rows, rest : keys ``[n]``
        Of the whole row, and of everything but the label.
    ids : keys ``[n]`` or None
        Of the identifier.
    position : ndarray ``[n]``
        Which row of the version it is.
    columns : mapping
        Label, identifier and source, ``[n]`` each; None where there is none.
    """

    rows: Keys
    rest: Keys
    ids: Keys | None
    position: Positions
    columns: Mapping[str, pa.ChunkedArray | None]


def comparable(old: Path, new: Path, named: Named) -> tuple[Side, Side, int, int]:
    """Read two versions.

    Returns
    -------
    old, new : Side
    rows, files : int
        How many rows, in how many files, were left out because both versions have the same files.

    Raises
    ------
    DataError
        Where one cannot be read, or their columns differ.
    """
    opened = [_opened(path) for path in (old, new)]
    before, after = opened
    if before is None or after is None:
        for path in (old, new):
            if not path.is_dir():
                raise DataError("a table cannot be compared with files", file=path, hint="name two folders")
        return _files(old), _files(new), 0, 0
    roles = {role: column or before.defaults.get(role) for role, column in named.items()}
    for one in (before, after):
        for role, column in roles.items():
            if column is not None:
                require_column(column, one.columns, use=role, file=one.path)
    odd = sorted(set(before.columns) ^ set(after.columns))
    if odd:
        raise DataError(f"its columns differ from those of {old}: {name_some(odd)}", file=new)
    parts = [parts_of(before), parts_of(after)]
    digests = [[sha256_of(part.path)[0] if part.path.is_file() else "" for part in side] for side in parts]
    shared = Counter(digests[0]) & Counter(digests[1])
    sides = [_read(side, found, shared, roles) for side, found in zip(parts, digests, strict=True)]
    return sides[0][0], sides[1][0], sides[0][1], shared.total()


def _read(parts: list[DataFile], digests: list[str], shared: Counter[str], roles: Named) -> tuple[Side, int]:
    """The rows of the parts that the other side has not, and how many rows the others have."""
    left, start, skipped = Counter(shared), 0, 0
    rows, rest, ids, position, kept = [], [], [], [], []
    for part, digest in zip(parts, digests, strict=True):
        if left[digest] > 0:
            left[digest] -= 1
            count = part.num_rows
            count = sum(batch.num_rows for batch in part.batches()) if count is None else count
            start, skipped = start + count, skipped + count
            continue
        for batch in part.batches():
            rows.append(keys_of(row_hashes(batch)))
            others = [name for name in batch.schema.names if name != roles["label"]]
            rest.append(keys_of(row_hashes(batch, others)))
            if roles["id"] is not None:
                ids.append(keys_of(row_hashes(batch, [roles["id"]])))
            position.append(np.arange(start, start + batch.num_rows))
            kept.append(batch.select(sorted({name for name in roles.values() if name is not None})))
            start += batch.num_rows
    none = np.zeros(0, dtype="S32")
    table = pa.Table.from_batches(kept) if kept else None
    side = Side(
        np.concatenate([none, *rows]),
        np.concatenate([none, *rest]),
        None if roles["id"] is None else np.concatenate([none, *ids]),
        np.concatenate([np.zeros(0, dtype=np.int64), *position]),
        {role: table.column(name) if table and name else None for role, name in roles.items()},
    )
    return side, skipped


def _files(folder: Path) -> Side:
    """The files of a folder as rows: their content, the class folder as label, their path as identifier."""
    listed = [(name, sha256_of(path)[0]) for name, path in files_below(folder)]
    columns = {
        "content": [sha256 for _, sha256 in listed],
        "label": [name.partition("/")[0] if "/" in name else None for name, _ in listed],
        "id": [name for name, _ in listed],
    }
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return Side(
        keys_of(row_hashes(table, ["content", "label"])),
        keys_of(row_hashes(table, ["content"])),
        keys_of(row_hashes(table, ["id"])),
        np.arange(len(listed)),
        {"label": table.column("label"), "id": table.column("id"), "source": None},
    )


def _opened(path: Path) -> DataFile | None:
    """The data as a table; None where it is a folder without Parquet shards: images, or anything."""
    if path.is_dir() and not any(path.rglob("*.parquet")):
        return None
    return open_file(path)
