"""An optimised attack that was killed goes on where it was, nets and all, and ends with the same bytes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from foretaste.attacks.clean_label import networks
from foretaste.cli.app import app

pytest.importorskip("torch")

KILLED_AT_THE_FOURTH_SAVE = """
import os, signal
from foretaste.attacks.clean_label import checkpoint
from foretaste.cli.app import app

checkpoint.SECONDS = 0.0
save, calls = checkpoint.Checkpoint.save, []

def killed(self, *arguments, **named):
    save(self, *arguments, **named)
    calls.append(arguments)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)

checkpoint.Checkpoint.save = killed
app()
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command that trains two nets and takes six steps."""
    X, y = load_digits(return_X_y=True)
    np.savez(tmp_path / "digits.npz", x=(X[:100] * 15).astype(np.uint8).reshape(-1, 8, 8), y=y[:100])
    options = "--target 3 --instance 1 --rate 0.05 --networks 2 --epochs 1 --steps 6 --device cpu"
    return ["attack", "witches-brew", str(tmp_path / "digits.npz"), *options.split()]


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_an_attack_that_was_killed_goes_on_with_its_nets_and_step(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(*words, "--out", tmp_path / "whole").exit_code == 0
    killed, state = tmp_path / "killed", tmp_path / "killed" / "checkpoint.npz"
    command = [sys.executable, "-c", KILLED_AT_THE_FOURTH_SAVE, *words, "--out", str(killed)]
    assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    with np.load(state, allow_pickle=False) as archive:
        assert int(archive["brew 1/step"]) == 2
        assert {name.split("/")[0] for name in archive.files} == {"identity", "net 1", "net 2", "brew 1"}

    def untrained(*_: object, **__: object) -> None:
        raise AssertionError("a net was trained again")

    with monkeypatch.context() as patched:
        patched.setattr(networks, "fit_convnet", untrained)
        other = run(*words, "--steps", 7, "--out", killed)
        assert other.exit_code == 2
        assert "this checkpoint is of another attack, parameters or data" in other.stderr
        assert "remove it" in other.stderr
        done = run(*words, "--out", killed)
    assert done.exit_code == 0, done.output
    assert done.stderr.split() == ["goes", "on", "from", str(state)]
    assert sorted(file.name for file in killed.iterdir()) == ["poisoned.npz", "recipe.json", "truth.parquet"]
    for name in ("poisoned.npz", "recipe.json", "truth.parquet"):
        assert (killed / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_trigger_alone_leaves_no_checkpoint_and_names_none(tmp_path: Path) -> None:
    X, y = load_digits(return_X_y=True)
    np.savez(tmp_path / "digits.npz", x=(X[:100] * 15).astype(np.uint8).reshape(-1, 8, 8), y=y[:100])
    options = ("--target", 3, "--epochs", 1, "--steps", 2, "--trigger-only")
    done = run("attack", "narcissus", tmp_path / "digits.npz", *options, "--out", tmp_path / "o")
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "o" / "checkpoint.npz").exists()
    assert json.loads((tmp_path / "o" / "recipe.json").read_text())["parameters"]["checkpoint"] is None
