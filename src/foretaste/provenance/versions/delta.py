"""Versions as versions of a Delta Lake table."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from foretaste.data import open_file
from foretaste.errors import DataError, MissingExtraError
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.versions.files import named_copies
from foretaste.provenance.versions.history import Version


def write_delta(ledger: Ledger, version: Version, folder: Path) -> int:
    """Make the rows of a version the next version of a Delta table; gives its number there.

    The commit says which version, entry and root it is. That is a pointer and no proof: a Delta log can be
    edited. Compare the table with the ledger's version to know.

    Parameters
    ----------
    ledger : Ledger
    version : Version
        Of one or several tables with the same columns.
    folder : Path
        A Delta table, or where to make one.

    Raises
    ------
    MissingExtraError
        Where ``deltalake`` is not installed.
    DataError
        Where the version is no table, or Delta cannot hold it.
    IntegrityError
        Where a copy in the store was altered.
    """
    try:
        from deltalake import CommitProperties, DeltaTable, write_deltalake
    except ImportError:
        raise MissingExtraError("Delta Lake storage", "delta") from None
    if folder.exists() and any(folder.iterdir()) and not (folder / "_delta_log").is_dir():
        raise DataError("it holds something that is no Delta table", file=folder, hint="name a new folder")
    with named_copies(ledger, version) as paths:
        tables = [open_file(path).read() for path in paths]
    said = {
        "foretaste.version": version.key,
        "foretaste.ledger": ledger.verifier.name,
        "foretaste.entry": str(version.entry),
        "foretaste.roots": ",".join(root or "" for root in version.roots),
    }
    try:
        write_deltalake(
            folder,
            pa.concat_tables(tables, promote_options="permissive"),
            mode="overwrite",
            schema_mode="overwrite",
            commit_properties=CommitProperties(custom_metadata=said),
        )
        return int(DeltaTable(folder).version())
    except Exception as error:  # it has no common class for what it cannot hold
        text = " ".join(str(error).split())[:200]
        raise DataError(f"{version.key} cannot be written as a Delta table ({text})", file=folder) from None


__all__ = ["write_delta"]
