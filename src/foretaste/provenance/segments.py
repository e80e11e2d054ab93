"""Versions in segments: files, or pieces of them, that need not be read where both versions have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import pyarrow as pa

from foretaste.data.formats import DataFile
from foretaste.data.formats.extents import Extent
from foretaste.provenance.grown import batches_from
from foretaste.provenance.manifest import Manifest
from foretaste.provenance.shard import Shard


@dataclass(frozen=True)
class Segment:
    """Some rows of a file: equal keys, equal rows. ``rows`` is None where it is all of the file."""

    key: str
    first: int = 0
    rows: int | None = None


@dataclass(frozen=True)
class Part:
    """A file of a version in segments."""

    file: DataFile
    segments: tuple[Segment, ...]
    extents: tuple[Extent, ...] = ()

    def split(self, left_out: Counter[str]) -> tuple[Part, int]:
        """The segments that are to be read, and how many rows the others have.

        Those in ``left_out`` are taken off there, each as often as it is counted.
        """
        rest, rows = [], 0
        for segment in self.segments:
            if left_out[segment.key] > 0:
                left_out[segment.key] -= 1
                rows += self.count() if segment.rows is None else segment.rows
            else:
                rest.append(segment)
        return Part(self.file, tuple(rest), self.extents), rows

    def count(self) -> int:
        """How many rows the file has."""
        known = self.file.num_rows
        return sum(batch.num_rows for batch in self.file.batches()) if known is None else known

    def batches(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows of the segments, each batch with the number of its first row in the file.

        The file is read from the first to the last of them.
        """
        if not self.segments:
            return
        at, waiting = self.segments[0].first, list(self.segments)
        for batch in batches_from(self.file, self.extents, at):
            end = at + batch.num_rows
            while waiting and waiting[0].first < end:
                segment = waiting[0]
                last = end if segment.rows is None else segment.first + segment.rows
                first = max(at, segment.first)
                yield first, batch[first - at : min(last, end) - at]
                if segment.rows is None or last > end:
                    break
                waiting.pop(0)
            at = end
            if not waiting:
                return


def in_segments(
    files: Sequence[DataFile], digests: Sequence[str], whole: Collection[str], manifest: Manifest | None
) -> list[Part]:
    """The files of a version in segments.

    Parameters
    ----------
    files : sequence of DataFile
    digests : sequence of str
        Their SHA-256, empty where they have none.
    whole : collection of str
        Digests of files that are one segment in any case.
    manifest : Manifest or None
        What the pieces of files with the digests in it are.
    """
    shards: dict[str, Shard] = {}
    if manifest is not None and manifest.algorithm == "sha256":
        shards = {shard.digest: shard for shard in manifest.shards if shard.pieces}
    parts = []
    for file, digest in zip(files, digests, strict=True):
        if digest in whole or digest not in shards:
            parts.append(Part(file, (Segment(digest),)))
            continue
        shard = shards[digest]
        pieces = shard.pieces or ()
        firsts = [0, *accumulate(piece.rows for piece in pieces)]
        segments = [Segment(p.root, first, p.rows) for p, first in zip(pieces, firsts, strict=False)]
        parts.append(Part(file, tuple(segments), shard.extents))
    return parts


__all__ = ["Part", "Segment", "in_segments"]
