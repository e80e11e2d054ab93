"""A small data set, scans that find what a test says, and the command run in this process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from made_up_scan import ROWS, made_up
from typer.testing import CliRunner

import foretaste._scan
from foretaste.cli.app import app
from foretaste.data import write_table
from foretaste.findings import Findings

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder; a test must not see the settings of this checkout, nor its terminal."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORETASTE_DEBUG", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(os.environ, "COLUMNS", "200")
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def run() -> Run:
    """``run("scan", "a.csv")``: the result of the command, with ``exit_code``, ``stdout`` and ``stderr``."""

    def command(*words: object) -> Any:
        return CliRunner().invoke(app, [str(word) for word in words])

    return command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve rows: a number, a source, a label."""
    path = tmp_path / "data.csv"
    table = {"amount": range(ROWS), "source": ["a", "b", "c"] * 4, "label": ["ham", "spam"] * 6}
    write_table(pa.table({name: list(values) for name, values in table.items()}), path)
    return path


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, data: Path) -> Callable[..., list[dict[str, Any]]]:
    """``found(campaign=(1, 2))``: scans find that; the list they return fills with what scans were asked."""

    def arrange(error: BaseException | None = None, **what: Any) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        def fake(given: object, **settings: Any) -> Findings:
            asked.append({"data": given, **settings})
            if error is not None:
                raise error
            return made_up(data, **what)

        monkeypatch.setattr(foretaste._scan, "scan", fake)
        return asked

    return arrange
