"""``foretaste clean``: the rows that stay, the rows that go, and a receipt that binds them together."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from foretaste import __version__
from foretaste.data.atomic import appearing
from foretaste.data.codes import encode
from foretaste.data.formats import DataFile, open_file
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.names import require_column
from foretaste.data.rows import TableHash, file_sha256
from foretaste.defend.sanitise.quarantine import quarantine_path, write_quarantine
from foretaste.defend.sanitise.verdicts import RowVerdicts, row_verdicts
from foretaste.errors import ConfigError, DataError
from foretaste.findings import Findings

SCHEMA = 1
_SUFFIXES = {
    "csv": (".csv", ".csv.gz"),
    "tsv": (".tsv", ".tsv.gz"),
    "jsonl": (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".arrows", ".feather", ".ipc"),
    "npz": (".npz",),
}

StrPath = str | os.PathLike[str]


def clean(
    data_path: StrPath,
    findings: StrPath | Findings,
    out: StrPath,
    quarantine: StrPath | None = None,
    relabel: bool = False,
    *,
    label: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[str, Any]:
    """Write the rows that a scan did not flag, in their order and format, and the others with the reason.

    Parameters
    ----------
    data_path : str or path
        The data that were scanned.
    findings : str, path or Findings
        The folder of a finished scan, or what it holds.
    out : str or path
        Where the rows that stay go, in the same format; a folder where ``data_path`` is one.
    quarantine : str or path, optional
        Where the rows taken out go (``.parquet``, ``.csv``, ``.tsv``, ``.jsonl``); by default beside ``out``.
    relabel : bool
        Keep flagged rows for which the scan suggests a label, under that label.
    label : str, optional
        The label column, needed for ``relabel`` where the findings do not name it.

    Returns
    -------
    dict
        The receipt, as written to ``receipt.json`` beside ``out``: hashes of input, output and quarantine,
        and the counts, for which ``rows_in == kept + quarantined`` always holds.

    Raises
    ------
    DataError
        Where the data are not those that were scanned, or the scan did not finish.
    ConfigError
        Where ``out`` or ``quarantine`` is the input itself (also through a link) or has another format.
    """
    data = open_file(data_path, limits=limits)
    verdict = findings if isinstance(findings, Findings) else Findings.read(findings)
    target = Path(out)
    aside = quarantine_path(target, data.format, None if quarantine is None else Path(quarantine))
    receipt_path = target.parent / "receipt.json"
    _check_targets(data, target, aside, receipt_path)

    before = _state(data.path)
    content = _check_scanned(data, verdict)
    rows = row_verdicts(verdict, relabel=relabel)
    column = _label_column(data, verdict, label) if relabel else None
    with appearing(receipt_path) as receipt_new, appearing(target) as new, appearing(aside) as aside_new:
        data.write_rows(rows.keep, new, edits={column: rows.relabelled} if column else None)
        notes = write_quarantine(data, verdict, rows.quarantined, aside_new, target=aside)
        if _state(data.path) != before:
            raise DataError(
                "it changed while it was cleaned", file=data.path, hint="clean again when it is at rest"
            )
        receipt = {
            "schema": SCHEMA,
            "version": __version__,
            "input": {
                "path": str(data.path),
                "format": data.format,
                "sha256": file_sha256(data.path),
                "data_sha256": content,
            },
            "output": {"path": str(target), "sha256": file_sha256(new)},
            "quarantine": {"path": str(aside), "sha256": file_sha256(aside_new)},
            "rows_in": len(verdict),
            "kept": int(rows.keep.sum()),
            "quarantined": len(rows.quarantined),
            "rules": _count_rules(verdict, rows),
            "relabelled": _changes(data, column, rows) if column else [],
            "notes": notes,
        }
        receipt_new.write_text(json.dumps(receipt, indent=1) + "\n", "utf-8")
    return receipt


def _check_targets(data: DataFile, target: Path, aside: Path, receipt: Path) -> None:
    """Nothing that is written may be the input, lie inside it or hold it, and no two of them may be the
    same."""
    places = {"the output": target, "the quarantine": aside, "the receipt": receipt}
    source = data.path.resolve()
    for what, place in places.items():
        real = place.resolve()
        same = place.exists() and os.path.samefile(place, data.path)
        if same or real == source or source in real.parents or real in source.parents:
            raise ConfigError(f"{what} {str(place)!r} is the input {str(data.path)!r}; name another place")
    if len({place.resolve() for place in places.values()}) < len(places):
        raise ConfigError("output, quarantine and receipt.json must be three different files; rename one")
    known = _SUFFIXES.get(data.format)
    if known is not None and not target.name.lower().endswith(known):
        raise ConfigError(
            f"{data.path.name!r} is cleaned into the same format; name an output that ends in {known[0]}"
        )
    if known is None and target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"the output folder {str(target)!r} is already there; name a new one")
    if known is not None and target.is_dir():
        raise ConfigError(f"the output {str(target)!r} is a folder; name a file")


def _check_scanned(data: DataFile, findings: Findings) -> str:
    """The content hash of ``data``, which must be what the findings were made from."""
    if findings.summary.get("verdict") == "incomplete":
        raise DataError("the scan of it did not finish", file=data.path, hint="scan it again")
    scanned = findings.summary.get("data") or {}
    if not scanned.get("sha256"):
        raise DataError("the findings do not say what was scanned", file=data.path, hint="scan it again")
    total = TableHash(data.columns)
    for batch in data.batches():
        total.update(batch)
    if total.rows != len(findings) or total.rows != scanned.get("rows", total.rows):
        raise DataError(
            f"it has {total.rows} rows and the findings are about {len(findings)}",
            file=data.path,
            hint="these are findings of other data; scan it again",
        )
    if total.hexdigest() != scanned["sha256"]:
        raise DataError(
            "its content is not what was scanned", file=data.path, hint="it was changed since; scan it again"
        )
    return total.hexdigest()


def _label_column(data: DataFile, findings: Findings, given: str | None) -> str:
    name = given or findings.evidence.get("data", {}).get("label") or data.defaults.get("label")
    if not name:
        raise ConfigError("the findings do not name the label column, which --relabel needs; scan again")
    return require_column(str(name), data.columns, use="label", file=data.path)


def _count_rules(findings: Findings, rows: RowVerdicts) -> dict[str, int]:
    """Quarantined rows by rule."""
    taken = findings.rows.column("rule").take(rows.quarantined).to_pylist()
    return dict(sorted(Counter(rule or "" for rule in taken).items()))


def _changes(data: DataFile, column: str, rows: RowVerdicts) -> list[dict[str, Any]]:
    """Every relabelled row with the label it had and the one it has now."""
    changes = []
    start = 0
    for batch in data.batches([column]):
        coded = encode(batch.column(0))
        for row in sorted(r for r in rows.relabelled if start <= r < start + batch.num_rows):
            code = int(coded.codes[row - start])
            given = coded.names[code] if code >= 0 else None
            changes.append({"row": row, "from": given, "to": rows.relabelled[row]})
        start += batch.num_rows
    return changes


def _state(path: Path) -> list[tuple[str, int, int]]:
    """Size and time of every file: enough to notice a change while it is read."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [(str(file), stat.st_size, stat.st_mtime_ns) for file in files for stat in [file.stat()]]


__all__ = ["clean"]
