"""The canonical bytes of cells: a head of nine bytes and, for text, binary, tensors and times, a body.

``docs/formats.md`` specifies them byte by byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.data.plain import is_text

Bytes2D = NDArray[np.uint8]
HEAD = 9

_HEAD = np.dtype([("tag", "u1"), ("payload", "<i8")])
_MISSING, _TRUTH, _INTEGER, _LARGE, _FLOAT = b"-", b"b", b"i", b"u", b"f"
_STRING, _BINARY, _TENSOR = b"s", b"x", b"a"
_WALL, _INSTANT, _CLOCK, _DURATION = b"t", b"z", b"c", b"p"
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def cell_parts(column: pa.Array) -> list[Bytes2D | pa.Array]:
    """One column of plain type as parts to be joined row by row: ``[n, k]`` uint8 or a large_binary array."""
    kind = column.type
    n = len(column)
    if isinstance(kind, pa.FixedShapeTensorType):
        return _tensor(column)
    if pa.types.is_null(kind):
        return [_heads(_MISSING, np.zeros(n, np.int64), None)]
    present = _present(column)
    if is_text(kind) or pa.types.is_binary(kind):
        body = column.cast(pa.large_binary())
        lengths = _filled(pc.binary_length(body), 0)
        return [_heads(_STRING if is_text(kind) else _BINARY, lengths, present), body]
    if pa.types.is_boolean(kind):
        values = _filled(column, False).astype(np.int64)
        return [_heads(_TRUTH, values, present)]
    if pa.types.is_floating(kind):
        return [_floats(_filled(column, np.nan).astype(np.float64, copy=False))]
    if pa.types.is_integer(kind):
        values = _filled(column, 0)
        if values.dtype != np.uint64:
            return [_heads(_INTEGER, values.astype(np.int64, copy=False), present)]
        heads = _heads(_INTEGER, values.view(np.int64), present)
        heads[(True if present is None else present) & (values >= 2**63), 0] = ord(_LARGE)
        return [heads]
    return _moments(column, present)


def _present(column: pa.Array) -> NDArray[np.bool_] | None:
    """Which values are there; None where all are."""
    if not column.null_count:
        return None
    found: NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return found


def _filled(column: pa.Array, value: Any) -> NDArray[Any]:
    """The values, one in place of what is missing."""
    whole = pc.fill_null(column, value) if column.null_count else column
    found: NDArray[Any] = whole.to_numpy(zero_copy_only=False)
    return found


def _heads(tag: bytes, payload: NDArray[Any], present: NDArray[np.bool_] | None) -> Bytes2D:
    heads = np.empty(len(payload), dtype=_HEAD)  # filled eight bytes at a time, not byte by byte
    heads["tag"] = ord(tag)
    heads["payload"] = payload.astype("<i8", copy=False).view("<i8")
    if present is not None:
        heads[~present] = (ord(_MISSING), 0)
    return heads.view(np.uint8).reshape(-1, HEAD)


def _floats(values: NDArray[np.float64]) -> Bytes2D:
    """Equal numbers have equal bytes: 1.0 is the integer 1, -0.0 is 0, and NaN is missing."""
    missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        whole = np.floor(values) == values
    payload = np.ascontiguousarray(values, dtype="<f8").view("<i8")
    present = ~missing if missing.any() else None
    if not whole.any():
        return _heads(_FLOAT, payload, present)
    whole &= (np.abs(values) < 2.0**64) & (values >= -(2.0**63))
    large = whole & (values >= 2.0**63)
    whole &= ~large
    payload = payload.copy()
    payload[whole] = values[whole].astype(np.int64)
    payload[large] = values[large].astype(np.uint64).view(np.int64)
    heads = _heads(_FLOAT, payload, present)
    heads[whole, 0] = ord(_INTEGER)
    heads[large, 0] = ord(_LARGE)
    return heads


def _moments(column: pa.Array, present: NDArray[np.bool_] | None) -> list[Bytes2D | pa.Array]:
    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("s"))
        kind = column.type
    if pa.types.is_time(kind):
        tag = _CLOCK
    elif pa.types.is_duration(kind):
        tag = _DURATION
    else:
        tag = _WALL if kind.tz is None else _INSTANT
    width = pa.int32() if pa.types.is_time32(kind) else pa.int64()
    ticks = _filled(column.cast(width), 0).astype(np.int64)
    per_second = _PER_SECOND[kind.unit]
    seconds = np.floor_divide(ticks, per_second)
    fraction = (ticks - seconds * per_second) * (10**9 // per_second)
    body = fraction.astype("<u4").view(np.uint8).reshape(-1, 4)
    return _without_missing(np.concatenate([_heads(tag, seconds, present), body], axis=1), present)


def _tensor(column: pa.Array) -> list[Bytes2D | pa.Array]:
    kind = column.type
    dtype = np.dtype(kind.value_type.to_pandas_dtype()).newbyteorder("<")
    shape = tuple(kind.shape)
    intro = np.array([len(shape), *shape], dtype="<u8").tobytes() + dtype.str[1:].encode().ljust(8, b"\0")
    width = int(np.prod(shape)) * dtype.itemsize
    present = _present(column)
    if present is None and len(column):
        head = _heads(_TENSOR, np.full(len(column), len(intro) + width), None)
        intros = np.tile(np.frombuffer(intro, dtype=np.uint8), (len(column), 1))
        raw = np.ascontiguousarray(column.to_numpy_ndarray().astype(dtype, copy=False))
        return [head, intros, raw.reshape(len(column), -1).view(np.uint8)]
    block = np.zeros((len(column), HEAD + len(intro) + width), dtype=np.uint8)
    block[:, :HEAD] = _heads(_TENSOR, np.full(len(column), len(intro) + width), present)
    block[:, HEAD : HEAD + len(intro)] = np.frombuffer(intro, dtype=np.uint8)
    whole = column.filter(column.is_valid())
    if len(whole):
        raw = whole.to_numpy_ndarray().astype(dtype, copy=False)
        block[present, HEAD + len(intro) :] = np.ascontiguousarray(raw).reshape(len(whole), -1).view(np.uint8)
    return _without_missing(block, present)


def _without_missing(block: Bytes2D, present: NDArray[np.bool_] | None) -> list[Bytes2D | pa.Array]:
    """Cells of one width, of which a missing one has a head only."""
    if present is None:
        return [block]
    n, width = block.shape
    sizes = np.where(present, width, HEAD)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    data = np.ascontiguousarray(block[np.arange(width) < sizes[:, None]])
    return [
        pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        )
    ]
