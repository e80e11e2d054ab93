"""Keys stay out of the user's key folder; a small ledger to alter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from foretaste.provenance.adding import add_files
from foretaste.provenance.entries import Entry, now
from foretaste.provenance.ledger import Ledger


@pytest.fixture(autouse=True)
def _own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    monkeypatch.delenv("FORETASTE_LEDGER_KEY", raising=False)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Without entries."""
    return Ledger.create(tmp_path / "ledger")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """With every kind of content: notes in three tiles, copied files, a copied folder, a folder in place."""
    folder = tmp_path_factory.mktemp("filled")
    made = Ledger.create(folder / "ledger", key=folder / "key.pem")
    made.append([Entry("note", now(), note=f"note {i}") for i in range(259)])
    (folder / "train.csv").write_text("a,label\n1,x\n2,y\n")
    (folder / "images").mkdir()
    (folder / "images" / "one").write_text("1")
    add_files(made, [folder / "train.csv", folder / "images"], source="vendor")
    (folder / "ledger" / "data").mkdir()
    (folder / "ledger" / "data" / "here.csv").write_text("a,label\n3,x\n")
    add_files(made, [folder / "ledger" / "data"])
    return made


@pytest.fixture
def copied(filled: Ledger, tmp_path: Path) -> Path:
    """A copy of the filled ledger, to be altered."""
    return Path(shutil.copytree(filled.folder, tmp_path / "copy"))
