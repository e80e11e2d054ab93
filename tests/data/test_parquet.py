"""Parquet files and folders of shards."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_strategies import same, scratch, tables
from hypothesis import given

from foretaste.data import Limits, open_file
from foretaste.data.plain import plain_table
from foretaste.errors import DataError


@given(tables())
def test_reading_gives_plain_types_and_writing_all_rows_gives_the_stored_table_back(table):
    folder = scratch()
    pq.write_table(table, folder / "a.parquet", row_group_size=3)
    stored = pq.read_table(folder / "a.parquet")
    data = open_file(folder / "a.parquet")
    expected = plain_table(stored)
    assert same(data.read(), expected)
    assert data.schema.equals(expected.schema)
    assert same(pa.Table.from_batches(data.batches(), data.schema), expected)
    data.write_rows(np.ones(table.num_rows, dtype=bool), folder / "b.parquet")
    assert same(pq.read_table(folder / "b.parquet"), stored, check_metadata=True)
    keep = np.arange(table.num_rows) % 2 == 1
    data.write_rows(keep, folder / "c.parquet")
    assert same(pq.read_table(folder / "c.parquet"), stored.filter(pa.array(keep, pa.bool_())))


@pytest.mark.parametrize("compression", ["NONE", "snappy", "gzip", "zstd"])
def test_schema_metadata_and_compression_survive(tmp_path, compression):
    schema = pa.schema(
        [
            pa.field("a", pa.int16(), nullable=False, metadata={"unit": "kg"}),
            pa.field("when", pa.timestamp("ns", "Europe/Vienna")),
            pa.field("label", pa.dictionary(pa.int32(), pa.string())),
        ],
        metadata={"origin": "a test"},
    )
    table = pa.table(
        {"a": [1, 2, 3], "when": pa.array([0, 1, None], pa.int64()), "label": ["x", "y", "x"]}, schema=schema
    )
    pq.write_table(table, tmp_path / "a.parquet", compression=compression, row_group_size=2)
    open_file(tmp_path / "a.parquet").write_rows(np.array([True, False, True]), tmp_path / "b.parquet")
    got = pq.ParquetFile(tmp_path / "b.parquet")
    assert got.schema_arrow.equals(pq.read_schema(tmp_path / "a.parquet"), check_metadata=True)
    codecs = {got.metadata.row_group(0).column(i).compression for i in range(3)}
    assert codecs == {"UNCOMPRESSED" if compression == "NONE" else compression.upper()}
    assert got.metadata.num_row_groups == 2
    assert got.read().column("a").to_pylist() == [1, 3]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.int8(),
        pa.float64(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.decimal128(5, 2),
    ],
)
def test_relabelling_keeps_the_stored_type(tmp_path, kind):
    values = (
        pa.array(["1", "2", "1"]).cast(kind)
        if not pa.types.is_dictionary(kind)
        else pa.array(["1", "2", "1"], kind)
    )
    pq.write_table(pa.table({"x": [1, 2, 3], "y": values}), tmp_path / "a.parquet", row_group_size=2)
    data = open_file(tmp_path / "a.parquet")
    data.write_rows(np.array([True, True, True]), tmp_path / "b.parquet", edits={"y": {1: "1", 2: "2"}})
    got = pq.read_table(tmp_path / "b.parquet")
    assert got.schema.field("y").type == pq.read_schema(tmp_path / "a.parquet").field("y").type
    assert [float(v) for v in got.column("y").to_pylist()] == [1, 1, 2]
    assert got.column("x").to_pylist() == [1, 2, 3]


def test_batches_are_bounded_and_give_the_columns_asked_for(tmp_path):
    table = pa.table({"a": range(100_000), "b": ["x" * 1000] * 100_000})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    data = open_file(tmp_path / "a.parquet")
    batches = list(data.batches(["b", "a"]))
    assert list(batches[0].schema.names) == ["b", "a"]
    assert max(batch.nbytes for batch in batches) < 200 * 2**20
    assert pa.Table.from_batches(batches).column("a").to_pylist() == list(range(100_000))


def test_repeated_column_names_are_made_unique(tmp_path):
    table = pa.table([pa.array([1, 2]), pa.array(["x", "y"])], names=["a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")
    data = open_file(tmp_path / "a.parquet")
    assert data.columns == ["a", "a.1"]
    assert "made unique" in data.notes[0]
    assert pa.Table.from_batches(data.batches(["a.1"])).to_pydict() == {"a.1": ["x", "y"]}
    data.write_rows(np.array([False, True]), tmp_path / "b.parquet", edits={"a.1": {1: "x"}})
    assert [c.to_pylist() for c in pq.ParquetFile(tmp_path / "b.parquet").read().columns] == [[2], ["x"]]


def test_a_table_that_needs_more_memory_than_allowed_is_refused(tmp_path):
    pq.write_table(pa.table({"a": np.zeros(1_000_000)}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 20_000
    with pytest.raises(DataError, match=r"a.parquet: it needs 0.00745 GiB or more"):
        open_file(tmp_path / "a.parquet", limits=Limits(table_bytes=2**20)).read()


def test_too_many_columns_are_refused(tmp_path):
    pq.write_table(pa.table({f"c{i}": [1] for i in range(101)}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"it has 101 columns, the limit is 100"):
        open_file(tmp_path / "a.parquet", limits=Limits(columns=100))


@pytest.mark.parametrize("damage", ["cut", "middle", "footer", "text"])
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path, damage):
    pq.write_table(pa.table({"a": np.arange(5000.0), "b": ["x"] * 5000}), tmp_path / "good.parquet")
    raw = bytearray((tmp_path / "good.parquet").read_bytes())
    if damage == "cut":
        raw = raw[: len(raw) // 2]
    elif damage == "middle":
        raw[100:2000] = bytes(1900)
    elif damage == "footer":
        raw[-60:-20] = b"\xff" * 40
    else:
        raw = bytearray(b"a,b\n1,2\n")
    (tmp_path / "bad.parquet").write_bytes(raw)
    with pytest.raises(DataError, match=r"bad.parquet: it cannot be read as Parquet") as caught:
        open_file(tmp_path / "bad.parquet").read()
    assert "\n" not in str(caught.value)


# -- folders ------------------------------------------------------------------------------------------------


def test_shards_are_one_table_in_the_order_of_their_names_and_are_given_back_by_name(tmp_path):
    folder = tmp_path / "shards"
    (folder / "deep").mkdir(parents=True)
    (folder / "_temporary").mkdir()
    for name, values in {"b": [3, 4], "a": [1, 2], "deep/c": [5]}.items():
        pq.write_table(pa.table({"v": values, "l": ["x"] * len(values)}), folder / f"{name}.parquet")
    pq.write_table(pa.table({"v": [9], "l": ["z"]}), folder / "_temporary" / "d.parquet")
    data = open_file(folder)
    assert data.format == "parquet-folder"
    assert data.num_rows == 5
    assert data.read().column("v").to_pylist() == [1, 2, 3, 4, 5]
    assert pa.Table.from_batches(data.batches()).column("v").to_pylist() == [1, 2, 3, 4, 5]
    keep = np.array([True, False, False, False, True])
    data.write_rows(keep, tmp_path / "out", edits={"l": {4: "y"}})
    written = {
        p.relative_to(tmp_path / "out").as_posix(): pq.read_table(p).to_pylist()
        for p in (tmp_path / "out").rglob("*.parquet")
    }
    assert written == {
        "a.parquet": [{"v": 1, "l": "x"}],
        "b.parquet": [],
        "deep/c.parquet": [{"v": 5, "l": "y"}],
    }


def test_shards_may_differ_in_width_and_column_order_but_not_in_columns(tmp_path):
    pq.write_table(pa.table({"a": pa.array([1], pa.int32()), "b": ["x"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": ["y"], "a": pa.array([2.5])}), tmp_path / "2.parquet")
    assert open_file(tmp_path).read().to_pylist() == [{"a": 1.0, "b": "x"}, {"a": 2.5, "b": "y"}]
    pq.write_table(pa.table({"a": [1], "c": ["x"]}), tmp_path / "3.parquet")
    with pytest.raises(DataError, match=r"3.parquet: its columns differ from those of 1.parquet: 'b', 'c'"):
        open_file(tmp_path)


def test_shards_that_disagree_about_a_type_are_refused(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "2.parquet")
    with pytest.raises(DataError, match=r"its shards disagree about a type"):
        open_file(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"it holds no Parquet shards and no class folders of images"):
        open_file(tmp_path)
