"""Manifests: what one version of a data set consists of, as a tree of hashes: rows, pieces, shards, data set.

At the leaves are the row hashes of ``docs/formats.md``, so a version keeps its root in whatever format its
shards are stored. Data that are no table (images, anything else) are one shard per file. ``docs/ledger.md``
specifies tree and file byte by byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from foretaste.data.formats import DataFile, open_file
from foretaste.data.formats.extents import HasExtents
from foretaste.data.formats.parquet import ParquetFolder
from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import canonical
from foretaste.provenance.blobs import blob_hash
from foretaste.provenance.grown import pieces_again, pieces_of
from foretaste.provenance.listing import files_below
from foretaste.provenance.merkle import leaf_hash, tree_hash
from foretaste.provenance.shard import Shard

Hash = Callable[[Path, str], str]
_KIND = "manifest"
_SCHEMA = 2


@dataclass(frozen=True)
class Manifest:
    """One version of a data set.

    Attributes
    ----------
    shards : tuple of Shard
        In the order of the data.
    columns : tuple of str
        Names, sorted; empty where the data are no table.
    algorithm : str
        Of the digests of files.
    """

    shards: tuple[Shard, ...]
    columns: tuple[str, ...] = ()
    algorithm: str = "sha256"

    @cached_property
    def root(self) -> str:
        """The hash of the version, as 64 hexadecimal digits."""
        return version_root(self.rows, len(self.shards), tree_hash(self.leaves()))

    @cached_property
    def rows(self) -> int | None:
        """How many rows there are; None where the data are no table."""
        counts = [shard.rows for shard in self.shards]
        return None if None in counts else sum(count or 0 for count in counts)

    def leaves(self) -> list[bytes]:
        """The leaf hashes of the tree over the shards."""
        found, first = [], 0
        for shard in self.shards:
            found.append(leaf_hash(shard.entry(first)))
            first += shard.rows or 0
        return found

    def encode(self) -> bytes:
        """The manifest file."""
        head = {"schema": _SCHEMA, "kind": _KIND, "root": self.root, "rows": self.rows}
        head |= {"columns": list(self.columns), "algorithm": self.algorithm}
        lines = ",\n".join(json.dumps(shard.as_json()) for shard in self.shards)
        return f'{json.dumps(head)[:-1]}, "shards": [\n{lines}\n]}}\n'.encode()

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read a manifest file; raises `IntegrityError` where it is none or its root is not its shards'."""
        try:
            value: dict[str, Any] = json.loads(data)
            if value["schema"] == 1 and value["kind"] == _KIND:
                raise IntegrityError(
                    "this manifest is of an older form; make it again from data you know to be right"
                )
            shards = tuple(map(Shard.from_json, value["shards"]))
            read = cls(shards, tuple(value["columns"]), value["algorithm"])
            if read.encode() != data:
                raise TypeError
        except (ValueError, TypeError, KeyError, DataError, RecursionError):
            raise IntegrityError("this is no manifest, or it was altered") from None
        return read


def version_root(rows: int | None, shards: int, tree: bytes) -> str:
    """The root of a version: SHA-256 of its number of rows, of shards, and of the tree over them."""
    return hashlib.sha256(canonical.encode({"rows": rows, "shards": shards, "tree": tree.hex()})).hexdigest()


@dataclass(frozen=True)
class Built:
    """A manifest, and what had to be read for it: in how many shards any rows, and how many rows."""

    manifest: Manifest
    shards_read: int
    rows_read: int


