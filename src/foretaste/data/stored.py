"""The numbers a column is stored as, those of dates and times too, and in words again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.data.codes import as_text

_EXACT = 2.0**53


def stored_numbers(column: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """A column of numbers or moments as float64 ``[n]``, moments in their own unit; missing values are NaN.

    Examples
    --------
    >>> from datetime import date
    >>> stored_numbers(pa.array([date(1970, 1, 3), None])).tolist()
    [2.0, nan]
    """
    if pa.types.is_temporal(column.type):
        column = column.cast(_whole(column.type))
    return np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy(), np.float64)


def in_words(number: float, kind: pa.DataType | None = None) -> str:
    """The moment of this type that a stored number stands for, as `as_text` writes it; to the microsecond.

    Without a type it is a number: a whole one in full, another to six digits.

    Examples
    --------
    >>> in_words(2.0, pa.date32())
    '1970-01-03'
    >>> in_words(60e6, pa.timestamp("us", tz="UTC"))
    '1970-01-01 00:01:00+00:00'
    >>> in_words(1787000000.0), in_words(2 / 3)
    ('1787000000', '0.666667')
    """
    if kind is None:
        return f"{number:.0f}" if abs(number) < _EXACT and number == round(number) else f"{number:.6g}"
    if not pa.types.is_date(kind) and kind.unit == "ns":
        number, kind = number / 1000, _of_microseconds(kind)
    try:
        return as_text(pa.scalar(round(number), _whole(kind)).cast(kind))
    except (ValueError, OverflowError):  # a year that Python does not know
        return str(pa.scalar(round(number), _whole(kind)).cast(kind).cast(pa.string()))


def _whole(kind: pa.DataType) -> pa.DataType:
    return pa.int32() if kind.bit_width == 32 else pa.int64()


def _of_microseconds(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.time64("us") if pa.types.is_time(kind) else pa.duration("us")
