"""JSON Lines: types, hostile lines, and copies that keep every byte."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from data_strategies import json_lines, same, scratch
from hypothesis import given

from foretaste.data import Limits, open_file
from foretaste.data.formats.jsonl import JsonLinesData
from foretaste.data.formats.jsonl_edits import replace_value
from foretaste.data.formats.jsonl_values import decoder
from foretaste.errors import DataError


@pytest.fixture
def write(tmp_path: Path):
    def write(content: bytes | str, limits: Limits | None = None) -> JsonLinesData:
        path = tmp_path / "data.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return open_file(path) if limits is None else open_file(path, limits=limits)  # type: ignore[return-value]

    return write


def test_columns_are_all_keys_and_a_missing_key_is_a_missing_value(write):
    table = write('{"a": 1, "b": "x"}\n{"b": null, "c": true}\n{"a": 2.5}\n').read()
    assert table.column_names == ["a", "b", "c"]
    assert table.to_pylist() == [
        {"a": 1.0, "b": "x", "c": None},
        {"a": None, "b": None, "c": True},
        {"a": 2.5, "b": None, "c": None},
    ]


def test_nested_values_are_json_text_and_mixed_columns_are_text(write):
    data = write('{"n": {"b": [1, 2], "a": "é"}, "m": 1.0}\n{"n": [], "m": "x"}\n{"m": false}\n{"m": 2}\n')
    assert data.read().to_pydict() == {
        "n": ['{"a":"é","b":[1,2]}', "[]", None, None],
        "m": ["1.0", "x", "false", "2"],
    }


def test_integers_beyond_64_bits_are_text_with_a_note(write):
    data = write('{"a": 1}\n{"a": 18446744073709551616}\n')
    assert data.read().column("a").to_pylist() == ["1", "18446744073709551616"]
    assert data.notes == ["column 'a' holds integers beyond 64 bits, which are read as text"]


def test_thousands_of_digits_do_not_stop_the_reader(write):
    assert write('{"a": ' + "9" * 10_000 + "}\n").read().column("a").to_pylist() == ["9" * 10_000]


def test_the_last_of_two_equal_keys_counts_with_a_note(write):
    data = write('{"a": 1, "a": 2}\n')
    assert data.read().to_pylist() == [{"a": 2}]
    assert data.notes == ["row 0 has the key 'a' twice; the last value counts"]


def test_a_lone_surrogate_becomes_a_replacement_character(write):
    assert write('{"a": "x\\ud800", "\\ud801": 1}\n').read().to_pylist() == [{"a": "x�", "�": 1}]


def test_not_a_number_is_missing_or_infinite_as_a_float(write):
    values = write('{"a": NaN}\n{"a": Infinity}\n{"a": 1e999}\n').read().column("a").to_pylist()
    assert np.isnan(values[0])
    assert values[1:] == [np.inf, np.inf]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "it is empty"),
        (" \n\t\n", "it is empty"),
        ("{}\n{}\n", "its objects are all empty"),
        ('{"a": 1}\n\n[1]\n', "row 1: it is a JSON list, not an object"),
        ('{"a": 1}\n"x"\n', "row 1: it is a JSON string, not an object"),
        ('{"a": 1}\n{"a": \n', "row 1: it is not valid JSON"),
        ('{"a": 1} {"a": 2}\n', "row 0: it is not valid JSON"),
        ('{"a": ' + "[" * 100_000 + "\n", "row 0: its values are nested too deep"),
        (b'{"a": "caf\xe9"}\n', "row 0: it is not UTF-8"),
        (b'{"a": 1}\n\0\0\n', "row 1: it is not valid JSON"),
    ],
)
def test_a_line_that_is_no_object_is_refused_with_file_and_row(write, content, sentence):
    with pytest.raises(DataError, match=r"data.jsonl") as caught:
        write(content).read()
    assert sentence in str(caught.value)


def test_rows_are_counted_over_blocks(write):
    lines = ['{"a": 1}'] * 100 + ["oops"]
    with pytest.raises(DataError, match=r"row 100: it is not valid JSON"):
        write("\n".join(lines), limits=Limits(block_bytes=64)).read()


def test_a_different_key_in_every_row_is_refused_before_the_table_explodes(write):
    content = "".join(f'{{"k{i}": 1}}\n' for i in range(20_000))
    with pytest.raises(DataError, match=r"20000 different keys, so this is no table"):
        write(content).read()
    with pytest.raises(DataError, match=r"more than 100 keys"):
        write(content, limits=Limits(columns=100)).read()


def test_a_line_without_end_is_refused(write):
    with pytest.raises(DataError, match=r"one record is longer than"):
        write('{"a": "' + "x" * 50_000, limits=Limits(record_bytes=10_000, block_bytes=1000)).read()


@given(json_lines())
def test_read_and_batches_give_the_same_table_whatever_the_blocks(content):
    raw, rows = content
    path = _temporary(raw)
    whole = JsonLinesData(path).read()
    small = JsonLinesData(path, Limits(block_bytes=24))
    assert whole.num_rows == len(rows)
    assert same(small.read(), whole)
    assert same(pa.Table.from_batches(small.batches(), small.schema), whole)
    for name in whole.column_names:
        for row, value in zip(rows, whole.column(name).to_pylist(), strict=True):
            given = row.get(name)
            if isinstance(given, str) and given < "\ud800":
                assert value == given
            if given is None:
                assert value is None


@given(json_lines())
def test_keeping_all_rows_gives_the_same_bytes_and_some_rows_their_lines(content):
    raw, rows = content
    path = _temporary(raw)
    data = JsonLinesData(path, Limits(block_bytes=24))
    out = path.with_suffix(".out.jsonl")
    data.write_rows(np.ones(len(rows), dtype=bool), out)
    assert out.read_bytes() == raw
    keep = np.arange(len(rows)) % 2 == 0
    data.write_rows(keep, out)
    lines = [line for line in raw.decode().split("\n") if line.strip()]
    assert [line for line in out.read_bytes().decode().split("\n") if line.strip()] == lines[::2]


def _temporary(raw: bytes) -> Path:
    path = scratch() / "a.jsonl"
    path.write_bytes(raw)
    return path


def test_relabelling_changes_the_label_only_and_spells_it_as_the_file_does(write, tmp_path):
    content = (
        '{"text": "a, \\u00e9", "y": 1.0 , "n": {"y": 1.0}}\r\n'
        '{"y":0.0,"text":"b"}\r\n'
        '{"text": "c"}\r\n'
        '{"y": 0.0, "y": 1.0}\r\n'
        "{ }"
    )
    data = write(content)
    assert data.read().num_rows == 5
    data.write_rows(
        np.ones(5, dtype=bool), tmp_path / "out.jsonl", edits={"y": {0: "0", 2: "1", 3: "0", 4: "1"}}
    )
    assert (tmp_path / "out.jsonl").read_bytes().decode() == (
        '{"text": "a, \\u00e9", "y": 0.0 , "n": {"y": 1.0}}\r\n'
        '{"y":0.0,"text":"b"}\r\n'
        '{"text": "c", "y": 1.0}\r\n'
        '{"y": 0.0, "y": 0.0}\r\n'
        '{"y": 1.0}'
    )


def test_a_label_the_file_never_has_is_written_as_a_string(write, tmp_path):
    data = write('{"y": "a"}\n')
    data.write_rows(np.ones(1, dtype=bool), tmp_path / "out.jsonl", edits={"y": {0: 'n"ew'}})
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {"y": 'n"ew'}


def test_replacing_a_value_leaves_every_other_character():
    line = '  { "a" : [1, {"b": "}"}] , "b":"x\\"}" ,"c": null }'
    assert (
        replace_value(line, "b", "7", decoder(strict=False))
        == '  { "a" : [1, {"b": "}"}] , "b":7 ,"c": null }'
    )


def test_gzip_in_gzip_out(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    data = open_file(tmp_path / "a.jsonl.gz")
    assert data.read().to_pylist() == [{"a": 1}, {"a": 2}]
    data.write_rows(np.array([False, True]), tmp_path / "b.jsonl.gz")
    assert gzip.decompress((tmp_path / "b.jsonl.gz").read_bytes()) == b'{"a": 2}\n'


FLAT = b'{"i": 1, "f": 1.5, "s": "x", "t": true, "n": null}\n'


@pytest.mark.parametrize(
    "odd",
    [
        b'{"i": 2.5}\n',
        b'{"i": 12345678901234567890}\n',
        b'{"s": 7}\n',
        b'{"s": {"a": 1}}\n',
        b'{"n": "late"}\n',
        b'{"new": 1}\n',
        b'{"i": 1, "i": 2}\n',
        b'{"f": 1e999}\n',
        b'{"f": -Infinity}\n',
        b'{"s": "\\ud800"}\n',
        b'{"t": "true"}\n',
        b" \n\n\t\n",
        b"{}\n",
    ],
)
def test_a_line_unlike_those_before_it_is_read_as_if_it_had_come_first(write, odd):
    content = FLAT * 300 + odd + FLAT * 300
    first = write(odd + FLAT * 600).read() if odd.strip() else write(FLAT * 600).read()
    for block_bytes in (64, 1024, 2**24):
        data = write(content, limits=Limits(block_bytes=block_bytes))
        table = data.read()
        assert {f.name: f.type for f in table.schema} == {f.name: f.type for f in first.schema}
        assert same(pa.Table.from_batches(data.batches(), data.schema), table)
        order = [*range(1, 301), 0, *range(301, 601)] if odd.strip() else range(600)
        assert table.select(first.column_names).equals(first.take(pa.array(order)).combine_chunks()) or any(
            v != v for v in table.column("f").to_pylist()
        )


@pytest.mark.parametrize(
    "odd",
    [
        b'{"i": 1} {"i": 2}\n',
        b'{"i":\n1}\n',
        b'{"f": Inf}\n',
        b'{"s": "\xe9"}\n',
        b"[1]\n",
        b'{"i": 01}\n',
        b"{'i': 1}\n",
    ],
)
@pytest.mark.parametrize("block_bytes", [64, 2**24])
def test_an_unsound_line_is_refused_wherever_it_stands(write, odd, block_bytes):
    with pytest.raises(DataError, match=r"row 300: it is"):
        write(FLAT * 300 + odd + FLAT * 300, limits=Limits(block_bytes=block_bytes)).read()
