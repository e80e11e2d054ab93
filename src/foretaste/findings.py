"""``Findings``: what a scan decided, row by row, group by group, source by source.

The tables are those of the black-box contract (``docs/formats.md``); ``evidence`` holds everything a report
needs beside them, so that a finished scan can be rendered again without the data.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from foretaste.errors import DataError

SCHEMA = 1
Family = Literal["campaign", "mislabel", "review"]
Verdict = Literal["clean", "noisy", "poisoned", "incomplete"]

ROW_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("flagged", pa.bool_()),
        ("family", pa.string()),
        ("p_value", pa.float64()),
        ("score", pa.float64()),
        ("rule", pa.string()),
        ("reason", pa.string()),
        ("group", pa.int64()),
    ]
)
"""Columns of every ``findings.parquet``; ``suggested_label`` follows, then ``id``, ``source`` where given."""

GROUP_SCHEMA = pa.schema(
    [
        ("group", pa.int64()),
        ("rule", pa.string()),
        ("size", pa.int64()),
        ("target", pa.string()),
        ("pattern", pa.string()),
        ("p_value", pa.float64()),
        ("sources", pa.list_(pa.string())),
    ]
)

SOURCE_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("rows", pa.int64()),
        ("flagged_rows", pa.int64()),
        ("excess", pa.float64()),
        ("p_value", pa.float64()),
        ("flagged", pa.bool_()),
    ]
)


@dataclass(frozen=True, repr=False)
class Findings:
    """What a scan found.

    Attributes
    ----------
    rows : pyarrow.Table
        One row per input row, in input order (`ROW_SCHEMA`).
    groups : pyarrow.Table
        One row per campaign (`GROUP_SCHEMA`), strongest first.
    sources : pyarrow.Table or None
        One row per source (`SOURCE_SCHEMA`), worst first; None without a source column.
    summary : dict
        The content of ``summary.json``.
    evidence : dict
        The content of ``evidence.json``: what reports show beside the tables (``docs/formats.md``).
    """

    rows: pa.Table
    groups: pa.Table
    sources: pa.Table | None
    summary: dict[str, Any]
    evidence: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def __repr__(self) -> str:
        flagged = int(np.count_nonzero(self.flagged))
        found = f"{flagged} of {len(self)} rows flagged, {self.groups.num_rows} campaigns"
        return f"<Findings: {self.verdict}, {found}>"

    def _repr_html_(self) -> str:
        # By name: reports are a higher floor than findings, and only a notebook needs this one.
        snippet: str = importlib.import_module("foretaste.report.notebook").snippet(self)
        return snippet

    @property
    def verdict(self) -> Verdict:
        verdict: Verdict = self.summary["verdict"]
        return verdict

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Boolean mask over the input rows: do not train on these as they stand."""
        mask: NDArray[np.bool_] = self.rows.column("flagged").to_numpy()
        return mask

    def write(self, directory: str | os.PathLike[str], extra: Mapping[str, bytes] | None = None) -> Path:
        """Write the contract's files, all of them or none.

        Everything is written to a temporary folder beside ``directory`` first; a scan interrupted before the
        last file is whole leaves ``directory`` as it was. ``extra`` holds rendered files by name.
        """
        target = Path(directory)
        if target.exists() and not target.is_dir():
            raise DataError("the output folder is a file", file=target, hint="name another folder with --out")
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            pq.write_table(self.rows, staging / "findings.parquet", compression="zstd")
            pq.write_table(self.groups, staging / "groups.parquet", compression="zstd")
            if self.sources is not None:
                pq.write_table(self.sources, staging / "sources.parquet", compression="zstd")
            (staging / "summary.json").write_bytes(_json(self.summary))
            (staging / "evidence.json").write_bytes(_json(self.evidence))
            for name, content in (extra or {}).items():
                (staging / name).write_bytes(content)
            _swap(staging, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return target

    @classmethod
    def read(cls, directory: str | os.PathLike[str]) -> Findings:
        """Read what `write` wrote. Raises `DataError` where the folder does not hold a finished scan."""
        folder = Path(directory)
        try:
            rows = pq.read_table(folder / "findings.parquet")
            groups = pq.read_table(folder / "groups.parquet")
            path = folder / "sources.parquet"
            sources = pq.read_table(path) if path.exists() else None
            summary = json.loads((folder / "summary.json").read_text("utf-8"))
            path = folder / "evidence.json"
            evidence = json.loads(path.read_text("utf-8")) if path.exists() else {}
        except (OSError, pa.ArrowException, ValueError) as error:
            raise DataError(
                "this folder does not hold a finished scan", file=folder, hint="run foretaste scan first"
            ) from error
        if not isinstance(summary, dict) or summary.get("schema") != SCHEMA:
            raise DataError(
                f"its summary.json has schema "
                f"{summary.get('schema') if isinstance(summary, dict) else None!r},"
                f" this version reads {SCHEMA}",
                file=folder,
                hint="scan again with this version",
            )
        return cls(rows, groups, sources, summary, evidence)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def _swap(staging: Path, target: Path) -> None:
    """Put the finished files of ``staging`` in place, ``summary.json`` last: it says the scan is done."""
    target.mkdir(exist_ok=True)
    for stale in ("summary.json", "sources.parquet"):
        (target / stale).unlink(missing_ok=True)
    for path in sorted(staging.iterdir(), key=lambda p: p.name == "summary.json"):
        os.replace(path, target / path.name)
