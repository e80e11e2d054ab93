"""``.npz``: arrays ``x [N, ...]``, ``y [N]`` and, optionally, ``source [N]``; never unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray

from foretaste.data.arrays import column_from_array, columns_from_matrix, tensor_from_images
from foretaste.data.formats.npz_members import Member, list_members, open_npz, read_rows
from foretaste.data.formats.opened import Edits
from foretaste.data.formats.sizes import check_mask, check_table_size
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.names import name_some
from foretaste.data.plain import plain_table
from foretaste.errors import DataError

_BATCH_BYTES = 32 * 2**20
_SCALAR_KINDS = "biufUSMm"


class NpzData:
    """One ``.npz`` archive. See `DataFile`.

    ``x`` of uint8 ``[N, H, W]`` or ``[N, H, W, C]`` is one column of images; any other ``x`` of numbers is
    flattened to ``[N, d]`` and gives columns ``x0``, ``x1``, ...; every other array ``[N]`` is a column.
    """

    format = "npz"

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.limits = limits
        self.notes: list[str] = []
        with open_npz(path) as archive:
            members = list_members(archive, path, limits)
        self._members = {member.name: member for member in members}
        if "x" not in self._members:
            raise DataError(
                "there is no array 'x'",
                file=path,
                hint=f"it holds {name_some([m.name for m in members]) or 'nothing'}; name it x, the labels y",
            )
        x = self._members["x"]
        if not x.shape or x.dtype.kind not in "biuf":
            raise DataError(f"its array 'x' has dtype {x.dtype} and shape {x.shape}", file=path)
        self._rows = x.shape[0]
        self._is_image = x.dtype == np.uint8 and len(x.shape) in (3, 4)
        self._width = prod(x.shape[1:])
        if 0 in x.shape[1:] or (not self._is_image and self._width > limits.columns):
            raise DataError(
                f"its array 'x' has shape {x.shape}, the limit is {limits.columns} columns", file=path
            )
        self._others = [m for m in members if m.name != "x" and self._is_column(m)]
        own = ["x"] if self._is_image else [f"x{j}" for j in range(self._width)]
        self.columns: list[str] = own + [m.name for m in self._others]
        if len(set(self.columns)) < len(self.columns):
            raise DataError("an array has the name of a column of 'x'", file=path, hint="rename that array")
        self.defaults = {"image": "x"} if self._is_image else {}
        self.defaults |= {
            role: name for role, name in (("label", "y"), ("source", "source")) if name in self.columns
        }

    def _is_column(self, member: Member) -> bool:
        shape = member.shape[:1] if member.shape[1:] == (1,) else member.shape
        if shape == (self._rows,) and member.dtype.kind in _SCALAR_KINDS:
            return True
        if member.name in ("y", "source"):
            raise DataError(
                f"its array {member.name!r} has shape {member.shape} and dtype {member.dtype}",
                file=self.path,
                hint=f"it must have one value for each of the {self._rows} rows of 'x'",
            )
        self.notes.append(
            f"array {member.name!r} {list(member.shape)} is not one value per row and is not scanned"
        )
        return False

    @property
    def schema(self) -> pa.Schema:
        empty = {m.name: np.empty((0, *m.shape[1:]), m.dtype.newbyteorder("=")) for m in self._used()}
        return self._table(empty).schema

    @property
    def num_rows(self) -> int:
        return self._rows

    @property
    def bytes_per_row(self) -> float:
        return float(self._members["x"].row_bytes + sum(m.row_bytes for m in self._others))

    def read(self) -> pa.Table:
        check_table_size(self, self.limits)
        with open_npz(self.path) as archive:
            return self._table({m.name: next(read_rows(archive, m)) for m in self._used()})

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        rows = int(min(2**16, max(1, _BATCH_BYTES // max(1.0, self.bytes_per_row))))
        with open_npz(self.path) as archive:
            streams = [_cut(read_rows(archive, member, rows), rows) for member in self._used()]
            names = [member.name for member in self._used()]
            for arrays in zip(*streams, strict=True):
                table = self._table(dict(zip(names, arrays, strict=True)))
                yield from (table if columns is None else table.select(list(columns))).to_batches()

    def _used(self) -> list[Member]:
        return [self._members["x"], *self._others]

    def _table(self, arrays: dict[str, NDArray[Any]]) -> pa.Table:
        x = arrays["x"]
        if self._is_image:
            columns = {"x": tensor_from_images(x)}
        else:
            columns = columns_from_matrix(x.reshape(len(x), self._width))
        columns |= {m.name: column_from_array(arrays[m.name].reshape(len(x))) for m in self._others}
        return plain_table(pa.table(columns))

    def write_rows(self, keep: NDArray[np.bool_], out: Path, *, edits: Edits | None = None) -> None:
        """Arrays ``[N, ...]`` lose the same rows, all others are copied; see `DataFile`."""
        check_mask(keep, self._rows, self.path)
        with open_npz(self.path) as archive, zipfile.ZipFile(out, "w", allowZip64=True) as target:
            for member in self._members.values():
                entry = zipfile.ZipInfo(member.entry.filename, member.entry.date_time)
                entry.compress_type = member.entry.compress_type
                with target.open(entry, "w", force_zip64=True) as stream:
                    if member.shape[:1] == (self._rows,):
                        self._write_member(archive, member, keep, (edits or {}).get(member.name, {}), stream)
                    else:
                        npy.write_array(stream, next(read_rows(archive, member)), allow_pickle=False)

    def _write_member(
        self,
        archive: zipfile.ZipFile,
        member: Member,
        keep: NDArray[np.bool_],
        cells: Any,
        stream: IO[bytes],
    ) -> None:
        shape = (int(keep.sum()), *member.shape[1:])
        header = {"descr": npy.dtype_to_descr(member.dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(stream, header)
        rows = max(1, _BATCH_BYTES // max(1, member.row_bytes))
        start = 0
        for piece in _cut(read_rows(archive, member, rows), rows):
            stop = start + len(piece)
            here = {row - start: text for row, text in cells.items() if start <= row < stop}
            if here:
                piece = piece.copy()
                for row, text in here.items():
                    piece[row] = np.array(text).astype(piece.dtype)
            stream.write(piece[keep[start:stop]].astype(member.dtype, copy=False).tobytes())
            start = stop


def _cut(pieces: Iterator[NDArray[Any]], rows: int) -> Iterator[NDArray[Any]]:
    """An array stored in Fortran order comes in one piece: give pieces of ``rows`` all the same."""
    for piece in pieces:
        for start in range(0, len(piece), rows):
            yield piece[start : start + rows]
