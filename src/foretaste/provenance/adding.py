"""Adding files to a ledger: copied into its store, or, where they lie inside its folder, left in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foretaste.errors import DataError
from foretaste.provenance import listing
from foretaste.provenance.entries import Entry, FileRecord, Kept, now
from foretaste.provenance.ledger import CHECKPOINT, KEY_FILE, LOCK, PENDING, STORE, TILES, UNFINISHED, Ledger
from foretaste.provenance.store import sha256_of

_OWN = {CHECKPOINT, KEY_FILE, LOCK, PENDING, TILES, STORE, UNFINISHED}


def add_files(
    ledger: Ledger,
    paths: Sequence[str | Path],
    *,
    kind: str = "ingest",
    source: str | None = None,
    note: str | None = None,
    details: Mapping[str, Any] | None = None,
    copy: bool = True,
    time: str | None = None,
) -> range:
    """Add files or folders, one entry each.

    Parameters
    ----------
    ledger : Ledger
    paths : sequence of path
        Files, or folders with all files below them.
    kind, source, note, details, time
        As in `Entry`.
    copy : bool
        Whether files from outside the ledger's folder are copied into its store; otherwise only their hashes
        are kept, and the ledger can tell whether a file is the one that was added, but not give it back.

    Returns
    -------
    range
        The numbers of the entries.

    Raises
    ------
    DataError, IntegrityError
    """
    records = [record(ledger, Path(path), copy=copy) for path in paths]
    moment = time or now()
    return ledger.append(
        Entry(kind, moment, (made,), source=source, note=note, details=dict(details or {}))
        for made in records
    )


def record(ledger: Ledger, path: Path, *, copy: bool = True) -> FileRecord:
    """Hash a file or folder, copy what is to be copied, and say what an entry says about it."""
    real, home = path.resolve(strict=True), ledger.folder.resolve()
    within = real.is_relative_to(home)
    if real == home or (within and real.relative_to(home).parts[0] in _OWN):
        raise DataError("it is part of the ledger itself", file=path, hint="add the data, not the ledger")
    kept: Kept = "place" if within else "store" if copy else "elsewhere"
    name = real.relative_to(home).as_posix() if within else path.name or real.name
    if real.is_dir():
        inside = listing.files_below(real)
        taken = _taken(ledger, [file for _, file in inside], kept)
        files = [listing.Listed(inner, *found) for (inner, _), found in zip(inside, taken, strict=True)]
        listed = ledger.store.put_bytes(listing.encode(files))
        total = sum(file.size for file in files)
        return FileRecord(listing.text_name(name), listed, total, kept, folder=True)
    ((sha256, size),) = _taken(ledger, [real], kept)
    return FileRecord(listing.text_name(name), sha256, size, kept)


def _taken(ledger: Ledger, files: Sequence[Path], kept: Kept) -> list[tuple[str, int]]:
    return ledger.store.put_all(files) if kept == "store" else [sha256_of(file) for file in files]
