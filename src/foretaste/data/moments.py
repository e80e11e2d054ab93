"""When a row came: dates, timestamps, numbers and ISO 8601 text as seconds."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.plain import is_number, is_text, numeric_values
from foretaste.errors import DataError


def seconds(column: pa.ChunkedArray, *, name: str, file: object = None) -> NDArray[np.float64]:
    """A time column as seconds ``[n]``; missing values are NaN.

    Dates and timestamps count from 1970-01-01, in UTC where they name a zone. Text is read as ISO 8601 or
    as a number; numbers are taken as they are.

    Raises
    ------
    DataError
        Where a value is no time, or the column holds something else.
    """
    if is_number(column.type) or pa.types.is_null(column.type):
        return numeric_values(column)
    if not is_text(column.type):
        raise DataError(f"it holds {column.type}, not times", file=file, column=name)
    result = np.full(len(column), np.nan)
    seen: dict[str, float] = {}
    for row, text in enumerate(column.to_pylist()):
        if text is None or not text.strip():
            continue
        if text not in seen:
            seen[text] = _parse(text.strip(), row, name, file)
        result[row] = seen[text]
    return result


def _parse(text: str, row: int, name: str, file: object) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(
            f"{text[:40]!r} is not a time",
            file=file,
            column=name,
            row=row,
            hint="write it as 2026-11-20T12:00:00",
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
