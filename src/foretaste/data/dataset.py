"""``Dataset``: an Arrow table plus the roles its columns play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.errors import DataError


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column plays which part. ``features`` are the columns a model may learn from, text aside."""

    label: str | None = None
    source: str | None = None
    time: str | None = None
    id: str | None = None
    text: str | None = None
    image: str | None = None
    features: tuple[str, ...] = ()

    def named(self) -> dict[str, str]:
        """The single-column roles in use, ``{role: column}``."""
        pairs = {name: getattr(self, name) for name in ("label", "source", "time", "id", "text", "image")}
        return {role: column for role, column in pairs.items() if column is not None}


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
        return [as_text(value) for value in self.values]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Dataset:
    """Rows with roles: the noun that attacks, detectors and defences take and give back.

    Parameters
    ----------
    table : pyarrow.Table
        One row per example, every column of the input, in input order.
    roles : Roles
    name : str
        What to call it in a report; a file name where it came from a file.
    notes : tuple of str
        What was noticed while reading (columns left out of the features and why).
    """

    table: pa.Table
    roles: Roles = field(default_factory=Roles)
    name: str = "data"

    def __post_init__(self) -> None:
        for role, column in self.roles.named().items():
            self._require(column, role)
        for column in self.roles.features:
            self._require(column, "feature")

    def _require(self, column: str, role: str) -> None:
        if column not in self.table.column_names:
            raise DataError(
                f"there is no column {column!r} to use as {role}",
                file=self.name,
                hint=f"its columns are {name_some(self.table.column_names)}",
            )

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        return self.table.column(name)

    @cached_property
    def labels(self) -> Codes:
        """The label column as codes. Raises `DataError` where there is none."""
        if self.roles.label is None:
            raise DataError("no label column is named", file=self.name, hint="name it with --label")
        return encode(self.table.column(self.roles.label))

    @cached_property
    def sources(self) -> Codes | None:
        """The source column as codes, or None without one."""
        return None if self.roles.source is None else encode(self.table.column(self.roles.source))

    @cached_property
    def texts(self) -> list[str] | None:
        """The text column as a list of str (missing text is empty), or None without one."""
        if self.roles.text is None:
            return None
        return [value or "" for value in self.table.column(self.roles.text).cast(pa.large_string()).to_pylist()]

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Dataset:
        """The rows at these positions, in this order."""
        return replace(self, table=self.table.take(pa.array(np.asarray(rows, dtype=np.int64))))

    def with_column(self, name: str, values: Any) -> Dataset:
        """The same rows with one column replaced or, where the name is new, appended."""
        array = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values)
        if name in self.table.column_names:
            position = self.table.column_names.index(name)
            return replace(self, table=self.table.set_column(position, name, array))
        return replace(self, table=self.table.append_column(name, array))


def encode(column: pa.ChunkedArray | pa.Array) -> Codes:
    """Encode a column of any scalar type as integers, values sorted by their text.

    Examples
    --------
    >>> coded = encode(pa.array(["b", None, "a", "b"]))
    >>> coded.codes.tolist(), coded.names
    ([1, -1, 0, 1], ['a', 'b'])
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # zero chunks stay chunked
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):  # NaN is a missing value
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    coded = array.dictionary_encode()
    order = np.array(sorted(range(len(coded.dictionary)), key=lambda i: as_text(coded.dictionary[i])), dtype=np.int64)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    raw = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    codes = np.where(raw < 0, np.int32(-1), rank[raw] if len(rank) else np.int32(-1)).astype(np.int32)
    return Codes(codes, coded.dictionary.take(pa.array(order)))


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


def name_some(names: Sequence[str], limit: int = 8) -> str:
    """``a, b, c and 12 more``: at most ``limit`` of the names."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
