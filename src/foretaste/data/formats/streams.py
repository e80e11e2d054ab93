"""Bytes in and out of a text file, compressed or not, with a bound on what may come out."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from foretaste.data.limits import Limits
from foretaste.errors import DataError

_READ_BYTES = 2**20


class Readable(Protocol):
    """The one method of a binary stream that readers here use."""

    def read(self, size: int, /) -> bytes:
        """About ``size`` bytes; empty only at the end."""


class Writable(Protocol):
    """The one method of a binary stream that writers here use."""

    def write(self, data: bytes, /) -> int:
        """Append ``data``."""


class BoundedGzip:
    """A gzip stream that refuses to unpack more than ``limits`` allow.

    Members that follow each other are joined (RFC 1952, section 2.2).
    """

    def __init__(self, stream: BinaryIO, path: Path, limits: Limits) -> None:
        self._stream, self._path, self._limits = stream, path, limits
        self._member = zlib.decompressobj(wbits=31)
        self._pending = b""
        self._taken = 0
        self._given = 0
        self._begun = False

    def read(self, size: int, /) -> bytes:
        while True:
            if not self._pending:
                self._pending = self._stream.read(_READ_BYTES)
                self._taken += len(self._pending)
            if self._member.eof:
                self._pending = self._pending.lstrip(b"\0")  # padding after the last member
                if not self._pending:
                    if self._stream.read(0) == b"" and not self._refill():
                        return b""
                    continue
                self._member = zlib.decompressobj(wbits=31)
            elif not self._pending:
                if not self._begun:
                    return b""
                raise DataError("it ends in the middle of the compressed data", file=self._path)
            self._begun = True
            try:
                piece = self._member.decompress(self._pending, size)
            except zlib.error as error:
                raise DataError(f"it is not sound gzip ({error})", file=self._path) from error
            self._pending = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._given += len(piece)
            self._check()
            if piece:
                return piece

    def _refill(self) -> bool:
        self._pending = self._stream.read(_READ_BYTES)
        self._taken += len(self._pending)
        return bool(self._pending)

    def _check(self) -> None:
        limits = self._limits
        if self._given > max(limits.expansion_floor, limits.expansion * self._taken):
            raise DataError(
                f"it unpacks to more than {limits.expansion:.0f} times its size, as a gzip bomb does",
                file=self._path,
                hint="unpack it yourself if it is sound",
            )


class Transcoded:
    """A stream in another encoding, given as UTF-8."""

    def __init__(self, stream: Readable, encoding: str, path: Path) -> None:
        self._stream, self._encoding, self._path = stream, encoding, path
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def read(self, size: int, /) -> bytes:
        while True:
            raw = self._stream.read(size)
            try:
                text = self._decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                raise DataError(
                    f"it is not sound {self._encoding} ({error.reason})", file=self._path
                ) from error
            if text or not raw:
                return text.encode("utf-8")


@contextmanager
def open_bytes(path: Path, limits: Limits) -> Iterator[Readable]:
    """The bytes of a file, unpacked where its name ends in ``.gz``."""
    try:
        with path.open("rb") as stream:
            yield BoundedGzip(stream, path, limits) if path.suffix.lower() == ".gz" else stream
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})", file=path) from error


@contextmanager
def create_bytes(path: Path, *, packed: bool) -> Iterator[Writable]:
    """A new file to write bytes to, as gzip where ``packed``; the same bytes give the same file."""
    with path.open("wb") as stream:
        if not packed:
            yield stream
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as archive:
            yield archive


BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def byte_order_mark(start: bytes) -> tuple[bytes, str]:
    """The byte order mark that ``start`` begins with (perhaps none) and the encoding it stands for.

    Examples
    --------
    >>> byte_order_mark(bytes([0xFF, 0xFE, 97, 0]))
    (b'\\xff\\xfe', 'utf-16-le')
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return mark, encoding
    return b"", "utf-8"
