"""The ledger: an append-only, tamper-evident log of what happened to data, on plain files.

A folder holds ``checkpoint`` (signed: origin, number of entries, root), ``ledger.vkey`` (the public key),
``tile/`` (entries and the Merkle tree over them), ``store/`` (copies of added files). ``docs/ledger.md``
specifies it byte by byte.

An append is written beside what is there and becomes part of the ledger in the moment in which the next
checkpoint takes the place of the last one. Before that moment it is announced in ``pending``, so that what a
killed writer left behind can be told from what somebody changed.
"""

from __future__ import annotations

import hashlib
import re
import time as clock
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import keys
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.durable import locked, make_folder, rename, replace_file, write_files
from foretaste.provenance.entries import Entry
from foretaste.provenance.merkle import EMPTY, leaf_hash
from foretaste.provenance.note import MOST_BYTES, VerifierKey
from foretaste.provenance.store import Store
from foretaste.provenance.tiles import (
    WIDTH,
    Tile,
    TileFolder,
    encode_bundle,
    read_bounded,
    tile_path,
    tiles_of,
)

KEY_FILE = "ledger.vkey"
CHECKPOINT = "checkpoint"
PENDING = "pending"
LOCK = "lock"
TILES = "tile"
STORE = "store"
UNFINISHED = "unfinished"
_DAY = 86_400


class Ledger:
    """An existing ledger.

    Parameters
    ----------
    folder : path
    key : path, optional
        The private key that signs checkpoints, where it is not in the key folder; needed for writing only.

    Raises
    ------
    DataError
        Where the folder is no ledger.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> ledger = Ledger.create(folder / "ledger", key=folder / "key.pem")
    >>> ledger.append([Entry("note", "2026-11-26T17:00:00.000000Z", note="hello")])
    range(0, 1)
    >>> [entry.note for entry in ledger.entries()]
    ['hello']
    """

    def __init__(self, folder: str | Path, *, key: str | Path | None = None) -> None:
        self.folder = Path(folder)
        self.store = Store(self.folder / STORE, self.folder / UNFINISHED)
        if not (self.folder / KEY_FILE).is_file():
            raise DataError("this is no ledger", file=self.folder, hint="make one with foretaste ledger init")
        self.verifier = keys.load_public(self.folder / KEY_FILE)
        self.key_path = Path(key) if key is not None else keys.default_path(self.verifier)
        self._private: Ed25519PrivateKey | None = None

    @classmethod
    def create(cls, folder: str | Path, *, name: str | None = None, key: str | Path | None = None) -> Ledger:
        """Make a ledger without entries.

        Parameters
        ----------
        folder : path
            New, or without a ledger in it.
        name : str, optional
            Origin of its checkpoints, which should be unique, such as ``example.org/training-data``; the name
            of the folder and a part of the key otherwise.
        key : path, optional
            File of the private key; made where it does not exist. In the key folder otherwise.

        Raises
        ------
        DataError
            Where there is a ledger already.
        """
        place = Path(folder)
        if (place / CHECKPOINT).exists():
            raise DataError("there is a ledger already", file=place, hint="add to it, or name another folder")
        for inner in (STORE, TILES):
            if (place / inner).is_dir() and any((place / inner).iterdir()):
                raise DataError(f"it holds a folder {inner!r} of something else", file=place)
        private = keys.load_private(Path(key)) if key is not None and Path(key).exists() else keys.new_key()
        verifier = VerifierKey.of(name or _default_name(place, private), private)
        path = Path(key) if key is not None else keys.default_path(verifier)
        if not path.exists():
            keys.save_private(private, path)
        for inner in (STORE, TILES, UNFINISHED):
            make_folder(place / inner)
        replace_file(place / KEY_FILE, f"{verifier}\n".encode(), place / UNFINISHED / KEY_FILE)
        first = Checkpoint.sign(verifier.name, 0, EMPTY, private)
        replace_file(place / CHECKPOINT, first.encode(), place / UNFINISHED / CHECKPOINT)
        return cls(place, key=path)

    @property
    def checkpoint(self) -> Checkpoint:
        """The signed state; raises `IntegrityError` where it is not signed by the ledger's key."""
        try:
            return Checkpoint.parse(read_bounded(self.folder / CHECKPOINT, MOST_BYTES), self.verifier)
        except FileNotFoundError:
            raise IntegrityError(f"{self.folder / CHECKPOINT} is missing") from None

    def __len__(self) -> int:
        return self.checkpoint.size

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """The entries from ``start`` on; what is read is not verified (see `verification`)."""
        return map(Entry.decode, self.tiles().entries(start))

    def entry(self, index: int) -> Entry:
        """One entry; raises `DataError` where there is none."""
        return Entry.decode(self.raw_entry(index))

    def raw_entry(self, index: int) -> bytes:
        """The bytes of one entry; raises `DataError` where there is none."""
        tiles = self.tiles()
        if not 0 <= index < tiles.size:
            raise DataError(f"there is no entry {index}: the ledger has {tiles.size}", file=self.folder)
        return tiles.entry(index)

    def tiles(self, size: int | None = None) -> TileFolder:
        """The tree on disk, of the current or of an earlier size."""
        return TileFolder(self.folder, self.checkpoint.size if size is None else size)

    def append(self, entries: Iterable[Entry]) -> range:
        """Append entries, all of them or none; when it returns they are on the disk.

        Returns
        -------
        range
            Their numbers.

        Raises
        ------
        DataError
            Where the private key is not the ledger's.
        IntegrityError
            Where what is there is not what was signed: nothing is signed on top of it.
        """
        return self.append_raw([entry.encode() for entry in entries])

    def append_raw(self, entries: list[bytes]) -> range:
        """Append entries that are encoded already."""
        key = self._signing_key()
        with locked(self.folder / LOCK, alone=True):
            old = self._settle()
            if not entries:
                return range(old.size, old.size)
            tiles, size = _grown(TileFolder(self.folder, old.size), old.root, entries)
            new = Checkpoint.sign(old.origin, *size, key)
            replace_file(self.folder / PENDING, new.encode(), self.folder / UNFINISHED / CHECKPOINT)
            write_files({self.folder / tile_path(tile): data for tile, data in tiles.items()})
            rename(self.folder / PENDING, self.folder / CHECKPOINT)
            self._drop(_partial_tiles(old.size) - _partial_tiles(new.size))
            return range(old.size, new.size)

    def _settle(self) -> Checkpoint:
        """Finish or undo what a killed writer began; gives the checkpoint to go on from."""
        old = self.checkpoint
        pending = self.folder / PENDING
        if pending.exists():
            new = Checkpoint.parse(read_bounded(pending, MOST_BYTES), self.verifier)
            if new.size < old.size:
                raise IntegrityError(f"{pending} is older than the checkpoint; run foretaste ledger verify")
            if self._is_complete(old, new):
                rename(pending, self.folder / CHECKPOINT)
                old = new
            else:
                self._drop(set(tiles_of(new.size)) - set(tiles_of(old.size)))
                pending.unlink()
        for left in (self.folder / UNFINISHED).iterdir():
            with suppress(FileNotFoundError):  # whoever copies without the lock may have moved it just now
                if left.stat().st_mtime < clock.time() - _DAY:
                    left.unlink()
        return old

    def _is_complete(self, old: Checkpoint, new: Checkpoint) -> bool:
        """Whether every tile that an unfinished append announces is there."""
        try:
            entries = list(TileFolder(self.folder, new.size).entries(old.size))
            tiles, size = _grown(TileFolder(self.folder, old.size), old.root, entries)
            same = (read_bounded(self.folder / tile_path(t), len(data)) == data for t, data in tiles.items())
            return size == (new.size, new.root) and all(same)
        except (IntegrityError, FileNotFoundError):
            return False

    def _drop(self, tiles: set[Tile]) -> None:
        for tile in tiles:
            path = self.folder / tile_path(tile)
            path.unlink(missing_ok=True)
            if tile[2] < WIDTH and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()

    def _signing_key(self) -> Ed25519PrivateKey:
        if self._private is None:
            if not self.key_path.exists():
                raise DataError(
                    f"the private key of {self.verifier.name} is not at {self.key_path}",
                    hint="name it with --key FILE",
                )
            private = keys.load_private(self.key_path)
            if VerifierKey.of(self.verifier.name, private) != self.verifier:
                raise DataError(f"this is not the private key of {self.verifier.name}", file=self.key_path)
            self._private = private
        return self._private


