"""Arrow IPC, file or stream, batch by batch."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.formats.arrow_edits import edit_table
from foretaste.data.formats.arrow_footer import batches_of_file
from foretaste.data.formats.arrow_messages import MAGIC, check_messages
from foretaste.data.formats.extents import Extent
from foretaste.data.formats.opened import Edits
from foretaste.data.formats.sizes import check_bytes, check_mask, fixed_width
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.plain import plain_batch, plain_schema
from foretaste.errors import DataError


class ArrowData:
    """One Arrow IPC file or stream. See `DataFile`.

    Every batch is validated in full before it is used: Arrow itself trusts the offsets in a file.
    """

    format = "arrow"

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.limits = limits
        self.defaults: dict[str, str] = {}
        with path.open("rb") as stream:
            self._is_file = stream.read(len(MAGIC)) == MAGIC
        with self._errors():
            self._codec = check_messages(path, limits)
            with self._reader() as reader:
                self._stored: pa.Schema = reader.schema
            self._schema, note = plain_schema(self._stored)
        if len(self._stored) > limits.columns:
            raise DataError(f"it has {len(self._stored)} columns, the limit is {limits.columns}", file=path)
        self.columns: list[str] = list(self._schema.names)
        self.notes: list[str] = [] if note is None else [note]
        self._rows: int | None = None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (
            pa.ArrowException,
            OSError,
            MemoryError,
            ValueError,
            KeyError,
            IndexError,
            OverflowError,
            struct.error,
        ) as error:
            if isinstance(error, DataError):
                raise
            text = " ".join(str(error).split())[:200]
            raise DataError(f"it cannot be read as Arrow ({text})", file=self.path) from error

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        with pa.OSFile(str(self.path)) as source:
            reader = pa.ipc.open_file(source) if self._is_file else pa.ipc.open_stream(source)
            with reader:
                yield reader

    def _stored_batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        with self._errors(), self._reader() as reader:
            if self._is_file:
                for i in range(skip, reader.num_record_batches):
                    batch = reader.get_batch(i)
                    batch.validate(full=True)
                    yield batch
            else:
                for batch in reader:
                    batch.validate(full=True)
                    yield batch

    @property
    def schema(self) -> pa.Schema:
        return self._schema

    @property
    def num_rows(self) -> int | None:
        return self._rows

    @property
    def bytes_per_row(self) -> float | None:
        return fixed_width(self._schema)

    def read(self) -> pa.Table:
        batches: list[pa.RecordBatch] = []
        size = 0
        for batch in self.batches():
            size += batch.nbytes
            check_bytes(size, self.path, self.limits)
            batches.append(batch)
        return pa.Table.from_batches(batches, self._schema)

    def extents(self, known: Mapping[str, Extent]) -> list[Extent] | None:
        """The batches of a file without dictionaries; None of a stream. See `HasExtents`."""
        if not self._is_file:
            return None
        with self._errors():
            found = batches_of_file(self.path, self._stored.serialize().to_pybytes())
        self._rows = None if found is None else sum(extent.rows for extent in found)
        return found

    def batches_from(self, extent: int) -> Iterator[pa.RecordBatch]:
        """The rows from a batch on."""
        for stored in self._stored_batches(extent):
            yield from plain_batch(stored)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        wanted = self.columns if columns is None else list(columns)
        rows = 0
        for stored in self._stored_batches():
            rows += stored.num_rows
            for batch in plain_batch(stored):
                yield batch.select(wanted)
        self._rows = rows

    def write_rows(self, keep: NDArray[np.bool_], out: Path, *, edits: Edits | None = None) -> None:
        """File or stream as it was: schema, metadata, batches and compression are kept; see `DataFile`."""
        options = pa.ipc.IpcWriteOptions(compression=self._codec, unify_dictionaries=self._is_file)
        create = pa.ipc.new_file if self._is_file else pa.ipc.new_stream
        start = 0
        with (
            self._errors(),
            pa.OSFile(str(out), "wb") as target,
            create(target, self._stored, options=options) as writer,
        ):
            for batch in self._stored_batches():
                table = edit_table(pa.Table.from_batches([batch]), self.columns, edits, start, file=self.path)
                mask = keep[start : start + batch.num_rows]
                start += batch.num_rows
                if mask.any() or not batch.num_rows:
                    writer.write_table(table.filter(pa.array(mask)))
        check_mask(keep, start, self.path)
