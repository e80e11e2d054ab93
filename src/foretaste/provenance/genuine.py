"""Entries of a ledger that are surely those that were signed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import overload

from foretaste.errors import IntegrityError
from foretaste.provenance.entries import Entry
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.merkle import leaf_hash
from foretaste.provenance.tiles import Edge


class GenuineEntries(Sequence[Entry]):
    """Entries that were compared with the signed root; what they say is read when it is asked for.

    Parameters
    ----------
    raw : list of bytes
        All of them.
    """

    def __init__(self, raw: list[bytes]) -> None:
        self.raw = raw

    @cached_property
    def _together(self) -> tuple[bytes, list[int]]:
        """All entries in lines, no text goes over the end of one, and where each ends: quick to search."""
        return b"".join(entry + b"\n" for entry in self.raw), list(accumulate(len(e) + 1 for e in self.raw))

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, index: int) -> Entry: ...

    @overload
    def __getitem__(self, index: slice) -> GenuineEntries: ...

    def __getitem__(self, index: int | slice) -> Entry | GenuineEntries:
        if isinstance(index, slice):
            return GenuineEntries(self.raw[index])
        return Entry.decode(self.raw[index])

    def holding(self, *texts: str, start: int = 0) -> Iterator[tuple[int, Entry]]:
        """Entries in whose bytes one of the texts stands, and their numbers; others are not read.

        An entry is canonical JSON, so one of kind ``run`` holds ``"kind":"run"``; the reverse need not be.
        """
        together, ends = self._together
        found = set()
        for text in map(str.encode, texts):
            at = together.find(text, ends[start - 1] if start else 0)
            while at >= 0:
                number = bisect_right(ends, at)
                found.add(number)
                at = together.find(text, ends[number])
        for number in sorted(found):
            yield number, self[number]

    def of_kinds(self, *kinds: str, start: int = 0) -> Iterator[tuple[int, Entry]]:
        """Entries of some kinds, and their numbers."""
        for number, entry in self.holding(*(f'"kind":"{kind}"' for kind in kinds), start=start):
            if entry.kind in kinds:
                yield number, entry


def genuine_entries(ledger: Ledger) -> GenuineEntries:
    """All entries, read once and compared with the signed root.

    Raises
    ------
    IntegrityError
        Where they are not what the checkpoint signs; ``foretaste ledger verify`` says which of them is wrong.
    """
    checkpoint = ledger.checkpoint
    raw = list(ledger.tiles(checkpoint.size).entries())
    edge = Edge(0, [])
    edge.extend([leaf_hash(entry) for entry in raw])
    if len(raw) != checkpoint.size or edge.root() != checkpoint.root:
        raise IntegrityError(
            f"the entries of {ledger.folder} are not those that its checkpoint signs; "
            "run foretaste ledger verify"
        )
    return GenuineEntries(raw)


__all__ = ["GenuineEntries", "genuine_entries"]
