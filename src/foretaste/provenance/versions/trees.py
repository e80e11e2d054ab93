"""The trees of a version: a manifest per file, kept in the ledger's store beside the file."""

from __future__ import annotations

from pathlib import Path

from foretaste.errors import DataError, IntegrityError, MissingExtraError
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.manifest import Manifest, build_manifest


def tree_of(path: Path, previous: Manifest | None = None) -> Manifest | None:
    """The manifest of a file or folder; None where it is a table that cannot be read.

    Parameters
    ----------
    path : Path
    previous : Manifest, optional
        Of the version before: only what changed since then is read.
    """
    try:
        return build_manifest(path, previous=previous).manifest
    except (DataError, MissingExtraError):
        return None


def stored_tree(ledger: Ledger, sha256: str | None) -> Manifest | None:
    """A manifest out of the store; None where there is none.

    Raises
    ------
    IntegrityError
        Where it was altered or lost.
    """
    if sha256 is None:
        return None
    try:
        return Manifest.parse(ledger.store.get_bytes(sha256))
    except IntegrityError as error:
        raise IntegrityError(f"the manifest of a version cannot be used: {error}") from None


__all__ = ["stored_tree", "tree_of"]
