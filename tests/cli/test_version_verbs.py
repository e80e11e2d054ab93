"""``foretaste manifest`` and ``diff``, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Run = Callable[..., Any]


def test_a_manifest_tells_whether_data_are_the_same(run: Run, data: Path) -> None:
    made = run("manifest", data, "--out", "m.json")
    assert made.exit_code == 0
    root = json.loads(Path("m.json").read_bytes())["root"]
    assert made.stdout.startswith(f"{root}  ")
    assert "(12 rows, 1 shard)" in made.stdout
    assert run("manifest", data, "--check", "m.json").exit_code == 0
    data.write_text(data.read_text().replace("spam", "ham", 1))
    checked = run("manifest", data, "--check", "m.json")
    assert checked.exit_code == 1
    assert "different: data.csv was altered" in checked.stdout


def test_a_manifest_with_a_memory_keeps_it_beside_itself(run: Run, data: Path) -> None:
    assert run("manifest", data, "--quick").exit_code == 2
    assert run("manifest", data, "--out", "m.json", "--quick").exit_code == 0
    assert json.loads(Path("m.json.seen").read_bytes())["schema"] == 1


def test_a_manifest_that_was_altered_is_an_error(run: Run, data: Path) -> None:
    Path("m.json").write_text("{}")
    said = run("manifest", data, "--check", "m.json")
    assert (said.exit_code, said.stderr) == (2, "foretaste: m.json: this is no manifest, or it was altered\n")


def test_diff_shows_what_changed_per_source_with_nothing_hidden(run: Run, data: Path) -> None:
    lines = data.read_text().splitlines()
    lines[1] = lines[1].replace("ham", "\x1b[31mspam")
    Path("new.csv").write_text("\n".join([*lines[:-1], "99,z,ham"]) + "\n")
    found = run("diff", data, "new.csv", "--label", "label", "--source", "source", "--out", "changes.parquet")
    assert found.exit_code == 1
    assert "10  unchanged\n" in found.stdout
    assert "from a: 1 with another label" in found.stdout
    assert "from z: 1 added" in found.stdout
    assert "label ham → ⟨ESC⟩[31mspam: 1 row" in found.stdout
    assert pq.read_table("changes.parquet").column("change").to_pylist() == ["label", "added", "removed"]
    counted = json.loads(run("diff", data, "new.csv", "--label", "label", "--json").stdout)
    assert (counted["schema"], counted["label"], counted["unchanged"]) == (1, 1, 10)
    assert run("diff", data, data, "--label", "label").exit_code == 0
    assert run("diff", data, "new.csv", "--label", "lable").exit_code == 2


def test_a_row_is_proven_against_a_manifest_a_root_and_a_ledger(run: Run, data: Path) -> None:
    assert run("manifest", data, "--out", "m.json").exit_code == 0
    root = json.loads(Path("m.json").read_bytes())["root"]
    assert run("row", "prove", data, 3, "--manifest", "m.json", "--out", "row.proof").exit_code == 0
    for against in (("--root", root), ("--manifest", "m.json")):
        checked = run("row", "check", "row.proof", *against)
        assert checked.exit_code == 0
        assert checked.stdout.startswith(f"proven: row 3 of 12 of the version {root}\n")
    lines = data.read_text().splitlines()
    Path("one.csv").write_text(f"{lines[0]}\n{lines[4]}\n")
    assert (
        "it is row 0 of one.csv"
        in run("row", "check", "row.proof", "--root", root, "--data", "one.csv").stdout
    )
    Path("one.csv").write_text(f"{lines[0]}\n{lines[5]}\n")
    refused = run("row", "check", "row.proof", "--root", root, "--data", "one.csv", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["proven"]) == (1, False)
    assert run("row", "check", "row.proof", "--root", "0" * 64).stdout.startswith("NOT PROVEN: ")
    assert "--root, --manifest or --checkpoint" in run("row", "check", "row.proof").stderr
    assert "there is no row 12" in run("row", "prove", data, 12, "--out", "x").stderr

    assert run("ledger", "init", "L", "--key", "k.pem").exit_code == 0
    no = run("row", "prove", data, 3, "--ledger", "L", "--out", "row.proof")
    assert (no.exit_code, "commit it with foretaste version commit" in no.stderr) == (2, True)
    assert run("version", "commit", "train", data, "--ledger", "L", "--key", "k.pem").exit_code == 0
    assert run("row", "prove", data, 3, "--ledger", "L", "--out", "row.proof").exit_code == 0
    checked = run("row", "check", "row.proof", "--checkpoint", "L/checkpoint")
    assert (checked.exit_code, "a version of 'train'" in checked.stdout) == (0, True)
    assert json.loads(run("row", "check", "row.proof", "--root", root, "--json").stdout)["row"] == 3
