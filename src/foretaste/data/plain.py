"""The few Arrow types that the floors above meet, whatever a file used.

===============================================  =========================================
stored as                                        read as
===============================================  =========================================
bool, integers, float32, float64                 unchanged
half float                                       float32
decimal                                          float64
string, large_string, string_view, utf8 json     string
binary, large_binary, fixed-size, binary_view    binary
struct of ``bytes`` and ``path`` (an image)      binary: the bytes
dictionary, run-end encoded                      its values
date32, time, duration, timestamp                unchanged
date64                                           timestamp[ms]
fixed-shape tensor                               unchanged
fixed-size list of numbers                       fixed-shape tensor
list, struct, map, union, interval               string: JSON text
null                                             null
another extension type                           its storage
===============================================  =========================================
"""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.data.names import unique_names
from foretaste.errors import DataError

_SPELLED = (date, time, timedelta, Decimal, UUID, complex, np.generic)
_LARGEST_STRING_CHUNK = 2**31 - 2**16


def plain_type(stored: pa.DataType) -> pa.DataType:
    """The type a column of type ``stored`` has once read (the table at the top of this module)."""
    if isinstance(stored, pa.FixedShapeTensorType):
        return stored
    if isinstance(stored, pa.BaseExtensionType):
        return plain_type(stored.storage_type)
    if pa.types.is_dictionary(stored) or pa.types.is_run_end_encoded(stored):
        return plain_type(stored.value_type)
    if pa.types.is_float16(stored):
        return pa.float32()
    if pa.types.is_decimal(stored):
        return pa.float64()
    if pa.types.is_large_string(stored) or pa.types.is_string_view(stored):
        return pa.string()
    if (
        pa.types.is_large_binary(stored)
        or pa.types.is_fixed_size_binary(stored)
        or pa.types.is_binary_view(stored)
    ):
        return pa.binary()
    if _is_encoded_image(stored):
        return pa.binary()
    if pa.types.is_date64(stored):
        return pa.timestamp("ms")
    if pa.types.is_fixed_size_list(stored) and _is_plain_number(stored.value_type) and stored.list_size > 0:
        return pa.fixed_shape_tensor(stored.value_type, [stored.list_size])
    if pa.types.is_nested(stored) or pa.types.is_interval(stored):
        return pa.string()
    return stored


def plain_schema(schema: pa.Schema) -> tuple[pa.Schema, str | None]:
    """``schema`` with plain types and unique names, without metadata; and a note where names were changed."""
    names, note = unique_names(schema.names)
    return pa.schema(
        [(name, plain_type(field.type)) for name, field in zip(names, schema, strict=True)]
    ), note


def plain_table(table: pa.Table) -> pa.Table:
    """``table`` with plain types and unique column names."""
    names, _ = unique_names(table.column_names)
    return pa.table([plain_column(column) for column in table.columns], names=names)


def plain_batch(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    """``batch`` with plain types; more than one where a text column no longer fits in one."""
    return plain_table(pa.Table.from_batches([batch])).to_batches()  # type: ignore[no-any-return]


def plain_column(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """One column with its plain type."""
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    target = plain_type(chunked.type)
    if target == chunked.type:
        return chunked
    chunks = [piece for chunk in chunked.chunks for piece in _plain_chunks(chunk, target)]
    return pa.chunked_array(chunks, type=target)


def _plain_chunks(array: pa.Array, target: pa.DataType) -> list[pa.Array]:
    stored = array.type
    if stored == target:
        return [array]
    if isinstance(stored, pa.BaseExtensionType):
        return _plain_chunks(array.storage, target)
    if pa.types.is_dictionary(stored):
        values = pa.concat_arrays(_plain_chunks(array.dictionary, target))
        return [values.take(array.indices)]
    if pa.types.is_run_end_encoded(stored):
        return _plain_chunks(pc.run_end_decode(array), target)
    if _is_encoded_image(stored):
        inner = array.field("bytes")
        return _plain_chunks(inner if array.null_count == 0 else pc.struct_field(array, "bytes"), target)
    if isinstance(target, pa.FixedShapeTensorType):
        return [pa.ExtensionArray.from_storage(target, array)]
    if pa.types.is_string(target) and (pa.types.is_nested(stored) or pa.types.is_interval(stored)):
        return [pa.array([_json_text(value) for value in array], target)]
    if pa.types.is_large_string(stored) or pa.types.is_large_binary(stored):
        return [part.cast(target) for part in _halved(array)]
    if pa.types.is_string_view(stored) or pa.types.is_binary_view(stored):
        try:
            return [array.cast(target)]
        except pa.ArrowNotImplementedError:  # before pyarrow 18
            return [pa.array(array.to_pylist(), target)]
    return [array.cast(target)]


def _halved(array: pa.Array) -> list[pa.Array]:
    if array.nbytes <= _LARGEST_STRING_CHUNK or len(array) <= 1:
        return [array]
    middle = len(array) // 2
    return _halved(array[:middle]) + _halved(array[middle:])


def _is_plain_number(stored: pa.DataType) -> bool:
    return bool(pa.types.is_integer(stored) or pa.types.is_float32(stored) or pa.types.is_float64(stored))


def _is_encoded_image(stored: pa.DataType) -> bool:
    """Whether this is how Hugging Face data sets store an image: its file and where that came from."""
    if not pa.types.is_struct(stored) or {field.name for field in stored} != {"bytes", "path"}:
        return False
    return bool(
        pa.types.is_binary(stored.field("bytes").type) or pa.types.is_large_binary(stored.field("bytes").type)
    )


def _json_text(value: pa.Scalar) -> str | None:
    return None if not value.is_valid else json_text(value.as_py())


def json_text(value: Any) -> str:
    """The one JSON spelling of a nested value: keys sorted, no spaces, non-ASCII characters as they are."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_json_default)


def _json_default(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, _SPELLED):
        return str(value)
    raise TypeError(f"Python objects of type {type(value).__name__}")  # whose text may change from run to run


def is_number(kind: pa.DataType) -> bool:
    """Whether `numeric_values` makes sense of a column of this plain type: bool, numbers, dates, times."""
    return bool(pa.types.is_boolean(kind) or is_measure(kind) or is_moment(kind))


def is_measure(kind: pa.DataType) -> bool:
    """Whether this is an integer, a float or a decimal type."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_moment(kind: pa.DataType) -> bool:
    """Whether this is a date, a timestamp, a time of day or a duration."""
    return bool(
        pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_time(kind)
        or pa.types.is_duration(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether this is a string type of any storage."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def numeric_values(column: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """A bool, number, date or time column as float64 ``[n]``; missing and infinite values are NaN.

    Dates and timestamps are seconds since 1970-01-01 (UTC where they have a zone), times of day and durations
    are seconds.

    Raises
    ------
    DataError
        For a column of any other plain type.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if is_moment(kind):
        if pa.types.is_date(kind):
            column, kind = column.cast(pa.timestamp("s")), pa.timestamp("s")
        scale = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[kind.unit]
        width = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        column = column.cast(width)
    elif is_number(kind):
        scale = 1.0
    else:
        raise DataError(f"a column of {kind} holds no numbers")
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    return values * scale
