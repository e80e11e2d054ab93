"""NumPy's ``.npy``: an array of numbers is data, an array of objects is a pickle behind a header."""

from __future__ import annotations

import ast
import struct

from foretaste.provenance.model_files.part import Part
from foretaste.provenance.model_files.pickles import examine_pickle

MAGIC = b"\x93NUMPY"
_HEADER_BYTES = 10_000
"""Longest header that NumPy itself takes from a stranger."""


def examine_npy(part: Part) -> None:
    """Check the header; follow the pickle where the array holds objects."""
    part.inspection.holds("npy")
    head = part.bytes(0, 12)
    if len(head) < 10:
        part.report("malformed", "bad-array", "it ends in the middle of its header")
        return
    wide = head[6] >= 2
    (size,) = struct.unpack_from("<I" if wide else "<H", head.ljust(12, b"\0"), 8)
    begin = 12 if wide else 10
    described = _described(part.bytes(begin, min(size, _HEADER_BYTES))) if size <= _HEADER_BYTES else None
    if described is None:
        part.report("malformed", "bad-array", "its header is not that of an array", 8)
    if described is None or _objects(described):
        part.report("note", "object-array", "it is an array of Python objects, stored as a pickle")
        examine_pickle(_rest(part, min(begin + size, len(part))))


def _described(raw: bytes) -> object | None:
    try:
        header = ast.literal_eval(raw.decode("latin-1").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return header.get("descr") if isinstance(header, dict) else None


def _objects(descr: object) -> bool:
    return "O" in repr(descr).replace("datetime", "")


def _rest(part: Part, offset: int) -> Part:
    return Part(
        part.data, part.start + offset, part.end, part.member, part.depth, part.inspection, part.look,
        part.allowed, part.budget,
    )  # fmt: skip


__all__ = ["MAGIC", "examine_npy"]
