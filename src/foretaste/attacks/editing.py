"""Edits an attack makes: set cells and labels, put new rows among the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.data.dataset import Dataset, as_text
from foretaste.errors import DataError

Rows = NDArray[np.int64]


def set_cells(table: pa.Table, column: str, rows: Rows, values: Sequence[Any] | pa.Array) -> pa.Table:
    """Replace the cells of one column at ``rows``; the column keeps its type.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        In any order, without repeats.
    values : sequence of length n
        Python values (text where the type has no other form in JSON) or an Arrow array, one for each row.

    Raises
    ------
    DataError
        When a value does not fit the type of the column.

    Examples
    --------
    >>> set_cells(pa.table({"a": [1, 2, 3]}), "a", np.array([2, 0]), [9, 8])["a"].to_pylist()
    [8, 2, 9]
    """
    if not len(rows):
        return table
    old = table.column(column)
    plain = plain_type(old.type)
    order = np.argsort(rows, kind="stable")
    mask = np.zeros(table.num_rows, dtype=bool)
    mask[rows] = True
    new = _as_type(values, plain, column).take(pa.array(order))
    changed = pc.replace_with_mask(old.cast(plain), pa.array(mask), new)
    return table.set_column(table.column_names.index(column), column, changed.cast(old.type))


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values of a column, dictionary-encoded or not."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _as_type(values: Sequence[Any] | pa.Array, kind: pa.DataType, column: str) -> pa.Array:
    try:
        if isinstance(values, (pa.Array, pa.ChunkedArray)):
            array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
            return array.cast(kind)
        try:
            return pa.array(values, type=kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array([None if value is None else as_text(value) for value in values]).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        shown = name_first(values)
        raise DataError(
            f"{shown} does not fit a column of {kind}", column=column, hint="give another"
        ) from error


def name_first(values: Sequence[Any] | pa.Array) -> str:
    """The first value, for a message."""
    return repr(as_text(values[0])) if len(values) else "the value"


def interleave(table: pa.Table, new: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Rows]:
    """Put the rows of ``new`` at random places among those of ``table``, which keep their order.

    Returns
    -------
    table : pyarrow.Table
    original_row : ndarray of int64, shape (rows after,)
        Index of each row before, -1 for a new one.
    """
    before, added = table.num_rows, new.num_rows
    is_new = np.zeros(before + added, dtype=bool)
    is_new[rng.choice(before + added, size=added, replace=False)] = True
    order = np.empty(before + added, dtype=np.int64)
    order[is_new] = before + np.arange(added)
    order[~is_new] = np.arange(before)
    joined = pa.concat_tables([table, new.select(table.column_names).cast(table.schema)])
    return joined.take(pa.array(order)), np.where(is_new, -1, order)


def fresh_ids(old: pa.ChunkedArray, count: int, rng: np.random.Generator) -> list[Any]:
    """Ids that no row has: the next whole numbers, else random hexadecimal strings."""
    if pa.types.is_integer(old.type):
        last = pc.max(old).as_py()
        return [(-1 if last is None else last) + 1 + i for i in range(count)]
    taken = set(old.to_pylist())
    ids: list[str] = []
    while len(ids) < count:
        new = rng.bytes(8).hex()
        if new not in taken:
            taken.add(new)
            ids.append(new)
    return ids


def set_labels(dataset: Dataset, rows: Rows, codes: NDArray[Any], classes: pa.Array) -> Dataset:
    """Give ``rows`` the classes ``codes``, which index ``classes``."""
    assert dataset.roles.label is not None
    values = classes.take(pa.array(codes, type=pa.int64()))
    return replace(dataset, table=set_cells(dataset.table, dataset.roles.label, rows, values))
