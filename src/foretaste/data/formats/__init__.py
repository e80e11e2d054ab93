"""One file per format; `open_file` finds the one that a path needs."""

from foretaste.data.formats.choose import open_file
from foretaste.data.formats.opened import DataFile, Edits
from foretaste.data.formats.writing import table_writer, write_table

__all__ = ["DataFile", "Edits", "open_file", "table_writer", "write_table"]
