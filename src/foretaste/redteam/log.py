"""The log of a campaign: finished runs, one line each, so that a killed campaign goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foretaste.data import file_sha256
from foretaste.errors import DataError
from foretaste.redteam.plan import Plan, Trial
from foretaste.redteam.trial import Cell, Line


class RunLog:
    """``runs.jsonl``: a run is found again by the content of the data and everything that was asked of it.

    Parameters
    ----------
    path : Path
        A line that was cut off by a kill counts as never written; a run that failed is tried anew.
    plan : Plan

    Raises
    ------
    DataError
        Where a whole line is none of ours.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self._data = fingerprint(plan)
        self._lines: dict[str, Line] = {}
        if path.exists():
            found = path.read_bytes()
            whole = found[: found.rfind(b"\n") + 1]
            if len(whole) != len(found):
                path.write_bytes(whole)
            for number, line in enumerate(whole.splitlines()):
                try:
                    entry = json.loads(line)
                    if entry["line"]["error"] is None:
                        self._lines[entry["run"]] = dict(entry["line"])
                except (ValueError, KeyError, TypeError) as error:
                    raise DataError(
                        "this is no line of a campaign", file=path, row=number, hint="name another --out"
                    ) from error

    def find(self, trial: Trial, cell: Cell) -> Line | None:
        """The run, where it is finished."""
        return self._lines.get(self._key(trial, cell))

    def missing(self, trial: Trial, cells: Sequence[Cell]) -> list[Cell]:
        """Cells of a trial that have not run."""
        return [cell for cell in cells if self.find(trial, cell) is None]

    def add(self, trial: Trial, lines: Sequence[Line]) -> None:
        """Write finished runs; whatever ends this process afterwards, they are there."""
        with self.path.open("ab") as file:
            for line in lines:
                key = self._key(trial, (line["defence"], line["learner"]))
                self._lines[key] = line
                file.write(json.dumps({"run": key, "line": line}).encode() + b"\n")

    def _key(self, trial: Trial, cell: Cell) -> str:
        return _digest([self._data, trial.key, *cell])


def fingerprint(plan: Plan) -> str:
    """Of the data of a plan: bytes of the files, roles and number of rows."""
    places = [_contents(place) for place in (plan.data, plan.test) if place is not None]
    return _digest([places, dict(plan.roles), plan.rows])


def _contents(place: Path) -> list[tuple[str, str]]:
    files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
    return [(str(path.relative_to(place)), file_sha256(path)) for path in files]


def _digest(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]
