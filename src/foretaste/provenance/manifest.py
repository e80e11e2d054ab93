"""Manifests: what one version of a data set consists of, as a tree of hashes: rows, shards, data set.

The leaves of a shard's tree are the row hashes of ``docs/formats.md``, so a version keeps its root in
whatever format its shards are stored. Data that are no table (images, anything else) are one shard per file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foretaste.data.formats import DataFile, open_file
from foretaste.data.formats.parquet import ParquetFolder
from foretaste.data.rows import row_hashes
from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import canonical
from foretaste.provenance.blobs import blob_hash
from foretaste.provenance.listing import files_below
from foretaste.provenance.merkle import leaf_hash, tree_hash
from foretaste.provenance.tiles import Edge

Hash = Callable[[Path, str], str]
_KIND = "manifest"


@dataclass(frozen=True)
class Shard:
    """A part of a data set that is hashed by itself.

    Attributes
    ----------
    name : str
        Of the file, relative to the data set.
    size : int
        Bytes.
    digest : str
        Of the file's bytes.
    rows, root : int, str, or None
        How many rows it has, and the tree hash over them; None where it is no table.
    """

    name: str
    size: int
    digest: str
    rows: int | None = None
    root: str | None = None

    def leaf(self) -> bytes:
        """What is hashed into the tree of the data set: rows, or name and bytes of what is no table."""
        if self.root is None:
            return canonical.encode({"digest": self.digest, "name": self.name})
        return canonical.encode({"root": self.root, "rows": self.rows})


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

    @property
    def root(self) -> str:
        """The hash of the version, as 64 hexadecimal digits."""
        return tree_hash([leaf_hash(shard.leaf()) for shard in self.shards]).hex()

    @property
    def rows(self) -> int | None:
        """How many rows there are; None where the data are no table."""
        counts = [shard.rows for shard in self.shards]
        return None if None in counts else sum(count or 0 for count in counts)

    def encode(self) -> bytes:
        """The manifest file."""
        shards = [
            {key: value for key, value in vars(shard).items() if value is not None} for shard in self.shards
        ]
        value = {
            "schema": 1,
            "kind": _KIND,
            "root": self.root,
            "rows": self.rows,
            "columns": list(self.columns),
        }
        return json.dumps(value | {"algorithm": self.algorithm, "shards": shards}, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read a manifest file; raises `IntegrityError` where it is none or its root is not its shards'."""
        try:
            value: dict[str, Any] = json.loads(data)
            shards = tuple(Shard(**shard) for shard in value["shards"])
            read = cls(shards, tuple(value["columns"]), value["algorithm"])
            if (value["schema"], value["kind"]) != (1, _KIND) or (value["root"], value["rows"]) != (
                read.root,
                read.rows,
            ):
                raise TypeError
        except (ValueError, TypeError, KeyError, DataError):
            raise IntegrityError("this is no manifest, or it was altered") from None
        return read


def build_manifest(
    data: str | Path,
    *,
    previous: Manifest | None = None,
    algorithm: str = "sha256",
    hash_file: Hash = blob_hash,
) -> tuple[Manifest, int]:
    """Hash a data set.

    Parameters
    ----------
    data : path
        Any format foretaste reads, or a file or folder of anything.
    previous : Manifest, optional
        Of an earlier version: the rows of a shard whose bytes it has already are not read again.
    algorithm : {"sha256", "blake3"}
        For the bytes of files; rows are always hashed with SHA-256.
    hash_file : callable
        How the bytes of a file are hashed: `blob_hash`, or `SeenFiles.blob_hash` to trust what was seen.

    Returns
    -------
    Manifest
    int
        How many shards had their rows read.

    Raises
    ------
    DataError
        Where the data cannot be read.
    """
    place = Path(data)
    opened = _opened(place)
    if opened is None:
        named = [(place.name, place)] if place.is_file() else files_below(place)
        shards = [Shard(name, file.stat().st_size, hash_file(file, algorithm)) for name, file in named]
        return Manifest(tuple(shards), (), algorithm), 0
    columns = tuple(sorted(opened.columns))
    known: dict[str, Shard] = {}
    if previous is not None and (previous.columns, previous.algorithm) == (columns, algorithm):
        known = {shard.digest: shard for shard in previous.shards if shard.root is not None}
    made, read = [], 0
    for part in parts_of(opened):
        digest = hash_file(part.path, algorithm)
        name = part.path.name if part is opened else part.path.relative_to(place).as_posix()
        size = part.path.stat().st_size
        if digest in known:
            made.append(Shard(name, size, digest, known[digest].rows, known[digest].root))
            continue
        rows, root = rows_root(row_hashes(batch).tobytes() for batch in part.batches())
        made.append(Shard(name, size, digest, rows, root))
        read += 1
    return Manifest(tuple(made), columns, algorithm), read


def parts_of(opened: DataFile) -> list[DataFile]:
    """The files of a data set that are shards: those of a Parquet folder, or the one there is."""
    return list(opened.shards) if isinstance(opened, ParquetFolder) else [opened]


def rows_root(hashes: Iterable[bytes]) -> tuple[int, str]:
    """Number of rows and tree hash over their hashes, 32 bytes each, given in blocks.

    Examples
    --------
    >>> rows_root([bytes(64), bytes(32)]) == rows_root([bytes(96)])
    True
    """
    edge, sha256 = Edge(0, []), hashlib.sha256
    for block in hashes:
        rows = range(0, len(block), 32)
        edge.extend([sha256(b"\x00" + block[at : at + 32]).digest() for at in rows])
    return edge.size, edge.root().hex()


def _opened(place: Path) -> DataFile | None:
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
