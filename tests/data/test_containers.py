"""Frames, arrays and lists in, the same container out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from foretaste.data import (
    Dataset,
    as_dataset,
    from_arrays,
    images_from_tensor,
    row_hashes,
    rows_of,
    table_like,
)
from foretaste.errors import DataError

COLUMNS = {"n": [1.5, None, 3.0], "c": ["x", "y", None], "y": ["a", "b", "a"]}


class OnlyAStream:
    """An object that offers nothing but the Arrow PyCapsule interface."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


TABLES = {
    "arrow": lambda: pa.table(COLUMNS),
    "batch": lambda: pa.record_batch(COLUMNS),
    "reader": lambda: pa.table(COLUMNS).to_reader(),
    "pandas": lambda: pd.DataFrame(COLUMNS, index=[7, 8, 9]),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "stream": lambda: OnlyAStream(pa.table(COLUMNS)),
    "mapping": lambda: COLUMNS,
    "rows": lambda: pa.table(COLUMNS).to_pylist(),
}


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_table_gives_the_same_rows(kind):
    data = as_dataset(TABLES[kind](), label="y")
    assert data.table.column_names == ["n", "c", "y"]
    assert np.array_equal(row_hashes(data.table), row_hashes(pa.table(COLUMNS)))
    assert data.labels.names == ["a", "b"]


def test_a_data_set_is_taken_as_it_is_unless_roles_are_named():
    data = as_dataset(pa.table(COLUMNS), label="y")
    assert as_dataset(data) is data
    assert as_dataset(data, label="c").roles.label == "c"


def test_a_path_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("a,y\n1,u\n2,v\n")
    assert as_dataset(str(tmp_path / "a.csv"), label="y").labels.names == ["u", "v"]
    assert as_dataset(tmp_path / "a.csv", label="y").labels.names == ["u", "v"]


def test_a_pandas_frame_of_any_content_is_taken():
    frame = pd.DataFrame(
        {
            "mixed": [1, "z", None],
            "when": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
            "category": pd.Categorical(["u", "v", "u"], categories=["u", "v", "w"]),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            0: [True, False, True],
        }
    )
    table = as_dataset(frame, label="category").table
    assert table.column("mixed").to_pylist() == ["1", "z", None]
    assert table.column("nullable").to_pylist() == [1, None, 3]
    assert table.column("when").null_count == 1
    assert table.column_names[-1] == "0"
    assert as_dataset(frame, label="category").labels.names == ["u", "v"]
    repeated = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert as_dataset(repeated).table.to_pylist() == [{"a": 1, "a.1": 2}]


@pytest.mark.parametrize(
    "texts",
    [
        ["one short text", "two"],
        np.array(["one short text", "two"]),
        np.array(["one short text", "two"], dtype=object),
        pd.Series(["one short text", "two"]),
        pl.Series("s", ["one short text", "two"]),
        pa.array(["one short text", "two"]),
    ],
    ids=["list", "array", "objects", "pandas", "polars", "arrow"],
)
def test_texts_are_a_text_column(texts):
    assert as_dataset(texts).texts == ["one short text", "two"]
    data = from_arrays(texts, [1, 0], ["s", "t"])
    assert data.roles.named() == {"label": "label", "source": "source", "text": "text"}


def test_numbers_are_columns_and_labels_and_sources_are_appended():
    rng = np.random.default_rng(0)
    data = from_arrays(rng.normal(size=(30, 3)), np.arange(30) % 2, np.array(["a", "b", "c"] * 10))
    assert data.roles.features == ("x0", "x1", "x2")
    assert (data.roles.label, data.roles.source) == ("label", "source")
    assert as_dataset((rng.normal(size=(30, 3)), np.arange(30) % 2)).roles.label == "label"
    assert as_dataset([[1.0, 2.0], [3.0, 4.0]]).table.to_pylist() == [
        {"x0": 1.0, "x1": 2.0},
        {"x0": 3.0, "x1": 4.0},
    ]


