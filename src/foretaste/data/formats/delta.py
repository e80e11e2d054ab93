"""Delta Lake tables: which Parquet files are the current version, as the transaction log says it.

Without its log, the folder of a table cannot be read: it also holds files that were deleted or replaced. The
log proves nothing by itself; whoever can write to it can rewrite it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from foretaste.errors import DataError, MissingExtraError

LOG = "_delta_log"
_NOT_READ = {"deletionVectors": "deletion vectors", "columnMapping": "mapped columns"}


def delta_files(place: Path) -> list[Path]:
    """The Parquet files of the current version, in the order of their names.

    Raises
    ------
    MissingExtraError
        Where ``deltalake`` is not installed.
    DataError
        Where the log cannot be read, names files outside of the folder, or the table is of a kind that is not
        read here: partitioned, with deletion vectors or with mapped columns.
    """
    try:
        from deltalake import DeltaTable
    except ImportError:
        raise MissingExtraError("reading a Delta table", "delta") from None
    try:
        table = DeltaTable(place)
        odd = _odd(table)
        files = [_path(uri, place) for uri in table.file_uris()]
    except Exception as error:  # it has no common class for what is wrong with a log
        if isinstance(error, DataError):
            raise
        text = " ".join(str(error).split())[:200]
        raise DataError(f"it cannot be read as a Delta table ({text})", file=place) from None
    if odd:
        raise DataError(f"it is a Delta table with {odd}", file=place, hint="write it anew without")
    if not files:
        raise DataError("the Delta table is empty", file=place)
    return sorted(files)


def _odd(table: Any) -> str:
    """What of a table would be read wrongly."""
    features = table.protocol().reader_features or ()
    odd = [said for feature, said in _NOT_READ.items() if feature in features]
    return "partitions" if table.metadata().partition_columns else ", ".join(odd)


def _path(uri: str, place: Path) -> Path:
    parsed = urlparse(uri)
    file = Path(unquote(parsed.path)) if parsed.scheme == "file" else Path(uri)
    if not file.resolve().is_relative_to(place.resolve()) or not file.is_file():
        raise DataError(f"its log names {file.name!r}, which is not in the folder", file=place)
    return place / file.resolve().relative_to(place.resolve())


__all__ = ["LOG", "delta_files"]
