"""Getting a version back: every file copied out of the store and compared with its hash on the way."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foretaste.data.atomic import appearing
from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import listing
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.versions.history import Version

_BLOCK = 2**20


@dataclass(frozen=True)
class Restored:
    """What was restored, and how long that took."""

    files: int
    bytes: int
    seconds: float


def contents(ledger: Ledger, version: Version) -> Iterator[tuple[str, str, int]]:
    """Relative name, SHA-256 and size of every single file of a version."""
    for record in version.files:
        if not record.folder:
            yield record.name, record.sha256, record.size
            continue
        for file in listing.decode(ledger.store.get_bytes(record.sha256)):
            yield f"{record.name}/{file.name}", file.sha256, file.size


def check_out(ledger: Ledger, version: Version, out: Path) -> Restored:
    """Write the files of a version to a folder, all of them or none.

    Parameters
    ----------
    ledger : Ledger
    version : Version
    out : Path
        A folder that does not exist or is empty.

    Raises
    ------
    DataError
        Where the folder holds something.
    IntegrityError
        Where a copy in the store is missing or is not what was committed: nothing is written then.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError("it holds something already", file=out, hint="name a new or an empty folder")
    started = time.perf_counter()
    files = size = 0
    with appearing(out) as folder:
        folder.mkdir()
        for name, sha256, _ in contents(ledger, version):
            if not listing.is_below(name):
                raise IntegrityError(f"{version.key} names a file outside of its folder, {name!r}")
            size += _copy(ledger.store.path(sha256), folder / name, sha256, f"{name!r} of {version.key}")
            files += 1
    return Restored(files, size, time.perf_counter() - started)


def drill(ledger: Ledger, version: Version) -> Restored:
    """Restore a version into a temporary folder, verified, and say how long it took."""
    with tempfile.TemporaryDirectory(prefix="foretaste-drill-") as folder:
        return check_out(ledger, version, Path(folder) / "restored")


def _copy(source: Path, target: Path, sha256: str, what: str) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as stream, target.open("xb") as out:
            while block := stream.read(_BLOCK):
                digest.update(block)
                size += len(block)
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
    except FileNotFoundError:
        raise IntegrityError(f"the store has lost {what}; run foretaste ledger verify") from None
    if digest.hexdigest() != sha256:
        raise IntegrityError(f"{what} was altered in the store; run foretaste ledger verify")
    return size


__all__ = ["Restored", "check_out", "contents", "drill"]
