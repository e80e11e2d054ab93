"""``foretaste inspect``: verdicts, exit status, text that stays inert."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any


def test_a_sound_file_a_bad_one_and_one_that_is_missing(run: Any) -> None:
    Path("good.pkl").write_bytes(pickle.dumps([1, 2]))
    Path("bad.pkl").write_bytes(b"cos\nsystem\n(S'echo \\x1b[2Jhi'\ntR.")
    result = run("inspect", "good.pkl")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "good.pkl: safe")
    result = run("inspect", "bad.pkl")
    assert result.exit_code == 1
    assert (
        "it calls os.system('echo \\x1b[2Jhi'), which runs commands of the operating system" in result.stdout
    )
    result = run("inspect", "none.pkl")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_names_with_escapes_do_not_reach_the_terminal(run: Any) -> None:
    Path("bad.pkl").write_bytes("cevil\x1b[2J\u202e\nname\n.".encode())
    result = run("inspect", "bad.pkl")
    assert "\x1b" not in result.stdout
    assert "evil⟨ESC⟩[2J⟨RLO⟩.name" in result.stdout


def test_a_folder_as_json_lines_and_the_expected_hash(run: Any) -> None:
    Path("models").mkdir()
    Path("models/a.pkl").write_bytes(pickle.dumps(1))
    Path("models/b.pkl").write_bytes(b"cmylab\nNet\n.")
    result = run("inspect", "models", "--json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["verdict"] for one in found] == ["safe", "unknown"]
    assert result.exit_code == 1
    assert run("inspect", "models", "--allow", "mylab.Net").exit_code == 0
    assert run("inspect", "models/a.pkl", "--sha256", found[0]["sha256"].upper()).exit_code == 0
    assert "does not have the SHA-256" in run("inspect", "models/a.pkl", "--sha256", "0" * 64).stdout
    assert run("inspect", "models", "--sha256", "0" * 64).exit_code == 2
