"""How much an input may cost before it is refused: data are hostile."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def _physical_memory() -> int:
    try:
        return int(os.sysconf("SC_PAGE_SIZE")) * int(os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return 64 * 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that a reader keeps to.

    Attributes
    ----------
    columns : int
        Most columns in a table.
    record_bytes : int
        Longest single CSV record or JSON line, in bytes.
    table_bytes : int
        Largest table that is read at once, in bytes; the memory of this machine by default.
    expansion : float
        Most bytes that one compressed byte may turn into, judged once ``expansion_floor`` bytes came out.
    expansion_floor : int
        Bytes that may always come out of a compressed file.
    image_pixels : int
        Most pixels in one image file.
    block_bytes : int
        Bytes read at once while streaming.
    """

    columns: int = 100_000
    record_bytes: int = 64 * 2**20
    table_bytes: int = field(default_factory=_physical_memory)
    expansion: float = 200.0
    expansion_floor: int = 64 * 2**20
    image_pixels: int = 40_000_000
    block_bytes: int = 16 * 2**20


DEFAULT_LIMITS = Limits()
