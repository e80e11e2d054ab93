"""What a row is: a SHA-256 over its named, typed cells.

The hash does not depend on the file format, on how Arrow stores a value, on the order of the columns or on
the other rows. ``docs/formats.md`` specifies it byte by byte, with a worked example.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.data.cells import Bytes2D, cell_parts
from foretaste.data.names import require_column
from foretaste.data.plain import plain_table
from foretaste.errors import DataError

_COLUMNS = b"foretaste columns 1\n"
_TABLE = b"foretaste table 1\n"
_SLICE_BYTES = 8 * 2**20
_LONG = 1024


def row_hashes(table: pa.Table | pa.RecordBatch, columns: Sequence[str] | None = None) -> NDArray[np.uint8]:
    """SHA-256 of every row.

    Parameters
    ----------
    table : pyarrow.Table or RecordBatch, ``n`` rows
        Of any types; they are brought to plain types first (`foretaste.data.plain`).
    columns : sequence of str, optional
        Hash these columns only, as a table of just these would be hashed; all by default.

    Returns
    -------
    ndarray ``[n, 32]`` of uint8

    Raises
    ------
    DataError
        Where a column does not exist or two have the same name.

    Examples
    --------
    >>> one = row_hashes(pa.table({"a": pa.array([1], pa.int8()), "b": ["x"]}))
    >>> two = row_hashes(pa.table({"b": pa.array(["x"], pa.large_string()), "a": [1.0]}))
    >>> bytes(one[0]) == bytes(two[0])
    True
    """
    if len(set(table.schema.names)) < len(table.schema.names):
        raise DataError("two columns have the same name, so its rows have no hash")
    for name in columns or ():
        require_column(name, table.schema.names, use="part of the row hash")
    chosen = table if columns is None else table.select(list(columns))
    plain = plain_table(chosen if isinstance(chosen, pa.Table) else pa.Table.from_batches([chosen]))
    digests: list[bytes] = []
    prefix = columns_digest(plain.column_names)
    ordered = plain.select(sorted(plain.column_names, key=str.encode))
    rows = max(
        1, _SLICE_BYTES // max(1, plain.nbytes // max(1, plain.num_rows) + 16 * plain.num_columns + 64)
    )
    for batch in ordered.to_batches(max_chunksize=int(rows)):
        digests += _hash_batch(batch, prefix)
    if not plain.num_columns:
        digests = [hashlib.sha256(prefix).digest()] * plain.num_rows
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, 32)


def columns_digest(names: Iterable[str]) -> bytes:
    """SHA-256 of the column names in the order of their UTF-8 bytes: the first 32 bytes of every row's
    message."""
    digest = hashlib.sha256(_COLUMNS)
    for name in sorted(name.encode() for name in names):
        digest.update(len(name).to_bytes(8, "little") + name)
    return digest.digest()


class TableHash:
    """The hash of a data set, fed batch by batch.

    Examples
    --------
    >>> whole = pa.table({"a": [1, 2, 3]})
    >>> pieces = TableHash(["a"])
    >>> pieces.update(whole[:1]).update(whole[1:]).hexdigest() == table_hash(whole)
    True
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.rows = 0
        self._columns = set(columns)
        self._digest = hashlib.sha256(_TABLE + columns_digest(columns))

    def update(self, rows: pa.Table | pa.RecordBatch) -> TableHash:
        """Add rows after those already added."""
        if set(rows.schema.names) != self._columns:
            raise DataError("a batch has other columns than the data set")
        self._digest.update(row_hashes(rows).tobytes())
        self.rows += rows.num_rows
        return self

    def hexdigest(self) -> str:
        """SHA-256 over the column names, the row hashes in order and their count, as 64 hexadecimal
        digits."""
        whole = self._digest.copy()
        whole.update(self.rows.to_bytes(8, "little"))
        return whole.hexdigest()


