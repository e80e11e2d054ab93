"""The GitHub Action's script, run as a runner would, and the hooks, run by pre-commit; only pip is not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
Step = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.skipif(not shutil.which("bash") or os.name == "nt", reason="needs bash")


@pytest.fixture
def place(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a ledger that names one of two files, and programs as an installed package has them."""
    programs = tmp_path / "bin"
    programs.mkdir()
    _program(programs / "foretaste", f'exec {sys.executable} -m foretaste "$@"')
    _program(programs / "python", 'echo "$@" >> "$PIP_LOG"')
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("PIP_LOG", str(tmp_path / "pip.log"))
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    work = tmp_path / "work"
    work.mkdir()
    (work / "train data.csv").write_text("x,y\n1,a\n2,b\n")
    (work / "other.csv").write_text("x,y\n1,a\n2,c\n")
    (work / "foretaste.toml").write_text("[gate]\nledger = 'ledger'\n")
    monkeypatch.chdir(work)
    assert run("ledger", "init", "ledger").exit_code == 0
    assert run("ledger", "add", "ledger", "train data.csv").exit_code == 0
    return work


@pytest.fixture
def step(place: Path, monkeypatch: pytest.MonkeyPatch) -> Step:
    """Run the action's step with inputs, and defaults where none are given."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    (said,) = [one for one in action["runs"]["steps"] if "run" in one]
    assert (action["runs"]["using"], said["shell"]) == ("composite", "bash")
    script = place.parent / "step.sh"
    script.write_text(said["run"])
    monkeypatch.setenv("GITHUB_OUTPUT", str(place.parent / "output"))

    def run(**inputs: str) -> subprocess.CompletedProcess[str]:
        given = {name: inputs.get(name, one.get("default", "")) for name, one in action["inputs"].items()}
        fill: Callable[[re.Match[str]], str] = lambda found: given[found[1]]  # noqa: E731
        env = {name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", fill, text) for name, text in said["env"].items()}
        words = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        return subprocess.run(words, cwd=place, env=os.environ | env, capture_output=True, text=True)

    return run


def test_the_action_lets_pass_what_is_recorded_and_blocks_the_rest(place: Path, step: Step) -> None:
    passed = step(files="train data.csv\n")
    assert (passed.returncode, passed.stdout.splitlines()[0][:22]) == (0, "passed: train data.csv")
    assert (place.parent / "pip.log").read_text() == "-m pip install --quiet foretaste\n"
    assert (place.parent / "output").read_text() == "sarif=foretaste-gate.sarif\n"
    blocked = step(
        files="train data.csv\nother.csv", sarif="found.sarif", package="foretaste==1; touch owned"
    )
    assert (blocked.returncode, "BLOCKED: other.csv" in blocked.stdout) == (1, True)
    results = json.loads((place / "found.sarif").read_text())["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["gate/recorded"]
    assert not (place / "owned").exists()


def test_the_action_fails_with_one_sentence_where_something_is_wrong(step: Step) -> None:
    for inputs in ({"files": ""}, {"files": "other.csv", "policy": "no.toml"}):
        failed = step(**inputs)
        assert failed.returncode == 2
        assert "Traceback" not in failed.stderr


def test_pre_commit_runs_the_hooks_on_the_files_they_are_for(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pre_commit")
    if not shutil.which("git"):
        pytest.skip("needs git")
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    for hook in hooks:  # as it is, but for making an environment with pip
        assert hook["language"] == "python"
        hook["language"] = "system"
    config: dict[str, Any] = {"repos": [{"repo": "local", "hooks": hooks}]}
    (place / ".pre-commit-config.yaml").write_text(json.dumps(config))
    (place / "model.pkl").write_bytes(b"cposix\nsystem\n(S'touch owned'\ntR.")
    (place / "notes.md").write_text("no data")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(place.parent / "pre-commit"))
    subprocess.run(["git", "init", "-q", "."], check=True)
    words = [sys.executable, "-m", "pre_commit", "run", "--color", "never"]
    told = []
    for names in (["train data.csv", "notes.md"], ["other.csv", "model.pkl"]):
        subprocess.run(["git", "add", *names, ".pre-commit-config.yaml"], check=True)
        done = subprocess.run(words, capture_output=True, text=True)
        told.append((re.findall(r"(Passed|Failed|Skipped)$", done.stdout, re.MULTILINE), done.stdout))
    assert [found for found, _ in told] == [["Passed", "Skipped"], ["Failed", "Failed"]]
    for said in (
        "passed: train data.csv",
        "BLOCKED: other.csv",
        "BLOCKED: model.pkl",
        "model.pkl: dangerous",
    ):
        assert said in told[1][1]
    assert "notes.md" not in told[1][1]
    assert not (place / "owned").exists()


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
