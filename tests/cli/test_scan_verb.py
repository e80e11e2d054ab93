"""``foretaste scan``: exit statuses, files, what it asks and what it says; made-up scans stand behind it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foretaste.errors import DataError
from foretaste.findings import Findings

FILES = {"findings.parquet", "groups.parquet", "sources.parquet", "summary.json", "evidence.json"}
REPORTS = {"report.html", "findings.sarif"}


@pytest.mark.parametrize(
    ("what", "fail_on", "status"),
    [
        ({}, "campaign", 0),
        ({}, "mislabel", 0),
        ({"mislabel": (3,)}, "campaign", 0),
        ({"mislabel": (3,)}, "mislabel", 1),
        ({"campaign": (1, 2)}, "campaign", 1),
        ({"campaign": (1, 2)}, "mislabel", 1),
        ({"campaign": (1, 2)}, "never", 0),
        ({"bad_source": True}, "campaign", 1),
        ({"bad_source": True}, "never", 0),
        ({"skipped": "it broke"}, "never", 2),
        ({"skipped": "it broke", "campaign": (1,)}, "campaign", 2),
    ],
)
def test_the_exit_status_is_that_of_the_contract(
    run: Any, data: Path, found: Any, what: dict[str, Any], fail_on: str, status: int
) -> None:
    found(**what)
    result = run("scan", data, "--label", "label", "--fail-on", fail_on)
    assert result.exit_code == status, result.output
    assert set(os.listdir("foretaste-out")) == FILES | REPORTS
    assert result.stderr.count("\n") == (1 if status == 2 else 0)


def test_an_incomplete_scan_says_why_in_one_line(run: Any, data: Path, found: Any) -> None:
    found(skipped="it broke")
    assert (
        run("scan", data).stderr
        == "foretaste: incomplete: FT204 it broke; the other results are in foretaste-out\n"
    )


def test_flags_reach_the_scan(run: Any, data: Path, found: Any) -> None:
    asked = found()
    run(
        "scan", data, "--label", "label", "--source", "source", "--fdr", 0.1, "--seed", 3, "--jobs", 1,
        "--memory", "2GB", "--select", "FT2", "--select", "FT401,FT402", "--ignore", "FT203",
    )  # fmt: skip
    assert asked[0] == {
        "data": data, "label": "label", "source": "source", "time": None, "id": None, "text": None,
        "image": None, "trusted": None, "fdr": 0.1, "seed": 3, "jobs": 1, "memory": 2 * 10**9,
        "select": ("FT2", "FT401", "FT402"), "ignore": ("FT203",), "progress": None,
            "decoys": True,
    }  # fmt: skip


def test_the_command_in_the_findings_does_the_same_again(
    run: Any, tmp_path: Path, data: Path, found: Any
) -> None:
    asked = found()
    hostile = Path(shutil.copy(data, tmp_path / "my $(touch owned) 'data'.csv"))
    Path("foretaste.toml").write_text('label = "label"\nselect = ["FT2"]\n')
    run("scan", hostile, "--out", "a b", "--seed", 5)
    words = shlex.split(Findings.read("a b").evidence["command"])
    Path("foretaste.toml").unlink()
    run(*words[1:])
    assert words[:3] == ["foretaste", "scan", str(hostile)]
    assert asked[0] == asked[1]


def test_more_formats_are_written_and_stale_ones_taken_away(run: Any, data: Path, found: Any) -> None:
    found(campaign=(1, 2))
    run("scan", data, "--format", "csv", "--format", "junit", "--format", "html")
    assert {"findings.csv", "findings.junit.xml"} <= set(os.listdir("foretaste-out"))
    found()
    run("scan", data)
    assert set(os.listdir("foretaste-out")) == FILES | REPORTS


def test_quiet_is_one_line(run: Any, data: Path, found: Any) -> None:
    found(campaign=(1, 2))
    result = run("scan", data, "--quiet")
    assert result.stdout.startswith("poisoned: ")
    assert result.stdout.count("\n") == 1
    assert result.exit_code == 1


def test_what_the_data_say_is_inert_on_the_terminal(run: Any, data: Path, found: Any) -> None:
    found(campaign=(1, 2), pattern="\x1b[2J\x1b]0;owned\x07[bold]x[/bold]")
    output = run("scan", data).stdout
    assert "\x1b" not in output
    assert "\x07" not in output
    assert "[bold]x" in output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scan"], "no data are named; write foretaste scan DATA --label COLUMN"),
        (
            ["scan", "data.csv", "--fail-on", "always"],
            "--fail-on is 'always'; use one of campaign, mislabel, never",
        ),
        (
            ["scan", "data.csv", "--fdr", "2"],
            "--fdr is 2.0; use a rate above 0 and at most 0.5, such as 0.05",
        ),
        (["scan", "data.csv", "--jobs", "0"], "--jobs is 0; use a whole number from 1"),
        (["scan", "data.csv", "--memory", "lots"], "--memory: 'lots' is no amount of memory"),
        (["scan", "data.csv", "--format", "pdf"], "--format is 'pdf'; use one of html, sarif"),
        (["scan", "data.csv", "--out", "data.csv"], "--out 'data.csv' is a file; name a folder"),
        (["scan", "data.csv", "--out", "."], "--out '.' holds other files; name a new or an empty folder"),
        (
            ["scan", "data.csv", "--config", "none.toml"],
            "none.toml: No such file or directory; check the name",
        ),
    ],
)
def test_what_cannot_be_done_is_said_before_the_scan(
    run: Any, data: Path, found: Any, words: list[str], said: str
) -> None:
    asked = found()
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"foretaste: {said}")
    assert result.stderr.count("\n") == 1
    assert not asked


def test_output_inside_the_data_is_refused(run: Any, tmp_path: Path, found: Any) -> None:
    found()
    (tmp_path / "shards").mkdir()
    result = run("scan", "shards", "--out", "shards/out")
    assert (result.exit_code, "lies inside the data" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            DataError("it is odd", file="a\x1b[2J.csv", column="x\ny"),
            "a⟨ESC⟩[2J.csv, column 'x\\ny': it is odd",
        ),
        (
            PermissionError(13, "Permission denied", "a.csv"),
            "a.csv: Permission denied; check who may read or write it",
        ),
        (OSError(28, "No space left on device"), "No space left on device"),
        (MemoryError(), "there is not enough memory"),
        (KeyboardInterrupt(), "interrupted; nothing was written"),
        (ZeroDivisionError("oh\nno"), "this is a bug: ZeroDivisionError: oh⏎no; run foretaste --debug"),
    ],
)
def test_an_error_is_one_line_and_leaves_nothing(
    run: Any, tmp_path: Path, data: Path, found: Any, error: BaseException, said: str
) -> None:
    found(error)
    result = run("scan", data)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"foretaste: {said}")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [data.name]


def test_an_error_leaves_an_earlier_result_as_it_was(run: Any, data: Path, found: Any) -> None:
    found(campaign=(1, 2))
    run("scan", data)
    before = {path.name: path.read_bytes() for path in Path("foretaste-out").iterdir()}
    found(KeyboardInterrupt())
    assert run("scan", data).exit_code == 2
    assert {path.name: path.read_bytes() for path in Path("foretaste-out").iterdir()} == before


def test_an_interruption_while_files_take_their_places_comes_too_late(
    run: Any, data: Path, found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(campaign=(1, 2))
    write = Findings.write

    def interrupted(self: Findings, *args: Any) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return write(self, *args)

    monkeypatch.setattr(Findings, "write", interrupted)
    assert run("scan", data).exit_code == 1
    assert json.loads(Path("foretaste-out/summary.json").read_text())["verdict"] == "poisoned"
    assert set(os.listdir("foretaste-out")) == FILES | REPORTS


def test_debug_shows_the_traceback(run: Any, data: Path, found: Any) -> None:
    found(ZeroDivisionError("oh"))
    assert "Traceback" in run("--debug", "scan", data).stderr
    assert "Traceback" not in run("scan", data).stderr


def test_a_wrong_command_line_is_an_error(run: Any, data: Path) -> None:
    assert run("scan", data, "--lable", "x").exit_code == 2
    assert run("taste", data).exit_code == 2


def test_an_unknown_column_is_answered_with_the_closest(run: Any, data: Path) -> None:
    result = run("scan", data, "--label", "lable")
    assert result.exit_code == 2
    assert result.stderr == (
        f"foretaste: {data}: there is no column 'lable' to use as label; did you mean 'label'?\n"
    )


def test_a_file_that_is_not_there_is_named(run: Any) -> None:
    result = run("scan", "nowhere.csv", "--label", "label")
    assert (result.exit_code, result.stderr) == (
        2,
        "foretaste: nowhere.csv: there is no such file or folder\n",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_in_order(data: Path, number: signal.Signals) -> None:
    code = (
        "import os, sys, foretaste._scan, foretaste.cli\n"
        f"foretaste._scan.scan = lambda *_, **__: os.kill(os.getpid(), {int(number)})\n"
        "sys.argv[1:] = ['scan', 'data.csv']\n"
        "foretaste.cli.main()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "foretaste: interrupted; nothing was written\n")
    assert os.listdir() == [data.name]
