"""The canonical encoding: an independent implementation of docs/formats.md, and what it must not depend
on."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_strategies import tables
from hypothesis import given
from hypothesis import strategies as st

from foretaste.data import TableHash, file_sha256, open_file, row_hashes, table_hash, write_table
from foretaste.data.arrays import tensor_from_images
from foretaste.data.plain import plain_table
from foretaste.errors import DataError

DOCS = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


def cell(value: Any) -> bytes:
    """One cell after docs/formats.md, from the Python value; written without a look at the product's
    encoder."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return b"-" + bytes(8)
    if isinstance(value, bool):
        return b"b" + struct.pack("<q", value)
    if isinstance(value, (int, float)):
        if value == math.inf or value == -math.inf or value != int(value):
            return b"f" + struct.pack("<d", value)
        if -(2**63) <= value < 2**63:
            return b"i" + struct.pack("<q", int(value))
        return b"u" + struct.pack("<Q", int(value)) if 0 <= value < 2**64 else b"f" + struct.pack("<d", value)
    if isinstance(value, str):
        return b"s" + struct.pack("<q", len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"x" + struct.pack("<q", len(value)) + value
    if isinstance(value, dt.datetime):
        zoned = value.tzinfo is not None
        delta = value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC if zoned else None)
        return (b"z" if zoned else b"t") + struct.pack(
            "<qI", delta.days * 86400 + delta.seconds, delta.microseconds * 1000
        )
    if isinstance(value, dt.date):
        return cell(dt.datetime(value.year, value.month, value.day))
    if isinstance(value, dt.time):
        whole = value.hour * 3600 + value.minute * 60 + value.second
        return b"c" + struct.pack("<qI", whole, value.microsecond * 1000)
    if isinstance(value, dt.timedelta):
        return b"p" + struct.pack("<qI", value.days * 86400 + value.seconds, value.microseconds * 1000)
    if isinstance(value, np.ndarray):
        code = value.dtype.newbyteorder("<").str[1:].encode().ljust(8, b"\0")
        body = struct.pack(f"<{value.ndim + 1}Q", value.ndim, *value.shape) + code + value.tobytes()
        return b"a" + struct.pack("<q", len(body)) + body
    raise TypeError(type(value))


def row_hash(row: dict[str, Any]) -> bytes:
    names = sorted(name.encode() for name in row)
    columns = hashlib.sha256(
        b"foretaste columns 1\n" + b"".join(struct.pack("<Q", len(n)) + n for n in names)
    )
    cells = b"".join(cell(row[name.decode()]) for name in names)
    return hashlib.sha256(columns.digest() + cells).digest()


def test_the_worked_example_of_the_documentation_is_what_the_code_computes():
    text = DOCS.read_text("utf-8")
    table = pa.table({"text": ["Grüß"], "n": [7], "x": [0.5], "y": pa.array([None], pa.string())})
    message = bytes.fromhex("".join(re.findall(r"^    ((?:[0-9a-f]{2} ?)+)\s", text, re.MULTILINE)))
    (stated,) = re.findall(r"row hash:? +`?([0-9a-f]{64})", text)
    assert hashlib.sha256(message).hexdigest() == stated
    assert row_hashes(table)[0].tobytes().hex() == stated
    (stated_table,) = re.findall(r"data-set hash:? +`?([0-9a-f]{64})", text)
    assert table_hash(table) == stated_table


@given(tables())
def test_every_row_hash_is_that_of_an_independent_implementation(table):
    rows = [row_hash(row) for row in plain_table(table).to_pylist()]
    assert [h.tobytes() for h in row_hashes(table)] == rows


def test_tensors_are_hashed_with_shape_and_element_type():
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    table = pa.table({"image": tensor_from_images(images, np.array([True, False]))})
    assert row_hashes(table)[0].tobytes() == row_hash({"image": images[0]})
    assert row_hashes(table)[1].tobytes() == row_hash({"image": None})
    flat = pa.table({"image": tensor_from_images(images.reshape(2, 4, 3))})
    assert row_hashes(flat)[0].tobytes() != row_hashes(table)[0].tobytes()


