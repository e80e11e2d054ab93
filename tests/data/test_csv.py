"""CSV and TSV: types, hostile bytes, and copies that keep every byte."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from data_strategies import delimited, scratch
from hypothesis import given
from hypothesis import strategies as st

from foretaste.data import Limits, open_file
from foretaste.data.formats.csv import DelimitedData
from foretaste.data.formats.csv_records import Dialect, sniff
from foretaste.data.formats.csv_types import MISSING
from foretaste.errors import DataError


@pytest.fixture
def write(tmp_path: Path):
    def write(content: bytes, name: str = "data.csv", limits: Limits | None = None) -> DelimitedData:
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return open_file(path) if limits is None else open_file(path, limits=limits)  # type: ignore[return-value]

    return write


def type_names(data: DelimitedData) -> dict[str, str]:
    return {field.name: str(field.type) for field in data.schema}


# -- types --------------------------------------------------------------------------------------------------


def test_columns_get_the_narrowest_type_that_all_values_have(write):
    data = write(
        b"i,f,b,d,t,z,s,code,big,empty\n"
        b"1,1.5,true,2020-01-02,2020-01-02 03:04:05,2020-01-02T03:04:05Z,x,007,123456789012345678901,\n"
        b",2,False,,2020-01-02T03:04:06,2020-01-02T03:04:05+02:00,,1,1,\n"
    )
    assert type_names(data) == {
        "i": "int64",
        "f": "double",
        "b": "bool",
        "d": "date32[day]",
        "t": "timestamp[s]",
        "z": "timestamp[s, tz=UTC]",
        "s": "string",
        "code": "string",
        "big": "string",
        "empty": "null",
    }
    table = data.read()
    assert table.column("code").to_pylist() == ["007", "1"]
    assert table.column("big").to_pylist() == ["123456789012345678901", "1"]
    assert table.column("s").to_pylist() == ["x", None]
    assert [str(v) for v in table.column("z").to_pylist()] == [
        "2020-01-02 03:04:05+00:00",
        "2020-01-02 01:04:05+00:00",
    ]


@pytest.mark.parametrize("limits", [Limits(), Limits(block_bytes=64)])
def test_a_word_late_in_a_number_column_makes_it_text_with_every_value_as_written(write, limits):
    lines = [f"{i},1.0" for i in range(500)] + ["oops,2.0"]
    data = write(("a,b\n" + "\n".join(lines)).encode(), limits=limits)
    table = data.read()
    assert type_names(data) == {"a": "string", "b": "double"}
    assert table.column("a").to_pylist() == [str(i) for i in range(500)] + ["oops"]
    assert pa.Table.from_batches(data.batches()).equals(table)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5"], "double"),
        (["007", "1"], "string"),
        (["1", "99999999999999999999"], "string"),
        (["1.5", "99999999999999999999"], "double"),
        (["2020-01-01", "2020-01-01 10:00:00"], "timestamp[s]"),
        (["2020-01-01", "2020-01-01 10:00:00.5"], "timestamp[ns]"),
        (["true", "1"], "string"),
        (["NA", "3"], "int64"),
        (["NA", "x"], "string"),
        (["1e-05", "0.5"], "double"),
        (["007.5", "1"], "string"),
        (["", ""], "null"),
        (["10:11:12", "01:00:00"], "time32[s]"),
    ],
)
@pytest.mark.parametrize("block_bytes", [8, 2**20])
def test_types_do_not_depend_on_where_a_block_ends(write, cells, kind, block_bytes):
    for order in (cells, cells[::-1]):
        lines = [f"{cell},x" for cell in order for _ in range(20)]
        data = write(("a,b\n" + "\n".join(lines) + "\n").encode(), limits=Limits(block_bytes=block_bytes))
        assert str(data.schema.field("a").type) == kind
        table = data.read()
        assert pa.Table.from_batches(data.batches()).equals(table)
        if kind == "string":
            assert table.column("a").to_pylist() == [cell for cell in order for _ in range(20)]


@given(delimited())
def test_every_cell_is_read_as_the_standard_library_reads_it(content):
    raw, rows = content
    expected = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    rows = [row for row in expected[1:] if row]
    data = _open_bytes(raw)
    table = pa.Table.from_batches(data.batches(), data.schema) if rows else data.read()
    assert table.num_rows == len(rows)
    for position, name in enumerate(table.column_names):
        column = table.column(name)
        if pa.types.is_string(column.type):
            assert [value or "" for value in column.to_pylist()] == [row[position] for row in rows]
        elif pa.types.is_integer(column.type):
            assert [v for v in column.to_pylist() if v is not None] == [
                int(row[position]) for row in rows if row[position] not in MISSING
            ]
        elif pa.types.is_floating(column.type):
            assert [v for v in column.to_pylist() if v is not None] == [
                float(row[position]) for row in rows if row[position] not in MISSING
            ]
    assert data.read().equals(table)


def _open_bytes(raw: bytes, suffix: str = ".csv") -> DelimitedData:
    path = scratch() / f"a{suffix}"
    path.write_bytes(raw)
    return DelimitedData(path, Limits(block_bytes=32))


# -- copies -------------------------------------------------------------------------------------------------


@given(delimited())
def test_keeping_all_rows_gives_the_same_bytes(content):
    raw, _ = content
    data = _open_bytes(raw)
    out = data.path.with_suffix(".out.csv")
    data.write_rows(np.ones(data.read().num_rows, dtype=bool), out)
    assert out.read_bytes() == raw


@given(delimited("\t"))
def test_keeping_some_rows_gives_their_cells_and_no_others(content):
    raw, _ = content
    data = _open_bytes(raw, ".tsv")
    table = data.read()
    keep = np.arange(table.num_rows) % 2 == 1
    out = data.path.with_suffix(".out.tsv")
    data.write_rows(keep, out)
    text = io.StringIO(raw.decode("utf-8-sig"), newline="")
    quoting = csv.QUOTE_MINIMAL if data._dialect.quoting else csv.QUOTE_NONE
    rows = [row for row in csv.reader(text, delimiter="\t", quoting=quoting) if row]
    got = io.StringIO(out.read_bytes().decode("utf-8-sig"), newline="")
    kept = [row for row in csv.reader(got, delimiter="\t", quoting=quoting) if row]
    assert kept == rows[:1] + [row for row, k in zip(rows[1:], keep, strict=True) if k]


def test_bytes_of_kept_records_survive_whatever_they_hold(write, tmp_path):
    raw = (
        b'\xef\xbb\xbfid;"zip, code";text\r\n'
        b'1;007;"say ""hi"""\r\n'
        b'2;1.0;"two\r\nlines; here"\r\n'
        b"\r\n"
        b"3; 5 ;caf\xc3\xa9\r\n"
        b"4;NA;'quoted'"
    )
    data = write(raw)
    assert data.columns == ["id", "zip, code", "text"]
    assert data.read().num_rows == 4
    data.write_rows(np.array([True, False, True, True]), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == raw.replace(b'2;1.0;"two\r\nlines; here"\r\n\r\n', b"")


def test_relabelling_changes_the_label_field_only_and_spells_it_as_the_file_does(write, tmp_path):
    raw = b'text,label,n\n"a, b","spam",1.0\nc,"ham",007\nd,spam,2\n'
    data = write(raw)
    data.write_rows(
        np.array([True, True, True]), tmp_path / "out.csv", edits={"label": {0: "ham", 2: 'n"ew'}}
    )
    assert (
        tmp_path / "out.csv"
    ).read_bytes() == b'text,label,n\n"a, b","ham",1.0\nc,"ham",007\nd,"n""ew",2\n'


def test_relabelling_a_code_keeps_its_zeros(write, tmp_path):
    data = write(b"x,y\n1,007\n2,7.50\n3,007\n")
    data.write_rows(np.ones(3, dtype=bool), tmp_path / "out.csv", edits={"y": {1: "007"}})
    assert (tmp_path / "out.csv").read_bytes() == b"x,y\n1,007\n2,007\n3,007\n"


def test_numbers_are_spelled_as_their_class_is(write, tmp_path):
    data = write(b"x,y\n1,1.0\n2,0.0\n")
    data.write_rows(np.ones(2, dtype=bool), tmp_path / "out.csv", edits={"y": {1: "1"}})
    assert (tmp_path / "out.csv").read_bytes() == b"x,y\n1,1.0\n2,1.0\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf_16_is_read_and_given_back_as_utf_16(write, tmp_path, encoding):
    text = "name,label\nZoë 漢,a\nx,b\n"
    mark = {"utf-16": b"", "utf-16-be": b"\xfe\xff", "utf-16-le": b"\xff\xfe"}[encoding]
    raw = mark + text.encode(encoding)
    data = write(raw)
    assert data.read().column("name").to_pylist() == ["Zoë 漢", "x"]
    data.write_rows(np.array([True, True]), tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_bytes() == raw
    data.write_rows(np.array([True, False]), tmp_path / "one.csv", edits={"label": {0: "b"}})
    assert (tmp_path / "one.csv").read_bytes() == mark + "name,label\nZoë 漢,b\n".encode(
        "utf-16-le" if encoding == "utf-16" else encoding
    ).join([raw[:2] if not mark else b"", b""])


def test_bytes_that_are_not_utf_8_are_read_as_latin_1_and_copied_as_they_are(write, tmp_path):
    raw = b"a,b\nx,1\ncaf\xe9,2\n"
    data = write(raw)
    assert data.read().column("a").to_pylist() == ["x", "café"]
    assert data.notes == ["row 1 is not UTF-8, so the file is read as Latin-1"]
    data.write_rows(np.array([False, True]), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b"a,b\ncaf\xe9,2\n"


def test_gzip_in_gzip_out_and_the_same_bytes_each_time(write, tmp_path):
    data = write(b"a,b\n1,x\n2,y\n", "data.csv.gz")
    assert data.read().column("b").to_pylist() == ["x", "y"]
    for name in ("one.csv.gz", "two.csv.gz"):
        data.write_rows(np.array([True, False]), tmp_path / name)
    assert gzip.decompress((tmp_path / "one.csv.gz").read_bytes()) == b"a,b\n1,x\n"
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()


def test_several_gzip_members_are_one_file(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n") + bytes(20))
    assert open_file(tmp_path / "a.csv.gz").read().column("a").to_pylist() == [1, 2]


# -- odd files ----------------------------------------------------------------------------------------------


def test_old_mac_line_ends_and_blank_lines(write, tmp_path):
    raw = b"\r\ra,b\r\r1,x\r\r\r2,y\r"
    data = write(raw)
    assert data.read().to_pylist() == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    data.write_rows(np.array([True, True]), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == raw


@pytest.mark.parametrize("block_bytes", [4, 2**20])
def test_blank_lines_before_a_long_header_are_not_an_empty_file(write, block_bytes):
    data = write(b"\n\n\nsome_column,another_column\n1,2\n", limits=Limits(block_bytes=block_bytes))
    assert data.read().to_pylist() == [{"some_column": 1, "another_column": 2}]


def test_a_quote_inside_a_field_is_a_character(write, tmp_path):
    raw = b'size,b\n5" pipe,"x"y\n6",z\n'
    data = write(raw)
    assert data.read().column("size").to_pylist() == ['5" pipe', '6"']
    assert data.read().column("b").to_pylist() == ["xy", "z"]
    data.write_rows(np.array([False, True]), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b'size,b\n6",z\n'


def test_a_tsv_whose_quotes_do_not_pair_up_is_read_line_by_line(write):
    data = write(b'label\ttext\nham\t"Go on\nspam\tWin "it" now\nham\tok"\n', "sms.tsv")
    assert data.read().column("text").to_pylist() == ['"Go on', 'Win "it" now', 'ok"']
    assert data.notes == ["its quotes do not pair up, so they are read as plain characters"]


def test_a_quoted_tsv_is_read_with_quotes(write):
    data = write(b'label\ttext\nham\t"a\tb"\nspam\t"c\nd"\n', "a.tsv")
    assert data.read().column("text").to_pylist() == ["a\tb", "c\nd"]


@pytest.mark.parametrize(
    ("line", "delimiter"), [(b"a;b;c\n1;2;3", b";"), (b"a|b\n1|2", b"|"), (b"text\n1", b",")]
)
def test_the_header_decides_the_delimiter(line, delimiter):
    assert sniff(line, tabs=False, whole=True).delimiter == delimiter


def test_repeated_and_empty_column_names_are_made_unique_with_a_note(write):
    data = write(b"a,,a,a.1\n1,2,3,4\n")
    assert data.columns == ["a", "column 1", "a.2", "a.1"]
    assert "made unique" in data.notes[0]
    assert data.read().to_pylist() == [{"a": 1, "column 1": 2, "a.2": 3, "a.1": 4}]


def test_a_header_alone_is_a_table_without_rows(write, tmp_path):
    data = write(b"a,b\n")
    assert data.read().num_rows == 0
    assert list(data.batches()) == []
    data.write_rows(np.zeros(0, dtype=bool), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b"a,b\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (b"\n\r\n\n", "it is empty"),
        (b"a,b\n1,2\n3,4,5\n", "row 1: it has 3 fields where the header has 2"),
        (b"a,b\n1,2\n\n3\n", "row 1: it has 1 fields where the header has 2"),
        (b'a,b\n1,2\n3,"x\n4,5\n', "row 1: a quote is opened and never closed"),
        (b'a,"b\n1,2\n', "a quote is opened and never closed"),
        (b"a,b\n1,2\n3,x\0y\n", "row 1: there is a NUL byte"),
        ("a,b\n1,2\n".encode("utf-16-le"), "there is a NUL byte"),
        (b"\xff\xfea\x00,", "not sound utf-16"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_file_and_row(write, content, sentence):
    with pytest.raises(DataError, match=r"data.csv") as caught:
        write(content).read()
    assert sentence in str(caught.value)


def test_the_row_of_a_ragged_record_is_counted_over_blocks_and_quoted_lines(write):
    good = b'"x\ny",1\n' * 100
    with pytest.raises(DataError, match=r"row 100: it has 1 fields"):
        write(b"a,b\n" + good + b"oops\n" + good, limits=Limits(block_bytes=64)).read()


def test_too_many_columns_are_refused_before_the_rows_are_read(write):
    with pytest.raises(DataError, match=r"more than 1000 columns"):
        write(b",".join(b"c%d" % i for i in range(1001)) + b"\n1\n", limits=Limits(columns=1000))


def test_a_record_without_end_is_refused_with_bounded_memory(write):
    limits = Limits(record_bytes=10_000, block_bytes=1000)
    with pytest.raises(DataError, match=r"one record is longer than"):
        write(b"a,b\n1," + b"x" * 50_000, limits=limits).read()
    with pytest.raises(DataError, match=r"one record is longer than"):
        write(b'a,b\n1,"' + b"x\n" * 50_000, limits=limits).read()
    with pytest.raises(DataError, match=r"one record is longer than"):
        write(b"," * 50_000, limits=limits)


def test_a_gzip_bomb_is_refused_while_it_unpacks(tmp_path):
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 3_000_000))
    limits = Limits(expansion_floor=2**20)
    with pytest.raises(DataError, match=r"bomb.csv.gz: it unpacks to more than 200 times its size"):
        open_file(tmp_path / "bomb.csv.gz", limits=limits).read()


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_a_broken_gzip_file_is_refused(tmp_path, cut):
    raw = gzip.compress(b"a,b\n" + b"1,2\n" * 100)
    (tmp_path / "cut.csv.gz").write_bytes(raw[:-cut])
    with pytest.raises(DataError, match=r"middle of the compressed data|not sound gzip"):
        open_file(tmp_path / "cut.csv.gz").read()
    (tmp_path / "no.csv.gz").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(DataError, match=r"not sound gzip"):
        open_file(tmp_path / "no.csv.gz").read()


def test_a_table_larger_than_the_limit_is_refused(write):
    with pytest.raises(DataError, match=r"GiB"):
        write(b"a,b\n" + b"1,2\n" * 5000, limits=Limits(table_bytes=10_000, block_bytes=4096)).read()


def test_batches_give_only_the_columns_asked_for_in_that_order(write):
    data = write(b"a,b,c\n1,x,2.5\n2,y,3.5\n")
    (batch,) = data.batches(["c", "a"])
    assert batch.to_pydict() == {"c": [2.5, 3.5], "a": [1, 2]}


def test_a_very_long_cell_is_read(write):
    data = write(b"a,b\n1," + b"x" * 1_000_000 + b"\n")
    assert len(data.read().column("b")[0].as_py()) == 1_000_000


# -- the grammar --------------------------------------------------------------------------------------------


@given(delimited())
def test_records_cut_at_any_point_are_the_same_records(content):
    raw, _ = content
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    dialect = Dialect()
    starts = dialect.starts(raw).tolist()
    for cut in range(0, len(raw), 3):
        end = dialect.complete_until(raw[:cut])
        assert end <= cut
        assert end == 0 or end in starts


@pytest.mark.parametrize("block_bytes", [7, 64, 10_000])
def test_the_size_of_blocks_does_not_change_the_table(write, block_bytes):
    lines = [f'{i},"text {i}, ""q""\nsecond",{i / 7}' for i in range(60)]
    raw = ("n,t,f\r\n" + "\r\n".join(lines)).encode()
    reference = write(raw, "reference.csv").read()
    data = write(raw, limits=Limits(block_bytes=block_bytes))
    assert data.read().combine_chunks().equals(reference.combine_chunks())


class _Slowly(Dialect):
    def _plain_from(self, data: bytes) -> int:
        return 0


@given(st.text('a,\n\r"b', max_size=10), st.text("a,\n\rb1", max_size=30))
def test_quotes_that_end_early_are_no_reason_to_go_field_by_field(head: str, rest: str) -> None:
    data = (head + rest).encode()
    assert Dialect().complete_until(data) == _Slowly().complete_until(data)
    assert Dialect().is_closed(data) == _Slowly().is_closed(data)
