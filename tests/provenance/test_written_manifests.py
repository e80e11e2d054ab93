"""The worked example of docs/manifests.md, recomputed with nothing but hashlib and the row hash."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from foretaste.data import open_file, row_hashes
from foretaste.provenance.manifest import Manifest, build_manifest
from foretaste.provenance.pieces import LEAST, MOST, TOGETHER
from foretaste.provenance.row_proof import RowProof
from foretaste.provenance.row_proving import prove_row_of

TEXT = (Path(__file__).parents[2] / "docs" / "manifests.md").read_text()


def block(name: str) -> str:
    found = re.search(rf"```{name}\n(.*?)```", TEXT, re.DOTALL)
    assert found, name
    return found[1]


def test_the_worked_example_holds(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(block("csv"))
    rows = [bytes(row).hex() for row in row_hashes(open_file(tmp_path / "train.csv").read())]
    assert rows == block("rows").split()
    message = bytes.fromhex("".join(rows))
    for entry, name in zip(block("entries").splitlines(), ("root", "root", "tree"), strict=True):
        assert json.loads(entry)[name] == hashlib.sha256(b"\0" + message).hexdigest()
        message = entry.encode()
    assert hashlib.sha256(message).hexdigest() == block("root").strip()


def test_foretaste_writes_the_worked_example(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(block("csv"))
    manifest = build_manifest(tmp_path / "train.csv").manifest
    assert manifest.root == block("root").strip()
    assert Manifest.parse(manifest.encode()) == manifest
    assert prove_row_of(tmp_path / "train.csv", manifest, 1).encode().decode() == block("proof")
    RowProof.parse(block("proof").encode()).check(manifest.root)


def test_the_limits_are_those_that_are_written_down() -> None:
    assert f"of {TOGETHER} rows" in TEXT
    assert f"from the {LEAST}th on" in TEXT
    assert f"{MOST:,}th row" in TEXT