def build_manifest(
    data: str | Path,
    *,
    previous: Manifest | None = None,
    algorithm: str = "sha256",
    hash_file: Hash = blob_hash,
) -> Built:
    """Hash a data set.

    Parameters
    ----------
    data : path
        Any format foretaste reads, or a file or folder of anything.
    previous : Manifest, optional
        Of an earlier version, which is believed: the rows of a shard whose bytes it has already are not read
        again, and of a shard that changed only those from where it changed.
    algorithm : {"sha256", "blake3"}
        For the bytes of files; rows are always hashed with SHA-256.
    hash_file : callable
        How the bytes of a file are hashed: `blob_hash`, or `SeenFiles.blob_hash` to trust what was seen.

    Raises
    ------
    DataError
        Where the data cannot be read.
    """
    place = Path(data)
    opened = table_of(place)
    if opened is None:
        named = [(place.name, place)] if place.is_file() else files_below(place)
        shards = [Shard(name, file.stat().st_size, hash_file(file, algorithm)) for name, file in named]
        return Built(Manifest(tuple(shards), (), algorithm), 0, 0)
    find_columns(opened, previous)
    columns = tuple(sorted(opened.columns))
    by_digest: dict[str, Shard] = {}
    by_name: dict[str, Shard] = {}
    if previous is not None and previous.columns == columns:
        by_name = {shard.name: shard for shard in previous.shards if shard.pieces is not None}
        if previous.algorithm == algorithm:
            by_digest = {shard.digest: shard for shard in by_name.values()}
    made, read = [], []
    for part in parts_of(opened):
        digest = hash_file(part.path, algorithm)
        name = part.path.name if part is opened else part.path.relative_to(place).as_posix()
        size = part.path.stat().st_size
        if digest in by_digest:
            known = by_digest[digest]
            made.append(Shard(name, size, digest, known.pieces, known.extents, known.types))
            continue
        earlier = by_name.get(name) or (next(iter(by_name.values()), None) if part is opened else None)
        shard, rows = _read(part, Shard(name, size, digest), earlier)
        made.append(shard)
        read.append(rows)
    return Built(Manifest(tuple(made), columns, algorithm), len(read), sum(read))


def find_columns(opened: DataFile, known: Manifest | None) -> None:
    """Find the columns of JSON Lines, which are in their lines; in those only that a manifest has not."""
    if isinstance(opened, HasExtents) and opened.format == "jsonl":
        shards = () if known is None else known.shards
        opened.extents({extent.digest: extent for shard in shards for extent in shard.extents})


def _read(part: DataFile, shard: Shard, earlier: Shard | None) -> tuple[Shard, int]:
    """The pieces of a shard, and how many rows were read for them."""
    known = () if earlier is None else earlier.extents
    extents = part.extents({one.digest: one for one in known}) if isinstance(part, HasExtents) else None
    if not extents:
        pieces = pieces_of(part)
        return replace(shard, pieces=pieces), sum(piece.rows for piece in pieces)
    types = types_digest(part)
    if earlier is None or earlier.pieces is None or earlier.types != types:
        pieces, rows = pieces_of(part), sum(extent.rows for extent in extents)
    else:
        pieces, rows = pieces_again(part, extents, earlier.pieces, known)
    if sum(piece.rows for piece in pieces) != sum(extent.rows for extent in extents):
        raise DataError("it changed while it was read", file=part.path, hint="make the manifest again")
    return replace(shard, pieces=pieces, extents=tuple(extents), types=types), rows


def types_digest(part: DataFile) -> str:
    """Of the names and types of all columns."""
    said = sorted([field.name, str(field.type)] for field in part.schema)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def parts_of(opened: DataFile) -> list[DataFile]:
    """The files of a data set that are shards: those of a Parquet folder, or the one there is."""
    return list(opened.shards) if isinstance(opened, ParquetFolder) else [opened]


def table_of(place: Path) -> DataFile | None:
    """The data as a table; None where they are none, or images, which are files first."""
    try:
        opened = open_file(place)
    except DataError:
        if place.is_file() and any(place.name.lower().removesuffix(".gz").endswith(end) for end in _TABLES):
            raise
        if not place.exists() or (place.is_dir() and any(place.rglob("*.parquet"))):
            raise
        return None
    return None if opened.format in ("image-folder", "sound-folder") else opened


_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".arrow", ".feather", ".ipc", ".parquet", ".pq", ".npz")
