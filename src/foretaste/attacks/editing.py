"""Edits an attack makes to a table: set cells, set labels, put new rows among the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.data.dataset import Dataset

Rows = NDArray[np.int64]


def set_cells(dataset: Dataset, column: str, rows: Rows, values: Sequence[Any] | pa.Array) -> Dataset:
    """Replace the cells of one column at ``rows`` (any order, no repeats); the column keeps its type.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
    values : sequence of length n
        Python values or an Arrow array, one for each row.

    Examples
    --------
    >>> set_cells(Dataset(pa.table({"a": [1, 2, 3]})), "a", np.array([2, 0]), [9, 8]).column("a").to_pylist()
    [8, 2, 9]
    """
    if not len(rows):
        return dataset
    old = dataset.column(column)
    coded = pa.types.is_dictionary(old.type)
    plain = old.cast(old.type.value_type) if coded else old
    new = values if isinstance(values, pa.Array) else pa.array(values, type=plain.type)
    order = np.argsort(rows, kind="stable")
    mask = np.zeros(len(dataset), dtype=bool)
    mask[rows] = True
    changed = pc.replace_with_mask(plain, pa.array(mask), new.cast(plain.type).take(pa.array(order)))
    return dataset.with_column(column, changed.cast(old.type) if coded else changed)


def set_labels(dataset: Dataset, rows: Rows, codes: NDArray[Any]) -> Dataset:
    """Give ``rows`` the classes ``codes`` (indices into ``dataset.labels.values``)."""
    assert dataset.roles.label is not None
    values = dataset.labels.values.take(pa.array(codes, type=pa.int64()))
    return set_cells(dataset, dataset.roles.label, rows, values)


def interleave(dataset: Dataset, new: pa.Table, rng: np.random.Generator) -> tuple[Dataset, Rows]:
    """Put the rows of ``new`` at random places among those of ``dataset``, which keep their order.

    Returns
    -------
    data : Dataset
    original_row : ndarray of int64, shape (rows after,)
        Index of each row before, -1 for a new one.
    """
    before, added = len(dataset), new.num_rows
    places = np.sort(rng.choice(before + added, size=added, replace=False))
    is_new = np.zeros(before + added, dtype=bool)
    is_new[places] = True
    order = np.empty(before + added, dtype=np.int64)
    order[is_new] = before + np.arange(added)
    order[~is_new] = np.arange(before)
    joined = pa.concat_tables(
        [dataset.table, new.select(dataset.table.column_names).cast(dataset.table.schema)]
    )
    return replace(dataset, table=joined.take(pa.array(order))), np.where(is_new, -1, order)


def fresh_ids(dataset: Dataset, new: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Give injected rows an id of their own where the data have an id column."""
    column = dataset.roles.id
    if column is None:
        return new
    old = dataset.column(column)
    count = new.num_rows
    if pa.types.is_integer(old.type):
        last = pc.max(old).as_py() or 0
        ids: list[Any] = [last + 1 + i for i in range(count)]
    else:
        ids = [rng.bytes(8).hex() for _ in range(count)]
    position = new.column_names.index(column)
    return new.set_column(
        position, column, pa.array(ids, type=pa.string() if not pa.types.is_integer(old.type) else old.type)
    )
