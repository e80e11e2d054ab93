"""Lines that hold what the lines before them held, parsed by Arrow instead of one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.json as arrow_json
from numpy.typing import NDArray

from foretaste.data.formats.kinds import Kind

_MOST_MISSES = 3
_ODD_NUMBER = re.compile(rb"[:\s,]-?Inf\b")


class QuickParser:
    """Parses blocks of flat objects whose columns and kinds are known; anything else it leaves to others.

    Arrow's parser stops at a repeated key, a value of another type and an unknown key. What it would let
    through is checked here: bytes that are not UTF-8, several objects on a line, and the word ``Inf``.
    """

    def __init__(self) -> None:
        self._misses = 0

    def parse(self, block: bytes, starts: NDArray[np.int64], kinds: Mapping[str, Kind]) -> pa.Table | None:
        """The lines of ``block`` that start at ``starts`` as a table of all columns, or None."""
        if (
            not kinds
            or self._misses >= _MOST_MISSES
            or not len(starts)
            or not _one_object_per_line(block, starts)
        ):
            return None
        schema = pa.schema([(name, kind.type) for name, kind in kinds.items()])
        try:
            if not block.isascii():
                block.decode("utf-8")
            if _ODD_NUMBER.search(block):
                return None
            table = arrow_json.read_json(
                pa.BufferReader(block),
                read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
                parse_options=arrow_json.ParseOptions(
                    explicit_schema=schema, unexpected_field_behavior="error"
                ),
            )
        except (pa.ArrowException, UnicodeDecodeError):
            self._misses += 1
            return None
        if table.num_rows != len(starts) or not table.schema.equals(schema):
            self._misses += 1
            return None
        self._misses = 0
        return table


def _one_object_per_line(block: bytes, starts: NDArray[np.int64]) -> bool:
    """Whether every line begins with ``{`` and ends with ``}``: one object, as no value here is an object."""
    data = np.frombuffer(block, dtype=np.uint8)
    if not np.all(data[starts] == ord("{")):
        return False
    solid = np.flatnonzero(data > 32)
    ends = np.append(starts[1:], len(block))
    return bool(np.all(data[solid[np.searchsorted(solid, ends) - 1]] == ord("}")))