SAME = {
    "integer width": (pa.array([1, None], pa.int8()), pa.array([1, None], pa.int64())),
    "signedness": (pa.array([1, 2], pa.uint64()), pa.array([1, 2], pa.int16())),
    "integers and floats": (pa.array([1, None, -3]), pa.array([1.0, None, -3.0])),
    "float width": (pa.array([0.5, 1e10], pa.float32()), pa.array([0.5, 1e10])),
    "half floats": (pa.array(np.array([0.5, 2], np.float16)), pa.array([0.5, 2.0])),
    "negative zero": (pa.array([0.0]), pa.array([-0.0])),
    "not a number and missing": (pa.array([np.nan, 1.5]), pa.array([None, 1.5])),
    "large unsigned and float": (pa.array([2**63], pa.uint64()), pa.array([2.0**63])),
    "string storage": (pa.array(["é", None, ""]), pa.array(["é", None, ""], pa.large_string())),
    "string views": (pa.array(["é", "x" * 30]), pa.array(["é", "x" * 30], pa.string_view())),
    "dictionaries": (pa.array(["b", "a", "b", None]), pa.array(["b", "a", "b", None]).dictionary_encode()),
    "binary storage": (pa.array([b"ab"]), pa.array([b"ab"], pa.binary(2))),
    "decimals": (pa.array([0.1, 2.0]), pa.array([0.1, 2.0]).cast(pa.decimal128(5, 2))),
    "time units": (pa.array([1000], pa.timestamp("ms")), pa.array([1], pa.timestamp("s"))),
    "zones": (pa.array([5], pa.timestamp("s", "UTC")), pa.array([5], pa.timestamp("s", "Asia/Tokyo"))),
    "dates and midnights": (pa.array([1], pa.date32()), pa.array([86400], pa.timestamp("s"))),
    "times of day": (pa.array([60], pa.time32("s")), pa.array([60 * 10**9], pa.time64("ns"))),
    "durations": (pa.array([-1], pa.duration("s")), pa.array([-(10**9)], pa.duration("ns"))),
    "lists and their JSON text": (pa.array([[1, 2], None]), pa.array(["[1,2]", None])),
    "structs and their JSON text": (pa.array([{"b": 1, "a": "é"}]), pa.array(['{"a":"é","b":1}'])),
    "all missing": (pa.nulls(2), pa.array([None, None], pa.string())),
    "missing moments": (pa.nulls(2), pa.array([None, None], pa.timestamp("s"))),
}

DIFFERENT = {
    "missing and empty": (pa.array([None], pa.string()), pa.array([""])),
    "numbers and their text": (pa.array([1]), pa.array(["1"])),
    "booleans and numbers": (pa.array([True]), pa.array([1])),
    "text and binary": (pa.array(["a"]), pa.array([b"a"])),
    "composed and decomposed": (pa.array(["é"]), pa.array(["e\u0301"])),
    "neighbouring large integers": (pa.array([2**53]), pa.array([2**53 + 1])),
    "single and double precision of a tenth": (pa.array([0.1], pa.float32()), pa.array([0.1])),
    "clock time with and without a zone": (
        pa.array([5], pa.timestamp("s")),
        pa.array([5], pa.timestamp("s", "UTC")),
    ),
    "trailing white space": (pa.array(["a"]), pa.array(["a "])),
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME.keys())
def test_rows_with_equal_values_have_equal_hashes_however_they_are_stored(pair):
    one, two = (row_hashes(pa.table({"v": array})) for array in pair)
    assert np.array_equal(one, two)


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_rows_with_different_values_have_different_hashes(pair):
    one, two = (row_hashes(pa.table({"v": array})) for array in pair)
    assert not np.any(np.all(one == two, axis=1))


def test_cells_cannot_be_moved_across_a_column_border():
    left = pa.table({"a": ["xy", "x"], "b": ["z", "yz"]})
    one, two = row_hashes(left)
    assert one.tobytes() != two.tobytes()


