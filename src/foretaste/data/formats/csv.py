"""CSV and TSV, plain or ``.gz``: typed like a table, copied byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from foretaste.data.codes import encode
from foretaste.data.formats.csv_records import sniff
from foretaste.data.formats.csv_types import convert, kind_of
from foretaste.data.formats.kinds import Kind, join
from foretaste.data.formats.opened import Edits
from foretaste.data.formats.sizes import check_bytes
from foretaste.data.formats.text_file import LINES, NUL_HINT, TextFile
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.names import unique_names
from foretaste.errors import DataError


class DelimitedData:
    """One CSV or TSV file. See `DataFile`.

    The first record names the columns. UTF-8 (with or without a byte order mark), UTF-16 with one, else
    Latin-1. A CSV may be separated by semicolons, tabs or bars instead of commas.
    """

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.limits = limits
        self.format = "tsv" if path.name.lower().removesuffix(".gz").endswith(".tsv") else "csv"
        self.defaults: dict[str, str] = {}
        self.notes: list[str] = []
        self._kinds: list[Kind] | None = None
        self._rows: int | None = None
        self._size = 0
        self._file = TextFile(path, limits)
        first = next(self._file.blocks(LINES), b"")
        if not first.strip(b"\r\n"):
            raise DataError("it is empty", file=path)
        whole = len(first) < limits.block_bytes // 2
        self._dialect = sniff(first, tabs=self.format == "tsv", whole=whole)
        if not self._dialect.quoting:
            self.notes.append("its quotes do not pair up, so they are read as plain characters")
        self._header = self._take_header(next(self._file.blocks(self._dialect)))

    def _take_header(self, first: bytes) -> bytes:
        self._refuse_null_bytes(first[:4096], -1)
        starts = self._starts(first, -1)
        header = first[: starts[1] if len(starts) > 1 else len(first)]
        if header.count(self._dialect.delimiter) >= self.limits.columns:
            raise DataError(f"it has more than {self.limits.columns} columns", file=self.path)
        record = header.strip(b"\r\n")
        fields = [self._dialect.value(record[a:b]) for a, b in self._dialect.fields(record)]
        try:
            names = [field.decode(self._file.parsed_as) for field in fields]
        except UnicodeDecodeError:
            self._read_as_latin("the header")
            names = [field.decode("latin-1") for field in fields]
        self.columns, note = unique_names(names)
        if note:
            self.notes.append(note)
        return header

    def _read_as_latin(self, what: str) -> None:
        self._file.encoding = "latin-1"
        self.notes.append(f"{what} is not UTF-8, so the file is read as Latin-1")

    def _starts(self, data: bytes, row: int) -> NDArray[np.int64]:
        try:
            return self._dialect.starts(data)
        except ValueError as error:
            row += int(error.args[0])
            raise DataError(
                "a quote is opened and never closed", file=self.path, row=max(0, row), hint="close it"
            ) from error

    def _row_at(self, data: bytes, offset: int, row: int) -> int:
        """The row that byte ``offset`` of ``data`` belongs to; the first row of ``data`` is ``row``."""
        before = int(np.searchsorted(self._starts(data, row), offset, side="right"))
        return max(0, row + before - 1)

    def _refuse_null_bytes(self, data: bytes, row: int) -> None:
        if b"\0" in data:
            row = max(0, row + data[: data.index(b"\0")].count(b"\n"))
            raise DataError("there is a NUL byte", file=self.path, row=row, hint=NUL_HINT)

    # -- reading -----------------------------------------------------------------------------------------

    @property
    def schema(self) -> pa.Schema:
        kinds = self._kinds or self._scan()
        return pa.schema([(name, kind.type) for name, kind in zip(self.columns, kinds, strict=True)])

    @property
    def num_rows(self) -> int | None:
        return self._rows

    @property
    def bytes_per_row(self) -> float | None:
        return None if not self._rows else self._size / self._rows

    def read(self) -> pa.Table:
        tables: list[pa.Table] = []
        kinds = self._scan(keep_in=tables)
        columns = []
        for position, kind in enumerate(kinds):
            chunks = [chunk for table in tables for chunk in table.column(position).chunks]
            columns.append(pa.chunked_array([convert(chunk, kind) for chunk in chunks], type=kind.type))
        return pa.table(columns, names=self.columns)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        kinds = dict(zip(self.columns, self._kinds or self._scan(), strict=True))
        wanted = self.columns if columns is None else list(columns)
        for table in self._string_tables(wanted):
            for batch in table.to_batches():
                arrays = [convert(batch.column(name), kinds[name]) for name in wanted]
                yield pa.record_batch(arrays, names=wanted)

    def _scan(self, keep_in: list[pa.Table] | None = None) -> list[Kind]:
        """Read everything once: settles the encoding, the kinds and the count; keeps the text where asked to."""
        kinds, rows, size = [Kind.EMPTY] * len(self.columns), 0, 0
        try:
            for table in self._string_tables():
                kinds = [_widened(kind, column) for kind, column in zip(kinds, table.columns, strict=True)]
                rows += table.num_rows
                size += table.nbytes
                if keep_in is not None:
                    check_bytes(size, self.path, self.limits)
                    keep_in.append(table)
        except _NotUtf8Error as found:
            self._read_as_latin(f"row {found.row}")
            if keep_in is not None:
                keep_in.clear()
            return self._scan(keep_in)
        self._kinds, self._rows, self._size = kinds, rows, size
        return kinds

    def _string_tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Blocks of rows with every column as text."""
        row = 0
        for block in self._data_blocks():
            self._refuse_null_bytes(block, row)
            table = self._parse(block, row, columns)
            row += table.num_rows
            yield table

    def _data_blocks(self) -> Iterator[bytes]:
        """The records after the header, whole, in pieces."""
        skip = len(self._header)
        for block in self._file.blocks(self._dialect):
            if block[skip:].strip(b"\r\n"):
                yield block[skip:]
            skip = 0

    def _parse(self, block: bytes, row: int, columns: Sequence[str] | None) -> pa.Table:
        data = block.decode("latin-1").encode("utf-8") if self._file.encoding == "latin-1" else block
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
            if self._file.encoding == "utf-8":
                try:
                    block.decode("utf-8")
                except UnicodeDecodeError as odd_byte:
                    raise _NotUtf8Error(self._row_at(block, odd_byte.start, row)) from error
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
        fields: dict[int, dict[int, bytes]] = {}
        for column, cells in (edits or {}).items():
            position = self.columns.index(column)
            spelled = self._spellings(position, set(cells.values()))
            for row, text in cells.items():
                fields.setdefault(row, {})[position] = spelled[text]
        edited: dict[int, Callable[[bytes], bytes]] = {
            row: partial(self._replaced, new=new) for row, new in fields.items()
        }
        blocks = self._data_blocks()
        self._file.copy(out, blocks, self._starts, keep, header=self._header, edited=edited)

    def _replaced(self, record: bytes, new: dict[int, bytes]) -> bytes:
        body = record.rstrip(b"\r\n")
        fields = self._dialect.fields(body)
        parts = [new.get(position, body[a:b]) for position, (a, b) in enumerate(fields)]
        return self._dialect.delimiter.join(parts) + record[len(body) :]

    def _spellings(self, position: int, texts: set[str]) -> dict[str, bytes]:
        """How the file spells each of these values in this column; quoted anew where it never does."""
        missing, row = set(texts), 0
        found: dict[str, bytes] = {}
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
        return found | {text: self._dialect.quoted(text.encode(self._file.parsed_as)) for text in missing}


class _NotUtf8Error(Exception):
    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def _widened(kind: Kind, column: pa.ChunkedArray) -> Kind:
    for chunk in column.chunks if kind is not Kind.TEXT else []:
        kind = join(kind, kind_of(chunk))
    return kind
