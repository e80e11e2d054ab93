"""``Dataset``: an Arrow table plus the roles its columns play."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.codes import Codes, as_text, encode
from foretaste.data.formats import DataFile, open_file
from foretaste.data.images import image_stack
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.moments import seconds
from foretaste.data.names import name_some, require_column
from foretaste.data.plain import plain_table
from foretaste.data.profile import profile
from foretaste.data.roles import ColumnNote, Roles
from foretaste.errors import DataError

__all__ = ["Codes", "ColumnNote", "Dataset", "Roles", "as_text", "encode", "name_some"]


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
        What was noticed while reading (encodings, missing labels, broken images).
    columns : tuple of ColumnNote
        What was decided about every column and why; empty where the roles were given, not found.
    """

    table: pa.Table
    roles: Roles = field(default_factory=Roles)
    name: str = "data"
    notes: tuple[str, ...] = ()
    columns: tuple[ColumnNote, ...] = ()

    def __post_init__(self) -> None:
        names = self.table.column_names  # asked for once: there may be many
        for role, column in self.roles.named().items():
            require_column(column, names, use=role, file=self.name)
        for column in set(self.roles.features).difference(names):
            require_column(column, names, use="feature", file=self.name)

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str] | DataFile,
        *,
        label: str | None = None,
        source: str | None = None,
        time: str | None = None,
        id: str | None = None,
        text: str | None = None,
        image: str | None = None,
        quantity: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Dataset:
        """Read a data file and find out what part every column plays.

        Parameters
        ----------
        path : str, path or DataFile
            Any format that `foretaste.data.open_file` knows.
        label, source, time, id, text, image : str, optional
            Columns by their part; what a format fixes itself (``y`` in an ``.npz``) need not be named.
        quantity : bool
            The label is a number to predict (regression), not a class.
        limits : Limits
            What the file may cost before it is refused.

        Raises
        ------
        DataError
            Where the file is not sound, has no rows, or a named column cannot play its part.
        """
        opened = path if isinstance(path, DataFile) else open_file(path, limits=limits)
        named: dict[str, str | None] = {"label": label, "source": source, "time": time}
        named |= {"id": id, "text": text, "image": image}
        for role, column in opened.defaults.items():
            if named[role] is None and column not in named.values():
                named[role] = column
        for role, chosen in named.items():
            if chosen is not None and opened.format != "jsonl":  # its columns are known only once it is read
                require_column(chosen, opened.columns, use=role, file=opened.path)
        table = opened.read()
        return cls._profiled(table, named, opened.path.name, tuple(opened.notes), quantity)

    @classmethod
    def from_table(
        cls,
        table: pa.Table,
        *,
        label: str | None = None,
        source: str | None = None,
        time: str | None = None,
        id: str | None = None,
        text: str | None = None,
        image: str | None = None,
        name: str = "data",
        notes: tuple[str, ...] = (),
    ) -> Dataset:
        """A data set from an Arrow table of any types; the parts of columns are found as in `read`."""
        named = {"label": label, "source": source, "time": time, "id": id, "text": text, "image": image}
        return cls._profiled(plain_table(table), named, name, notes)

    @classmethod
    def _profiled(
        cls,
        table: pa.Table,
        named: dict[str, str | None],
        name: str,
        notes: tuple[str, ...],
        quantity: bool = False,
    ) -> Dataset:
        if table.num_rows == 0:
            raise DataError("it has no rows", file=name)
        found = profile(table, named, file=name, quantity=quantity)
        return cls(table, found.roles, name, notes + found.notes, found.columns)

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
        column = self.table.column(self.roles.text).cast(pa.large_string())
        return [value or "" for value in column.to_pylist()]

    @property
    def images(self) -> NDArray[Any] | None:
        """The image column as ``[n, H, W]`` or ``[n, H, W, 3]``, or None without one.

        Image files in a binary column are decoded, those of another size scaled to the most common one; a row
        without an image (`has_image`) is black.
        """
        return None if self.roles.image is None else self._pixels[0]

    @property
    def has_image(self) -> NDArray[np.bool_] | None:
        """Which rows ``[n]`` have an image that could be decoded; None without an image column."""
        return None if self.roles.image is None else self._pixels[1]

    @cached_property
    def _pixels(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        column = str(self.roles.image)
        return image_stack(self.table.column(column), DEFAULT_LIMITS, file=self.name, name=column)

    @cached_property
    def times(self) -> NDArray[np.float64] | None:
        """The time column in seconds since 1970-01-01 (missing is NaN), or None without one."""
        if self.roles.time is None:
            return None
        return seconds(self.table.column(self.roles.time), name=self.roles.time, file=self.name)

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
