"""The arrays in an ``.npz`` archive, by their headers, before anything is allocated for them."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from foretaste.data.limits import Limits
from foretaste.errors import DataError

_CHUNK_BYTES = 8 * 2**20
_MOST_MEMBERS = 10_000


@dataclass(frozen=True)
class Member:
    """One array as the header of its ``.npy`` declares it."""

    name: str
    entry: zipfile.ZipInfo
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    @property
    def row_bytes(self) -> int:
        return prod(self.shape[1:]) * self.dtype.itemsize


@contextmanager
def open_npz(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, with every way in which it can be unsound turned into a `DataError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DataError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        MemoryError,
        OverflowError,
    ) as error:
        text = " ".join(str(error).split())[:200]
        raise DataError(f"it cannot be read as .npz ({text})", file=path) from error


def list_members(archive: zipfile.ZipFile, path: Path, limits: Limits) -> list[Member]:
    """Every array of the archive, its declared size checked against the archive and against ``limits``.

    Raises
    ------
    DataError
        For pickled objects, names that lead outside, encrypted or overlapping members, and for arrays that
        would take more memory than ``limits`` allow.
    """
    entries = archive.infolist()
    if len(entries) > _MOST_MEMBERS:
        raise DataError(f"it holds {len(entries)} arrays, the limit is {_MOST_MEMBERS}", file=path)
    if sum(entry.compress_size for entry in entries) > path.stat().st_size:
        raise DataError("its members overlap, as in a zip bomb", file=path)
    members: dict[str, Member] = {}
    for entry in entries:
        _check_entry(entry, path, limits)
        member = _read_header(archive, entry, path)
        if member.name in members:
            raise DataError(f"it holds the array {member.name!r} twice", file=path)
        members[member.name] = member
    total = sum(member.nbytes for member in members.values())
    if total > limits.table_bytes:
        raise DataError(
            f"its arrays need {total / 2**30:.0f} GiB of memory, the limit is"
            f" {limits.table_bytes / 2**30:.0f} GiB",
            file=path,
        )
    return list(members.values())


def _check_entry(entry: zipfile.ZipInfo, path: Path, limits: Limits) -> None:
    name = entry.filename
    if not name.endswith(".npy") or "/" in name or "\\" in name or name.startswith("."):
        raise DataError(f"its member {name[:80]!r} is not an array of this archive", file=path)
    if entry.flag_bits & 0x1:
        raise DataError(f"its member {name!r} is encrypted", file=path)
    if entry.file_size > max(limits.expansion_floor, limits.expansion * max(1, entry.compress_size)):
        raise DataError(
            f"its member {name!r} unpacks {entry.compress_size} bytes into {entry.file_size}: a zip bomb",
            file=path,
            hint="save it again with numpy.savez if it is sound",
        )


def _read_header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Member:
    name = entry.filename.removesuffix(".npy")
    with archive.open(entry) as stream:
        shape, fortran, dtype = read_header(stream)
        start = stream.tell()
    if dtype.hasobject:
        raise DataError(
            f"its array {name!r} holds pickled Python objects, which are never loaded",
            file=path,
            hint="save it with a numeric or string dtype",
        )
    if dtype.kind == "V":
        raise DataError(
            f"its array {name!r} has a structured dtype", file=path, hint="save one array per field"
        )
    member = Member(name, entry, tuple(int(n) for n in shape), dtype, bool(fortran))
    if any(n < 0 for n in member.shape) or start + member.nbytes != entry.file_size:
        raise DataError(
            f"its array {name!r} declares {member.nbytes} bytes and has {entry.file_size - start}", file=path
        )
    return member


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and dtype from the start of a ``.npy``; the stream is then at the first value."""
    version = npy.read_magic(stream)
    if version == (1, 0):
        return npy.read_array_header_1_0(stream)
    if version == (2, 0):
        return npy.read_array_header_2_0(stream)
    raise ValueError(f".npy version {version[0]}.{version[1]}")


def read_rows(archive: zipfile.ZipFile, member: Member, rows: int | None = None) -> Iterator[NDArray[Any]]:
    """The array in pieces of ``rows`` along its first dimension, in one by default; native byte order."""
    with archive.open(member.entry) as stream:
        read_header(stream)
        if rows is None or member.fortran or not member.shape:
            order = "F" if member.fortran else "C"
            buffer = _fill(stream, member.nbytes)
            yield _native(buffer.view(member.dtype).reshape(member.shape, order=order))  # type: ignore[call-overload]
            return
        for start in range(0, member.shape[0], rows):
            count = min(rows, member.shape[0] - start)
            buffer = _fill(stream, count * member.row_bytes)
            yield _native(buffer.view(member.dtype).reshape((count, *member.shape[1:])))


def _fill(stream: IO[bytes], size: int) -> NDArray[np.uint8]:
    buffer = np.empty(size, dtype=np.uint8)
    view = memoryview(buffer.data)
    position = 0
    while position < size:
        piece = stream.read(min(_CHUNK_BYTES, size - position))
        if not piece:
            raise EOFError("an array ends early")
        view[position : position + len(piece)] = piece
        position += len(piece)
    return buffer


def _native(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(array.dtype.newbyteorder("="), copy=False)
