"""Hashing a file that grew: rows are read only from where it changed to where it is as before again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import pyarrow as pa

from foretaste.data.formats import DataFile
from foretaste.data.formats.extents import Extent, HasExtents
from foretaste.data.rows import row_hashes
from foretaste.errors import DataError
from foretaste.provenance.pieces import Hashes, Piece, cut


def pieces_of(file: DataFile) -> tuple[Piece, ...]:
    """The pieces of a file, all of its rows read."""
    return tuple(Piece.of(hashes) for hashes in cut(row_hashes(batch) for batch in file.batches()))


def pieces_again(
    file: DataFile, extents: Sequence[Extent], before: Sequence[Piece], known: Sequence[Extent]
) -> tuple[tuple[Piece, ...], int]:
    """The pieces of a file of which an earlier version is known.

    Parameters
    ----------
    file : DataFile that has extents
    extents : sequence of Extent
        Its own.
    before, known : sequence of Piece, of Extent
        Of the earlier version, in which columns had the same types.

    Returns
    -------
    tuple of Piece
        The same as `pieces_of`.
    int
        How many rows were read.

    Raises
    ------
    DataError
        Where the file changes while it is read.
    """
    head = _same(extents, known)
    tail = _same(extents[head:][::-1], known[head:][::-1])
    rows, rows_before = (sum(extent.rows for extent in side) for side in (extents, known))
    head_rows = sum(extent.rows for extent in extents[:head])
    tail_rows = sum(extent.rows for extent in extents[len(extents) - tail :])
    ends = list(accumulate(piece.rows for piece in before))
    kept = sum(end <= head_rows for end in ends)
    if kept and ends[kept - 1] == rows_before != rows:
        kept -= 1  # it ended because the file did
    made = list(before[:kept])
    at = start = ends[kept - 1] if kept else 0
    starts = [0, *ends[:-1]]
    joins = {rows_before - begin: number for number, begin in enumerate(starts)}
    if at == rows:
        return tuple(made), 0
    for hashes in cut(_hashes_from(file, extents, at)):
        made.append(Piece.of(hashes))
        at += len(hashes)
        if 0 < rows - at <= tail_rows and rows - at in joins:
            return (*made, *before[joins[rows - at] :]), at - start
    if at != rows:
        raise DataError("it changed while it was read", file=file.path, hint="make the manifest again")
    return tuple(made), at - start


def _same(ours: Sequence[Extent], theirs: Sequence[Extent]) -> int:
    """How many extents at the beginning are the same."""
    count = 0
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            break
        count += 1
    return count


def _hashes_from(file: DataFile, extents: Sequence[Extent], row: int) -> Iterator[Hashes]:
    """Row hashes from a row on."""
    for batch in batches_from(file, extents, row):
        yield row_hashes(batch)


def batches_from(file: DataFile, extents: Sequence[Extent], row: int) -> Iterator[pa.RecordBatch]:
    """The rows of a file from one on, without reading the extents before it."""
    if isinstance(file, HasExtents) and file.num_rows is None:
        file.extents({extent.digest: extent for extent in extents})  # spares looking for types
    number = first = 0
    while number < len(extents) and first + extents[number].rows <= row:
        first += extents[number].rows
        number += 1
    batches = file.batches_from(number) if isinstance(file, HasExtents) and extents else file.batches()
    for batch in batches:
        skipped = min(max(0, row - first), batch.num_rows)
        if skipped < batch.num_rows:
            yield batch[skipped:]
        first += batch.num_rows


__all__ = ["batches_from", "pieces_again", "pieces_of"]
