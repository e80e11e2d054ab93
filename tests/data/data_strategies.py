"""Hypothesis strategies for tables and for the bytes of files."""

from __future__ import annotations

import atexit
import datetime as dt
import itertools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st

_SCRATCH = Path(tempfile.mkdtemp(prefix="foretaste-tests-"))
_NUMBERS = itertools.count()
atexit.register(shutil.rmtree, _SCRATCH, ignore_errors=True)


def scratch() -> Path:
    """A new empty folder, for tests that hypothesis calls many times; removed in the end."""
    folder = _SCRATCH / str(next(_NUMBERS))
    folder.mkdir()
    return folder


def same(one: pa.Table, two: pa.Table, *, check_metadata: bool = False) -> bool:
    """Whether two tables are equal, where not a number equals itself."""
    return _without_nan(one).equals(_without_nan(two), check_metadata=check_metadata)


def _without_nan(table: pa.Table) -> pa.Table:
    for position, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table.column(position)
            stands_in = pc.if_else(pc.is_nan(column), pa.scalar(-12345.5, field.type), column)
            table = table.set_column(position, field, stands_in)
    return table


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"'), min_size=1, max_size=8
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
FLOATS = st.floats(allow_nan=False, width=64)
INTEGERS = st.integers(-(2**63), 2**63 - 1)

COLUMN_TYPES: dict[Any, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.int64(): INTEGERS,
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.string(): TEXTS,
    pa.large_string(): TEXTS,
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from(["a", "b", "é"]),
    pa.binary(): st.binary(max_size=8),
    pa.date32(): st.dates(),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("ms", "UTC"): st.datetimes(timezones=st.just(dt.UTC)).map(
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ),
    pa.time64("us"): st.times(),
    pa.duration("s"): st.timedeltas(dt.timedelta(-(10**6)), dt.timedelta(10**6)).map(
        lambda delta: dt.timedelta(delta.days, delta.seconds)
    ),
    pa.list_(pa.int32()): st.lists(st.integers(-5, 5), max_size=3),
    pa.struct([("a", pa.int32()), ("b", pa.string())]): st.fixed_dictionaries(
        {"a": st.none() | st.integers(0, 9), "b": st.none() | TEXTS}
    ),
    pa.null(): st.none(),
}


@st.composite
def tables(draw: st.DrawFn, min_rows: int = 0, max_rows: int = 8, types: Any = None) -> pa.Table:
    """Tables with unique column names and any of the types, with missing values."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    rows = draw(st.integers(min_rows, max_rows))
    columns = {}
    for name in names:
        kind = draw(st.sampled_from(list(COLUMN_TYPES if types is None else types)))
        cell = st.none() | COLUMN_TYPES[kind]
        columns[name] = pa.array(draw(st.lists(cell, min_size=rows, max_size=rows)), kind)
    return pa.table(columns)


CELLS = st.one_of(
    TEXTS,
    st.sampled_from(
        ["", "007", "1.0", "-0", "1e5", "NA", "true", '"', ",", "\n", "\r\n", "2020-01-01", " 7", "=1"]
    ),
    st.integers(-(10**20), 10**20).map(str),
)


@st.composite
def delimited(draw: st.DrawFn, delimiter: str = ",") -> tuple[bytes, list[list[str]]]:
    """A well-formed delimited file and its cells, quoted where they must be and now and then where they
    need not."""
    width = draw(st.integers(2, 4))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))

    def field(cell: str) -> str:
        if any(c in cell for c in f'"\r\n{delimiter}') or draw(st.booleans()):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    lines = [delimiter.join(f"c{i}" for i in range(width))]
    lines += [delimiter.join(field(cell) for cell in row) for row in rows]
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode(), rows


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | FLOATS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def json_lines(draw: st.DrawFn) -> tuple[bytes, list[dict[str, Any]]]:
    """A JSON Lines file and its objects."""
    keys = st.sampled_from(["a", "b", "c", "é"])
    rows = draw(st.lists(st.dictionaries(keys, JSON, min_size=1, max_size=4), min_size=1, max_size=8))
    lines = [json.dumps(row, ensure_ascii=draw(st.booleans())) for row in rows]
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    return (end.join(lines) + draw(st.sampled_from(["", end]))).encode("utf-8", "replace"), rows
