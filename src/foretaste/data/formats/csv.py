"""CSV and TSV, plain or ``.gz``: typed like a table, copied byte by byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from foretaste.data.codes import encode
from foretaste.data.formats.csv_records import Dialect, blocks
from foretaste.data.formats.csv_types import Kind, convert, join, kind_of
from foretaste.data.formats.opened import Edits
from foretaste.data.formats.streams import Readable, Transcoded, byte_order_mark, create_bytes, open_bytes
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.names import unique_names
from foretaste.errors import DataError

_DELIMITERS = (b",", b";", b"\t", b"|")
_NUL_HINT = "is it UTF-16 without a byte order mark, or a binary file?"


class DelimitedData:
    """One CSV or TSV file. See `DataFile`.

    The first record names the columns. UTF-8 (with or without a byte order mark), UTF-16 with one, else
    Latin-1. A CSV may be separated by semicolons, tabs or bars when its header holds no comma.
    """

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.limits = limits
        self.format = "tsv" if ".tsv" in [suffix.lower() for suffix in path.suffixes[-2:]] else "csv"
        self.defaults: dict[str, str] = {}
        self.notes: list[str] = []
        self._kinds: list[Kind] | None = None
        self._rows: int | None = None
        self._size = 0
        self._mark, self.encoding = b"", "utf-8"
        self._dialect = Dialect()
        with open_bytes(path, limits) as stream:
            start = stream.read(4)
            self._mark, self.encoding = byte_order_mark(start)
        with self._text() as stream:
            first = next(blocks(stream, Dialect(b"\n", quoting=False), limits, path), b"")
        if not first.strip(b"\r\n"):
            raise DataError("it is empty", file=path)
        self._dialect = self._sniff(first)
        with self._text() as stream:
            first = next(blocks(stream, self._dialect, limits, path), b"")
        self._header = self._take_header(first)

    # -- opening -----------------------------------------------------------------------------------------

    @contextmanager
    def _text(self) -> Iterator[Readable]:
        """The file after its byte order mark, in an encoding in which ASCII is ASCII."""
        with open_bytes(self.path, self.limits) as stream:
            remaining = len(self._mark)
            while remaining:
                remaining -= len(stream.read(remaining))
            yield Transcoded(stream, self.encoding, self.path) if self._is_wide else stream

    @property
    def _is_wide(self) -> bool:
        return self.encoding.startswith("utf-16")

    def _sniff(self, start: bytes) -> Dialect:
        if b"\0" in start:
            raise DataError("there is a NUL byte, so this is no text file", file=self.path, hint=_NUL_HINT)
        if self.format == "tsv":
            dialect = Dialect(b"\t")
            if not dialect.is_well_quoted(start, whole=len(start) < self.limits.block_bytes // 2):
                self.notes.append("its quotes do not pair up, so they are read as plain characters")
                return Dialect(b"\t", quoting=False)
            return dialect
        line = start.lstrip(b"\r\n").splitlines()[0]
        return Dialect(max(_DELIMITERS, key=lambda d: (len(Dialect(d).fields(line)), d == b",")))

    def _take_header(self, first: bytes) -> bytes:
        starts = self._starts(first, 0)
        header = first[: starts[1] if len(starts) > 1 else len(first)]
        if header.count(self._dialect.delimiter) >= self.limits.columns:
            raise DataError(f"it has more than {self.limits.columns} columns", file=self.path)
        record = header.strip(b"\r\n")
        names = [self._decode(self._dialect.value(record[a:b])) for a, b in self._dialect.fields(record)]
        self.columns, note = unique_names(names)
        if note:
            self.notes.append(note)
        return header

    def _decode(self, raw: bytes) -> str:
        try:
            return raw.decode(self._parsed_as)
        except UnicodeDecodeError:
            self.encoding = "latin-1"
            self.notes.append("the column names are not UTF-8, so the file is read as Latin-1")
            return raw.decode("latin-1")

    @property
    def _parsed_as(self) -> str:
        return "latin-1" if self.encoding == "latin-1" else "utf-8"

    def _starts(self, data: bytes, row: int) -> NDArray[np.int64]:
        try:
            return self._dialect.starts(data)
        except ValueError as error:
            raise DataError(
                "a quote is opened and never closed",
                file=self.path,
                row=row + int(error.args[0]),
                hint="close it",
            ) from error

    def _row_at(self, data: bytes, offset: int, row: int) -> int:
        """The row that byte ``offset`` of ``data`` belongs to; the first row of ``data`` is ``row``."""
        return row + max(0, int(np.searchsorted(self._starts(data, row), offset, side="right")) - 1)

    # -- reading -----------------------------------------------------------------------------------------

    @property
    def schema(self) -> pa.Schema:
        kinds = self._kinds or self._scan([])
        return pa.schema([(name, kind.type) for name, kind in zip(self.columns, kinds, strict=True)])

    @property
    def num_rows(self) -> int | None:
        return self._rows

    @property
    def bytes_per_row(self) -> float | None:
        return None if not self._rows else self._size / self._rows

    def read(self) -> pa.Table:
        tables: list[pa.Table] = []
        kinds = self._scan(tables, keep=True)
        columns = []
        for position, kind in enumerate(kinds):
            chunks = [chunk for table in tables for chunk in table.column(position).chunks]
            columns.append(pa.chunked_array([convert(chunk, kind) for chunk in chunks], type=kind.type))
        return pa.table(columns, names=self.columns)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        kinds = dict(zip(self.columns, self._kinds or self._scan([]), strict=True))
        wanted = self.columns if columns is None else list(columns)
        for table in self._string_tables(wanted):
            for batch in table.to_batches():
                arrays = [convert(batch.column(name), kinds[name]) for name in wanted]
                yield pa.record_batch(arrays, names=wanted)

    def _scan(self, tables: list[pa.Table], *, keep: bool = False) -> list[Kind]:
        """Read everything once: settle the encoding, the kinds and the count; ``keep`` the text of all rows."""
        try:
            kinds, rows, size = [Kind.EMPTY] * len(self.columns), 0, 0
            for table in self._string_tables():
                kinds = [
                    Kind.TEXT if kind is Kind.TEXT else _join_chunks(kind, column)
                    for kind, column in zip(kinds, table.columns, strict=True)
                ]
                rows += table.num_rows
                size += table.nbytes
                if keep:
                    tables.append(table)
                    self._check_size(size)
        except _NotUtf8 as found:
            self.encoding = "latin-1"
            self.notes.append(f"row {found.row} is not UTF-8, so the file is read as Latin-1")
            tables.clear()
            return self._scan(tables, keep=keep)
        self._kinds, self._rows, self._size = kinds, rows, size
        return kinds

    def _check_size(self, size: int) -> None:
        if size > self.limits.table_bytes:
            raise DataError(
                f"it needs more than {self.limits.table_bytes / 2**30:.0f} GiB of memory",
                file=self.path,
                hint="scan a sample of it",
            )

    def _string_tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Blocks of rows with every column as text."""
        row = 0
        for block in self._data_blocks():
            if b"\0" in block:
                row = self._row_at(block, block.index(b"\0"), row)
                raise DataError("there is a NUL byte", file=self.path, row=row, hint=_NUL_HINT)
            table = self._parse(block, row, columns)
            row += table.num_rows
            yield table

    def _data_blocks(self) -> Iterator[bytes]:
        """The records after the header, whole, in pieces."""
        skip = len(self._header)
        with self._text() as stream:
            for block in blocks(stream, self._dialect, self.limits, self.path):
                if block[skip:].strip(b"\r\n"):
                    yield block[skip:]
                skip = 0

    def _parse(self, block: bytes, row: int, columns: Sequence[str] | None) -> pa.Table:
        data = block.decode("latin-1").encode("utf-8") if self.encoding == "latin-1" else block
        try:
            return self._arrow_table(data, columns, threads=True)
        except pa.ArrowInvalid:
            pass
        odd: list[arrow_csv.InvalidRow] = []

        def remember(found: arrow_csv.InvalidRow) -> str:
            odd.append(found)
            return "error"

        try:
            return self._arrow_table(data, columns, threads=False, handler=remember)
        except pa.ArrowInvalid as error:
            if odd:
                raise DataError(
                    f"this row has {odd[0].actual_columns} fields where the header has {odd[0].expected_columns}",
                    file=self.path,
                    row=row + odd[0].number - 1,
                    hint="quote the delimiter or mend the row",
                ) from error
            self._starts(block, row)
            if self.encoding == "utf-8":
                try:
                    block.decode("utf-8")
                except UnicodeDecodeError as odd_byte:
                    raise _NotUtf8(self._row_at(block, odd_byte.start, row)) from error
            text = " ".join(str(error).split())[:200]
            raise DataError(f"it cannot be read as {self.format.upper()} ({text})", file=self.path) from error

    def _arrow_table(
        self, data: bytes, columns: Sequence[str] | None, *, threads: bool, handler: object = None
    ) -> pa.Table:
        wanted = self.columns if columns is None else list(columns)
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=self.columns, use_threads=threads, block_size=max(len(data), 1) + 1
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._dialect.delimiter.decode(),
                quote_char='"' if self._dialect.quoting else False,
                newlines_in_values=self._dialect.quoting,
                invalid_row_handler=handler,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in wanted},
                include_columns=wanted,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    # -- writing -----------------------------------------------------------------------------------------

    def write_rows(self, keep: NDArray[np.bool_], out: Path, *, edits: Edits | None = None) -> None:
        """Every kept record is copied byte for byte, only edited fields are written anew; see `DataFile`."""
        cells = {self.columns.index(column): values for column, values in (edits or {}).items() if values}
        spellings = {position: self._spellings(position, set(cells[position].values())) for position in cells}
        touched = np.array(sorted({row for values in cells.values() for row in values}), dtype=np.int64)
        row = 0
        with create_bytes(out, packed=out.suffix.lower() == ".gz") as target:
            target.write(self._mark + self._stored(self._header))
            for block in self._data_blocks():
                starts = self._starts(block, row)
                ends = np.append(starts[1:], len(block))
                kept = keep[row : row + len(starts)].copy()
                here = touched[(touched >= row) & (touched < row + len(starts))] - row
                pieces: list[tuple[int, bytes]] = []
                for i in here[kept[here]].tolist():
                    record = block[starts[i] : ends[i]]
                    new = {
                        p: spellings[p][values[row + i]] for p, values in cells.items() if row + i in values
                    }
                    pieces.append((int(starts[i]), self._replaced(record, new)))
                kept[here] = False
                pieces += [(a, block[a:b]) for a, b in _runs(kept, starts, ends)]
                for _, piece in sorted(pieces):
                    target.write(self._stored(piece))
                row += len(starts)

    def _stored(self, data: bytes) -> bytes:
        return data.decode("utf-8").encode(self.encoding) if self._is_wide else data

    def _replaced(self, record: bytes, new: dict[int, bytes]) -> bytes:
        body = record.rstrip(b"\r\n")
        fields = self._dialect.fields(body)
        parts = [new.get(position, body[a:b]) for position, (a, b) in enumerate(fields)]
        return self._dialect.delimiter.join(parts) + record[len(body) :]

    def _spellings(self, position: int, texts: set[str]) -> dict[int | str, bytes]:
        """How the file spells each of these values in this column; quoted anew where it never does."""
        missing, row = set(texts), 0
        found: dict[int | str, bytes] = {}
        rows: dict[int, str] = {}
        for batch in self.batches([self.columns[position]]):
            coded = encode(batch.column(0))
            for code, name in enumerate(coded.names):
                if name in missing:
                    missing.discard(name)
                    rows[row + int(np.argmax(coded.codes == code))] = name
            row += batch.num_rows
        row = 0
        for block in self._data_blocks():
            starts = self._starts(block, row)
            ends = np.append(starts[1:], len(block))
            for wanted in [r for r in rows if row <= r < row + len(starts)]:
                record = block[starts[wanted - row] : ends[wanted - row]].rstrip(b"\r\n")
                start, end = self._dialect.fields(record)[position]
                found[rows[wanted]] = record[start:end]
            row += len(starts)
        return found | {text: self._dialect.quoted(text.encode(self._parsed_as)) for text in missing}


class _NotUtf8(Exception):
    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def _join_chunks(kind: Kind, column: pa.ChunkedArray) -> Kind:
    for chunk in column.chunks:
        kind = join(kind, kind_of(chunk))
    return kind


def _runs(
    kept: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    """Byte ranges that hold the kept records, neighbours together."""
    padded = np.concatenate([[False], kept, [False]])
    first = np.flatnonzero(~padded[:-1] & padded[1:])
    last = np.flatnonzero(padded[:-1] & ~padded[1:]) - 1
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        yield int(starts[a]), int(ends[b])
