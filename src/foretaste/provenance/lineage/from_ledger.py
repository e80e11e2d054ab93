"""The lineage graph made from a ledger, and activities written into one."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import listing
from foretaste.provenance.entries import Entry, FileRecord
from foretaste.provenance.genuine import GenuineEntries, genuine_entries
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.lineage.activity import Activity, Artefact
from foretaste.provenance.lineage.carried import shape
from foretaste.provenance.lineage.graph import LineageGraph
from foretaste.provenance.versions.history import Version, versions

_TELLING = ('"lineage":', '"kind":"version"', '"kind":"rollback"', '"kind":"ingest"')
"""What stands in entries that say anything about lineage."""
_KINDS = ("run", "train", "deploy", "ingest", "clean")


def write(ledger: Ledger, activity: Activity) -> int:
    """Append an activity to a ledger; gives the number of its entry."""
    kind = activity.kind if activity.kind in _KINDS else "note"
    command = activity.details.get("command")
    note = shlex.join(command)[:500] if isinstance(command, list) else None
    entry = Entry(kind, activity.time, note=note, details={"lineage": activity.as_json()})
    try:
        entry.encode()
    except DataError:
        environment = {k: v for k, v in activity.details.get("environment", {}).items() if k != "packages"}
        shorter = activity.as_json() | {"details": dict(activity.details) | {"environment": environment}}
        entry = Entry(kind, activity.time, note=note, details={"lineage": shorter})
    return ledger.append([entry])[0]


def synchronise(
    graph: LineageGraph, ledger: Ledger, *, rows: bool = True, entries: GenuineEntries | None = None
) -> int:
    """Take over what a ledger says that the graph does not have yet; gives the number of new activities.

    Without ``rows``, copies in the store are not opened to count theirs. ``entries`` are all entries, where
    they were read, and compared with the signed root, already.

    Raises
    ------
    IntegrityError
        Where the ledger's entries are not those that were signed.
    """
    entries = genuine_entries(ledger) if entries is None else entries
    origin = ledger.verifier.name
    start = graph.ledger_size(origin)
    if start > len(entries):
        raise IntegrityError(
            f"{ledger.folder} had {start} entries and has {len(entries)}: entries were cut off; "
            "compare it with a checkpoint kept elsewhere"
        )
    made = {found.entry: found for found in versions(ledger, entries=entries)}
    new = [
        (activity, number)
        for number, entry in entries.holding(*_TELLING, start=start)
        for activity in _activities(ledger, entry, made.get(number), rows)
    ]
    return graph.record_all(new, origin, len(entries))


def _activities(ledger: Ledger, entry: Entry, version: Version | None, rows: bool) -> Iterator[Activity]:
    if "lineage" in entry.details:
        yield Activity.from_json(entry.details["lineage"])
    elif version is not None:
        yield _version(ledger, entry, version, rows)
    elif entry.kind == "ingest" and entry.source is not None:
        signed = "key" in entry.details  # then the last file is the signature itself
        for record in entry.files[:-1] if signed and entry.files[-1].name == "signature" else entry.files:
            for data in _artefacts(ledger, record, rows):
                carried = () if data.rows is None else ((0, 0, data.rows),)
                source = Artefact("source", entry.source, entry.source)
                yield Activity("ingest", entry.time, (source,), (data,), carried, {"entry": entry.note or ""})


def _version(ledger: Ledger, entry: Entry, version: Version, counted: bool) -> Activity:
    inputs: list[Artefact] = []
    for record, rows in zip(version.files, version.rows, strict=True):
        if record.folder:
            inputs += _artefacts(ledger, record, counted)
        else:
            inputs.append(Artefact("data", record.sha256, record.name, rows))
    made = Artefact("version", version.key, version.dataset, version.row_count)
    carried = tuple((i, 0, data.rows) for i, data in enumerate(inputs) if data.rows is not None)
    return Activity(entry.kind, entry.time, tuple(inputs), (made,), carried)


def _artefacts(ledger: Ledger, record: FileRecord, rows: bool) -> list[Artefact]:
    """The single files of a record, with their rows where the ledger has a copy that is a table."""
    files = [listing.Listed(record.name, record.sha256, record.size)]
    if record.folder:
        files = listing.decode(ledger.store.get_bytes(record.sha256))
    found = []
    for file in files:
        name = PurePosixPath(file.name).name
        counted = _rows(ledger.store.path(file.sha256), name) if rows else None
        found.append(Artefact("data", file.sha256, name, counted))
    return found


def _rows(copy: Path, name: str) -> int | None:
    """Rows of a copy in the store, whose own name says nothing about its format."""
    if not copy.is_file():
        return None
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / f"data{''.join(PurePosixPath(name).suffixes[-2:])}"
        named.symlink_to(copy.resolve())
        table = shape(named)
    return None if table is None else table.rows


__all__ = ["synchronise", "write"]
