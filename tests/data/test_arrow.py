"""Arrow IPC files and streams."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from data_strategies import same, scratch, tables
from hypothesis import given
from hypothesis import strategies as st

from foretaste.data import Limits, open_file
from foretaste.data.plain import plain_table
from foretaste.errors import DataError


def write_arrow(path: Path, table: pa.Table, *, stream: bool = False, compression: str | None = None) -> None:
    create = pa.ipc.new_stream if stream else pa.ipc.new_file
    with create(str(path), table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=3)


def read_arrow(path: Path, *, stream: bool = False) -> pa.Table:
    with pa.OSFile(str(path)) as source:
        return (pa.ipc.open_stream(source) if stream else pa.ipc.open_file(source)).read_all()


@given(tables(), st.booleans(), st.sampled_from([None, "lz4", "zstd"]))
def test_reading_gives_plain_types_and_writing_all_rows_gives_the_stored_table_back(
    table, stream, compression
):
    path = scratch() / "a.arrow"
    write_arrow(path, table, stream=stream, compression=compression)
    data = open_file(path)
    assert same(data.read(), plain_table(table))
    assert data.num_rows == table.num_rows
    out = path.with_name("b.arrow")
    data.write_rows(np.ones(table.num_rows, dtype=bool), out)
    assert same(read_arrow(out, stream=stream), table, check_metadata=True)
    keep = np.arange(table.num_rows) % 2 == 1
    data.write_rows(keep, out)
    assert same(read_arrow(out, stream=stream), table.filter(pa.array(keep, pa.bool_())))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_compression_and_metadata_survive(tmp_path, stream, compression):
    table = pa.table({"a": np.zeros(1000), "y": ["u", "v"] * 500}).replace_schema_metadata({"k": "v"})
    write_arrow(tmp_path / "a.arrow", table, stream=stream, compression=compression)
    open_file(tmp_path / "a.arrow").write_rows(np.ones(1000, dtype=bool), tmp_path / "b.arrow")
    again = open_file(tmp_path / "b.arrow")
    assert again._codec == compression
    assert again._stored.metadata == {b"k": b"v"}


def test_relabelling_a_dictionary_column_of_a_file_keeps_its_dictionary(tmp_path):
    table = pa.table({"y": pa.array(["u", "v", "u", "v"] * 3).dictionary_encode()})
    write_arrow(tmp_path / "a.arrow", table)
    data = open_file(tmp_path / "a.arrow")
    data.write_rows(np.ones(12, dtype=bool), tmp_path / "b.arrow", edits={"y": {0: "v", 11: "u"}})
    assert read_arrow(tmp_path / "b.arrow").column("y").to_pylist() == [
        "v",
        *["v", "u", "v", "u"] * 2,
        "v",
        "u",
        "u",
    ]


def test_offsets_that_lead_outside_are_refused_not_followed(tmp_path):
    write_arrow(tmp_path / "a.arrow", pa.table({"s": ["hello", "world", "again"]}))
    raw = bytearray((tmp_path / "a.arrow").read_bytes())
    offsets = struct.pack("<4i", 0, 5, 10, 15)
    assert raw.count(offsets) == 1
    position = raw.index(offsets)
    raw[position : position + 16] = struct.pack("<4i", 0, 5, 2**30, 2**30 + 5)
    (tmp_path / "bad.arrow").write_bytes(raw)
    with pytest.raises(DataError, match=r"bad.arrow: it cannot be read as Arrow"):
        open_file(tmp_path / "bad.arrow").read()


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_buffer_that_declares_a_terabyte_is_refused_before_it_is_allocated(tmp_path, compression):
    table = pa.table({"a": np.zeros(100_000)})
    with pa.ipc.new_file(
        str(tmp_path / "a.arrow"), table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)
    ) as writer:
        writer.write_table(table)
    raw = bytearray((tmp_path / "a.arrow").read_bytes())
    size = struct.pack("<q", 800_000)
    raw[raw.index(size) : raw.index(size) + 8] = struct.pack("<q", 2**40)
    (tmp_path / "bomb.arrow").write_bytes(raw)
    with pytest.raises(DataError, match=r"as a decompression bomb does"):
        open_file(tmp_path / "bomb.arrow")


def test_a_batch_larger_than_the_memory_limit_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    write_arrow(tmp_path / "a.arrow", pa.table({"a": rng.normal(size=10_000)}))
    with pytest.raises(DataError, match=r"GiB"):
        open_file(tmp_path / "a.arrow", limits=Limits(table_bytes=1000)).read()


@pytest.mark.parametrize(
    "content", [b"ARROW1\0\0" + bytes(100), b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"hello there"]
)
def test_what_is_no_arrow_file_is_refused(tmp_path, content):
    (tmp_path / "a.arrow").write_bytes(content)
    with pytest.raises(DataError, match=r"a.arrow: it cannot be read as Arrow"):
        open_file(tmp_path / "a.arrow")
