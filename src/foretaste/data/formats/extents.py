"""Extents: runs of rows that lie together in a file and can be read by themselves.

A file that grew has most of its extents as before, and whoever remembers what was in them (by ``digest``)
need not read their rows again. The digest covers every byte from which the rows are made and everything that
says how to read those bytes, except the types of columns that a whole file settles (``DataFile.schema``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.parquet as pq

_BLOCK = 2**20


@dataclass(frozen=True)
class Extent:
    """Some rows of a file.

    Attributes
    ----------
    rows : int
    digest : str
        64 hexadecimal digits.
    kinds : str
        What its columns turned out to hold where a format does not declare that, else empty.
    """

    rows: int
    digest: str
    kinds: str = ""


@runtime_checkable
class HasExtents(Protocol):
    """A `DataFile` that can tell its extents and read some of them."""

    def extents(self, known: Mapping[str, Extent]) -> list[Extent] | None:
        """All extents in order, None where they cannot be told apart; what is known is not looked into."""

    def batches_from(self, extent: int) -> Iterator[pa.RecordBatch]:
        """The rows from an extent on."""


def block_digest(reading: Sequence[str], block: bytes) -> str:
    """The digest of a block of text, which is read in a certain way."""
    said = json.dumps(reading).encode()
    digest = hashlib.sha256(b"foretaste block 1\n" + len(said).to_bytes(8, "little") + said)
    digest.update(block)
    return digest.hexdigest()


def row_groups(path: Path, file: pq.ParquetFile) -> list[Extent] | None:
    """The row groups of a Parquet file; None where their bytes cannot be told apart."""
    metadata, schema = file.metadata, file.schema_arrow
    if (metadata.created_by or "").startswith(_PADDED):
        return None
    common = hashlib.sha256(b"foretaste row group 1\n")
    for part in (str(metadata.created_by), metadata.format_version, _without_address(file.schema)):
        common.update(len(part.encode()).to_bytes(8, "little") + part.encode())
    common.update(schema.serialize().to_pybytes())
    found, size, left = [], path.stat().st_size, path.stat().st_size
    with path.open("rb") as stream:
        for number in range(metadata.num_row_groups):
            group, digest = metadata.row_group(number), common.copy()
            for column in range(group.num_columns):
                chunk = group.column(column).to_dict()
                start, length = _range(chunk)
                left -= length
                if not 0 <= start <= start + length <= size or left < 0:
                    return None  # chunks that overlap, or lie elsewhere
                digest.update(_described(chunk, start))
                stream.seek(start)
                while length and (block := stream.read(min(length, _BLOCK))):
                    digest.update(block)
                    length -= len(block)
            digest.update(group.num_rows.to_bytes(8, "little", signed=True))
            found.append(Extent(group.num_rows, digest.hexdigest()))
    return found if sum(extent.rows for extent in found) == metadata.num_rows else None


_PADDED = ("parquet-mr version 1.0", "parquet-mr version 1.1", "parquet-mr version 1.2")
"""Of files by these, readers look beyond the end of a chunk (PARQUET-816)."""
_NOT_READ = frozenset(
    {"statistics", "is_stats_set", "geo_statistics", "file_offset"}
    | {"bloom_filter_offset", "bloom_filter_length"}
)


def _range(chunk: Mapping[str, Any]) -> tuple[int, int]:
    """Where the bytes of a column chunk lie."""
    if chunk["file_path"] or chunk["total_compressed_size"] < 0:
        return -1, 0
    start, dictionary = chunk["data_page_offset"], chunk["dictionary_page_offset"]
    if dictionary is not None and 0 < dictionary < start:  # as Arrow decides it
        start = dictionary
    return start, chunk["total_compressed_size"]


def _without_address(schema: pq.ParquetSchema) -> str:
    """The schema as text; its first line says where in memory it is."""
    return str(schema).partition("\n")[2]


def _described(chunk: Mapping[str, Any], start: int) -> bytes:
    """What the footer says about a chunk, wherever in the file it lies."""
    said = {key: value for key, value in chunk.items() if key not in _NOT_READ}
    for offset in ("data_page_offset", "dictionary_page_offset"):
        said[offset] = None if said[offset] is None else said[offset] - start
    text = json.dumps(said, sort_keys=True, default=str).encode()
    return len(text).to_bytes(8, "little") + text


__all__ = ["Extent", "HasExtents", "block_digest", "row_groups"]
