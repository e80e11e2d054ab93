"""Tables as new files: what attacks, quarantines and examples are written with."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from foretaste.data.arrays import images_from_tensor
from foretaste.data.atomic import appearing
from foretaste.data.codes import as_text
from foretaste.data.formats.streams import create_bytes
from foretaste.data.plain import is_measure, is_text, json_text
from foretaste.errors import DataError

_WRITABLE = ".csv, .tsv, .jsonl (each also .gz), .parquet, .arrow, .npz"
_FORMULA = re.compile("^\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")

Append = Callable[[pa.Table], None]


def write_table(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write a table of plain types in the format that the suffix names; whole or not at all.

    Parameters
    ----------
    table : pyarrow.Table
    path : str or path
        ``.csv``, ``.tsv``, ``.jsonl`` (each also ``.gz``), ``.parquet``, ``.arrow`` or ``.npz``; without
        a suffix, class folders where there are ``image`` and ``label`` columns, else a folder of one shard.

    Raises
    ------
    DataError
        Where the suffix is another, or a column cannot be written in this format.
    """
    place = Path(path)
    with appearing(place) as staging:
        if place.suffix == "" and {"image", "label"} <= set(table.column_names):
            _write_class_folders(table, staging)
        elif place.suffix == "":
            staging.mkdir()
            pq.write_table(table, staging / "part-0.parquet", compression="zstd")
        elif place.suffix.lower() == ".npz":
            _write_npz(table, staging)
        else:
            with table_writer(staging, table.schema) as append:
                append(table)


@contextmanager
def table_writer(path: Path, schema: pa.Schema, *, defuse: bool = False) -> Iterator[Append]:
    """A new file that takes tables of ``schema`` one after the other.

    ``defuse`` makes text that a spreadsheet would run as a formula plain text in CSV and TSV, by an
    apostrophe in front (OWASP, "CSV Injection").
    """
    name = path.name.lower()
    inner = name.removesuffix(".gz")
    if inner.endswith((".csv", ".tsv")):
        with _delimited_writer(path, schema, "\t" if inner.endswith(".tsv") else ",", defuse) as append:
            yield append
    elif inner.endswith((".jsonl", ".ndjson")):
        with create_bytes(path, packed=name.endswith(".gz")) as stream:
            yield lambda table: _write_lines(table, stream.write)
    elif name.endswith((".parquet", ".pq")):
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            yield writer.write_table
    elif name.endswith((".arrow", ".feather", ".ipc")):
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            yield writer.write_table
    else:
        raise DataError("this format is not written", file=path.name, hint=f"use one of {_WRITABLE}")


@contextmanager
def _delimited_writer(path: Path, schema: pa.Schema, delimiter: str, defuse: bool) -> Iterator[Append]:
    _refuse_tensors(schema, path)
    texts = pa.schema(
        [
            (defused(f.name) if defuse else f.name, f.type if _is_native(f.type) else pa.string())
            for f in schema
        ]
    )
    options = arrow_csv.WriteOptions(delimiter=delimiter, quoting_style="needed")
    with (
        create_bytes(path, packed=path.name.lower().endswith(".gz")) as stream,
        arrow_csv.CSVWriter(pa.PythonFile(stream, "w"), texts, write_options=options) as writer,
    ):
        yield lambda table: writer.write_table(
            pa.table([_cells(column, defuse) for column in table.columns], schema=texts)
        )


def _is_native(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(kind) or is_measure(kind))


def _cells(column: pa.ChunkedArray, defuse: bool) -> pa.ChunkedArray:
    """A column as CSV takes it: numbers as they are (NaN is missing), everything else as text."""
    kind = column.type
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    if _is_native(kind):
        return column
    if pa.types.is_binary(kind):
        cells = pa.chunked_array([pa.array([v and v.hex() for v in column.to_pylist()], pa.string())])
    else:
        cells = column.cast(pa.string())
    if not defuse:
        return cells
    risky = pc.match_substring_regex(cells, _FORMULA.pattern)
    return pc.if_else(risky, pc.binary_join_element_wise("'", cells, ""), cells)


def defused(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    Examples
    --------
    >>> defused("=1+1"), defused("plain")
    ("'=1+1", 'plain')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _write_lines(table: pa.Table, write: Callable[[bytes], Any]) -> None:
    _refuse_tensors(table.schema, Path("rows.jsonl"))
    for batch in table.to_batches(max_chunksize=4096):
        lines = [
            json.dumps(_json_row(row), ensure_ascii=False, separators=(", ", ": "))
            for row in batch.to_pylist()
        ]
        write("".join(line + "\n" for line in lines).encode())


def _json_row(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _json_value(value) for key, value in row.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else (1e999 if value > 0 else -1e999)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return json_text(value).strip('"')


def _refuse_tensors(schema: pa.Schema, path: Path) -> None:
    for field in schema:
        if isinstance(field.type, pa.FixedShapeTensorType):
            raise DataError(
                "tensors cannot be written as text", file=path.name, column=field.name, hint="write .parquet"
            )


def _write_npz(table: pa.Table, path: Path) -> None:
    arrays: dict[str, Any] = {}
    features = [name for name in table.column_names if name.startswith("x") and name[1:].isdigit()]
    if features:
        arrays["x"] = np.stack([table.column(f"x{j}").to_numpy() for j in range(len(features))], axis=1)
    for name in table.column_names:
        column = table.column(name)
        if name in features:
            continue
        if isinstance(column.type, pa.FixedShapeTensorType):
            arrays["x" if name == "image" else name] = images_from_tensor(column)
        elif is_text(column.type):
            arrays[name] = np.array([text or "" for text in column.to_pylist()], dtype=np.str_)
        else:
            arrays[name] = column.to_numpy()
    if "label" in arrays and "y" not in arrays:
        arrays["y"] = arrays.pop("label")
    if any(array.dtype.kind == "O" for array in arrays.values()) or "x" not in arrays:
        raise DataError("these columns are no arrays", file=path.name, hint="write .parquet")
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def _write_class_folders(table: pa.Table, folder: Path) -> None:
    from PIL import Image

    folder.mkdir()
    names: Iterable[str | None] = table.column("file").to_pylist() if "file" in table.column_names else []
    images = images_from_tensor(table.column("image"))
    taken: set[Path] = set()
    stems = [Path(name).stem if name else f"{i:07d}" for i, name in enumerate(names)] or [
        f"{i:07d}" for i in range(table.num_rows)
    ]
    for i, label in enumerate(table.column("label")):
        name = as_text(label)
        if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise DataError(
                f"the label {name[:80]!r} cannot be the name of a class folder", file=folder.name, row=i
            )
        place, number = folder / name / f"{stems[i]}.png", 1
        while place in taken:
            place, number = folder / name / f"{stems[i]}-{number}.png", number + 1
        taken.add(place)
        place.parent.mkdir(exist_ok=True)
        Image.fromarray(images[i]).save(place)
