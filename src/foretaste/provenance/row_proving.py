"""Making row proofs: only the piece that holds the row is read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from foretaste.data.formats import open_file
from foretaste.data.rows import row_hashes
from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.gate.approvals import subject_of
from foretaste.provenance.grown import batches_from
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.manifest import Manifest, build_manifest, parts_of, table_of
from foretaste.provenance.merkle import inclusion_path, leaf_hash, subtrees_of
from foretaste.provenance.pieces import TOGETHER, Hashes, Piece, block_leaves
from foretaste.provenance.proof import prove
from foretaste.provenance.row_proof import Level, RowProof
from foretaste.provenance.versions.history import versions
from foretaste.provenance.versions.trees import stored_tree


def prove_row_of(data: str | Path, manifest: Manifest, row: int) -> RowProof:
    """Prove that a row is in a version, out of the data themselves.

    Parameters
    ----------
    data : path
        Data of this version.
    manifest : Manifest
        Of the version.
    row : int, from 0
        Which row.

    Raises
    ------
    DataError
        Where there is no such row, or the data cannot be read.
    IntegrityError
        Where the rows are not those of the manifest.

    Examples
    --------
    >>> import tempfile; import pyarrow as pa; from foretaste.data import write_table
    >>> from foretaste.provenance.manifest import build_manifest
    >>> file = Path(tempfile.mkdtemp()) / "train.csv"
    >>> write_table(pa.table({"text": ["a", "b", "c"], "label": [0, 1, 1]}), file)
    >>> manifest = build_manifest(file).manifest
    >>> proof = prove_row_of(file, manifest, 2)
    >>> RowProof.parse(proof.encode()).check(manifest.root)
    """
    at = place_of(manifest, row)
    opened = table_of(Path(data))
    parts = [] if opened is None else parts_of(opened)
    if len(parts) != len(manifest.shards):
        raise IntegrityError(f"{data} does not have the {len(manifest.shards)} shards of the manifest")
    shard = manifest.shards[at.shard]
    missing, found = (shard.pieces or ())[at.piece].rows, []
    for batch in batches_from(parts[at.shard], shard.extents, at.first_of_piece):
        found.append(row_hashes(batch[:missing]))
        missing -= len(found[-1])
        if not missing:
            break
    return prove_row(manifest, row, np.concatenate(found) if found else np.zeros((0, 32), np.uint8))


def prove_recorded(
    ledger: str | Path, data: Path, manifest: Manifest | None = None
) -> tuple[bytes, Manifest, int]:
    """Prove that a ledger names a version that is in a file or folder.

    Parameters
    ----------
    ledger : path
    data : path
        Data of the version.
    manifest : Manifest, optional
        Theirs; found in the ledger where it names a version with these bytes, else made.

    Returns
    -------
    bytes
        The proof file (`foretaste.provenance.proof`).
    Manifest
    int
        The number of the last entry that names the version.

    Raises
    ------
    DataError
        Where no entry does.
    """
    place = Ledger(ledger)
    sha256 = subject_of(data)
    listed = [
        (version.entry, root, stored, record.sha256)
        for version in versions(place)
        for root, stored, record in zip(version.roots, version.manifests, version.files, strict=True)
    ]
    if manifest is None:
        found = next((stored for _, _, stored, held in reversed(listed) if held == sha256), None)
        manifest = stored_tree(place, found) or build_manifest(data).manifest
    entries = [entry for entry, root, _, _ in listed if root == manifest.root]
    if not entries:
        raise DataError(
            f"no entry of the ledger names the version {manifest.root}",
            file=data,
            hint="commit it with foretaste version commit",
        )
    return prove(place, entries[-1]).encode(), manifest, entries[-1]


def rows_with(data: Path, row_hash: str) -> list[int]:
    """Which rows of a data set have a hash."""
    found, first, wanted = [], 0, np.frombuffer(bytes.fromhex(row_hash), dtype=np.uint8)
    for batch in open_file(data).batches():
        hashes = row_hashes(batch)
        found += (np.flatnonzero((hashes == wanted).all(axis=1)) + first).tolist()
        first += len(hashes)
    return found


def prove_row(manifest: Manifest, row: int, hashes: Hashes) -> RowProof:
    """Prove that a row is in a version.

    Parameters
    ----------
    manifest : Manifest
    row : int, from 0
        Which row of the version.
    hashes : ndarray ``[n, 32]``
        The row hashes of the piece that holds it (`place_of`).

    Raises
    ------
    IntegrityError
        Where these are not the rows that the manifest names.
    """
    at = place_of(manifest, row)
    shard = manifest.shards[at.shard]
    pieces = shard.pieces or ()
    if Piece.of(hashes) != pieces[at.piece]:
        raise IntegrityError(f"the rows around row {row} are not those of the manifest")
    leaves = block_leaves(hashes)
    number = (row - at.first_of_shard - at.first_of_piece) // TOGETHER
    entries, first = [], 0
    for piece in pieces:
        entries.append(leaf_hash(piece.entry(first)))
        first += piece.rows
    return RowProof(
        row,
        manifest.rows or 0,
        hashes[number * TOGETHER : (number + 1) * TOGETHER].tobytes(),
        tuple(inclusion_path(number, len(leaves), subtrees_of(leaves))),
        _climb(at.piece, entries, at.first_of_piece, len(hashes)),
        _climb(at.shard, manifest.leaves(), at.first_of_shard, shard.rows or 0),
    )


@dataclass(frozen=True)
class Place:
    """Where a row is: the numbers of its shard and piece, and the first rows of both, each in its tree."""

    shard: int
    piece: int
    first_of_shard: int
    first_of_piece: int


def place_of(manifest: Manifest, row: int) -> Place:
    """Find a row; raises `DataError` where there is none of that number."""
    if manifest.rows is None:
        raise DataError("the version is no table, so it has no rows")
    if not 0 <= row < manifest.rows:
        raise DataError(f"there is no row {row}: there are {manifest.rows}, counted from 0")
    first = 0
    for number, shard in enumerate(manifest.shards):
        inside = row - first
        if inside < (shard.rows or 0):
            ends = list(accumulate(piece.rows for piece in shard.pieces or ()))
            piece = bisect_right(ends, inside)
            return Place(number, piece, first, ends[piece - 1] if piece else 0)
        first += shard.rows or 0
    raise AssertionError


def _climb(index: int, leaves: Sequence[bytes], first: int, rows: int) -> Level:
    return Level(
        index, len(leaves), first, rows, tuple(inclusion_path(index, len(leaves), subtrees_of(leaves)))
    )


__all__ = ["Place", "place_of", "prove_recorded", "prove_row", "prove_row_of", "rows_with"]
