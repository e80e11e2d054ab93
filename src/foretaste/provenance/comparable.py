"""Two versions of a data set made comparable: every row as a hash, files that both have left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from foretaste.provenance.manifest import Manifest, find_columns, parts_of
from foretaste.provenance.segments import Part, in_segments
from foretaste.provenance.store import sha256_of

Named = Mapping[str, str | None]
"""Columns by their part: ``label``, ``id``, ``source``."""
Batches = Callable[[], Iterator[tuple[int, pa.RecordBatch]]]
"""Reads the rows, each batch with the number of its first row."""


@dataclass(frozen=True)
class Side:
    """The rows of one version.

    Attributes
    ----------
    rows : keys ``[n]``
    position : ndarray ``[n]``
        Which row of the version it is.
    batches : callable
    columns : list of str
        What makes up a row.
    named : mapping
    """

    rows: Keys
    position: Positions
    batches: Batches
    columns: Sequence[str]
    named: Named

    @classmethod
    def read(cls, batches: Batches, columns: Sequence[str], named: Named) -> Side:
        """Hash every row."""
        rows, position = [np.zeros(0, dtype="S32")], [np.zeros(0, dtype=np.int64)]
        for start, batch in batches():
            rows.append(keys_of(row_hashes(batch, columns)))
            position.append(np.arange(start, start + batch.num_rows))
        return cls(np.concatenate(rows), np.concatenate(position), batches, columns, named)

    def take(self, where: Positions) -> Taken:
        """Read some rows once more, for what is to be known only about them."""
        rows, found = self.position[where], []
        for start, batch in self.batches():
            inside = rows[(rows >= start) & (rows < start + batch.num_rows)]
            found.append(batch.take(pa.array(inside - start)))
        table = pa.Table.from_batches(found) if found else None
        if table is None or table.num_rows != len(rows):
            if len(rows):
                raise DataError("the data changed while they were read", hint="compare them again")
            return Taken(rows, np.zeros(0, dtype="S32"), None, {})
        rest = [name for name in self.columns if name != self.named["label"]]
        id = self.named["id"]
        return Taken(
            rows,
            keys_of(row_hashes(table, rest)),
            None if id is None else keys_of(row_hashes(table, [id])),
            {part: table.column(name) for part, name in self.named.items() if name is not None},
        )


@dataclass(frozen=True)
class Taken:
    """Some rows of a side, in order.

    Attributes
    ----------
    position : ndarray ``[n]``
    rest : keys ``[n]``
        Of everything but the label.
    ids : keys ``[n]`` or None
        Of the identifier.
    columns : mapping
        Label, identifier and source, ``[n]`` each, where there is one.
    """

    position: Positions
    rest: Keys
    ids: Keys | None
    columns: Mapping[str, pa.ChunkedArray]


def comparable(
    old: Path, new: Path, named: Named, known: Sequence[Manifest | None] = (None, None)
) -> tuple[Side, Side, int]:
    """Read two versions.

    Parameters
    ----------
    old, new : Path
    named : mapping
    known : two of Manifest or None
        Manifests of the two; used for the files with the bytes that they name.

    Returns
    -------
    old, new : Side
    rows : int
        How many rows were left out because both versions have the same files, or pieces of files.

    Raises
    ------
    DataError
        Where one cannot be read, or their columns differ.
    """
    before, after = _opened(old), _opened(new)
    if before is None or after is None:
        for path in (old, new):
            if not path.is_dir():
                raise DataError("a table cannot be compared with files", file=path, hint="name two folders")
        return _files(old), _files(new), 0
    for one, manifest in zip((before, after), known, strict=True):
        if manifest is not None:
            find_columns(one, manifest)
    parts = {part: column or before.defaults.get(part) for part, column in named.items()}
    for one in (before, after):
        for part, column in parts.items():
            if column is not None:
                require_column(column, one.columns, use=part, file=one.path)
    odd = sorted(set(before.columns) ^ set(after.columns))
    if odd:
        raise DataError(f"its columns differ from those of {old}: {name_some(odd)}", file=new)
    files = [parts_of(one) for one in (before, after)]
    digests = [[sha256_of(file.path)[0] if file.path.is_file() else "" for file in side] for side in files]
    whole = set(digests[0]) & set(digests[1])
    both = [in_segments(files[i], digests[i], whole, known[i]) for i in (0, 1)]
    keys = [Counter(segment.key for part in side for segment in part.segments) for side in both]
    sides, left_out = [], 0
    for side in both:
        batches, left_out = _reading(side, keys[0] & keys[1])
        sides.append(Side.read(batches, before.columns, parts))
    return sides[0], sides[1], left_out


def _reading(parts: list[Part], shared: Counter[str]) -> tuple[Batches, int]:
    """Reads what the other side has not; how many rows are left out."""
    split = [part.split(shared) for part in parts]

    def batches() -> Iterator[tuple[int, pa.RecordBatch]]:
        start = 0
        for rest, _ in split:
            for first, batch in rest.batches():
                yield start + first, batch
            start += rest.count()

    return batches, sum(rows for _, rows in split)


def _files(folder: Path) -> Side:
    """The files of a folder as rows: their content, the class folder as label, their path as identifier."""
    listed = [(name, sha256_of(path)[0]) for name, path in files_below(folder)]
    columns = {
        "content": [sha256 for _, sha256 in listed],
        "label": [name.partition("/")[0] if "/" in name else None for name, _ in listed],
        "id": [name for name, _ in listed],
    }
    batch = pa.record_batch({name: pa.array(values, pa.string()) for name, values in columns.items()})
    named = {"label": "label", "id": "id", "source": None}
    return Side.read(lambda: iter([(0, batch)]), ["content", "label"], named)


def _opened(path: Path) -> DataFile | None:
    """The data as a table; None where it is a folder without Parquet shards: images, or anything."""
    if path.is_dir() and not any(path.rglob("*.parquet")):
        return None
    return open_file(path)