def test_images_are_one_column():
    x = np.random.default_rng(0).integers(0, 256, (5, 3, 4), dtype=np.uint8)
    data = from_arrays(x, [0, 1, 0, 1, 0])
    assert data.roles.image == "image"
    assert np.array_equal(images_from_tensor(data.column("image")), x)


def test_labels_get_a_free_name_beside_a_frame():
    data = from_arrays(pd.DataFrame({"label": [1, 2], "label_1": [3, 4]}), ["a", "b"])
    assert data.roles.label == "label_2"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (42, "data of type int are not taken; pass a path"),
        (np.zeros((2, 2, 2)), "an array of shape"),
        (np.zeros(3), "an array of shape"),
        ((1, 2, 3, 4), "a tuple must be"),
    ],
)
def test_what_is_not_taken_is_refused_with_what_is(value, sentence):
    with pytest.raises(DataError, match=sentence):
        as_dataset(value)


def test_lengths_must_agree():
    with pytest.raises(DataError, match=r"there are 2 rows and 3 labels"):
        from_arrays([[1.0], [2.0]], [1, 2, 3])


def test_a_sparse_matrix_is_refused_with_the_way_out():
    import scipy.sparse

    with pytest.raises(DataError, match=r"pass X.toarray()"):
        as_dataset(scipy.sparse.eye(3).tocsr())


def test_rows_come_back_in_the_container_they_came_in():
    frame = pd.DataFrame(COLUMNS, index=[7, 8, 9])
    pd.testing.assert_frame_equal(rows_of(frame, [2, 0]), frame.loc[[9, 7]])
    assert rows_of(pl.DataFrame(COLUMNS), [2]).to_dicts() == [{"n": 3.0, "c": None, "y": "a"}]
    assert rows_of(pa.table(COLUMNS), np.array([1])).to_pylist() == [{"n": None, "c": "y", "y": "b"}]
    assert rows_of(np.arange(6).reshape(3, 2), [1]).tolist() == [[2, 3]]
    assert rows_of((["a", "b"], np.array([1, 2])), [1])[0] == ["b"]
    assert len(rows_of(as_dataset(COLUMNS), [0, 1])) == 2


def test_a_table_becomes_the_callers_kind_of_table():
    table = pa.table(COLUMNS)
    assert isinstance(table_like(table, pd.DataFrame()), pd.DataFrame)
    assert isinstance(table_like(table, pl.DataFrame()), pl.DataFrame)
    assert isinstance(table_like(table, as_dataset(table)), Dataset)
    assert table_like(table, table) is table


def test_python_objects_are_refused_because_their_text_is_an_address():
    with pytest.raises(DataError, match="a column holds Python objects of type object"):
        as_dataset(pd.DataFrame({"a": [object(), 1]}))


def test_rare_pandas_and_polars_types_are_taken():
    frame = pd.DataFrame(
        {
            "period": pd.period_range("2020-01", periods=2, freq="M"),
            "interval": pd.arrays.IntervalArray.from_breaks([0, 1, 2]),
            "sparse": pd.arrays.SparseArray([0, 1]),
            "delta": pd.to_timedelta([1, 2], unit="s"),
            "zoned": pd.to_datetime(["2020-01-01", "2020-01-02"]).tz_localize("Europe/Vienna"),
            "arrays": [np.zeros(2), np.ones(2)],
            "large": [2**70, 1],
        }
    )
    table = as_dataset(frame).table
    assert table.column("sparse").to_pylist() == [0, 1]
    assert table.column("interval").to_pylist()[0] == '{"left":0,"right":1}'
    assert table.column("large").to_pylist() == ["1180591620717411303424", "1"]
    polars = pl.DataFrame(
        {
            "category": pl.Series(["a", "b"], dtype=pl.Categorical),
            "struct": [{"x": 1}, {"x": None}],
            "vector": pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float32, 2)),
            "bytes": [b"x", None],
        }
    )
    assert [str(kind)[:9] for kind in as_dataset(polars).table.schema.types] == [
        "string",
        "string",
        "extension",
        "binary",
    ]
