"""Changing single cells of a stored Arrow column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretaste.data.formats.opened import Edits
from foretaste.errors import DataError


def edit_table(
    table: pa.Table, names: Sequence[str], edits: Edits | None, start: int, *, file: object
) -> pa.Table:
    """``table``, whose first row is row ``start`` of the file, with the edits that fall into it.

    ``names`` are its columns under the names that `Edits` uses.
    """
    for column, cells in (edits or {}).items():
        here = {row - start: text for row, text in cells.items() if start <= row < start + table.num_rows}
        if here:
            position = list(names).index(column)
            try:
                edited = edit_column(table.column(position), here)
            except (pa.ArrowException, NotImplementedError) as error:
                raise DataError(
                    f"values of type {table.schema.field(position).type} cannot be rewritten ({error})",
                    file=file,
                    column=column,
                    hint="clean without --relabel",
                ) from error
            table = table.set_column(position, table.schema.field(position), edited)
    return table


def edit_column(column: pa.ChunkedArray, cells: Mapping[int, str]) -> pa.ChunkedArray:
    """The column with the text of ``cells`` in these rows, in the stored type."""
    stored = column.type
    plain = column.cast(stored.value_type) if pa.types.is_dictionary(stored) else column
    rows = np.array(sorted(cells), dtype=np.int64)
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    values = pa.array([cells[int(row)] for row in rows], pa.string()).cast(plain.type)
    edited = pc.replace_with_mask(plain, pa.array(mask), values)
    if not pa.types.is_dictionary(stored):
        return edited
    encoded = edited.dictionary_encode().unify_dictionaries()
    return pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(
                chunk.indices.cast(stored.index_type), chunk.dictionary, ordered=stored.ordered
            )
            for chunk in encoded.chunks
        ],
        type=stored,
    )
