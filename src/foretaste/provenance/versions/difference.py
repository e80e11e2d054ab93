"""What changed between two versions: their files, taken together as one table, compared row by row."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from foretaste.data import open_file, write_table
from foretaste.errors import DataError
from foretaste.provenance.difference import Difference, compare
from foretaste.provenance.manifest import Manifest


def difference(
    old: Sequence[Path],
    new: Sequence[Path],
    *,
    label: str | None = None,
    id: str | None = None,
    source: str | None = None,
    manifests: Sequence[Manifest | None] = (None, None),
) -> Difference:
    """Compare two versions of a data set row by row (`foretaste.provenance.difference`).

    Parameters
    ----------
    old, new : sequence of Path
        Their files, in order: one file or folder each, or several tables with the same columns.
    label, id, source : str, optional
        Columns by their part.
    manifests : two of Manifest or None
        Of old and new, where each is one file or folder: pieces that both have are not read.

    Raises
    ------
    DataError
        Where a file cannot be read, or the columns differ.
    """
    with tempfile.TemporaryDirectory(prefix="foretaste-diff-") as folder:
        before = _together(old, Path(folder) / "old.parquet")
        after = _together(new, Path(folder) / "new.parquet")
        return compare(before, after, label=label, id=id, source=source, manifests=manifests)


def _together(paths: Sequence[Path], place: Path) -> Path:
    """One path for the rows of all files."""
    if len(paths) == 1:
        return paths[0]
    tables = [open_file(path).read() for path in paths]
    names = {frozenset(table.column_names) for table in tables}
    if len(names) > 1:
        raise DataError("the files of this version do not have the same columns", file=paths[0].parent)
    write_table(pa.concat_tables(tables, promote_options="permissive"), place)
    return place


__all__ = ["difference"]
