"""``foretaste claims`` from the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def test_claims_that_hold_and_that_do_not(run: Any, data: Path) -> None:
    sound = hashlib.sha256(data.read_bytes()).hexdigest()
    Path("SHA256SUMS").write_text(f"{sound}  data.csv\n")
    result = run("claims", "SHA256SUMS")
    assert (result.exit_code, result.stdout) == (0, "verified     data.csv  SHA256SUMS, not signed\n")
    Path("SHA256SUMS").write_text(f"{sound}  data.csv\n{'0' * 64}  \u202edata.csv\n")
    result = run("claims", "SHA256SUMS")
    assert result.exit_code == 1
    assert "DIFFERS      ⟨RLO⟩data.csv" in result.stdout
    found = [json.loads(line) for line in run("claims", "SHA256SUMS", "--json").stdout.splitlines()]
    assert [one["verified"] for one in found] == [True, False]


def test_mistakes_are_one_line(run: Any, data: Path) -> None:
    for words in (["nothing"], ["data.csv"], ["data.csv", "--identity", "me"]):
        result = run("claims", *words)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
