"""Arrow's CSV reader, told what a block of records is to be read as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.csv as arrow_csv

from foretaste.data.formats.csv_records import Dialect
from foretaste.data.formats.csv_types import FALSE, MISSING, TRUE


def read_block(
    data: bytes,
    columns: Sequence[str],
    dialect: Dialect,
    types: Mapping[str, pa.DataType],
    handler: Callable[[arrow_csv.InvalidRow], str] | None = None,
) -> pa.Table:
    """The rows of a block of whole records.

    Parameters
    ----------
    data : bytes
        In UTF-8, without a header.
    columns : sequence of str
        Names of all columns.
    dialect : Dialect
    types : mapping
        Which columns are wanted, as what; all of them, as Arrow infers it, where it is empty.
    handler : callable, optional
        Told of rows with too few or too many fields; then one thread reads, so that rows have numbers.

    Raises
    ------
    pyarrow.ArrowInvalid
        Where the block cannot be read like that.
    """
    return arrow_csv.read_csv(
        pa.BufferReader(data),
        read_options=arrow_csv.ReadOptions(
            column_names=columns, use_threads=handler is None, block_size=len(data) + 1
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=dialect.delimiter.decode(),
            quote_char='"' if dialect.quoting else False,
            newlines_in_values=dialect.quoting,
            invalid_row_handler=handler,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=MISSING,
            true_values=TRUE,
            false_values=FALSE,
        ),
    )


__all__ = ["read_block"]
