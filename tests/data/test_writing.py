"""New files from tables."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa
import pytest
from data_strategies import scratch, tables
from hypothesis import given

from foretaste.data import images_from_tensor, open_file, row_hashes, write_table
from foretaste.data.arrays import tensor_from_images
from foretaste.data.atomic import appearing
from foretaste.data.formats.writing import defused, table_writer
from foretaste.data.plain import plain_table
from foretaste.errors import DataError


@given(tables(types=[pa.bool_(), pa.int64(), pa.float64(), pa.string(), pa.date32(), pa.null()]))
def test_json_lines_give_every_value_back(table):
    path = scratch() / "a.jsonl"
    write_table(table, path)
    if table.num_rows == 0:
        assert path.read_bytes() == b""
        return
    got = open_file(path).read()
    for name in table.column_names:
        given, read = table.column(name), got.column(name)
        if pa.types.is_date(given.type):
            given = given.cast(pa.string())
        if pa.types.is_floating(given.type):
            given = pa.array([None if v is None or v != v else v for v in given.to_pylist()], pa.float64())
        assert [_number(v) for v in read.to_pylist()] == [_number(v) for v in given.to_pylist()]


def _number(value):
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


@given(tables())
def test_parquet_and_arrow_give_every_value_back(table):
    plain = plain_table(table)
    for suffix in (".parquet", ".arrow"):
        path = scratch() / f"a{suffix}"
        write_table(plain, path)
        assert np.array_equal(row_hashes(open_file(path).read()), row_hashes(plain))


@given(tables(types=[pa.string()]))
def test_csv_gives_text_back_or_a_missing_value_for_an_empty_one(table):
    path = scratch() / "a.csv"
    write_table(table, path)
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == table.column_names
    expected = [[value or "" for value in row.values()] for row in table.to_pylist()]
    assert rows[1:] == [row or [""] for row in expected] or len(table.column_names) == 1


def test_a_folder_without_suffix_is_class_folders_or_shards(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    table = pa.table(
        {"image": tensor_from_images(x), "label": ["a", "b", "a"], "file": ["a/1.png", "b/2.png", "c/1.jpg"]}
    )
    write_table(table, tmp_path / "images")
    got = open_file(tmp_path / "images").read()
    assert got.column("file").to_pylist() == ["a/1-1.png", "a/1.png", "b/2.png"]
    assert np.array_equal(images_from_tensor(got.column("image")), x[[2, 0, 1]])
    write_table(pa.table({"a": [1, 2]}), tmp_path / "shards")
    assert open_file(tmp_path / "shards").read().to_pylist() == [{"a": 1}, {"a": 2}]


def test_npz_holds_x_y_and_source(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype=np.uint8)
    write_table(
        pa.table({"image": tensor_from_images(x), "label": [0, 1, 0], "source": ["a", "b", "c"]}),
        tmp_path / "a.npz",
    )
    arrays = np.load(tmp_path / "a.npz", allow_pickle=False)
    assert np.array_equal(arrays["x"], x)
    assert (arrays["y"].tolist(), arrays["source"].tolist()) == ([0, 1, 0], ["a", "b", "c"])
    write_table(pa.table({"x0": [1.0], "x1": [2.0], "y": [1]}), tmp_path / "b.npz")
    assert np.load(tmp_path / "b.npz")["x"].tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1dcmd", "\uff20x"]
)
def test_formulas_are_defused_for_spreadsheets_and_other_text_is_left(tmp_path, text):
    assert defused(text) == "'" + text
    table = pa.table({"=h": [text, "plain", None], "n": [-1.5, 2.0, None]})
    with table_writer(tmp_path / "a.csv", table.schema, defuse=True) as append:
        append(table)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows == [["'=h", "n"], ["'" + text, "-1.5"], ["plain", "2"], ["", ""]]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_images_are_not_written_as_text(tmp_path, suffix):
    table = pa.table({"image": tensor_from_images(np.zeros((1, 2, 2), np.uint8))})
    with pytest.raises(DataError, match=r"tensors cannot be written as text"):
        write_table(table, tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"this format is not written; use one of .csv"):
        write_table(pa.table({"a": [1]}), tmp_path / "a.xlsx")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write_half() -> None:
        with appearing(target) as path:
            path.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match=r"stop"):
        write_half()
    assert target.read_text() == "old"
    with appearing(target) as path:
        path.write_text("new")
    assert target.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
