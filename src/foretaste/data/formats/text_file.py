"""A text file of records: its encoding, its compression, its pieces, and a copy of some of its records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foretaste.data.formats.csv_records import Dialect
from foretaste.data.formats.sizes import check_mask
from foretaste.data.formats.streams import Readable, Transcoded, byte_order_mark, create_bytes, open_bytes
from foretaste.data.limits import Limits
from foretaste.errors import DataError

LINES = Dialect(b"\n", quoting=False)
"""Every line is a record."""

NUL_HINT = "is it UTF-16 without a byte order mark, or a binary file?"


class TextFile:
    """Bytes of a text file in which ASCII is ASCII: UTF-16 is given as UTF-8, anything else as it is.

    Attributes
    ----------
    encoding : str
        ``utf-8``, ``utf-16-le`` or ``utf-16-be`` by the byte order mark; the caller may set ``latin-1``.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        with open_bytes(path, limits) as stream:
            start = stream.read(2)
            start += stream.read(1) if len(start) == 2 else b""
        self._mark, self.encoding = byte_order_mark(start)

    @property
    def parsed_as(self) -> str:
        """The encoding of the bytes given."""
        return "latin-1" if self.encoding == "latin-1" else "utf-8"

    @contextmanager
    def _open(self) -> Iterator[Readable]:
        with open_bytes(self.path, self.limits) as stream:
            remaining = len(self._mark)
            while remaining:
                remaining -= len(stream.read(remaining))
            wide = self.encoding.startswith("utf-16")
            yield Transcoded(stream, self.encoding, self.path) if wide else stream

    def blocks(self, dialect: Dialect) -> Iterator[bytes]:
        """Pieces of whole records, each of about ``limits.block_bytes``, without the byte order mark.

        Raises
        ------
        DataError
            Where a record is longer than ``limits.record_bytes``, or its quote is never closed.
        """
        kept = b""
        with self._open() as stream:
            while True:
                piece = _read_full(stream, self.limits.block_bytes)
                data = kept + piece if kept else piece
                at_end = len(piece) < self.limits.block_bytes
                if at_end and not dialect.is_closed(data):
                    raise DataError(
                        "a quote is opened and never closed",
                        file=self.path,
                        row=self._row_of_open_quote(dialect),
                        hint="close it",
                    )
                end = len(data) if at_end else dialect.complete_until(data)
                if not at_end and not data[:end].strip(b"\r\n"):
                    end = 0  # blank lines go with the record after them
                if len(data) - end > self.limits.record_bytes:
                    raise DataError(
                        f"one record is longer than {self.limits.record_bytes / 2**20:.3g} MiB",
                        file=self.path,
                        hint="is a quote never closed, or is it another format?",
                    )
                if end:
                    yield data[:end]
                if at_end:
                    return
                kept = data[end:]

    def _row_of_open_quote(self, dialect: Dialect) -> int:
        """The row whose quote is never closed, the header not counted."""
        count, kept = -1, b""
        with self._open() as stream:
            while True:
                piece = _read_full(stream, self.limits.block_bytes)
                data = kept + piece
                end = dialect.complete_until(data)
                count += len(dialect.starts(data[:end]))
                kept = data[end:]
                if len(piece) < self.limits.block_bytes:
                    return max(0, count)

    def copy(
        self,
        out: Path,
        blocks: Iterator[bytes],
        starts: Callable[[bytes, int], NDArray[np.int64]],
        keep: NDArray[np.bool_],
        *,
        header: bytes = b"",
        edited: Mapping[int, Callable[[bytes], bytes]] | None = None,
    ) -> None:
        """Write the kept records byte for byte to ``out``, those in ``edited`` through their function."""
        touched = np.array(sorted(edited or {}), dtype=np.int64)
        row, last_stays = 0, True
        with create_bytes(out, packed=out.suffix.lower() == ".gz") as target:
            target.write(self._mark + self._stored(header))
            for block in blocks:
                first = starts(block, row)
                if not len(first):  # white space only: it goes with the record before it
                    target.write(self._stored(block) if last_stays else b"")
                    continue
                first[0] = 0  # blank lines before the first record go with it
                last = np.append(first[1:], len(block))
                kept = keep[row : row + len(first)].copy()
                last_stays = bool(kept[-1:].all())
                here = touched[(touched >= row) & (touched < row + len(first))] - row
                pieces: list[tuple[int, bytes]] = []
                for i in here[kept[here]].tolist():
                    pieces.append((int(first[i]), (edited or {})[row + i](block[first[i] : last[i]])))
                kept[here] = False
                pieces += [(a, block[a:b]) for a, b in _runs(kept, first, last)]
                for _, piece in sorted(pieces):
                    target.write(self._stored(piece))
                row += len(first)
        check_mask(keep, row, self.path)

    def _stored(self, data: bytes) -> bytes:
        wide = self.encoding.startswith("utf-16")
        return data.decode("utf-8").encode(self.encoding) if wide else data


def _read_full(stream: Readable, size: int) -> bytes:
    """``size`` bytes, fewer only at the end of the stream."""
    pieces: list[bytes] = []
    missing = size
    while missing > 0:  # a transcoded piece may be longer than asked for
        piece = stream.read(missing)
        if not piece:
            break
        pieces.append(piece)
        missing -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _runs(
    kept: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    """Byte ranges that hold the kept records, neighbours together."""
    padded = np.concatenate([[False], kept, [False]])
    first = np.flatnonzero(~padded[:-1] & padded[1:])
    last = np.flatnonzero(padded[:-1] & ~padded[1:]) - 1
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        yield int(starts[a]), int(ends[b])
