"""A column as small integers, and a cell as text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class Codes:
    """A column as small integers: ``codes[i]`` indexes ``values``; a missing value is -1.

    ``values`` are in ascending order of their text, so the same rows in another order give the same values.
    """

    codes: NDArray[np.int32]
    values: pa.Array

    @cached_property
    def names(self) -> list[str]:
        """Every value as text, in the order of ``values``."""
        return [as_text(value) for value in self.values.to_pylist()]

    def __len__(self) -> int:
        return len(self.values)


def encode(column: pa.ChunkedArray | pa.Array) -> Codes:
    """Encode a column of any scalar type as integers, values sorted by their text.

    Examples
    --------
    >>> coded = encode(pa.array(["b", None, "a", "b"]))
    >>> coded.codes.tolist(), coded.names
    ([1, -1, 0, 1], ['a', 'b'])
    """
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if pa.types.is_dictionary(chunked.type):  # its dictionary may hold values no row has
        chunked = chunked.cast(chunked.type.value_type)
    if pa.types.is_floating(chunked.type):  # NaN is a missing value
        chunked = pc.if_else(pc.is_nan(chunked), pa.scalar(None, chunked.type), chunked)
    if pa.types.is_null(chunked.type) or len(chunked) == 0:
        return Codes(np.full(len(chunked), -1, dtype=np.int32), pa.array([], chunked.type))
    coded = chunked.dictionary_encode().unify_dictionaries()
    values = coded.chunk(0).dictionary
    texts = [as_text(value) for value in values.to_pylist()]
    order = np.array(sorted(range(len(values)), key=texts.__getitem__), dtype=np.int64)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    indices = pa.chunked_array([chunk.indices for chunk in coded.chunks], type=coded.chunk(0).indices.type)
    raw = pc.fill_null(indices, -1).to_numpy().astype(np.int64)
    codes = np.where(raw < 0, np.int32(-1), rank[raw] if len(rank) else np.int32(-1)).astype(np.int32)
    return Codes(codes, values.take(pa.array(order)))


def as_text(value: Any) -> str:
    """One cell as a person would write it: integers without ``.0``, missing as an empty string."""
    item = value.as_py() if isinstance(value, pa.Scalar) else value
    if item is None:
        return ""
    if isinstance(item, float) and item.is_integer() and abs(item) < 1e15:
        return str(int(item))
    if isinstance(item, bytes):
        return item.decode("utf-8", "replace")
    return str(item)
