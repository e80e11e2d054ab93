"""``run``, ``lineage`` and ``blast`` from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TRAIN = "import sys; open(sys.argv[2], 'wb').write(b'N.'); print('trained on', open(sys.argv[1]).readline())"


def test_from_a_source_to_what_must_be_retrained(run: Any, data: Path) -> None:
    assert run("lineage", "add", "data.csv", "--source", "vendor-a").exit_code == 0
    Path("train.py").write_text(TRAIN)
    result = run("run", "--", sys.executable, "train.py", "data.csv", "model.pkl")
    assert result.exit_code == 0, result.output
    assert "out model.pkl" in result.stderr
    assert run("lineage", "deploy", "model.pkl", "production").exit_code == 0
    result = run("blast", "vendor-a", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [one["affected_rows"] for one in found["data"]] == [12]
    assert [one["name"] for one in found["models"]] == ["model.pkl"]
    assert found["retrain"] == ["model.pkl"]
    assert "retrain     model.pkl" in run("blast", "data.csv").stdout
    assert [line.split()[0] for line in run("lineage", "list").stdout.splitlines()] == [
        "source", "data", "data", "model", "deployment",
    ]  # fmt: skip


def test_run_exits_as_the_command_does_and_mistakes_are_one_line(run: Any) -> None:
    assert run("run", "--", sys.executable, "-c", "import sys; sys.exit(3)").exit_code == 3
    for words in (
        ["run", "--", "no-such-program"],
        ["run", "--in", "no.csv", "--", "true"],
        ["blast", "nobody"],
    ):
        result = run(*words)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
