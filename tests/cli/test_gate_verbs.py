"""``gate``, ``approve`` and ``version`` from the command line, in every format."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from defusedxml import ElementTree

ROOT = Path(__file__).parents[2]
SCHEMA = os.environ.get("FORETASTE_SARIF_SCHEMA", "")


@pytest.fixture
def ledger(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    assert run("ledger", "init", "ledger").exit_code == 0
    Path("foretaste.toml").write_text("label = 'label'\n[gate]\nledger = 'ledger'\n")
    return Path("ledger")


def test_gate_blocks_and_passes_in_every_format(run: Any, data: Path, ledger: Path) -> None:
    result = run("gate", "data.csv")
    assert (result.exit_code, "BLOCK" in result.stdout) == (1, True)
    blocked = json.loads(run("gate", "data.csv", "--format", "json").stdout)
    assert (blocked["schema"], blocked["passed"]) == (1, False)
    log = json.loads(run("gate", "data.csv", "--format", "sarif").stdout)
    assert [one["ruleId"] for one in log["runs"][0]["results"]] == ["gate/recorded"]
    suites = ElementTree.fromstring(run("gate", "data.csv", "--format", "junit").stdout)
    assert [case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None] == [
        "recorded"
    ]
    assert run("ledger", "add", "ledger", "data.csv", "--source", "a").exit_code == 0
    result = run("gate", "data.csv", "--out", "gate.txt")
    assert (result.exit_code, result.stdout) == (0, "")
    assert Path("gate.txt").read_text().startswith("passed: data.csv")


def test_gate_mistakes_are_one_line(run: Any, data: Path, ledger: Path) -> None:
    for words in (["nothing.csv"], ["data.csv", "--format", "pdf"], ["data.csv", "--policy", "no.toml"]):
        result = run("gate", *words)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output


def test_the_policy_does_not_disturb_the_settings_of_a_scan(run: Any, data: Path, ledger: Path) -> None:
    result = run("scan", "data.csv", "--show-config")
    assert result.exit_code == 0
    assert 'label = "label"' in result.stdout


def test_versions_from_the_command_line(run: Any, data: Path, ledger: Path) -> None:
    assert run("version", "commit", "train", "data.csv", "--note", "first").exit_code == 0
    before = data.read_text()
    data.write_text(before.replace('"ham"', '"spam"', 2))
    assert run("version", "commit", "train", "data.csv", "--label", "label").exit_code == 0
    assert [line.split()[0] for line in run("version", "list").stdout.splitlines()] == ["train@1", "train@2"]
    result = run("version", "diff", "train", "1", "--label", "label", "--source", "source")
    assert result.exit_code == 1
    assert "label ham → spam: 2 rows" in result.stdout
    assert run("version", "rollback", "train", "1").exit_code == 0
    assert json.loads(run("version", "show", "train").stdout)["back_to"] == 1
    assert run("version", "checkout", "train", "--out", "back").exit_code == 0
    assert Path("back/data.csv").read_text() == before
    assert "restored and verified in" in run("version", "drill", "train").stdout
    assert run("ledger", "verify", "ledger").exit_code == 0
    assert run("version", "diff", "train", "1", "3").exit_code == 0
    result = run("version", "checkout", "nothing", "--out", "x")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_approving_with_and_without_the_role(run: Any, data: Path, ledger: Path) -> None:
    public = run("keys", "new", "alice").stdout.split()[-1]
    person = f'[access.people.alice]\nkey = "{public}"\nroles = ["approve"]\n'
    Path("foretaste.toml").write_text(f"[gate]\nledger = 'ledger'\napprovals = 1\n{person}")
    run("ledger", "add", "ledger", "data.csv")
    assert run("gate", "data.csv").exit_code == 1
    denied = run("approve", "data.csv", "--as", "alice", "--role", "release")
    assert (denied.exit_code, denied.stderr.count("\n")) == (1, 1)
    assert "alice does not have the role release; the attempt is entry 1" in denied.stderr
    assert run("approve", "data.csv", "--as", "alice").exit_code == 0
    assert run("gate", "data.csv").exit_code == 0


@pytest.mark.skipif(
    not Path(SCHEMA).is_file(), reason="FORETASTE_SARIF_SCHEMA does not name the OASIS schema"
)
def test_the_log_follows_the_official_schema(run: Any, data: Path, ledger: Path) -> None:
    log = json.loads(run("gate", "data.csv", "--format", "sarif").stdout)
    jsonschema.Draft4Validator(json.loads(Path(SCHEMA).read_text("utf-8"))).validate(log)


def test_the_action_and_the_hooks_use_verbs_and_options_that_exist(run: Any) -> None:
    action = (ROOT / "action.yml").read_text()
    helped = run("gate", "--help").stdout
    assert all(option in helped for option in re.findall(r"--(?:policy|findings|format|out)\b", action))
    script = action.partition("run: |")[2]
    assert "${{" not in script, "an input in the script could run as code"
    for entry in re.findall(r"entry: foretaste (\w+)", (ROOT / ".pre-commit-hooks.yaml").read_text()):
        assert run(entry, "--help").exit_code == 0
