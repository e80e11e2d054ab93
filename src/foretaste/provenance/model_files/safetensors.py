"""safetensors: a JSON header with bounds, then numbers. Nothing in it can run; a wrong bound can still lie.

After the format description of the safetensors project (0.4) and its audit by Trail of Bits, 2023.
"""

from __future__ import annotations

import json
import struct
from math import prod
from typing import Any

from foretaste.provenance.model_files.part import Part

HEADER_BYTES = 100_000_000
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F4": 4,
    "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64,
    "I64": 64, "U64": 64,
}  # fmt: skip


def is_safetensors(part: Part) -> bool:
    """Whether the part begins with a header of that format, sound or not."""
    head = part.bytes(0, 9)
    return len(head) == 9 and head[8:] == b"{" and struct.unpack("<Q", head[:8])[0] <= HEADER_BYTES


def examine_safetensors(part: Part) -> None:
    """Check that the tensors tile the file without gap or overlap, as the format demands."""
    part.inspection.holds("safetensors")
    size = struct.unpack("<Q", part.bytes(0, 8).ljust(8, b"\0"))[0]
    if size > HEADER_BYTES or size > len(part) - 8:
        _wrong(part, f"its header claims {size:,} bytes of {max(0, len(part) - 8):,}")
        return
    try:
        header = json.loads(part.bytes(8, size).decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        _wrong(part, f"its header is not sound JSON ({str(error)[:80]})")
        return
    if not isinstance(header, dict):
        _wrong(part, "its header is no JSON object")
        return
    notes = header.pop("__metadata__", {})
    if not isinstance(notes, dict) or not all(isinstance(v, str) for v in notes.values()):
        _wrong(part, "its __metadata__ is not a mapping of text to text")
    spans = []
    for name, tensor in header.items():
        problem, span = _span(tensor)
        if problem:
            _wrong(part, f"its tensor {name[:80]!r} {problem}")
            return
        spans.append(span)
    _check_tiles(part, sorted(spans), len(part) - 8 - size)


def _check_tiles(part: Part, spans: list[tuple[int, int]], room: int) -> None:
    at = 0
    for start, end in spans:
        if start != at:
            words = "overlap" if start < at else "leave a gap, in which anything can hide"
            _wrong(part, f"its tensors {words} at byte {min(start, at):,} of the data")
            return
        at = end
    if at != room:
        _wrong(part, f"its tensors take {at:,} bytes and the file has {room:,}")


def _span(tensor: Any) -> tuple[str, tuple[int, int]]:
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        return "does not have dtype, shape and data_offsets", (0, 0)
    bits, shape, offsets = _BITS.get(str(tensor["dtype"])), tensor["shape"], tensor["data_offsets"]
    if bits is None:
        return f"has the unknown type {str(tensor['dtype'])[:20]!r}", (0, 0)
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2 or len(shape) > 64:
        return "has a shape or offsets that are no counts", (0, 0)
    start, end = offsets
    if (end - start) * 8 != prod(shape) * bits:
        return f"has {end - start:,} bytes and its shape needs {prod(shape) * bits // 8:,}", (0, 0)
    return "", (start, end)


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**63 for item in value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _wrong(part: Part, words: str) -> None:
    part.report("malformed", "bad-safetensors", words)


__all__ = ["examine_safetensors", "is_safetensors"]
