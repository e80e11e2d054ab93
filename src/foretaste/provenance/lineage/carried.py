"""Which rows of which input are in an output: by the hash of each row, every output row counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretaste.data import DataFile, open_file, row_hashes
from foretaste.errors import DataError, MissingExtraError

MOST_ROWS = 5_000_000
"""Rows up to which a file is compared row by row; of a larger one only the number of rows is known."""


@dataclass(frozen=True)
class DataShape:
    """The columns of a data file, how many rows it has, and the file where it can be compared."""

    columns: tuple[str, ...]
    rows: int
    file: DataFile | None


def shape(path: Path) -> DataShape | None:
    """What kind of table a file is; None where it is none that can be read."""
    try:
        opened = open_file(path)
        columns, known = tuple(opened.columns), opened.num_rows
        rows = known if known is not None else sum(batch.num_rows for batch in opened.batches())
    except (DataError, MissingExtraError):
        return None
    return DataShape(columns, rows, opened if rows <= MOST_ROWS else None)


def carried_rows(inputs: Sequence[DataShape | None], output: DataShape) -> dict[int, int]:
    """How many rows of the output come unchanged from each input, by the position of the input.

    Each row of the output is counted for the first input that has it. Rows are compared over the columns of
    the smaller of the two tables, which must all be in the other one.

    Returns
    -------
    dict
        Empty where not every row of the output is found in some input: then some were changed or made anew,
        and counting the others would say too little.

    Examples
    --------
    >>> import tempfile; from foretaste.data import write_table
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, values in (("a", [1, 2, 3]), ("b", [3, 4]), ("both", [2, 3, 3, 4])):
    ...     write_table(pa.table({"x": values, "y": ["z"] * len(values)}), folder / f"{name}.csv")
    >>> a, b, both = (shape(folder / f"{name}.csv") for name in ("a", "b", "both"))
    >>> carried_rows([a, b], both)
    {0: 2, 1: 2}
    """
    found: dict[int, int] = {}
    left: dict[tuple[str, ...], tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.int64]]]] = {}
    comparable = [(at, one, _common(one, output)) for at, one in enumerate(inputs) if one is not None]
    if len({columns for _, _, columns in comparable if columns}) != 1:
        return {}
    for at, one, columns in comparable:
        if not columns or one.file is None or output.file is None:
            continue
        if columns not in left:
            left[columns] = _counts(output.file, columns)
        values, remaining = left[columns]
        rows, number = _counts(one.file, columns)
        where = pc.index_in(rows, value_set=values)
        there = where.is_valid().to_numpy(zero_copy_only=False)
        places = where.drop_null().to_numpy()
        taken = np.minimum(number[there], remaining[places])
        remaining[places] -= taken
        found[at] = int(taken.sum())
    return found if sum(found.values()) == output.rows else {}


def _common(one: DataShape, output: DataShape) -> tuple[str, ...]:
    """Columns over which two tables are compared; none where neither has all those of the other."""
    a, b = set(one.columns), set(output.columns)
    common = a & b
    return tuple(sorted(common)) if common in (a, b) and len(common) > 1 else ()


def _counts(
    file: DataFile, columns: tuple[str, ...]
) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    pieces = [row_hashes(batch, columns) for batch in file.batches(list(columns))]
    whole = np.concatenate(pieces) if pieces else np.empty((0, 32), np.uint8)
    hashes = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(32), len(whole), [None, pa.py_buffer(np.ascontiguousarray(whole))]
    )
    counted = pc.value_counts(hashes)
    return counted.field("values"), counted.field("counts").to_numpy(zero_copy_only=False).copy()


__all__ = ["MOST_ROWS", "DataShape", "carried_rows", "shape"]
