"""Whether a column can be the label."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretaste.data.plain import is_measure
from foretaste.errors import DataError

_MOST_NUMBERS = 20


def check_label(column: pa.ChunkedArray, name: str, *, file: object = None) -> list[str]:
    """Remarks on a label column: missing labels, a single class.

    Raises
    ------
    DataError
        Where no row has a label, where the values are no classes at all (tensors, binary), or where they are
        measured on a scale: that is regression, which a scan for wrong classes cannot judge.
    """
    rows = len(column)
    if isinstance(column.type, pa.FixedShapeTensorType) or pa.types.is_binary(column.type):
        raise DataError(f"it holds {column.type}, which cannot be a label", file=file, column=name)
    present = column.drop_null()
    if pa.types.is_floating(column.type):
        present = present.filter(pc.invert(pc.is_nan(present)))
    if rows and not len(present):
        raise DataError(
            "every label is missing", file=file, column=name, hint="name another column with --label"
        )
    distinct = pc.count_distinct(present).as_py() if rows else 0
    if is_measure(column.type) and _is_scale(present, distinct, rows):
        raise DataError(
            f"its {distinct} different numbers are a quantity, not classes",
            file=file,
            column=name,
            hint="regression labels are not scanned; put them into classes first",
        )
    notes = []
    if len(present) < rows:
        notes.append(f"{rows - len(present)} of {rows} rows have no label")
    if distinct == 1:
        notes.append("all rows have the same label")
    return notes


def check_quantity(column: pa.ChunkedArray, name: str, *, file: object = None) -> None:
    """Refuse a column that holds no numbers to predict.

    Raises
    ------
    DataError
        Where it holds anything but numbers, or none at all.
    """
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(
            f"it holds {column.type}, not numbers to predict",
            file=file,
            column=name,
            hint="name another --label",
        )
    if column.null_count == len(column):
        raise DataError("every label is missing", file=file, column=name, hint="name another --label")


def _is_scale(present: pa.ChunkedArray, distinct: int, rows: int) -> bool:
    values = present.to_numpy().astype(np.float64)
    if distinct > _MOST_NUMBERS and not np.all(values == np.floor(values)):
        return True
    if distinct <= max(50, 0.05 * rows):
        return False
    return bool(values.max() - values.min() + 1 > 2 * distinct)  # class numbers leave few gaps
