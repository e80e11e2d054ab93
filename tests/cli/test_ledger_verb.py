"""``foretaste ledger``, as a person types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    monkeypatch.delenv("FORETASTE_LEDGER_KEY", raising=False)


@pytest.fixture
def ledger(run: Run, data: Path) -> Path:
    assert run("ledger", "init", "L").exit_code == 0
    added = run("ledger", "add", "L", data, data, "--source", "vendor \x1b[31m", "--note", "first batch")
    assert added.exit_code == 0, added.stderr
    assert added.stdout.startswith("0  sha256:")
    return Path("L")


def test_the_log_shows_what_was_added_with_nothing_hidden(run: Run, ledger: Path) -> None:
    shown = run("ledger", "log", ledger).stdout
    assert "from vendor ⟨ESC⟩[31m" in shown
    assert "\x1b" not in shown
    assert "first batch" in shown
    lines = [json.loads(line) for line in run("ledger", "log", ledger, "--json").stdout.splitlines()]
    assert [line["entry"] for line in lines] == [0, 1]
    assert lines[0]["schema"] == 1
    assert lines[0]["files"][0]["name"] == "data.csv"


def test_verify_tells_intact_from_altered_from_an_error(run: Run, ledger: Path) -> None:
    intact = run("ledger", "verify", ledger)
    assert (intact.exit_code, intact.stdout.splitlines()[0]) == (0, "intact: 2 entries, 1 file")
    copy = next(path for path in ledger.glob("store/*/*"))
    copy.write_bytes(copy.read_bytes().replace(b"spam", b"ham!"))
    altered = run("ledger", "verify", ledger)
    assert altered.exit_code == 1
    assert (
        f"altered: {copy.relative_to(ledger)}: it was altered: it is not 'data.csv' of entry 0"
        in altered.stdout
    )
    found = json.loads(run("ledger", "verify", ledger, "--json").stdout)
    assert (found["schema"], found["intact"], found["altered"][0]["where"]) == (
        1,
        False,
        f"{copy.relative_to(ledger)}",
    )
    nothing = run("ledger", "verify", "nowhere")
    assert nothing.exit_code == 2
    assert nothing.stderr == "foretaste: nowhere: this is no ledger; make one with foretaste ledger init\n"


def test_verify_finds_a_ledger_set_back_by_a_checkpoint_kept_elsewhere(
    run: Run, ledger: Path, data: Path
) -> None:
    shutil.copytree(ledger, "older")
    run("ledger", "add", ledger, data)
    shutil.copy(ledger / "checkpoint", "kept")
    assert run("ledger", "verify", ledger, "--checkpoint", "kept").exit_code == 0
    assert run("ledger", "verify", "older").exit_code == 0
    back = run("ledger", "verify", "older", "--checkpoint", "kept")
    assert back.exit_code == 1
    assert "entries were cut off" in back.stdout


def test_a_proof_is_checked_with_nothing_but_proof_checkpoint_and_public_key(run: Run, ledger: Path) -> None:
    assert run("ledger", "prove", ledger, 1, "--out", "one.tlog-proof").exit_code == 0
    for name in ("checkpoint", "ledger.vkey"):
        shutil.copy(ledger / name, name)
    shutil.rmtree(ledger)
    beside = run("ledger", "check", "one.tlog-proof", "--checkpoint", "checkpoint")
    assert beside.exit_code == 0
    assert "the key beside the checkpoint" in beside.stdout
    Path("ledger.vkey").rename("kept.vkey")
    named = run(
        "ledger", "check", "one.tlog-proof", "--checkpoint", "checkpoint", "--key", "kept.vkey", "--json"
    )
    assert json.loads(named.stdout)["content"]["files"][0]["name"] == "data.csv"
    carried = run("ledger", "check", "one.tlog-proof", "--checkpoint", "checkpoint")
    assert carried.exit_code == 0
    assert "compare it with one you got elsewhere" in carried.stdout


@pytest.mark.parametrize("file", ["one.tlog-proof", "checkpoint"])
def test_no_altered_proof_or_checkpoint_is_accepted(run: Run, ledger: Path, file: str) -> None:
    run("ledger", "prove", ledger, 1, "--out", "one.tlog-proof")
    shutil.copy(ledger / "checkpoint", "checkpoint")
    genuine = Path(file).read_bytes()
    for at in range(0, len(genuine), 97):
        altered = bytearray(genuine)
        altered[at] ^= 1
        Path(file).write_bytes(altered)
        words = ("one.tlog-proof", "--checkpoint", "checkpoint", "--key", ledger / "ledger.vkey")
        checked = run("ledger", "check", *words)
        assert checked.exit_code == 1, (at, checked.stdout)
        assert checked.stdout.startswith("NOT PROVEN: ")


def test_a_proof_for_another_size_says_what_to_do(run: Run, ledger: Path, data: Path) -> None:
    shutil.copy(ledger / "checkpoint", "kept")
    run("ledger", "add", ledger, data)
    run("ledger", "prove", ledger, 0, "--out", "new")
    later = run("ledger", "check", "new", "--checkpoint", "kept")
    assert later.exit_code == 2
    assert "foretaste ledger prove --since" in later.stderr
    run("ledger", "prove", ledger, 2, "--out", "grown", "--since", "kept")
    assert run("ledger", "check", "grown", "--checkpoint", "kept").exit_code == 0
    assert run("ledger", "check", "grown", "--checkpoint", ledger / "checkpoint").exit_code == 0
    run("ledger", "prove", ledger, 0, "--out", "old", "--checkpoint", "kept")
    assert run("ledger", "check", "old", "--checkpoint", "kept").exit_code == 0
    newer = run("ledger", "check", "old", "--checkpoint", ledger / "checkpoint")
    assert (newer.exit_code, "foretaste ledger prove --checkpoint" in newer.stderr) == (2, True)
    assert run("ledger", "prove", ledger, 2, "--out", "none", "--checkpoint", "kept").exit_code == 2


def test_a_proof_from_a_forged_ledger_is_refused_by_the_genuine_checkpoint(
    run: Run, ledger: Path, data: Path
) -> None:
    run("ledger", "init", "forged", "--name", (ledger / "ledger.vkey").read_text().split("+")[0])
    run("ledger", "add", "forged", data, data)
    run("ledger", "prove", "forged", 0, "--out", "forged.tlog-proof")
    assert run("ledger", "check", "forged.tlog-proof", "--checkpoint", ledger / "checkpoint").exit_code == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "L", "nowhere.csv"), "foretaste: nowhere.csv: No such file or directory; check the name\n"),
        (("add", "L", "L/checkpoint"), "it is part of the ledger itself; add the data, not the ledger"),
        (
            ("add", "L", "data.csv", "--kind", "eaten"),
            "there is no entry of kind 'eaten'; use one of ingest,",
        ),
        (("prove", "L", "7", "--out", "p"), "there is no entry 7: there are 2"),
        (("init", "L"), "there is a ledger already; add to it, or name another folder"),
    ],
)
def test_errors_say_in_one_line_what_to_do(run: Run, ledger: Path, words: tuple[str, ...], says: str) -> None:
    said = run("ledger", *words)
    assert said.exit_code == 2
    assert says in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_witness_countersigns_growth_and_refuses_a_step_back(run: Run, ledger: Path, data: Path) -> None:
    run("keys", "new", "w")
    shutil.copytree(ledger, "older")
    run("ledger", "add", ledger, data)
    made = run("ledger", "witness", ledger, "--name", "w", "--out", "seen")
    assert (made.exit_code, made.stdout.split(":")[0]) == (0, "seen")
    assert "3 new" in made.stdout
    assert "0 new" in run("ledger", "witness", ledger, "--name", "w", "--out", "seen").stdout
    back = run("ledger", "witness", "older", "--name", "w", "--out", "seen")
    assert back.exit_code == 1
    assert "entries were cut off" in back.stdout
    assert run("ledger", "verify", "older", "--checkpoint", "seen").exit_code == 1


def test_a_second_key_and_a_missing_list_of_sources_are_told_with_what_to_do(
    run: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    assert run("keys", "new", "vendor").stderr == ""
    again = run("keys", "new", "vendor")
    assert (again.exit_code, again.stderr) == (
        0, "note: vendor had 1 before; from now on say which with --key FILE\n",
    )  # fmt: skip
    run("ledger", "init", "L")
    missing = run("ingest", "L", "data.csv", "--source", "vendor")
    assert (missing.exit_code, missing.stderr.count("\n")) == (2, 1)
    assert "write one (docs/provenance.md) or name another" in missing.stderr
