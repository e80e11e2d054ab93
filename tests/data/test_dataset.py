"""`Dataset`: read from any file, roles, labels, times, rows taken."""

from __future__ import annotations

import datetime as dt
import doctest
import importlib
import pkgutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import foretaste.data
from foretaste.data import Dataset, Limits, Roles, encode, open_file, write_table
from foretaste.data.names import unique_names
from foretaste.errors import DataError


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz", ".parquet", ".arrow"])
def test_the_same_rows_are_read_from_every_format(tmp_path, small_table, suffix):
    path = tmp_path / f"data{suffix}"
    write_table(small_table.drop_columns(["when"]), path)
    data = Dataset.read(path, label="label", source="source", id="id")
    assert data.name == path.name
    assert data.roles == Roles(
        label="label", source="source", id="id", text="text", features=("amount", "colour")
    )
    assert data.table.column("amount").to_pylist() == small_table.column("amount").to_pylist()
    assert data.labels.names == ["ham", "spam"]
    assert data.sources.names == ["a", "b"]
    assert data.texts == small_table.column("text").to_pylist()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.csv", "there is no such file or folder"),
        ("data.xlsx", "its format is not known; known are .csv, .tsv"),
        ("data", "its format is not known"),
        ("empty.parquet", "it is empty"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_one_sentence(tmp_path, name, sentence):
    if "missing" not in name:
        (tmp_path / name).write_bytes(b"" if "empty" in name else b"something")
    with pytest.raises(DataError, match=name) as caught:
        Dataset.read(tmp_path / name)
    assert sentence in str(caught.value)


def test_a_file_without_rows_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(DataError, match=r"a.csv: it has no rows"):
        Dataset.read(tmp_path / "a.csv")


def test_a_wrong_label_is_refused_before_the_file_is_read(tmp_path):
    pq.write_table(pa.table({"label": ["a"] * 1000}), tmp_path / "a.parquet")
    with pytest.raises(
        DataError, match=r"a.parquet: there is no column 'lable' to use as label; did you mean 'label'?"
    ):
        Dataset.read(tmp_path / "a.parquet", label="lable", limits=Limits(table_bytes=1))


def test_a_format_that_fixes_roles_can_be_overruled(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        x=np.random.default_rng(0).normal(size=(30, 2)),
        y=np.arange(30) % 2,
        z=np.arange(30) % 3,
    )
    assert Dataset.read(tmp_path / "a.npz").roles.label == "y"
    assert Dataset.read(tmp_path / "a.npz", label="z").roles == Roles(label="z", features=("x0", "x1", "y"))


def test_an_opened_file_can_be_read(tmp_path):
    (tmp_path / "a.csv").write_text("a,y\n1,u\n2,v\n")
    assert len(Dataset.read(open_file(tmp_path / "a.csv"), label="y")) == 2


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([0, None, 86400], pa.timestamp("s")), [0, np.nan, 86400]),
        (pa.array([dt.date(1970, 1, 2)] * 3), [86400] * 3),
        (pa.array(["1970-01-01T01:00:00+01:00", "", "1970-01-01 00:01:00"]), [0, np.nan, 60]),
        (pa.array(["12.5", None, " 7 "]), [12.5, np.nan, 7]),
        (pa.array([5, 6, None]), [5, 6, np.nan]),
    ],
)
def test_times_are_seconds_whatever_they_were(column, expected):
    data = Dataset.from_table(pa.table({"t": column, "y": ["a", "b", "a"]}), label="y", time="t")
    np.testing.assert_array_equal(data.times, expected)


def test_what_is_no_time_is_refused_with_its_row():
    data = Dataset.from_table(pa.table({"t": ["2026-01-01", "soon"]}), time="t", name="a.csv")
    with pytest.raises(DataError, match=r"a\.csv, column 't', row 1: 'soon' is not a time"):
        _ = data.times


def test_codes_do_not_depend_on_the_order_of_rows_or_on_chunks_or_storage():
    values = ["b", None, "a", "c", "b"]
    one = encode(pa.chunked_array([values[:2], values[2:]]))
    two = encode(pa.array(values).dictionary_encode())
    assert one.codes.tolist() == two.codes.tolist() == [1, -1, 0, 2, 1]
    assert one.names == ["a", "b", "c"]
    assert encode(pa.chunked_array([], pa.string())).codes.tolist() == []
    assert encode(pa.nulls(2)).codes.tolist() == [-1, -1]


def test_a_dictionary_value_no_row_has_is_no_class():
    array = pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["a", "unused"]))
    assert encode(array).names == ["a"]


def test_rows_are_taken_and_columns_replaced_without_touching_the_original(small_table):
    data = Dataset.from_table(small_table, label="label")
    assert data.take([3, 1]).table.column("id").to_pylist() == [103, 101]
    changed = data.with_column("label", ["x"] * 40).with_column("new", np.arange(40))
    assert changed.labels.names == ["x"]
    assert changed.table.column_names == [*small_table.column_names, "new"]
    assert data.labels.names == ["ham", "spam"]


def test_roles_must_name_columns_that_exist(small_table):
    with pytest.raises(DataError, match=r"no column 'nope' to use as feature"):
        Dataset(small_table, Roles(features=("nope",)))


def test_numbered_names_never_collide():
    names = ["a", "a.1", "a", "", "column 3", "a"]
    made, note = unique_names(names)
    assert made == ["a", "a.1", "a.2", "column 3.1", "column 3", "a.3"]
    assert len(set(made)) == len(made)
    assert "made unique" in note
    assert unique_names(["a", "b"]) == (["a", "b"], None)


def test_the_examples_in_the_documentation_of_every_module_hold():
    for module in pkgutil.walk_packages(foretaste.data.__path__, "foretaste.data."):
        result = doctest.testmod(importlib.import_module(module.name))
        assert result.failed == 0, module.name


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ".npz"])
def test_a_mask_of_another_length_is_refused(tmp_path, suffix):
    write_table(pa.table({"x0": [1.0, 2.0, 3.0], "y": [0, 1, 0]}), tmp_path / f"a{suffix}")
    for wrong in (2, 4):
        with pytest.raises(DataError, match=f"it has 3 rows and {wrong} were to be judged|Arrow"):
            open_file(tmp_path / f"a{suffix}").write_rows(np.ones(wrong, dtype=bool), tmp_path / f"b{suffix}")
