"""A stretch of bytes under inspection: the file itself, or something unpacked from it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from foretaste.provenance.model_files.concerns import Concern, Inspection, Level
from foretaste.provenance.model_files.pickle_opcodes import Buffer

DEPTH = 5
"""Archives within archives."""
MEMBERS = 100_000
"""Members looked at in one file, over all archives in it."""
UNPACKED_BYTES = 2**30
"""Bytes unpacked from one file, over all archives in it."""


@dataclass
class Budget:
    """What may still be spent on one file."""

    members: int = field(default_factory=lambda: MEMBERS)
    bytes: int = field(default_factory=lambda: UNPACKED_BYTES)


@dataclass
class Part:
    """Bytes ``start`` to ``end`` of ``data``, and where to say what is found in them.

    Attributes
    ----------
    data : bytes or mmap
    start, end : int
    member : str
        Path inside the file; empty for the file itself.
    depth : int
        How many archives deep.
    inspection : Inspection
    allowed : collection of str
    look : callable
        Inspects another part.
    budget : Budget
    expected : str
        What the name says this is, ``pickle`` for ``model.pkl``; empty where it says nothing.
    """

    data: Buffer
    start: int
    end: int
    member: str
    depth: int
    inspection: Inspection
    look: Callable[[Part], None]
    allowed: Collection[str] = ()
    budget: Budget = field(default_factory=Budget)
    expected: str = ""

    def __len__(self) -> int:
        return self.end - self.start

    def bytes(self, at: int = 0, size: int | None = None) -> bytes:
        """Up to ``size`` bytes from offset ``at`` of this part."""
        begin = min(self.start + max(0, at), self.end)
        stop = self.end if size is None else min(self.end, begin + max(0, size))
        return self.data[begin:stop]

    def report(self, level: Level, kind: str, reason: str, position: int | None = None) -> None:
        """Say what was found, at an offset of this part."""
        self.inspection.add(Concern(level, kind, reason, self.member, position))

    def inside(
        self, name: str, data: Buffer, start: int = 0, end: int | None = None, expected: str = ""
    ) -> None:
        """Look at something that was unpacked from this part."""
        if self.depth >= DEPTH:
            self.report("malformed", "too-deep", f"archives are nested more than {DEPTH} deep")
            return
        path = f"{self.member}/{name}" if self.member else name
        stop = len(data) if end is None else end
        self.look(
            Part(
                data, start, stop, path, self.depth + 1, self.inspection,
                self.look, self.allowed, self.budget, expected,
            )
        )  # fmt: skip

    def spend(self, size: int) -> bool:
        """Whether ``size`` more bytes may be unpacked; says so once they may not."""
        self.budget.bytes -= size
        if self.budget.bytes >= 0:
            return True
        if self.budget.bytes + size >= 0:
            limit = f"{UNPACKED_BYTES // 2**20:,} MiB"
            self.report(
                "malformed", "too-large", f"it unpacks to more than {limit}; the rest was not looked at"
            )
        return False


__all__ = ["Budget", "Part"]
