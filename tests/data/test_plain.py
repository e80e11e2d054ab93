"""Arrow's many types as the few that the floors above meet."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import Dataset, numeric_values
from foretaste.data.codes import encode
from foretaste.data.plain import is_moment, plain_column, plain_table, plain_type
from foretaste.errors import DataError

EVERY_TYPE = {
    "bool": pa.array([True, None, False]),
    "uint8": pa.array([1, None, 255], pa.uint8()),
    "half": pa.array(np.array([0.5, 1, 2], np.float16)),
    "decimal": pa.array([1, None, 2]).cast(pa.decimal128(30, 3)),
    "decimal256": pa.array([1, None, 2]).cast(pa.decimal256(50, 3)),
    "large": pa.array(["a", None, "b"], pa.large_string()),
    "view": pa.array(["a", None, "b"], pa.string_view()),
    "binary": pa.array([b"a", None, b"\xff"]),
    "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
    "dictionary of numbers": pa.array([5, None, 7]).dictionary_encode(),
    "date32": pa.array([dt.date(2026, 1, 1), None, dt.date(1, 1, 1)]),
    "date64": pa.array([dt.date(2026, 1, 1), None, dt.date(1970, 1, 1)], pa.date64()),
    "time32": pa.array([dt.time(1), None, dt.time(2)], pa.time32("s")),
    "time64": pa.array([dt.time(1), None, dt.time(2)], pa.time64("ns")),
    "timestamp": pa.array([0, None, 1], pa.timestamp("ns")),
    "zoned": pa.array([0, None, 1], pa.timestamp("us", "Europe/Vienna")),
    "duration": pa.array([0, None, 1], pa.duration("ms")),
    "interval": pa.array([(1, 2, 3), None, (0, 0, 0)], pa.month_day_nano_interval()),
    "list": pa.array([[1], None, []]),
    "large list": pa.array([["a"], None, []], pa.large_list(pa.string())),
    "vector": pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)),
    "struct": pa.array([{"a": 1, "b": dt.date(2026, 1, 1)}, None, {"a": None, "b": None}]),
    "map": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int32())),
    "null": pa.nulls(3),
    "run-end": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", None])),
    "extension": pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.int8(), [2]), pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2))
    ),
    "union": pa.UnionArray.from_sparse(
        pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]
    ),
}


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_every_arrow_type_has_a_plain_one_that_nothing_stumbles_over(name):
    column = EVERY_TYPE[name]
    plain = plain_column(column)
    assert plain.type == plain_type(column.type)
    assert plain_type(plain.type) == plain.type
    assert plain.null_count == (3 if name == "null" else 0 if name in ("half", "union") else 1)
    table = pa.table({"y": ["a", "b", "a"], "v": column})
    data = Dataset.from_table(table, label="y")
    note = {c.column: c for c in data.columns}["v"]
    assert note.role in ("feature", "unused")
    if note.role == "feature" and not pa.types.is_string(data.column("v").type):
        assert numeric_values(data.column("v")).shape == (3,)
    if note.role == "feature":
        assert len(encode(data.column("v")).codes) == 3


def test_nested_values_become_the_one_json_text():
    assert plain_column(pa.array([{"b": [1, None], "a": "é"}])).to_pylist() == ['{"a":"é","b":[1,null]}']
    assert plain_column(pa.array([[b"\x01\xff"]])).to_pylist() == ['["01ff"]']


def test_vectors_of_one_length_become_tensors_and_others_text():
    assert plain_type(pa.list_(pa.float32(), 8)) == pa.fixed_shape_tensor(pa.float32(), [8])
    assert plain_type(pa.list_(pa.float32())) == pa.string()


def test_a_text_column_larger_than_two_gigabytes_would_be_split(monkeypatch):
    monkeypatch.setattr("foretaste.data.plain._LARGEST_STRING_CHUNK", 100)
    table = plain_table(pa.table({"a": pa.array(["x" * 20] * 40, pa.large_string())}))
    assert table.column("a").num_chunks > 5
    assert table.column("a").to_pylist() == ["x" * 20] * 40


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([True, None]), [1, np.nan]),
        (pa.array([1, 2**62], pa.uint64()), [1, 2**62]),
        (pa.array([1.5, np.inf, np.nan]), [1.5, np.nan, np.nan]),
        (pa.array([dt.date(1970, 1, 2), None]), [86400, np.nan]),
        (pa.array([1500], pa.timestamp("ms", "UTC")), [1.5]),
        (pa.array([dt.time(0, 1)], pa.time32("ms")), [60]),
        (pa.array([dt.timedelta(minutes=2)]), [120]),
        (pa.nulls(2), [np.nan, np.nan]),
    ],
)
def test_numbers_of_any_kind_are_floats_in_seconds_where_they_are_times(column, expected):
    np.testing.assert_array_equal(numeric_values(column), expected)
    np.testing.assert_array_equal(numeric_values(pa.chunked_array([column, column])), expected * 2)


def test_text_has_no_numbers():
    with pytest.raises(DataError, match=r"a column of string holds no numbers"):
        numeric_values(pa.array(["1"]))
    assert not is_moment(pa.string())
