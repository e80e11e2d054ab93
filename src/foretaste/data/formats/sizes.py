"""What a table costs in memory, before it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.formats.opened import DataFile
from foretaste.data.limits import Limits
from foretaste.errors import DataError


def fixed_width(schema: pa.Schema) -> float:
    """Bytes that one row takes in memory at least."""
    width = 0.0
    for field in schema:
        kind = field.type.storage_type if isinstance(field.type, pa.FixedShapeTensorType) else field.type
        try:
            width += kind.bit_width / 8
        except ValueError:
            width += 4
    return width


def check_table_size(data: DataFile, limits: Limits) -> None:
    """Raise `DataError` where all of ``data`` at once would take more memory than ``limits`` allow."""
    check_bytes((data.num_rows or 0) * (data.bytes_per_row or 0.0), data.path, limits)


def check_mask(keep: NDArray[np.bool_], rows: int, path: Path) -> None:
    """Raise `DataError` where ``keep`` is not about the ``rows`` that ``path`` has."""
    if len(keep) != rows:
        raise DataError(f"it has {rows} rows and {len(keep)} were to be judged", file=path)


def check_bytes(size: float, path: Path, limits: Limits) -> None:
    """Raise `DataError` where a table of ``size`` bytes is more than ``limits`` allow."""
    if size > limits.table_bytes:
        raise DataError(
            f"it needs {size / 2**30:.3g} GiB or more; {limits.table_bytes / 2**30:.3g} are allowed",
            file=path,
            hint="scan a sample of it, or check where it comes from",
        )
