"""The rows taken out, with the reason: a file for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.formats import DataFile, table_writer
from foretaste.data.names import unique_names
from foretaste.findings import Findings

REASONS = ("row", "rule", "reason", "family", "group")
"""Columns of every quarantine file, before those of the data."""


def write_quarantine(
    data: DataFile, findings: Findings, rows: NDArray[np.int64], path: Path, *, target: Path
) -> list[str]:
    """Write rows of ``data`` with what the findings say about them; the format is that of ``path``'s suffix.

    A column of the data that has the name of one of `REASONS` is numbered. In CSV and TSV, text that a
    spreadsheet would run as a formula is made plain text, and images are left out, as in JSON lines; a
    Parquet quarantine holds every value as it was.

    Returns
    -------
    list of str
        What was changed or left out, one clause each.
    """
    is_text = not target.name.lower().endswith((".parquet", ".pq", ".arrow"))
    tensors = [field.name for field in data.schema if isinstance(field.type, pa.FixedShapeTensorType)]
    columns = [name for name in data.columns if not (is_text and name in tensors)]
    names, _ = unique_names([*REASONS, *columns])
    notes = [
        f"column {column!r} of the data is {name!r} in the quarantine"
        for column, name in zip(columns, names[len(REASONS) :], strict=True)
        if column != name
    ]
    if is_text:
        notes += [f"column {name!r} holds images and is left out of the quarantine" for name in tensors]
        if ".csv" in target.suffixes or ".tsv" in target.suffixes:
            notes.append(
                "text that looks like a spreadsheet formula has an apostrophe in front in the quarantine"
            )
    schema = pa.schema(
        [findings.rows.schema.field(name).with_name(name).with_nullable(True) for name in REASONS]
        + [
            data.schema.field(column).with_name(name)
            for column, name in zip(columns, names[len(REASONS) :], strict=True)
        ]
    )
    said = findings.rows.select(list(REASONS))
    with table_writer(path, schema, defuse=True) as append:
        start = 0
        for batch in data.batches(columns):
            here = rows[(rows >= start) & (rows < start + batch.num_rows)]
            if len(here):
                picked = batch.take(pa.array(here - start))
                reasons = said.take(pa.array(here)).combine_chunks()
                append(pa.table([*reasons.columns, *picked.columns], schema=schema))
            start += batch.num_rows
    return notes


def quarantine_path(out: Path, format: str, given: Path | None) -> Path:
    """Where the quarantine goes: beside the output as Parquet, unless the caller says otherwise."""
    if given is not None:
        return given
    name = out.name if format in ("image-folder", "sound-folder") else base_name(out)
    return out.with_name(f"{name}.quarantine.parquet")


def base_name(path: Path) -> str:
    """The name of a file without its suffixes that say the format.

    Examples
    --------
    >>> base_name(Path("a.b.csv.gz"))
    'a.b'
    """
    name = path.name
    known: Sequence[str] = (".gz", ".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq", ".arrow", ".npz")
    for suffix in known:
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name or path.name
