"""The footer of an Arrow IPC file: where its batches lie, so that each can be known again by its bytes.

Reference: Arrow columnar format, "IPC File Format" (Footer in File.fbs, Schema in Schema.fbs).
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from pathlib import Path

from foretaste.data.formats.arrow_messages import MAGIC, batch_rows, body_length, field, follow, root
from foretaste.data.formats.extents import Extent

_BLOCK = 24
"""Bytes of a Block: int64 offset, int32 length of the metadata, four bytes of padding, int64 of the body."""


def batches_of_file(path: Path, common: bytes) -> list[Extent] | None:
    """The record batches of an Arrow file; None where what they hold does not depend on their bytes alone.

    Parameters
    ----------
    path : Path
    common : bytes
        What else says how to read them.

    Raises
    ------
    struct.error, IndexError, ValueError
        Where the file is not sound.
    """
    found = []
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        size = len(data) - len(MAGIC) - 4
        (length,) = struct.unpack_from("<i", data, size)
        if not 0 < length <= size:
            raise ValueError("the footer is longer than the file")
        footer = data[size - length : size]
        table = root(footer)
        schema, dictionaries, batches = (field(footer, table, number) for number in (1, 2, 3))
        if schema is None or _count(footer, dictionaries) or _is_big_endian(footer, follow(footer, schema)):
            return None
        version = field(footer, table, 0)
        start = hashlib.sha256(b"foretaste record batch 1\n" + len(common).to_bytes(8, "little") + common)
        start.update(b"" if version is None else footer[version : version + 2])
        for number in range(_count(footer, batches)):
            assert batches is not None
            at = follow(footer, batches) + 4 + number * _BLOCK
            offset, head, body = struct.unpack_from("<qi4xq", footer, at)
            if offset < 0 or head <= 8 or body < 0 or offset + head + body > size:
                return None
            if struct.unpack_from("<I", data, offset)[0] != 0xFFFFFFFF:
                return None  # of a version before 0.15
            metadata = data[offset + 8 : offset + head]
            rows = batch_rows(metadata)
            if rows is None or body_length(metadata) != body:
                return None
            digest = start.copy()
            digest.update(struct.pack("<iq", head, body))
            digest.update(memoryview(data)[offset : offset + head + body])
            found.append(Extent(rows, digest.hexdigest()))
    return found


def _count(footer: bytes, vector: int | None) -> int:
    if vector is None:
        return 0
    at = follow(footer, vector)
    (count,) = struct.unpack_from("<I", footer, at)
    if at + 4 + count * _BLOCK > len(footer):
        raise ValueError("the footer declares more batches than it holds")
    return int(count)


def _is_big_endian(footer: bytes, schema: int) -> bool:
    position = field(footer, schema, 0)
    return position is not None and bool(struct.unpack_from("<h", footer, position)[0])


__all__ = ["batches_of_file"]
