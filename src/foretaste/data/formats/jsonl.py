"""JSON lines, plain or ``.gz``: one object per line, copied byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.codes import encode
from foretaste.data.formats.extents import Extent, block_digest
from foretaste.data.formats.jsonl_edits import replace_value, value_spans
from foretaste.data.formats.jsonl_quick import QuickParser
from foretaste.data.formats.jsonl_values import (
    RepeatedKeyError,
    array_of_values,
    columns_of,
    decoder,
    kinds_of,
    sound_text,
)
from foretaste.data.formats.kinds import Kind, join, read_spelled, spelled
from foretaste.data.formats.opened import Edits
from foretaste.data.formats.sizes import check_bytes
from foretaste.data.formats.text_file import LINES, TextFile
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.errors import DataError

Rows = list[dict[str, Any]]

_FIRST_LINES = 100
_MOST_CELLS = 100_000_000
"""Of one block of rows; far above what a block of JSON can hold unless nearly every cell is missing."""


class JsonLinesData:
    """One JSON Lines file. See `DataFile`.

    Columns are the keys of all objects in order of first appearance; a missing key is a missing value.
    Objects and lists inside an object are JSON text (`foretaste.data.plain.json_text`), as is a value of a
    column that mixes types.
    """

    format = "jsonl"

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.limits = limits
        self.defaults: dict[str, str] = {}
        self.notes: list[str] = []
        self._file = TextFile(path, limits)
        self._kinds: dict[str, Kind] | None = None
        self._rows: int | None = None
        self._size = 0
        self._extents: list[Extent] = []
        self._strict, self._loose = decoder(strict=True), decoder(strict=False)
        if not next(self._file.blocks(LINES), b"").strip(b" \t\r\n"):
            raise DataError("it is empty", file=path)

    @property
    def columns(self) -> list[str]:
        return list(self._kinds or self._scan())

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(name, kind.type) for name, kind in (self._kinds or self._scan()).items()])

    @property
    def num_rows(self) -> int | None:
        return self._rows

    @property
    def bytes_per_row(self) -> float | None:
        return None if not self._rows else self._size / self._rows

    def read(self) -> pa.Table:
        blocks: list[tuple[dict[str, Kind], dict[str, pa.ChunkedArray], int]] = []
        kinds = self._scan(keep_in=blocks)
        if any(
            had[name] is Kind.NUMBER and kinds[name].type == pa.string()
            for had, _, _ in blocks
            for name in had
        ):  # numbers were turned into floats before the text below them was seen
            return pa.Table.from_batches(self.batches(), self.schema)
        columns = {
            name: pa.chunked_array(
                [
                    chunk
                    for _, arrays, n in blocks
                    for chunk in (
                        arrays[name].cast(kind.type, safe=False).chunks
                        if name in arrays
                        else [pa.nulls(n, kind.type)]
                    )
                ],
                type=kind.type,
            )
            for name, kind in kinds.items()
        }
        return pa.table(columns)

    def extents(self, known: Mapping[str, Extent]) -> list[Extent]:
        """The blocks in which it is read; what one adds depends on those before it. See `HasExtents`."""
        if not self._extents:
            self._scan(known=known)
        return self._extents

    def batches_from(self, extent: int) -> Iterator[pa.RecordBatch]:
        """The rows from a block on."""
        return self.batches(skip=extent)

    def batches(self, columns: Sequence[str] | None = None, skip: int = 0) -> Iterator[pa.RecordBatch]:
        kinds = self._kinds or self._scan()
        wanted = list(kinds) if columns is None else list(columns)
        quick, row = QuickParser(), sum(extent.rows for extent in self._extents[:skip])
        for block, starts in islice(self._blocks(), skip, None):
            table = quick.parse(block, starts, kinds)
            if table is None:
                found = columns_of(self._objects(block, starts, row), wanted)
                table = pa.table({name: array_of_values(found[name], kinds[name]) for name in wanted})
            row += len(starts)
            yield from table.select(wanted).to_batches()

    def _scan(
        self, keep_in: list[Any] | None = None, known: Mapping[str, Extent] | None = None
    ) -> dict[str, Kind]:
        """Settle columns, kinds and count by reading all that is not known; keep the arrays if asked to."""
        kinds: dict[str, Kind] = {}
        count, size = 0, 0
        quick = QuickParser()
        self.notes.clear()
        self._extents = []
        for block, starts in self._blocks():
            digest = "" if known is None else block_digest([self.format, spelled(kinds)], block)
            extent = (known or {}).get(digest)
            if extent is not None and extent.rows == len(starts) and (after := read_spelled(extent.kinds)):
                kinds, count, size = after, count + extent.rows, size + len(block)
                self._extents.append(extent)
                continue
            here = dict(kinds)
            if not kinds:  # what the first lines hold is a guess, which the parser confirms or refuses
                few = block[: starts[_FIRST_LINES]] if len(starts) > _FIRST_LINES else block
                here = kinds_of(columns_of(self._objects(few, starts[:_FIRST_LINES], 0)))
            table = quick.parse(block, starts, here)
            if table is not None:
                kinds |= here
            else:
                found = self._columns(self._objects(block, starts, count, self.notes), kinds, count)
                here = kinds_of(found)
                for name, kind in here.items():
                    kinds[name] = join(kinds.get(name, Kind.EMPTY), kind)
                if keep_in is not None:
                    table = pa.table(
                        {name: array_of_values(found[name], kind) for name, kind in here.items()}
                    )
            count += len(starts)
            if known is not None:
                self._extents.append(Extent(len(starts), digest, spelled(kinds)))
            if keep_in is not None and table is not None:
                size += table.nbytes
                check_bytes(size, self.path, self.limits)
                keep_in.append((here, dict(zip(table.column_names, table.columns, strict=True)), len(starts)))
        if not kinds:
            raise DataError("its objects are all empty", file=self.path)
        self.notes += [
            f"column {name!r} holds integers beyond 64 bits, which are read as text"
            for name, kind in kinds.items()
            if kind is Kind.LONG_INTEGER
        ]
        self._kinds, self._rows, self._size = kinds, count, size
        return kinds

    def _columns(self, rows: Rows, known: dict[str, Kind], start: int) -> dict[str, Sequence[Any]]:
        """The values of every key of these rows, unless the keys make no table."""
        names = set().union(*map(dict.keys, rows))
        if len(names | known.keys()) > self.limits.columns:
            raise DataError(f"its objects have more than {self.limits.columns} keys", file=self.path)
        if len(names) * len(rows) > _MOST_CELLS:
            raise DataError(
                f"{len(rows)} objects have {len(names)} different keys, so this is no table",
                file=self.path,
                row=start,
                hint="give every object the same keys",
            )
        return columns_of(rows)

    # -- lines -------------------------------------------------------------------------------------------

    def _blocks(self) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
        """Pieces of whole lines and where those start that hold more than white space."""
        for block in self._file.blocks(LINES):
            starts = self._starts(block, 0)
            if len(starts):
                yield block, starts

    def _objects(
        self, block: bytes, starts: NDArray[np.int64], row: int, notes: list[str] | None = None
    ) -> Rows:
        """The objects on the lines of a block, whose first is row ``row``."""
        ends = np.append(starts[1:], len(block))
        return [
            self._object(block[a:b], row + i, notes)
            for i, (a, b) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True))
        ]

    def _starts(self, block: bytes, row: int) -> NDArray[np.int64]:
        """Where the lines start that hold more than white space."""
        starts = LINES.starts(block)
        ends = np.append(starts[1:], len(block))
        first = np.frombuffer(block, dtype=np.uint8)[starts] if len(starts) else starts
        filled = (first != 32) & (first != 9)
        for i in np.flatnonzero(~filled).tolist():
            filled[i] = bool(block[starts[i] : ends[i]].strip())
        kept: NDArray[np.int64] = starts[filled]
        return kept

    def _object(self, line: bytes, row: int, notes: list[str] | None) -> dict[str, Any]:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError("it is not UTF-8", file=self.path, row=row, hint="save it as UTF-8") from error
        try:
            found = self._decode(text, row, notes)
        except RecursionError as error:
            raise DataError("its values are nested too deep", file=self.path, row=row) from error
        except ValueError as error:
            problem = f"it is not valid JSON ({error})"
            raise DataError(problem, file=self.path, row=row, hint="write one object per line") from error
        if not isinstance(found, dict):
            raise DataError(
                f"it is a JSON {_NAMES.get(type(found), 'value')}, not an object",
                file=self.path,
                row=row,
                hint="write one object per line",
            )
        if not "".join(found).isascii():
            return {sound_text(key): value for key, value in found.items()}
        return found

    def _decode(self, text: str, row: int, notes: list[str] | None) -> Any:
        try:
            return self._strict.decode(text)
        except RepeatedKeyError as repeated:
            note = f"row {row} has the key {str(repeated)!r} twice; the last value counts"
            if notes is not None and len(notes) < 20:
                notes.append(note)
            return self._loose.decode(text)
        except ValueError:
            return self._loose.decode(text)

    # -- writing -----------------------------------------------------------------------------------------

    def write_rows(self, keep: NDArray[np.bool_], out: Path, *, edits: Edits | None = None) -> None:
        """Every kept line is copied byte for byte, only edited values are written anew; see `DataFile`."""
        values: dict[int, dict[str, str]] = {}
        for column, cells in (edits or {}).items():
            spelled = self._spellings(column, set(cells.values()))
            for row, text in cells.items():
                values.setdefault(row, {})[column] = spelled[text]
        edited: dict[int, Callable[[bytes], bytes]] = {
            row: partial(self._replaced, new=new) for row, new in values.items()
        }
        self._file.copy(out, self._file.blocks(LINES), self._starts, keep, edited=edited)

    def _replaced(self, line: bytes, new: dict[str, str]) -> bytes:
        text = line.decode("utf-8")
        for key, value in new.items():
            text = replace_value(text, key, value, self._loose)
        return text.encode("utf-8")

    def _spellings(self, column: str, texts: set[str]) -> dict[str, str]:
        """How the file writes each of these values of a column; as a JSON string where it never does."""
        found: dict[str, str] = {}
        kind = (self._kinds or self._scan())[column]
        row = 0
        for block, starts in self._blocks():
            missing = texts - set(found)
            if not missing:
                break
            values = [item.get(column) for item in self._objects(block, starts, row)]
            coded = encode(array_of_values(values, kind))
            ends = np.append(starts[1:], len(block))
            for code, name in enumerate(coded.names):
                if name in missing:
                    line = int(np.argmax(coded.codes == code))
                    text = block[starts[line] : ends[line]].decode("utf-8")
                    start, end = value_spans(text, column, self._loose)[-1]
                    found[name] = text[start:end]
            row += len(starts)
        return {text: json.dumps(text) for text in texts} | found


_NAMES = {list: "list", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
