"""Tiles: a Merkle tree and its entries as small files that never change once full (C2SP tlog-tiles).

A tile holds up to 256 hashes of one level of the tree; an entry bundle up to 256 entries, each after its
length in two bytes, big-endian. A tile that is not full carries its width in its name.

Reference: https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from foretaste.errors import IntegrityError
from foretaste.provenance.merkle import EMPTY, join, perfect_parts, tree_hash

WIDTH = 256
MOST_ENTRY_BYTES = 2**16 - 1
MOST_BUNDLE_BYTES = WIDTH * (MOST_ENTRY_BYTES + 2)

Tile = tuple[int | str, int, int]
"""Level (or ``"entries"``), index in the level, width from 1 to 256."""


def tile_path(tile: Tile) -> str:
    """Where a tile or an entry bundle lies, below the ledger's folder.

    Examples
    --------
    >>> tile_path((0, 1234067, 256)), tile_path(("entries", 5, 12))
    ('tile/0/x001/x234/067', 'tile/entries/005.p/12')
    """
    level, index, width = tile
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    partial = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile and bundle of a tree, those of a level in order."""
    yield from (("entries", index, width) for index, width in widths(size))
    level, wide = 0, size
    while wide:
        yield from ((level, index, width) for index, width in widths(wide))
        level, wide = level + 1, wide // WIDTH


def widths(wide: int) -> Iterator[tuple[int, int]]:
    """Index and width of the tiles that hold so many hashes."""
    for index in range(wide // WIDTH):
        yield index, WIDTH
    if wide % WIDTH:
        yield wide // WIDTH, wide % WIDTH


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each with its length in front."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; raises `IntegrityError` where lengths and bytes do not match."""
    entries, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at > len(data):
        raise IntegrityError("the last entry of the bundle is cut off")
    return entries


def decode_tile(data: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [data[at : at + 32] for at in range(0, len(data), 32)]


class Edge:
    """The growing right edge of a tree: its tiles that are not full yet, one per level.

    Parameters
    ----------
    size : int
        Entries of the tree.
    partial : sequence of sequence of bytes
        Hashes of the tile that is not full, from the leaves up; empty where there is none.

    Examples
    --------
    >>> edge = Edge(0, [])
    >>> sorted(edge.extend([bytes(32)] * 257))
    [(0, 0, 256), (0, 1, 1), (1, 0, 1)]
    >>> edge.size
    257
    """

    def __init__(self, size: int, partial: Sequence[Sequence[bytes]]) -> None:
        self.size = size
        self.partial = [list(hashes) for hashes in partial]

    def extend(self, leaves: Sequence[bytes]) -> dict[Tile, bytes]:
        """Append leaf hashes; gives every tile that is new, with its bytes."""
        changed: dict[Tile, bytes] = {}
        level, new, before = 0, list(leaves), self.size
        self.size += len(new)
        while new:
            if level == len(self.partial):
                self.partial.append([])
            hashes = self.partial[level] + new
            first, new = before // WIDTH, []
            for at in range(0, len(hashes), WIDTH):
                tile = hashes[at : at + WIDTH]
                changed[level, first + at // WIDTH, len(tile)] = b"".join(tile)
                if len(tile) == WIDTH:
                    new.append(tree_hash(tile))
            self.partial[level] = hashes[len(hashes) - len(hashes) % WIDTH :]
            level, before = level + 1, first
        return changed

    def root(self) -> bytes:
        """The tree hash."""
        if not self.size:
            return EMPTY
        parts = []
        for hashes in reversed(self.partial):
            for height, index in perfect_parts(0, len(hashes)):
                parts.append(tree_hash(hashes[index << height : (index + 1) << height]))
        return join(parts)


class TileFolder:
    """The tiles of a tree on disk, read.

    Parameters
    ----------
    folder : Path
        The folder that holds ``tile/``.
    size : int
        Entries of the tree; what lies beyond is not looked at.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size
        self._tile = lru_cache(maxsize=16)(self._read_tile)  # the tiles of one proof are its neighbours

    def hashes(self, level: int, index: int, width: int = WIDTH) -> list[bytes]:
        """The first hashes of a tile; raises `IntegrityError` where it is missing or too short."""
        return decode_tile(self._tile(level, index, width))

    def bundle(self, index: int, width: int = WIDTH) -> list[bytes]:
        """The first entries of a bundle; raises `IntegrityError` where it is missing or too short."""
        entries = decode_bundle(self._bytes(("entries", index, width), MOST_BUNDLE_BYTES))
        if len(entries) < width:
            raise IntegrityError(f"{tile_path(('entries', index, width))} was cut off")
        return entries[:width]

    def entry(self, index: int) -> bytes:
        """One entry."""
        if not 0 <= index < self.size:
            raise IndexError(f"there is no entry {index}")
        bundle = index // WIDTH
        return self.bundle(bundle, min(WIDTH, self.size - bundle * WIDTH))[index % WIDTH]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """Every entry from ``start`` on, in order."""
        for index, width in widths(self.size):
            if (index + 1) * WIDTH > start:
                yield from self.bundle(index, width)[max(0, start - index * WIDTH) :]

    def edge(self) -> Edge:
        """The right edge, to be extended."""
        partial, wide, level = [], self.size, 0
        while wide:
            width = wide % WIDTH
            partial.append(self.hashes(level, wide // WIDTH, width) if width else [])
            wide, level = wide // WIDTH, level + 1
        return Edge(self.size, partial)

    def subtree(self, start: int, end: int) -> bytes:
        """The tree hash of a range that begins at a multiple of its own size (`merkle.Subtree`)."""
        return join(self._perfect(height, index) for height, index in perfect_parts(start, end))

    def _perfect(self, height: int, index: int) -> bytes:
        level, inside = divmod(height, 8)
        first = index << inside
        tile, at = divmod(first, WIDTH)
        count = 1 << inside
        width = min(WIDTH, (self.size >> (8 * level)) - tile * WIDTH)
        return tree_hash(decode_tile(self._tile(level, tile, width)[32 * at : 32 * (at + count)]))

    def _read_tile(self, level: int, index: int, width: int) -> bytes:
        data = self._bytes((level, index, width), WIDTH * 32)
        if len(data) < 32 * width or len(data) % 32:
            raise IntegrityError(f"{tile_path((level, index, width))} was cut off")
        return data[: 32 * width]

    def _bytes(self, tile: Tile, most: int) -> bytes:
        """The bytes of a tile, or, while a writer replaces it by a wider one, those of the wider one."""
        level, index, width = tile
        whole = self.folder / tile_path((level, index, WIDTH))
        wanted = self.folder / tile_path(tile)
        partials = whole.parent / f"{whole.name}.p"
        for attempt in range(8):
            for path in (wanted, whole, *_wider(partials, width)):
                try:
                    return read_bounded(path, most)
                except FileNotFoundError:
                    continue
            if attempt == 0 and not partials.is_dir():
                break
        raise IntegrityError(f"{tile_path(tile)} is missing")


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of a regular file; raises `IntegrityError` where it is none or larger than it can be."""
    if not path.is_file() and path.exists():
        raise IntegrityError(f"{path.name} is not a file")
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise IntegrityError(f"{path.name} is larger than {most} bytes")
    return data


def _wider(partials: Path, width: int) -> list[Path]:
    """Tiles of the same place that hold more."""
    if not partials.is_dir():
        return []
    found = [path for path in partials.iterdir() if path.name.isdecimal() and int(path.name[:3]) > width]
    return sorted(found, key=lambda path: int(path.name[:3]))
