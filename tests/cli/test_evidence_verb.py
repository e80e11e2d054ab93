"""``foretaste evidence`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foretaste.provenance.dsse import Envelope
from foretaste.provenance.keys import load_public


def test_every_format_of_what_was_recorded(run: Any, data: Path, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    run("lineage", "add", "data.csv", "--source", "vendor")
    for format in ("in-toto", "cyclonedx", "croissant", "prov"):
        result = run("evidence", "data.csv", "--format", format)
        assert result.exit_code == 0, result.output
        assert "data.csv" in json.dumps(json.loads(result.stdout))
    lines = run("evidence", "data.csv", "--format", "openlineage").stdout.splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == ["START", "COMPLETE"]
    public = run("keys", "new", "me", "--out", "me.pem").stdout.split()[-1]
    Path("me.pub").write_text(public)
    run("evidence", "data.csv", "--format", "in-toto", "--key", "me.pem", "--out", "signed.json")
    assert Envelope.parse(Path("signed.json").read_bytes()).signer([load_public(Path("me.pub"))]).name == "me"


def test_versions_in_a_ledger_as_croissant_and_mistakes(
    run: Any, data: Path, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    run("ledger", "init", "ledger")
    run("version", "commit", "train", "data.csv")
    result = run("evidence", "train@1", "--format", "croissant", "--ledger", "ledger")
    assert json.loads(result.stdout)["distribution"][0]["name"] == "data.csv"
    for words in (
        ["x", "--format", "prov"],
        ["data.csv", "--format", "pdf"],
        ["train@1", "--format", "in-toto"],
    ):
        result = run("evidence", *words)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
