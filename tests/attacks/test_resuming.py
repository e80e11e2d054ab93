"""An optimised attack that was killed goes on where it was, nets and all, and ends with the same bytes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from foretaste.attacks import Alfa, RegressionPoisoning, SvmPoisoning, checkpoint
from foretaste.attacks.clean_label import networks
from foretaste.attacks.containers import pack
from foretaste.cli.app import app
from foretaste.errors import ConfigError

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="without torch there are no nets")

KILLED_AT_THE_FOURTH_SAVE = """
import os, signal
from foretaste.attacks import checkpoint
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


STOPPED_AT = 5


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The phases that are saved, at once and not every ten seconds; at the fifth the work is interrupted."""
    phases: list[str] = []
    save = checkpoint.Checkpoint.save

    def noted(self: Any, phase: str, state: Any, *, done: bool = False) -> None:
        save(self, phase, state, done=done)
        phases.append(phase)
        if len(phases) == STOPPED_AT:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoint.Checkpoint, "save", noted)
    return phases


@pytest.mark.parametrize("kind", [SvmPoisoning, RegressionPoisoning, Alfa])
def test_optimised_rows_and_flips_go_on_where_they_were(kind: Any, saves: list[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    y = X @ [2.0, -1, 1, 0] + 0.7 * rng.normal(size=120)
    data, _, _ = pack(X, y if kind.quantity else np.where(y > 0, "yes", "no"))
    saves.extend(["not interrupted"] * STOPPED_AT)
    whole = kind(rate=0.1).poison(data)
    number = len(saves) - STOPPED_AT
    assert number > STOPPED_AT
    saves.clear()
    attack = kind(rate=0.1, checkpoint=str(tmp_path / "state.npz"))
    with pytest.raises(KeyboardInterrupt):
        attack.poison(data)
    resumed = attack.poison(data)
    assert len(saves) - STOPPED_AT < number, "some of the work was not done again"
    assert resumed.data.table.equals(whole.data.table)
    assert (resumed.mask == whole.mask).all()
    assert resumed.recipe == whole.recipe
    other = data.with_column("x0", pa.array(2 * X[:, 0] + rng.normal(size=120)))
    for changed, rows in ((attack, other), (attack.set_params(rate=0.2), data)):
        with pytest.raises(ConfigError, match="of another attack, parameters or data"):
            changed.poison(rows)


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


@needs_torch
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


@needs_torch
def test_a_trigger_alone_leaves_no_checkpoint_and_names_none(tmp_path: Path) -> None:
    X, y = load_digits(return_X_y=True)
    np.savez(tmp_path / "digits.npz", x=(X[:100] * 15).astype(np.uint8).reshape(-1, 8, 8), y=y[:100])
    options = ("--target", 3, "--epochs", 1, "--steps", 2, "--trigger-only")
    done = run("attack", "narcissus", tmp_path / "digits.npz", *options, "--out", tmp_path / "o")
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "o" / "checkpoint.npz").exists()
    assert json.loads((tmp_path / "o" / "recipe.json").read_text())["parameters"]["checkpoint"] is None