def _grown(
    tiles: TileFolder, root: bytes, entries: list[bytes]
) -> tuple[dict[Tile, bytes], tuple[int, bytes]]:
    """The tiles that are new once entries are appended, and the new size and root."""
    edge = tiles.edge()
    index, width = divmod(tiles.size, WIDTH)
    last = tiles.bundle(index, width) if width else []
    if edge.root() != root or (last and list(map(leaf_hash, last)) != edge.partial[0]):
        raise IntegrityError(f"{tiles.folder} is not what was signed; run foretaste ledger verify")
    new = edge.extend([hashlib.sha256(b"\x00" + entry).digest() for entry in entries])
    together = last + entries
    for at in range(0, len(together), WIDTH):
        bundle = together[at : at + WIDTH]
        new["entries", index + at // WIDTH, len(bundle)] = encode_bundle(bundle)
    return new, (edge.size, edge.root())


def _partial_tiles(size: int) -> set[Tile]:
    """The tiles of a tree that are not full."""
    found: set[Tile] = {("entries", size // WIDTH, size % WIDTH)}
    level = 0
    while size:
        found.add((level, size // WIDTH, size % WIDTH))
        size, level = size // WIDTH, level + 1
    return {tile for tile in found if tile[2]}


def _default_name(folder: Path, key: Ed25519PrivateKey) -> str:
    kept = re.sub(r"[^A-Za-z0-9._-]", "-", folder.resolve().name)[:60] or "ledger"
    return f"{kept}-{hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:8]}"
