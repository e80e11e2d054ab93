"""A shard: a file of a data set, its rows as pieces, and what tells unchanged parts of the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from foretaste.data.formats.extents import Extent
from foretaste.provenance import canonical
from foretaste.provenance.pieces import Piece, shard_root

_HASH = re.compile(r"[0-9a-f]{64}")


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
    pieces : tuple of Piece, or None
        Its rows; None where it is no table.
    extents : tuple of Extent
        Runs of rows in the file, by which a later version of it is compared; empty where its format has none.
    types : str
        Digest of the types of its columns, on which row hashes depend; with extents only.
    """

    name: str
    size: int
    digest: str
    pieces: tuple[Piece, ...] | None = None
    extents: tuple[Extent, ...] = ()
    types: str = ""

    @cached_property
    def rows(self) -> int | None:
        """How many rows it has; None where it is no table."""
        return None if self.pieces is None else sum(piece.rows for piece in self.pieces)

    @cached_property
    def root(self) -> str | None:
        """The tree hash over its pieces; None where it is no table."""
        return None if self.pieces is None else shard_root(self.pieces)

    def entry(self, first: int) -> bytes:
        """What is hashed into the tree of the data set, where the shard begins with its row ``first``.

        Rows are; the name and the bytes only of what is no table.
        """
        if self.pieces is None:
            return canonical.encode({"digest": self.digest, "name": self.name})
        counts = {"first": first, "pieces": len(self.pieces), "rows": self.rows}
        return canonical.encode(counts | {"root": self.root})

    def as_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        said: dict[str, Any] = {"name": self.name, "size": self.size, "digest": self.digest}
        if self.pieces is not None:
            said |= {"rows": self.rows, "root": self.root}
            said["pieces"] = [[piece.rows, piece.root] for piece in self.pieces]
        if self.extents:
            said |= {"types": self.types}
            said["extents"] = [[one.rows, one.digest, one.kinds] for one in self.extents]
        return said

    @classmethod
    def from_json(cls, said: Any) -> Shard:
        """Read it; raises `TypeError`, `ValueError` or `KeyError` where it is none."""
        if not isinstance(said, dict):
            raise TypeError(said)
        pieces = None
        if "pieces" in said:
            pieces = tuple(Piece(_count(rows, 1), _hash(root)) for rows, root in said["pieces"])
        extents = tuple(
            Extent(_count(rows, 0), _hash(digest), _text(kinds))
            for rows, digest, kinds in said.get("extents", ())
        )
        types = _hash(said["types"]) if extents else ""
        read = cls(
            _text(said["name"]), _count(said["size"], 0), _hash(said["digest"]), pieces, extents, types
        )
        if read.as_json() != said:
            raise ValueError("its root or its number of rows is not that of its pieces")
        return read


def _count(value: Any, least: int) -> int:
    if type(value) is not int or value < least:
        raise TypeError(value)
    return value


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


__all__ = ["Shard"]
