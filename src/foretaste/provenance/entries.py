"""What a ledger's entries say: something that happened to data, in canonical JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import canonical
from foretaste.provenance.tiles import MOST_ENTRY_BYTES

KINDS = (
    "ingest",
    "scan",
    "clean",
    "label-change",
    "approval",
    "train",
    "deploy",
    "rollback",
    "denied-write",
    "note",
    "run",
    "version",
)
"""What can happen. A kind never changes its meaning."""

Kept = Literal["store", "place", "elsewhere"]
_KEPT = ("store", "place", "elsewhere")
SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_SCHEMA = 1


@dataclass(frozen=True)
class FileRecord:
    """A file, or a folder of them, by its content.

    Attributes
    ----------
    name : str
        What it was called; where it is kept in place, its path below the ledger's folder.
    sha256 : str
        Of its bytes; for a folder, of the list of its files (`foretaste.provenance.listing`), which is in the
        store.
    size : int
        Bytes, for a folder those of all its files.
    kept : str
        ``store``: the ledger holds a copy; ``place``: it lies inside the ledger's folder; ``elsewhere``: only
        its hash is known.
    folder : bool
    """

    name: str
    sha256: str
    size: int
    kept: Kept
    folder: bool = False

    def as_json(self) -> dict[str, Any]:
        """The record as it stands in an entry."""
        record: dict[str, Any] = {"kept": self.kept, "name": self.name}
        record |= {"sha256": self.sha256, "size": self.size}
        return record | ({"folder": True} if self.folder else {})

    def text(self) -> str:
        """Canonical JSON of `as_json`."""
        text, folder = canonical.text, '"folder":true,' if self.folder else ""
        rest = f'"name":{text(self.name)},"sha256":{text(self.sha256)},"size":{text(self.size)}'
        return f'{{{folder}"kept":{text(self.kept)},{rest}}}'

    @classmethod
    def from_json(cls, record: Any) -> FileRecord:
        """Read a record; raises `IntegrityError` where it is none."""
        try:
            read = cls(**record)
        except TypeError:
            read = None
        if (
            read is None
            or not isinstance(read.name, str)
            or not (isinstance(read.sha256, str) and SHA256.fullmatch(read.sha256))
            or not (isinstance(read.size, int) and read.size >= 0)
            or read.kept not in _KEPT
        ):
            raise IntegrityError("it names a file without a proper name, sha256, size and place")
        return read


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    time : str
        UTC, ``2026-11-26T17:00:00.000000Z``; as the writer's clock says, which proves nothing by itself.
    files : tuple of FileRecord
    source, note : str, optional
        Who the data come from; a sentence for a person.
    details : mapping
        What else this kind says: JSON without floats.

    Raises
    ------
    DataError
        Where the kind is unknown or the time is not of that form.

    Examples
    --------
    >>> made = Entry("note", "2026-11-26T17:00:00.000000Z", note="hello")
    >>> made.encode()
    b'{"kind":"note","note":"hello","schema":1,"time":"2026-11-26T17:00:00.000000Z"}'
    >>> Entry.decode(made.encode()) == made
    True
    """

    kind: str
    time: str
    files: tuple[FileRecord, ...] = ()
    source: str | None = None
    note: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"there is no entry of kind {self.kind!r}", hint=f"use one of {', '.join(KINDS)}")
        if not _TIME.fullmatch(self.time):
            raise DataError(f"{self.time!r} is no time of the form 2026-11-26T17:00:00.000000Z")

    def encode(self) -> bytes:
        """The bytes that are hashed into the tree; raises `DataError` beyond 65,535 of them."""
        # Put together in the order of the keys: that is several times faster than to sort them.
        details = f'"details":{canonical.text(dict(self.details))},' if self.details else ""
        files = f'"files":[{",".join([record.text() for record in self.files])}],' if self.files else ""
        note = "" if self.note is None else f'"note":{canonical.text(self.note)},'
        source = "" if self.source is None else f'"source":{canonical.text(self.source)},'
        rest = f'"kind":"{self.kind}",{note}"schema":{_SCHEMA},{source}"time":"{self.time}"'
        data = canonical.to_bytes(f"{{{details}{files}{rest}}}")
        if len(data) > MOST_ENTRY_BYTES:
            raise DataError(
                f"an entry of {len(data)} bytes is too long", hint="put what it says into a file and add that"
            )
        return data

    @classmethod
    def decode(cls, data: bytes) -> Entry:
        """Read an entry; raises `IntegrityError` where it is none."""
        value = canonical.decode(data, "the entry")
        if not isinstance(value, dict) or value.pop("schema", None) != _SCHEMA:
            raise IntegrityError("the entry is none of this version of foretaste")
        records = value.pop("files", [])
        try:
            read = cls(files=tuple(map(FileRecord.from_json, records)), **value)
        except (TypeError, DataError):
            raise IntegrityError("the entry lacks a kind or a time, or says something unknown") from None
        texts = (read.source, read.note)
        if not all(text is None or isinstance(text, str) for text in texts) or not isinstance(
            read.details, dict
        ):
            raise IntegrityError("the entry has a source, note or details of a wrong type")
        return read


def now() -> str:
    """This moment, as an entry says it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
