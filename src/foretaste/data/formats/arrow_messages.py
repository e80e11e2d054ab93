"""The frames of an Arrow IPC file, looked at before Arrow allocates what they declare.

A compressed buffer begins with its uncompressed length (Arrow columnar format, "Serialization and
Interprocess Communication"), and Arrow allocates that many bytes: a kilobyte of file may ask for a terabyte.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from foretaste.data.limits import Limits
from foretaste.errors import DataError

MAGIC = b"ARROW1"
_CONTINUATION = 0xFFFFFFFF
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_CODECS = {0: "lz4", 1: "zstd"}


def check_messages(path: Path, limits: Limits) -> str | None:
    """The compression of the record batches (``lz4``, ``zstd`` or None).

    Raises
    ------
    DataError
        Where the buffers of one batch declare more memory than ``limits`` allow, or unpack more than a
        compressed file may.
    """
    codec: str | None = None
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for metadata, body in _messages(data):
            found = _batch(metadata)
            if found is None:
                continue
            declared = 0
            compression, buffers = found
            if compression is None:
                continue
            codec = _CODECS.get(compression, codec)
            stored = 0
            for offset, length in buffers:
                if length >= 8:
                    (size,) = struct.unpack_from("<q", data, body + offset)
                    declared += length - 8 if size == -1 else size
                    stored += length
            if declared > max(limits.expansion_floor, 20 * limits.expansion * stored):
                raise DataError(
                    f"a batch unpacks {stored} bytes into {declared}, as a decompression bomb does", file=path
                )
            if declared > limits.table_bytes:
                raise DataError(f"a batch needs {declared / 2**30:.3g} GiB of memory", file=path)
    return codec


def _messages(data: mmap.mmap) -> Iterator[tuple[bytes, int]]:
    """The metadata of each message and where its body starts, in a file or a stream."""
    position = 8 if data[:6] == MAGIC else 0
    while position + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, position)
        position += 4
        if size == _CONTINUATION:
            (size,) = struct.unpack_from("<I", data, position)
            position += 4
        if size == 0 or position + size > len(data):
            return
        metadata = data[position : position + size]
        position += size
        yield metadata, position
        position += body_length(metadata)


# -- flatbuffers (Message.fbs): a table is an offset to its field offsets; fields are numbered as declared --


def root(data: bytes) -> int:
    return int(struct.unpack_from("<I", data, 0)[0])


def field(data: bytes, table: int, number: int) -> int | None:
    """Where a field of a table stands, or None where it has its default."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0 or 4 + 2 * number >= struct.unpack_from("<H", data, vtable)[0]:
        return None
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * number)[0]
    return table + offset if offset else None


def follow(data: bytes, position: int) -> int:
    return position + int(struct.unpack_from("<I", data, position)[0])


def body_length(metadata: bytes) -> int:
    position = field(metadata, root(metadata), 3)
    length = 0 if position is None else struct.unpack_from("<q", metadata, position)[0]
    if length < 0:
        raise ValueError("a message body has a negative length")
    return int(length)


def batch_rows(metadata: bytes) -> int | None:
    """How many rows a record batch has; None for another message."""
    table = root(metadata)
    kind, header = field(metadata, table, 1), field(metadata, table, 2)
    if kind is None or header is None or metadata[kind] != _RECORD_BATCH:
        return None
    position = field(metadata, follow(metadata, header), 0)
    rows = 0 if position is None else int(struct.unpack_from("<q", metadata, position)[0])
    return rows if rows >= 0 else None


def _batch(metadata: bytes) -> tuple[int | None, list[tuple[int, int]]] | None:
    """Compression and buffers (offset, length) of a record or dictionary batch; None for another message."""
    table = root(metadata)
    kind, header = field(metadata, table, 1), field(metadata, table, 2)
    if kind is None or header is None or metadata[kind] not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return None
    batch = follow(metadata, header)
    if metadata[kind] == _DICTIONARY_BATCH:
        inner = field(metadata, batch, 1)
        if inner is None:
            return None
        batch = follow(metadata, inner)
    compression = field(metadata, batch, 3)
    codec: int | None = None
    if compression is not None:
        position = field(metadata, follow(metadata, compression), 0)
        codec = 0 if position is None else metadata[position]
    vector = field(metadata, batch, 2)
    if vector is None:
        return codec, []
    start = follow(metadata, vector)
    (count,) = struct.unpack_from("<I", metadata, start)
    if start + 4 + 16 * count > len(metadata):
        raise ValueError("a message declares more buffers than it holds")
    return codec, [struct.unpack_from("<qq", metadata, start + 4 + 16 * i) for i in range(count)]
