"""Parquet: one file, streamed by row group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from foretaste.data.formats.arrow_edits import edit_table
from foretaste.data.formats.extents import Extent, row_groups
from foretaste.data.formats.opened import Edits
from foretaste.data.formats.sizes import check_mask, check_table_size, fixed_width
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.names import name_some
from foretaste.data.plain import plain_batch, plain_schema, plain_table
from foretaste.errors import DataError

_BATCH_BYTES = 32 * 2**20


class ParquetData:
    """One Parquet file. See `DataFile`."""

    format = "parquet"

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.limits = limits
        self.defaults: dict[str, str] = {}
        with parquet_errors(path), pq.ParquetFile(path) as file:
            self._metadata = file.metadata
            self._stored = file.schema_arrow
            self._schema, note = plain_schema(self._stored)
        if len(self._stored) > limits.columns:
            raise DataError(f"it has {len(self._stored)} columns, the limit is {limits.columns}", file=path)
        self.columns: list[str] = list(self._schema.names)
        self.notes: list[str] = [] if note is None else [note]

    @property
    def schema(self) -> pa.Schema:
        return self._schema

    @property
    def num_rows(self) -> int:
        return int(self._metadata.num_rows)

    @property
    def bytes_per_row(self) -> float:
        groups = [self._metadata.row_group(i) for i in range(self._metadata.num_row_groups)]
        stored = sum(group.total_byte_size for group in groups) / max(1, self.num_rows)
        return max(float(stored), fixed_width(self._schema))

    def read(self) -> pa.Table:
        check_table_size(self, self.limits)
        with parquet_errors(self.path), pq.ParquetFile(self.path) as file:
            stored = file.read()
            stored.validate(full=True)  # text that is not UTF-8 would fail wherever it is first looked at
            table = plain_table(stored)
        self._check_count(table.num_rows)
        return table

    def extents(self, known: Mapping[str, Extent]) -> list[Extent] | None:
        """The row groups; see `HasExtents`."""
        with parquet_errors(self.path), pq.ParquetFile(self.path, pre_buffer=False) as file:
            return row_groups(self.path, file)

    def batches_from(self, extent: int) -> Iterator[pa.RecordBatch]:
        """The rows from a row group on."""
        return self.batches(groups=range(extent, self._metadata.num_row_groups))

    def batches(
        self, columns: Sequence[str] | None = None, groups: Sequence[int] | None = None
    ) -> Iterator[pa.RecordBatch]:
        wanted = self.columns if columns is None else list(columns)
        stored = [self._stored.names[self.columns.index(name)] for name in wanted]
        repeated = len(set(self._stored.names)) < len(self._stored)
        rows = int(min(2**17, max(256, _BATCH_BYTES / max(1.0, self.bytes_per_row))))
        count = 0
        with parquet_errors(self.path), pq.ParquetFile(self.path, pre_buffer=False) as file:
            self._check_groups()
            names = None if repeated else stored
            for batch in file.iter_batches(batch_size=rows, columns=names, row_groups=groups):
                batch.validate(full=True)
                count += batch.num_rows
                for piece in plain_batch(batch):
                    yield piece.select(wanted)
        if groups is None:
            self._check_count(count)
        elif count != (expected := sum(self._metadata.row_group(group).num_rows for group in groups)):
            raise DataError(f"row groups declare {expected} rows and hold {count}", file=self.path)

    def write_rows(self, keep: NDArray[np.bool_], out: Path, *, edits: Edits | None = None) -> None:
        """Row groups, schema, metadata and compression are kept; see `DataFile`."""
        check_mask(keep, self.num_rows, self.path)
        start = 0
        with parquet_errors(self.path), pq.ParquetFile(self.path, pre_buffer=False) as file:
            self._check_groups()
            with pq.ParquetWriter(out, file.schema_arrow, **self._writing_options()) as writer:
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group)
                    table = edit_table(table, self.columns, edits, start, file=self.path)
                    mask = keep[start : start + table.num_rows]
                    start += table.num_rows
                    if mask.any():
                        writer.write_table(table.filter(pa.array(mask)), row_group_size=table.num_rows)

    def _writing_options(self) -> dict[str, object]:
        if not self._metadata.num_row_groups or not self._metadata.num_columns:
            return {}
        group = self._metadata.row_group(0)
        chunks = [group.column(i) for i in range(group.num_columns)]
        codecs = {chunk.path_in_schema: _codec(chunk.compression) for chunk in chunks}
        encoded = [c.path_in_schema for c in chunks if any("DICTIONARY" in e for e in c.encodings)]
        return {
            "compression": next(iter(codecs.values())) if len(set(codecs.values())) == 1 else codecs,
            "use_dictionary": encoded or False,
            "use_deprecated_int96_timestamps": any(c.physical_type == "INT96" for c in chunks),
            "version": "1.0" if self._metadata.format_version == "1.0" else "2.6",
        }

    def _check_groups(self) -> None:
        for i in range(self._metadata.num_row_groups):
            if self._metadata.row_group(i).total_byte_size > self.limits.table_bytes:
                check_table_size(self, self.limits)

    def _check_count(self, rows: int) -> None:
        if rows != self.num_rows:
            raise DataError(f"it declares {self.num_rows} rows and holds {rows}", file=self.path)


@contextmanager
def parquet_errors(path: Path) -> Iterator[None]:
    """Turn what Arrow raises on a file that is not sound into a `DataError`."""
    try:
        yield
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())[:200]
        raise DataError(f"it cannot be read as Parquet ({text})", file=path) from error


def _codec(name: str) -> str:
    return "NONE" if name == "UNCOMPRESSED" else name


class ParquetFolder:
    """A folder of Parquet shards, in the order of their names. See `DataFile`."""

    format = "parquet-folder"

    def __init__(self, path: Path, shards: Sequence[Path], limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.defaults: dict[str, str] = {}
        self.shards = [ParquetData(shard, limits) for shard in shards]
        self._limits = limits
        first = self.shards[0]
        for shard in self.shards[1:]:
            if set(shard.columns) != set(first.columns):
                odd = sorted(set(shard.columns) ^ set(first.columns))
                raise DataError(
                    f"its columns differ from those of {first.path.name}: {name_some(odd)}", file=shard.path
                )
        self.columns = list(first.columns)
        try:
            self._schema = pa.unify_schemas(
                [pa.schema([shard.schema.field(name) for name in self.columns]) for shard in self.shards],
                promote_options="permissive",
            )
        except pa.ArrowException as error:
            raise DataError(f"its shards disagree about a type ({error})", file=path) from error
        self.notes: list[str] = sorted({note for shard in self.shards for note in shard.notes})

    @property
    def schema(self) -> pa.Schema:
        return self._schema

    @property
    def num_rows(self) -> int:
        return sum(shard.num_rows for shard in self.shards)

    @property
    def bytes_per_row(self) -> float:
        total = sum(shard.bytes_per_row * shard.num_rows for shard in self.shards)
        return total / max(1, self.num_rows)

    def read(self) -> pa.Table:
        check_table_size(self, self._limits)
        tables = [shard.read().select(self.columns).cast(self._schema) for shard in self.shards]
        return pa.concat_tables(tables)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        wanted = self.columns if columns is None else list(columns)
        target = pa.schema([self._schema.field(name) for name in wanted])
        for shard in self.shards:
            for batch in shard.batches(wanted):
                yield batch.cast(target)

    def write_rows(self, keep: NDArray[np.bool_], out: Path, *, edits: Edits | None = None) -> None:
        """A folder with the same shard names; see `DataFile`."""
        check_mask(keep, self.num_rows, self.path)
        start = 0
        for shard in self.shards:
            stop = start + shard.num_rows
            target = out / shard.path.relative_to(self.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            moved = {
                column: {row - start: text for row, text in cells.items() if start <= row < stop}
                for column, cells in (edits or {}).items()
            }
            shard.write_rows(keep[start:stop], target, edits=moved)
            start = stop
