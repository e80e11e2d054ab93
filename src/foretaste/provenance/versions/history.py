"""Versions of data sets: entries of a ledger whose files lie in its store, one after the other.

A version is never changed. Rolling back appends a new version with the content of an older one, so that the
way back is recorded, signed and passes the same gate as the way forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from foretaste.errors import DataError
from foretaste.provenance import listing
from foretaste.provenance.entries import Entry, FileRecord, now
from foretaste.provenance.genuine import GenuineEntries, genuine_entries
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.versions.trees import stored_tree, tree_of

T = TypeVar("T")
VERSION_KINDS = ("version", "rollback")


@dataclass(frozen=True)
class Version:
    """One version of a data set.

    Attributes
    ----------
    dataset : str
    number : int
        Counted from 1, per data set.
    entry : int
        Number of the ledger's entry.
    time : str
    files : tuple of FileRecord
    rows : tuple of int or None
        Rows of each file, where it is a table.
    roots : tuple of str or None
        Root of the manifest of each file (`foretaste.provenance.manifest`), where it could be read.
    manifests : tuple of str or None
        SHA-256 of these manifests, which are in the store.
    note : str or None
    back_to : int or None
        The version whose content this one has again, after a rollback.
    pointers : mapping
        What other systems call this version: ``git``, ``dvc``, ``lakefs``, ``delta``.
    """

    dataset: str
    number: int
    entry: int
    time: str
    files: tuple[FileRecord, ...]
    rows: tuple[int | None, ...]
    roots: tuple[str | None, ...] = ()
    manifests: tuple[str | None, ...] = ()
    note: str | None = None
    back_to: int | None = None
    pointers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """``name@number``."""
        return f"{self.dataset}@{self.number}"

    @property
    def row_count(self) -> int | None:
        """Rows of all files together, where all are known."""
        known = [rows for rows in self.rows if rows is not None]
        return sum(known) if len(known) == len(self.rows) and known else None

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "schema": 1,
            "dataset": self.dataset,
            "version": self.number,
            "entry": self.entry,
            "time": self.time,
            "files": [record.as_json() for record in self.files],
            "rows": self.row_count,
            "roots": list(self.roots),
            "note": self.note,
            "back_to": self.back_to,
            "pointers": dict(self.pointers),
        }


def versions(
    ledger: Ledger, dataset: str | None = None, entries: GenuineEntries | None = None
) -> list[Version]:
    """All versions, or those of one data set, oldest first.

    Raises
    ------
    IntegrityError
        Where the ledger's entries are not those that were signed.
    """
    found: list[Version] = []
    counted: dict[str, int] = {}
    by_entry: dict[int, Version] = {}
    known = genuine_entries(ledger) if entries is None else entries
    for index, entry in known.of_kinds(*VERSION_KINDS):
        name = entry.details.get("dataset")
        if not isinstance(name, str):
            continue
        counted[name] = counted.get(name, 0) + 1
        target = by_entry.get(entry.details.get("to", -1))
        made = Version(
            name, counted[name], index, entry.time, entry.files,
            _listed(entry, "rows", int), _listed(entry, "roots", str), _listed(entry, "manifests", str),
            entry.note, target.number if target else None, entry.details.get("pointers") or {},
        )  # fmt: skip
        by_entry[index] = made
        if dataset in (None, name):
            found.append(made)
    return found


def version(ledger: Ledger, dataset: str, number: int | None = None) -> Version:
    """One version, the newest where no number is given; raises `DataError` where there is none."""
    listed = versions(ledger, dataset)
    if not listed:
        names = sorted({made.dataset for made in versions(ledger)})
        hint = f"it has {', '.join(names[:20])}" if names else "make one with foretaste version commit"
        raise DataError(f"there is no data set {dataset!r} in {ledger.folder}", hint=hint)
    if number is None:
        return listed[-1]
    if not 1 <= number <= len(listed):
        raise DataError(f"{dataset!r} has no version {number}", hint=f"it has 1 to {len(listed)}")
    return listed[number - 1]


def commit(
    ledger: Ledger,
    dataset: str,
    paths: Sequence[Path],
    *,
    note: str | None = None,
    pointers: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Version:
    """Store files as the next version of a data set.

    Parameters
    ----------
    ledger : Ledger
    dataset : str
        Its name.
    paths : sequence of Path
        Files and folders; no two of one name.
    note, pointers, details : optional
        A sentence for a person; what other systems call this version; what else the entry says.

    Raises
    ------
    DataError
    """
    names = [path.name or path.resolve().name for path in paths]
    if not dataset or "@" in dataset or not dataset.isprintable():
        raise DataError(f"{dataset!r} is no name for a data set", hint="use printable letters without @")
    if not paths or len(set(names)) < len(names):
        raise DataError("a version needs files, no two of one name", hint="rename one of them")
    records = tuple(_stored(ledger, path, name) for path, name in zip(paths, names, strict=True))
    said: dict[str, Any] = {"dataset": dataset, **_trees(ledger, dataset, paths, names)}
    said |= dict(details or {}) | ({"pointers": dict(pointers)} if pointers else {})
    ledger.append([Entry("version", now(), records, note=note, details=said)])
    return version(ledger, dataset)


def roll_back(ledger: Ledger, dataset: str, number: int, *, note: str | None = None) -> Version:
    """Make the content of an older version the newest one again, as an entry of its own.

    Raises
    ------
    DataError
        Where there is no such version, or it is the newest.
    """
    target, newest = version(ledger, dataset, number), version(ledger, dataset)
    if target.number == newest.number:
        raise DataError(f"{target.key} is the newest version already")
    said: dict[str, Any] = {"dataset": dataset, "rows": list(target.rows)}
    said |= {"roots": list(target.roots), "manifests": list(target.manifests)}
    said |= {"from": newest.entry, "to": target.entry}
    said |= {"pointers": dict(target.pointers)} if target.pointers else {}
    ledger.append([Entry("rollback", now(), target.files, note=note, details=said)])
    return version(ledger, dataset)


def _trees(ledger: Ledger, dataset: str, paths: Sequence[Path], names: Sequence[str]) -> dict[str, Any]:
    """Manifests of the files, stored; rows are read only where the version before does not have them."""
    earlier = versions(ledger, dataset)[-1:]
    known = {
        record.name: manifest
        for last in earlier
        for record, manifest in zip(last.files, last.manifests, strict=True)
    }
    trees = [
        tree_of(path, stored_tree(ledger, known.get(name))) for path, name in zip(paths, names, strict=True)
    ]
    stored = [None if tree is None else ledger.store.put_bytes(tree.encode()) for tree in trees]
    return {
        "rows": [None if tree is None else tree.rows for tree in trees],
        "roots": [None if tree is None else tree.root for tree in trees],
        "manifests": stored,
    }


def _listed(entry: Entry, name: str, kind: type[T]) -> tuple[T | None, ...]:
    """What an entry says about each of its files; None where it says nothing or something else."""
    said = entry.details.get(name)
    if not isinstance(said, list) or len(said) != len(entry.files):
        said = [None] * len(entry.files)
    return tuple(one if isinstance(one, kind) else None for one in said)


def _stored(ledger: Ledger, path: Path, name: str) -> FileRecord:
    if not path.is_dir():
        return FileRecord(listing.text_name(name), *ledger.store.put(path), "store")
    inside = listing.files_below(path)
    copied = ledger.store.put_all([file for _, file in inside])
    files = [listing.Listed(inner, *found) for (inner, _), found in zip(inside, copied, strict=True)]
    sha256 = ledger.store.put_bytes(listing.encode(files))
    return FileRecord(listing.text_name(name), sha256, sum(file.size for file in files), "store", folder=True)


__all__ = ["VERSION_KINDS", "Version", "commit", "roll_back", "version", "versions"]
