"""Row proofs: that a row is in a version of a data set, in one small file that is checked offline.

A proof leads from the hash of the row through piece and shard to the root of the version, and, where the
version was committed to a ledger, on to the ledger's signed checkpoint. It shows that the row was in the
version, as which row; not that it is right. It holds the hashes of up to fifteen rows beside it: whoever can
guess one of these rows can see that it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from foretaste.errors import IntegrityError
from foretaste.provenance import canonical
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.entries import Entry
from foretaste.provenance.manifest import version_root
from foretaste.provenance.merkle import leaf_hash, root_from_inclusion
from foretaste.provenance.note import VerifierKey
from foretaste.provenance.pieces import TOGETHER, Piece
from foretaste.provenance.proof import MOST_BYTES as MOST_LEDGER_BYTES
from foretaste.provenance.proof import Proof

MOST_BYTES = MOST_LEDGER_BYTES * 2 + 2**17
_KIND = "row-proof"
_SCHEMA = 1


@dataclass(frozen=True)
class Level:
    """One tree on the way up.

    Attributes
    ----------
    index, size : int
        Which of how many entries.
    first, rows : int
        The first row of what the entry stands for, counted from the first of what the tree stands for, and
        how many rows it has.
    path : tuple of bytes
        From the entry's sibling up to the root's child.
    """

    index: int
    size: int
    first: int
    rows: int
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class RowProof:
    """That a row is in a version.

    Attributes
    ----------
    row : int, from 0
        Which row of the version.
    version_rows : int
        How many rows the version has.
    block : bytes
        The hashes of the rows that share its entry, 32 bytes each, its own among them.
    block_path : tuple of bytes
        From the block's sibling up in the tree of the piece.
    piece, shard : Level
        The piece in its shard, the shard in its version.
    ledger : bytes or None
        A proof of the ledger's entry that names the root (`foretaste.provenance.proof`).
    """

    row: int
    version_rows: int
    block: bytes
    block_path: tuple[bytes, ...]
    piece: Level
    shard: Level
    ledger: bytes | None = None

    @property
    def row_hash(self) -> str:
        """The hash of the row, as ``docs/formats.md`` defines it."""
        at = 32 * (self._in_piece % TOGETHER)
        return self.block[at : at + 32].hex()

    @property
    def _in_piece(self) -> int:
        return self.row - self.shard.first - self.piece.first

    def encode(self) -> bytes:
        """The bytes of the proof file: canonical JSON and a line end."""
        value: dict[str, Any] = {
            "block": {"hashes": self.block.hex(), "path": _hex(self.block_path)},
            "hash": self.row_hash,
            "kind": _KIND,
            "piece": _level(self.piece),
            "row": self.row,
            "rows": self.version_rows,
            "schema": _SCHEMA,
            "shard": _level(self.shard),
        }
        if self.ledger is not None:
            value["ledger"] = self.ledger.decode()
        return canonical.encode(value) + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> RowProof:
        """Read a proof file; raises `IntegrityError` where it is not exactly one."""
        if len(data) > MOST_BYTES:
            raise IntegrityError("this is no proof of a row: it is too long")
        value = canonical.decode(data.removesuffix(b"\n"), "the proof of a row")
        try:
            block, ledger = value["block"], value.get("ledger")
            read = cls(
                _whole(value["row"]), _whole(value["rows"]),
                bytes.fromhex(block["hashes"]), _hashes(block["path"]),
                _read_level(value["piece"]), _read_level(value["shard"]),
                None if ledger is None else ledger.encode(),
            )  # fmt: skip
            if read.encode() != data:
                raise TypeError
        except (TypeError, KeyError, AttributeError, ValueError):
            raise IntegrityError("this is no proof of a row: it is not in its exact form") from None
        return read

    def root(self) -> str:
        """The root that a version must have for the row to be in it; to be compared with a trusted one.

        Raises
        ------
        IntegrityError
            Where no version has such a proof.
        """
        piece, shard, at = self.piece, self.shard, self._in_piece
        inside = 0 <= at < piece.rows and piece.first >= 0 and piece.first + piece.rows <= shard.rows
        blocks = -(-piece.rows // TOGETHER)
        number = at // TOGETHER
        if not inside or len(self.block) != 32 * min(TOGETHER, piece.rows - number * TOGETHER):
            raise IntegrityError("the proof contradicts itself: it was altered")
        top = root_from_inclusion(number, blocks, leaf_hash(self.block), self.block_path)
        entry = Piece(piece.rows, top.hex()).entry(piece.first)
        top = root_from_inclusion(piece.index, piece.size, leaf_hash(entry), piece.path)
        counts = {"first": shard.first, "pieces": piece.size, "root": top.hex(), "rows": shard.rows}
        top = root_from_inclusion(shard.index, shard.size, leaf_hash(canonical.encode(counts)), shard.path)
        return version_root(self.version_rows, shard.size, top)

    def check(self, root: str) -> None:
        """Check that the row is in the version with this root, got where you trust it.

        Raises
        ------
        IntegrityError
            Where that is not proven.
        """
        if self.root() != root:
            raise IntegrityError(f"row {self.row} is not proven to be in the version {root}")

    def check_recorded(self, checkpoint: Checkpoint, key: VerifierKey) -> Entry:
        """Check that the row is in a version which the ledger of a checkpoint names.

        Parameters
        ----------
        checkpoint, key
            As in `Proof.check`.

        Returns
        -------
        Entry
            The ledger's entry about the version.

        Raises
        ------
        IntegrityError
            Where it is not proven, or the proof has nothing about a ledger.
        DataError
            Where the checkpoint is of another size.
        """
        if self.ledger is None:
            raise IntegrityError("the proof does not lead to a ledger; check it against a root or a manifest")
        entry = Proof.parse(self.ledger).check(checkpoint, key)
        roots = entry.details.get("roots")
        if not isinstance(roots, list) or self.root() not in roots:
            raise IntegrityError(f"row {self.row} is not proven to be in a version that the ledger names")
        return entry


def _level(level: Level) -> dict[str, Any]:
    counts = {"first": level.first, "index": level.index, "rows": level.rows, "size": level.size}
    return counts | {"path": _hex(level.path)}


def _read_level(value: Any) -> Level:
    index, size, first, rows = (_whole(value[name]) for name in ("index", "size", "first", "rows"))
    return Level(index, size, first, rows, _hashes(value["path"]))


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _hex(path: Sequence[bytes]) -> list[str]:
    return [part.hex() for part in path]


def _hashes(path: Any) -> tuple[bytes, ...]:
    read = tuple(map(bytes.fromhex, path))
    if any(len(part) != 32 for part in read):
        raise ValueError
    return read


__all__ = ["MOST_BYTES", "Level", "RowProof"]
