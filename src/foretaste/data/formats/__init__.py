"""One file per format; `open_file` finds the one that a path needs."""

from foretaste.data.formats.choose import open_file
from foretaste.data.formats.opened import DataFile, Edits

__all__ = ["DataFile", "Edits", "open_file"]
