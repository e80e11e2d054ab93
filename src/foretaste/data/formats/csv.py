"""CSV and TSV, plain or ``.gz``: typed like a table, copied byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from foretaste.data.codes import encode
from foretaste.data.formats.csv_arrow import read_block
from foretaste.data.formats.csv_records import sniff
from foretaste.data.formats.csv_types import (
    empty_to_null,
    has_odd_numbers,
    number_kind,
)
from foretaste.data.formats.extents import Extent, block_digest
from foretaste.data.formats.kinds import Kind, casts, join, kind_of_column, kinds_named
from foretaste.data.formats.opened import Edits
from foretaste.data.formats.sizes import check_bytes
from foretaste.data.formats.text_file import LINES, NUL_HINT, TextFile
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.names import unique_names
from foretaste.errors import DataError

_NUMBERS = frozenset({Kind.INTEGER, Kind.NUMBER})


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
        self._extents: list[Extent] = []
        self._file = TextFile(path, limits)
        pieces = self._file.blocks(LINES)
        first = next(pieces, b"")
        if not first.strip(b"\r\n"):
            raise DataError("it is empty", file=path)
        self._dialect = sniff(first, tabs=self.format == "tsv", whole=next(pieces, None) is None)
        if not self._dialect.quoting:
            self.notes.append("its quotes do not pair up, so they are read as plain characters")
        self._header = self._take_header(next(self._file.blocks(self._dialect)))

    def _take_header(self, first: bytes) -> bytes:
        self._refuse_null_bytes(first[:4096], -1)
        header = first[: self._dialect.first_end(first)]
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

    def _odd_row(self, block: bytes, row: int) -> int | None:
        """The first row of a block (whose first is ``row``) that is not UTF-8, if there is one."""
        try:
            block.decode("utf-8")
        except UnicodeDecodeError as error:
            return row + int(np.searchsorted(self._starts(block, row), error.start, side="right")) - 1
        return None

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
        blocks: list[tuple[list[Kind], pa.Table]] = []
        kinds = self._scan(keep_in=blocks)
        columns: dict[str, pa.ChunkedArray] = {}
        for position, (name, kind) in enumerate(zip(self.columns, kinds, strict=True)):
            if all(casts(had[position], kind) for had, _ in blocks):
                chunks = [
                    c.cast(kind.type, safe=False)
                    for _, table in blocks
                    for c in table.column(position).chunks
                ]
                columns[name] = pa.chunked_array(chunks, type=kind.type)
        missing = [name for name in self.columns if name not in columns]
        if missing:  # text whose first blocks were taken for numbers
            again = pa.Table.from_batches(list(self.batches(missing)))
            columns |= dict(zip(missing, again.columns, strict=True))
        return pa.table({name: columns[name] for name in self.columns})

    def extents(self, known: Mapping[str, Extent]) -> list[Extent]:
        """The blocks in which it is read; see `HasExtents`."""
        self._scan(known=known)
        return self._extents

    def batches_from(self, extent: int) -> Iterator[pa.RecordBatch]:
        """The rows from a block on."""
        return self.batches(skip=extent)

    def batches(self, columns: Sequence[str] | None = None, skip: int = 0) -> Iterator[pa.RecordBatch]:
        kinds = dict(zip(self.columns, self._kinds or self._scan(), strict=True))
        wanted = {name: kinds[name] for name in (self.columns if columns is None else columns)}
        types = {name: kind.type for name, kind in wanted.items()}
        row = sum(extent.rows for extent in self._extents[:skip])
        for block in islice(self._data_blocks(), skip, None):
            table = self._parse(block, row, types)
            row += table.num_rows
            done = [empty_to_null(column) for column in table.columns]
            yield from pa.table(done, names=list(wanted)).to_batches()

    def _scan(
        self,
        keep_in: list[tuple[list[Kind], pa.Table]] | None = None,
        known: Mapping[str, Extent] | None = None,
    ) -> list[Kind]:
        """Settle encoding, kinds and count by reading everything once, but for blocks that are known.

        The blocks are kept where asked to, their extents where some may be known.
        """
        kinds, rows, size = [Kind.EMPTY] * len(self.columns), 0, 0
        reading = (self.format, str(self._dialect), self._file.encoding, *self.columns)
        self._extents = []
        try:
            for block in self._data_blocks():
                extent = None if known is None else known.get(digest := block_digest(reading, block))
                if extent is not None and len(had := kinds_named(extent.kinds)) == len(kinds):
                    rows, size = rows + extent.rows, size + len(block)
                    kinds = [join(kind, other) for kind, other in zip(kinds, had, strict=True)]
                    self._extents.append(extent)
                    continue
                self._refuse_null_bytes(block, rows)
                had, table = self._infer(block, rows)
                if known is not None:
                    self._extents.append(Extent(table.num_rows, digest, " ".join(k.name for k in had)))
                kinds = [join(kind, other) for kind, other in zip(kinds, had, strict=True)]
                rows += table.num_rows
                size += table.nbytes
                if keep_in is not None:
                    check_bytes(size, self.path, self.limits)
                    keep_in.append((had, table))
        except _NotUtf8Error as found:
            self._read_as_latin(f"row {found.row}")
            if keep_in is not None:
                keep_in.clear()
            return self._scan(keep_in, known)
        self._kinds, self._rows, self._size = kinds, rows, size
        return kinds

    def _infer(self, block: bytes, row: int) -> tuple[list[Kind], pa.Table]:
        """One block with the kind of every column in it."""
        table = self._parse(block, row, {})
        columns = dict(zip(self.columns, table.columns, strict=True))
        if any(pa.types.is_binary(column.type) for column in columns.values()):
            raise _NotUtf8Error(self._odd_row(block, row) or row)
        kinds = {name: kind_of_column(column) for name, column in columns.items()}
        numbers = [name for name, kind in kinds.items() if kind in _NUMBERS]
        if numbers and has_odd_numbers(block):
            texts = self._parse(block, row, dict.fromkeys(numbers, pa.string()))
            for name, text in zip(numbers, texts.columns, strict=True):
                kinds[name] = number_kind(text.combine_chunks())
                if kinds[name].type == pa.string():
                    columns[name] = text
        columns = {name: empty_to_null(column) for name, column in columns.items()}
        return list(kinds.values()), pa.table(columns)

    def _data_blocks(self) -> Iterator[bytes]:
        """The records after the header, whole, in pieces."""
        skip = len(self._header)
        for block in self._file.blocks(self._dialect):
            if block[skip:].strip(b"\r\n"):
                yield block[skip:]
            skip = 0

    def _parse(self, block: bytes, row: int, types: dict[str, pa.DataType]) -> pa.Table:
        """The rows of a block: the columns of ``types`` as such, or all columns as Arrow infers them."""
        data = block.decode("latin-1").encode("utf-8") if self._file.encoding == "latin-1" else block
        try:
            return read_block(data, self.columns, self._dialect, types)
        except pa.ArrowInvalid:
            pass
        if self._file.encoding == "utf-8" and (odd_row := self._odd_row(block, row)) is not None:
            raise _NotUtf8Error(odd_row)
        odd: list[arrow_csv.InvalidRow] = []

        def remember(found: arrow_csv.InvalidRow) -> str:
            odd.append(found)
            return "error"

        try:
            return read_block(data, self.columns, self._dialect, types, handler=remember)
        except pa.ArrowInvalid as error:
            if odd:
                raise DataError(
                    f"it has {odd[0].actual_columns} fields where the header has {odd[0].expected_columns}",
                    file=self.path,
                    row=row + odd[0].number - 1,
                    hint="quote the delimiter or mend the row",
                ) from error
            self._starts(block, row)
            text = " ".join(str(error).split())[:200]
            raise DataError(f"it cannot be read as {self.format.upper()} ({text})", file=self.path) from error

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
