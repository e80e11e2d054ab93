"""Pieces: where the rows of a shard are cut, so that most cuts stay where they were when rows come or go.

A piece ends with a row whose hash begins with twelve zero bits, so on average after some 4,100 rows. Whether
rows are put in before it or after it, a piece keeps its cuts, and so its root: of a shard that grew, only the
pieces that hold new rows are new. This is content-defined chunking, with the row hash in place of a rolling
one.

Reference: Muthitacharoen, Chen, Mazières, "A low-bandwidth network file system", SOSP 2001.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.provenance import canonical
from foretaste.provenance.merkle import leaf_hash, tree_hash

Hashes = NDArray[np.uint8]
"""Row hashes, ``[n, 32]``."""

TOGETHER = 16
"""Rows whose hashes are one entry of a piece's tree."""
LEAST, MOST = 256, 2**15
"""Rows of a piece, whatever their hashes are; the last piece of a shard may have fewer."""


@dataclass(frozen=True)
class Piece:
    """Some rows of a shard that follow one another: how many, and the tree hash over their hashes."""

    rows: int
    root: str

    @classmethod
    def of(cls, hashes: Hashes) -> Piece:
        """The piece with these row hashes.

        Examples
        --------
        >>> Piece.of(np.zeros((300, 32), np.uint8)).root[:16]
        '3c1e2a0f4beb107f'
        """
        return cls(len(hashes), tree_hash(block_leaves(hashes)).hex())

    def entry(self, first: int) -> bytes:
        """What is hashed into the tree of the shard, where this piece begins with its row ``first``."""
        return canonical.encode({"first": first, "root": self.root, "rows": self.rows})


def block_leaves(hashes: Hashes) -> list[bytes]:
    """The leaves of a piece's tree: of each `TOGETHER` rows, the leaf hash over their hashes in a row."""
    data = hashes.tobytes()
    sha256, width = hashlib.sha256, 32 * TOGETHER
    return [sha256(b"\x00" + data[at : at + width]).digest() for at in range(0, len(data), width)]


def shard_root(pieces: Iterable[Piece]) -> str:
    """The tree hash over the pieces of a shard."""
    leaves, first = [], 0
    for piece in pieces:
        leaves.append(leaf_hash(piece.entry(first)))
        first += piece.rows
    return tree_hash(leaves).hex()


def cut(blocks: Iterable[Hashes]) -> Iterator[Hashes]:
    """Cut row hashes, given in blocks of any size, into pieces.

    Examples
    --------
    >>> hashes = np.ones((1000, 32), np.uint8)
    >>> hashes[[100, 599]] = 0
    >>> [len(piece) for piece in cut([hashes[:600], hashes[600:]])]
    [600, 400]
    """
    kept: list[Hashes] = []
    for block in blocks:
        kept.append(block)
        held = np.concatenate(kept) if len(kept) > 1 else block
        start = 0
        for end in _ends(held):
            yield held[start:end]
            start = end
        kept = [held[start:]]
    if kept and len(kept[0]):
        yield kept[0]


def _ends(hashes: Hashes) -> Iterator[int]:
    """Where pieces end for certain, whatever follows."""
    marked = np.flatnonzero((hashes[:, 0] == 0) & (hashes[:, 1] < 16)) + 1
    start = 0
    while True:
        at = int(np.searchsorted(marked, start + LEAST))
        end = min(int(marked[at]) if at < len(marked) else len(hashes) + 1, start + MOST)
        if end > len(hashes):
            return
        yield end
        start = end


__all__ = ["LEAST", "MOST", "TOGETHER", "Hashes", "Piece", "block_leaves", "cut", "shard_root"]