def table_hash(data: pa.Table | Iterable[pa.RecordBatch], columns: Sequence[str] | None = None) -> str:
    """The hash of a data set: depends on the order of its rows, not on that of its columns.

    Parameters
    ----------
    data : pyarrow.Table or iterable of RecordBatch
    columns : sequence of str, optional
        Names of the columns, needed where ``data`` may be without a single batch.
    """
    if isinstance(data, pa.Table):
        return TableHash(data.column_names).update(data).hexdigest()
    total = None if columns is None else TableHash(columns)
    for batch in data:
        total = total or TableHash(batch.schema.names)
        total.update(batch)
    if total is None:
        raise DataError("there is no batch to hash", hint="name the columns")
    return total.hexdigest()


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes; of a folder, over the sorted relative names and hashes of its files."""
    place = Path(path)
    if place.is_dir():
        digest = hashlib.sha256(b"foretaste folder 1\n")
        for file in sorted(p for p in place.rglob("*") if p.is_file()):
            name = file.relative_to(place).as_posix().encode()
            digest.update(len(name).to_bytes(8, "little") + name + bytes.fromhex(file_sha256(file)))
        return digest.hexdigest()
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hash_batch(batch: pa.RecordBatch, prefix: bytes) -> list[bytes]:
    n = batch.num_rows
    parts: list[Bytes2D | pa.Array] = [np.tile(np.frombuffer(prefix, dtype=np.uint8), (n, 1))]
    for column in batch.columns:
        parts += cell_parts(column)
    merged = _merge_fixed(parts)
    if len(merged) > 1 and sum(map(_size, merged)) < _LONG * n * len(merged) // 2:
        arrays = [_as_binary(part) if isinstance(part, np.ndarray) else part for part in merged]
        empty = pa.scalar(b"", pa.large_binary())
        joined = pc.binary_join_element_wise(*arrays, empty, null_handling="replace", null_replacement="")
        merged = [joined]
    sha256, messages = hashlib.sha256, [_each(part) for part in merged]
    if len(messages) == 1:
        return [sha256(message).digest() for message in messages[0]]
    digests = []
    for first, *others in zip(*messages, strict=True):
        digest = sha256(first)
        for part in others:
            digest.update(part)
        digests.append(digest.digest())
    return digests


def _merge_fixed(parts: list[Bytes2D | pa.Array]) -> list[Bytes2D | pa.Array]:
    """Join what has the same width in all rows, unless it is so long that copying it costs more."""
    merged: list[Bytes2D | pa.Array] = []
    run: list[Bytes2D] = []
    for part in [*parts, None]:
        if isinstance(part, np.ndarray) and part.shape[1] < _LONG:
            run.append(part)
            continue
        if run:
            merged.append(_side_by_side(run))
            run = []
        if part is not None:
            merged.append(part)
    return merged


def _size(part: Bytes2D | pa.Array) -> int:
    return int(part.nbytes)


def _each(part: Bytes2D | pa.Array) -> Iterable[bytes | memoryview]:
    """What a part has of each row; of short rows copies, which cost less than views."""
    n = len(part)
    if isinstance(part, np.ndarray):
        width = part.shape[1]
        if width < _LONG:
            return _as_cells(part).tolist()  # type: ignore[no-any-return]
        whole = memoryview(np.ascontiguousarray(part).reshape(-1))  # type: ignore[arg-type]
        return [whole[at : at + width] for at in range(0, n * width, width)]
    filled = pc.fill_null(part, b"") if part.null_count else part  # what is missing may still have bytes
    offsets = np.frombuffer(filled.buffers()[1], dtype=np.int64)[filled.offset :][: n + 1].tolist()
    data = memoryview(filled.buffers()[2] or b"")
    held = data.tobytes() if offsets[-1] - offsets[0] < _LONG * n else data
    return [held[a:b] for a, b in pairwise(offsets)]


def _side_by_side(blocks: list[Bytes2D]) -> Bytes2D:
    """Join blocks row by row, each row of a block copied at once."""
    widths = [block.shape[1] for block in blocks]
    ends = np.cumsum(widths).tolist()
    layout = {"names": [f"{i}" for i in range(len(blocks))], "formats": [f"V{width}" for width in widths],
              "offsets": [0, *ends[:-1]], "itemsize": ends[-1]}  # fmt: skip
    joined: Any = np.empty(len(blocks[0]), dtype=np.dtype(layout))  # type: ignore[call-overload]
    for number, block in enumerate(blocks):
        joined[f"{number}"] = _as_cells(block)
    found: Bytes2D = joined.view(np.uint8).reshape(-1, ends[-1])
    return found


def _as_cells(block: Bytes2D) -> NDArray[np.void]:
    """Each row of a block as one value."""
    return np.ascontiguousarray(block).view(f"V{block.shape[1]}")[:, 0]


def _as_binary(block: Bytes2D) -> pa.Array:
    n, width = block.shape
    offsets = np.arange(n + 1, dtype=np.int64) * width
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(block))]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), n, buffers)
