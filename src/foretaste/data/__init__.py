"""Rows with roles: readers, writers, column profile, content hashes."""

from foretaste.data.arrays import images_from_tensor
from foretaste.data.codes import Codes, as_text, encode
from foretaste.data.containers import as_dataset, from_arrays, rows_of, table_like
from foretaste.data.dataset import Dataset
from foretaste.data.formats import DataFile, open_file, write_table
from foretaste.data.limits import Limits
from foretaste.data.plain import numeric_values
from foretaste.data.roles import ColumnNote, Roles
from foretaste.data.rows import TableHash, file_sha256, row_hashes, table_hash
from foretaste.data.stored import in_words, stored_numbers

__all__ = [
    "Codes",
    "ColumnNote",
    "DataFile",
    "Dataset",
    "Limits",
    "Roles",
    "TableHash",
    "as_dataset",
    "as_text",
    "encode",
    "file_sha256",
    "from_arrays",
    "images_from_tensor",
    "in_words",
    "numeric_values",
    "open_file",
    "row_hashes",
    "rows_of",
    "stored_numbers",
    "table_hash",
    "table_like",
    "write_table",
]
