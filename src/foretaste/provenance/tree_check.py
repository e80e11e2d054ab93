"""Comparing a ledger's entries and tiles with its signed root, and saying which of them was altered.

Every entry is there twice: itself, in a bundle, and its hash, in a tile. Whichever of the two leads to the
signed root is genuine, so the other one was altered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from foretaste.errors import IntegrityError
from foretaste.provenance.merkle import leaf_hash
from foretaste.provenance.tiles import (
    MOST_BUNDLE_BYTES,
    WIDTH,
    Edge,
    Tile,
    decode_bundle,
    decode_tile,
    read_bounded,
    tile_path,
    tiles_of,
    widths,
)

Found = Callable[[str, str], None]
"""``found(where, what)`` notes down an alteration."""

_OLDER = ", but there is one with more entries: the checkpoint is an older one, or it was added"
_NAME = re.compile(r"tile/(\d\d?|entries)/((?:x\d{3}/)*\d{3})(?:\.p/(\d{1,3}))?")


def check_tree(folder: Path, size: int, root: bytes, pending: int | None, found: Found) -> tuple[int, bool]:
    """Check entries and tiles against the root.

    Parameters
    ----------
    folder : Path
        The ledger's.
    size, root : int, bytes
        What was signed.
    pending : int or None
        Entries that the ledger would have had after an append that was not finished.
    found : callable

    Returns
    -------
    reached, genuine : int, bool
        How many entries or hashes there were to look at, and whether they lead to the root.
    """
    tiles = _Tiles(folder, found)
    by_entries, by_hashes = _Tree(), _Tree()
    differing: list[int] = []
    for index, width in widths(size):
        entries = tiles.entries(index, width)
        hashes = tiles.hashes(index, width)
        if entries is None and hashes is None:
            found(
                f"entries from {index * WIDTH} on",
                "they could not be checked: neither they nor hashes are there",
            )
            return index * WIDTH, False
        leaves = [leaf_hash(entry) for entry in entries] if entries is not None else hashes or []
        hashes = leaves if hashes is None else hashes
        if leaves != hashes:
            pairs = zip(leaves, hashes, strict=True)
            differing += [index * WIDTH + i for i, (one, other) in enumerate(pairs) if one != other]
        by_entries.extend(leaves)
        by_hashes.extend(hashes)
    genuine = next((tree for tree in (by_entries, by_hashes) if tree.edge.root() == root), None)
    for entry in differing:
        where = tile_path((0, *_place(entry, size)))
        if genuine is by_entries:
            found(where, f"the hash of entry {entry} was altered")
        elif genuine is by_hashes:
            found(f"entry {entry}", f"it was altered, in {tile_path(('entries', *_place(entry, size)))}")
        else:
            found(f"entry {entry}", f"it or its hash in {where} was altered")
    for tile, data in (genuine or by_entries).upper.items():
        tiles.compare(tile, data)
    tiles.check_others(size, pending)
    return size, genuine is not None


def _place(entry: int, size: int) -> tuple[int, int]:
    index = entry // WIDTH
    return index, min(WIDTH, size - index * WIDTH)


class _Tree:
    """A tree that grows, and its tiles above the leaves."""

    def __init__(self) -> None:
        self.edge = Edge(0, [])
        self.upper: dict[Tile, bytes] = {}

    def extend(self, leaves: list[bytes]) -> None:
        for tile, data in self.edge.extend(leaves).items():
            level, index, width = tile
            if level:
                self.upper.pop((level, index, width - 1), None)
                self.upper[tile] = data


class _Tiles:
    """The tiles on disk; what is wrong with one of them by itself is reported here."""

    def __init__(self, folder: Path, found: Found) -> None:
        self.folder = folder
        self.found = found

    def read(self, tile: Tile) -> bytes | None:
        path = tile_path(tile)
        try:
            return read_bounded(self.folder / path, MOST_BUNDLE_BYTES)
        except FileNotFoundError:
            wider = (self.folder / tile_path((*tile[:2], WIDTH))).exists() or any(
                other.name.isdecimal() and int(other.name) > tile[2]
                for other in (self.folder / path).parent.glob("*")
                if tile[2] < WIDTH
            )
            self.found(path, f"it is missing{_OLDER if wider else ''}")
        except (IntegrityError, OSError) as error:
            self.found(path, str(error))
        return None

    def entries(self, index: int, width: int) -> list[bytes] | None:
        data = self.read(("entries", index, width))
        if data is None:
            return None
        try:
            entries = decode_bundle(data)
        except IntegrityError:
            entries = []
        if len(entries) == width:
            return entries
        first = index * WIDTH
        self.found(
            tile_path(("entries", index, width)),
            f"it was altered: it does not hold the entries {first} to {first + width - 1}",
        )
        return None

    def hashes(self, index: int, width: int) -> list[bytes] | None:
        data = self.read((0, index, width))
        if data is None or len(data) == 32 * width:
            return None if data is None else decode_tile(data)
        self.found(tile_path((0, index, width)), f"it was altered: it does not hold {width} hashes")
        return None

    def compare(self, tile: Tile, data: bytes) -> None:
        held = self.read(tile)
        if held is None or held == data:
            return
        level, index = int(tile[0]), tile[1]
        pairs = zip(decode_tile(held), decode_tile(data), strict=False)
        differs = next((i for i, (one, other) in enumerate(pairs) if one != other), 0)
        first = (index * WIDTH + differs) * WIDTH**level
        last = first + WIDTH**level - 1
        self.found(
            tile_path(tile),
            f"it was altered, or the entries {first} to {last} were: they do not fit together",
        )

    def check_others(self, size: int, pending: int | None) -> None:
        """Files that are no tile of this tree: left over by a writer, or put there by somebody."""
        wanted = {tile[:2]: tile[2] for tile in tiles_of(size)}
        ahead = set(tiles_of(pending)) if pending is not None and pending - size < 2**32 else set()
        for path in self._on_disk():
            match = _NAME.fullmatch(path)
            tile = _tile(match) if match else None
            if tile is None or tile_path(tile) != path:
                self.found(path, "it does not belong to the ledger")
            elif tile[2] == wanted.get(tile[:2]) or tile in ahead:
                continue
            elif tile[2] > wanted.get(tile[:2], 0):
                self.found(
                    path, "it lies beyond the signed entries: the checkpoint is an older one, or it was added"
                )
            else:
                older, held = self.read(tile), self.read((*tile[:2], wanted[tile[:2]]))
                if older is not None and held is not None and not held.startswith(older):
                    self.found(
                        path, "it was altered: this older tile does not fit the one that took its place"
                    )

    def _on_disk(self) -> Iterator[str]:
        for path in sorted((self.folder / "tile").rglob("*")):
            if not path.is_dir() or path.is_symlink():
                yield path.relative_to(self.folder).as_posix()


def _tile(match: re.Match[str]) -> Tile:
    level, index, width = match.groups()
    number = int(index.replace("/", "").replace("x", ""))
    return (level if level == "entries" else int(level), number, int(width or WIDTH))
