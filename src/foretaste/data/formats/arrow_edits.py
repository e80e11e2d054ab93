"""Changing single cells of a stored Arrow column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretaste.data.codes import as_text
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
    rows = np.array(sorted(cells), dtype=np.int64)
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    texts = [cells[int(row)] for row in rows]
    if not pa.types.is_dictionary(stored):
        return pc.replace_with_mask(column, pa.array(mask), _values(texts, stored))
    unified = column.unify_dictionaries()
    dictionary = unified.chunk(0).dictionary
    known = {as_text(value): index for index, value in enumerate(dictionary)}
    new = [text for text in dict.fromkeys(texts) if text not in known]
    if (
        new
    ):  # the dictionary of an Arrow file stays the same in all batches, so it is left alone where it can be
        known |= {text: len(dictionary) + i for i, text in enumerate(new)}
        dictionary = pa.concat_arrays([dictionary, _values(new, stored.value_type)])
    indices = pa.chunked_array([chunk.indices for chunk in unified.chunks], type=stored.index_type)
    replacements = pa.array([known[text] for text in texts], stored.index_type)
    edited = pc.replace_with_mask(indices, pa.array(mask), replacements)
    chunks = [pa.DictionaryArray.from_arrays(c, dictionary, ordered=stored.ordered) for c in edited.chunks]
    return pa.chunked_array(chunks, type=stored)


def _values(texts: Sequence[str], kind: pa.DataType) -> pa.Array:
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([text.encode() for text in texts], kind)
    if pa.types.is_float16(kind):
        return pa.array([np.float16(text) for text in texts], kind)
    return pa.array(texts, pa.string()).cast(kind)