@given(tables(min_rows=1), st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter_and_that_of_rows_only_to_the_data_set(table, random):
    names = list(table.column_names)
    random.shuffle(names)
    assert table_hash(table.select(names)) == table_hash(table)
    order = list(range(table.num_rows))
    random.shuffle(order)
    shuffled = row_hashes(plain_table(table).take(pa.array(order)))
    assert np.array_equal(shuffled, row_hashes(table)[order])


@given(tables(), st.integers(1, 4))
def test_the_data_set_hash_is_the_same_from_pieces(table, size):
    pieces = TableHash(table.column_names)
    for start in range(0, table.num_rows, size):
        pieces.update(table.slice(start, size))
    assert pieces.hexdigest() == table_hash(table)
    assert table_hash(iter(plain_table(table).to_batches()), columns=table.column_names) == table_hash(table)


def test_a_column_name_and_a_missing_column_change_every_hash():
    table = pa.table({"a": [1], "b": pa.nulls(1)})
    assert not np.array_equal(row_hashes(table), row_hashes(table.rename_columns(["a", "c"])))
    assert not np.array_equal(row_hashes(table), row_hashes(table.select(["a"])))
    assert np.array_equal(row_hashes(table, ["a"]), row_hashes(table.select(["a"])))


def test_the_order_and_the_count_of_rows_change_the_data_set_hash():
    hashes = {table_hash(pa.table({"a": values})) for values in ([1, 2], [2, 1], [1], [1, 2, 2])}
    assert len(hashes) == 4
    assert table_hash(pa.table({"a": pa.array([], pa.int64())})) == table_hash(
        pa.table({"a": pa.array([], pa.string())})
    )


@pytest.mark.parametrize("suffix", [".csv", ".tsv.gz", ".jsonl", ".parquet", ".arrow"])
def test_the_file_format_does_not_change_a_hash(tmp_path, small_table, suffix):
    table = small_table.drop_columns(["when"])
    write_table(table, tmp_path / f"a{suffix}")
    data = open_file(tmp_path / f"a{suffix}")
    assert table_hash(data.read()) == table_hash(table)
    assert table_hash(data.batches()) == table_hash(table)


def test_two_columns_of_one_name_have_no_hash():
    with pytest.raises(DataError, match=r"same name"):
        row_hashes(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]))


def test_long_cells_missing_or_not_are_hashed_as_short_ones_are():
    hidden = pa.StringArray.from_buffers(  # its second value is missing and has bytes all the same
        3, pa.py_buffer(np.array([0, 4000, 8000, 8000], np.int32)), pa.py_buffer(b"ab" * 4000),
        pa.py_buffer(b"\x05"),
    )  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 40)).astype(np.uint8)
    image = pa.FixedShapeTensorArray.from_numpy_ndarray(pixels)
    table = pa.table({"a": hidden, "b": [1.5, None, 3], "c": ["x" * 5000, "", None], "image": image})
    plain = table.drop_columns(["image"]).to_pylist()
    rows = [row | {"image": shown} for row, shown in zip(plain, pixels, strict=True)]
    for columns in (["a"], ["a", "b"], ["a", "b", "c"], ["image"], ["a", "b", "c", "image"]):
        expected = [row_hash({name: row[name] for name in columns}) for row in rows]
        assert [bytes(found) for found in row_hashes(table, columns)] == expected
        assert [bytes(found) for found in row_hashes(table.slice(1), columns)] == expected[1:]


def test_many_rows_in_many_chunks_hash_as_one_by_one():
    table = pa.table({"a": np.arange(5000) % 7 / 2, "b": [f"row {i}" * (i % 50) for i in range(5000)]})
    chunked = pa.concat_tables([table.slice(i, 700) for i in range(0, 5000, 700)])
    assert np.array_equal(row_hashes(chunked), row_hashes(table))
    assert row_hashes(table)[4321].tobytes() == row_hash(table.slice(4321, 1).to_pylist()[0])


def test_the_hash_of_a_file_is_that_of_its_bytes_and_of_a_folder_that_of_its_files(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a").write_bytes(b"abc")
    assert (
        file_sha256(tmp_path / "f" / "a")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    one = file_sha256(tmp_path / "f")
    (tmp_path / "f" / "a").rename(tmp_path / "f" / "b")
    assert file_sha256(tmp_path / "f") != one


def test_a_real_data_set_has_the_same_hash_in_its_file_and_in_memory(shared_data):
    path = shared_data / "german_credit" / "german_credit.parquet"
    assert table_hash(open_file(path).batches()) == table_hash(pq.read_table(path))
