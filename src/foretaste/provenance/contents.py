"""Comparing the files that a ledger's entries name with the hashes they state."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import listing
from foretaste.provenance.entries import SHA256, Entry, FileRecord
from foretaste.provenance.ledger import STORE, UNFINISHED
from foretaste.provenance.store import Store, sha256_of
from foretaste.provenance.tiles import WIDTH, TileFolder, widths
from foretaste.provenance.tree_check import Found


def check_contents(folder: Path, tree: TileFolder, found: Found, notes: list[str]) -> int:
    """Check every copy in the store and every file in place; gives how many were looked at.

    A file in place is what the last entry about it says; the store keeps every copy of every entry.
    """
    store = Store(folder / STORE, folder / UNFINISHED)
    named = _Named()
    for index, width in widths(tree.size):
        try:
            raw = tree.bundle(index, width)
        except IntegrityError:
            continue  # reported where the tree was checked
        for number, data in enumerate(raw, start=index * WIDTH):
            try:
                entry = Entry.decode(data)
                for record in entry.files:
                    named.add(number, record, store, found)
                named.add_manifests(number, entry)
            except IntegrityError as error:
                found(f"entry {number}", str(error))
    for sha256, (number, name) in named.stored.items():
        path = store.path(sha256)
        _compare(path, path.relative_to(folder).as_posix(), sha256, f"{name!r} of entry {number}", found)
    for name, (number, sha256) in named.placed.items():
        home = (folder / name).parent.resolve()  # a link in place of the file itself is reported as one
        if listing.is_below(name) and home.is_relative_to(folder.resolve()):
            _compare(folder / name, name, sha256, f"entry {number}", found)
        else:
            found(f"entry {number}", f"it names a file outside the ledger's folder, {name!r}")
    _look_for_more(folder, named, found)
    _look_at_unnamed(store, named, found, notes)
    return len(named.stored) + len(named.placed)


@dataclass
class _Named:
    """What entries name: copies by hash, files and folders in place by path; and which entry does."""

    stored: dict[str, tuple[int, str]] = field(default_factory=dict)
    placed: dict[str, tuple[int, str]] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)

    def add(self, number: int, record: FileRecord, store: Store, found: Found) -> None:
        if not record.folder:
            self._file(number, record, record.name, record.sha256)
            return
        self.stored.setdefault(record.sha256, (number, f"list of {record.name}"))
        try:
            files = listing.decode(store.get_bytes(record.sha256))
        except IntegrityError:
            return  # the list itself is in the store, and reported there
        if record.kept == "place":
            self.folders[record.name] = number
            for name in [name for name in self.placed if name.startswith(f"{record.name}/")]:
                del self.placed[name]
        for file in files:
            self._file(number, record, f"{record.name}/{file.name}", file.sha256)

    def add_manifests(self, number: int, entry: Entry) -> None:
        """The manifests of a version."""
        listed = entry.details.get("manifests")
        for sha256 in listed if isinstance(listed, list) else ():
            if isinstance(sha256, str) and SHA256.fullmatch(sha256):
                self.stored.setdefault(sha256, (number, "a manifest"))

    def _file(self, number: int, record: FileRecord, name: str, sha256: str) -> None:
        if record.kept == "store":
            self.stored.setdefault(sha256, (number, name))
        elif record.kept == "place":
            self.placed[name] = (number, sha256)


def _compare(path: Path, where: str, sha256: str, what: str, found: Found) -> None:
    try:
        if sha256_of(path)[0] != sha256:
            found(where, f"it was altered: it is not {what}")
    except FileNotFoundError:
        found(where, f"it is missing: {what}")
    except (DataError, OSError) as error:
        found(where, f"it cannot be read, {what}: {error}")


def _look_for_more(folder: Path, named: _Named, found: Found) -> None:
    """Files that appeared in folders after they were added."""
    for name, number in named.folders.items():
        for base, _, files in os.walk(folder / name):
            for file in files:
                path = (Path(base) / file).relative_to(folder).as_posix()
                if path not in named.placed:
                    found(path, f"it is not in the folder that entry {number} added: it came later")


def _look_at_unnamed(store: Store, named: _Named, found: Found, notes: list[str]) -> None:
    """Copies that no entry names: a writer was stopped between copying and appending."""
    unnamed = 0
    for path in store.stored():
        relative = path.relative_to(store.folder)
        sha256 = "".join(relative.parts)
        if sha256 in named.stored and store.path(sha256) == path:
            continue
        unnamed += 1
        if len(relative.parts) != 2 or path.is_symlink() or sha256_of(path)[0] != sha256:
            found(
                f"{store.folder.name}/{relative.as_posix()}",
                "it does not belong to the ledger, or was altered",
            )
    if unnamed:
        notes.append(
            f"{unnamed} copies in {store.folder.name}/ are named by no entry (an add was interrupted)"
        )
