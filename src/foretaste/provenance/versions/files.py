"""The files of a version under their own names, without copying them: for readers that go by the name."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foretaste.errors import IntegrityError
from foretaste.provenance import listing
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.store import sha256_of
from foretaste.provenance.versions.history import Version
from foretaste.provenance.versions.restore import contents


@contextmanager
def named_copies(ledger: Ledger, version: Version) -> Iterator[list[Path]]:
    """Paths of the files and folders of a version, verified, for as long as the context lasts.

    Raises
    ------
    IntegrityError
        Where a copy in the store is missing or was altered.
    """
    with _beside(ledger) as folder:
        for name, sha256, _ in contents(ledger, version):
            copy = ledger.store.path(sha256)
            if not listing.is_below(name) or not copy.is_file() or sha256_of(copy)[0] != sha256:
                raise IntegrityError(
                    f"{name!r} of {version.key} was lost or altered; run foretaste ledger verify"
                )
            place = Path(folder) / name
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(copy, place)
            except OSError:  # another file system, or one without links
                shutil.copyfile(copy, place)
        yield [Path(folder) / record.name for record in version.files]


def _beside(ledger: Ledger) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder on the ledger's file system, or elsewhere where that cannot be written."""
    try:
        return tempfile.TemporaryDirectory(prefix="version-", dir=ledger.store.temporary)
    except OSError:
        return tempfile.TemporaryDirectory(prefix="foretaste-version-")


__all__ = ["named_copies"]
