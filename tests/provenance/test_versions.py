"""Versions: committed, listed, compared row by row, restored, rolled back; all of it in the ledger."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from foretaste.data import write_table
from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.lineage import LineageGraph, blast
from foretaste.provenance.lineage.from_ledger import synchronise
from foretaste.provenance.verification import verify
from foretaste.provenance.versions import check_out, commit, difference, drill, roll_back, version, versions
from foretaste.provenance.versions.pointers import git_commit, pointers


def table(path: Path, **columns: list[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(pa.table(columns), path)
    return path


def test_versions_are_counted_stored_and_given_back(ledger: Ledger, tmp_path: Path) -> None:
    data = table(tmp_path / "train.csv", x=[1, 2], y=["a", "b"])
    first = data.read_bytes()
    assert commit(ledger, "train", [data], note="first").key == "train@1"
    table(data, x=[1, 2, 3], y=["a", "b", "b"])
    assert commit(ledger, "train", [data]).row_count == 3
    assert commit(ledger, "other", [data]).key == "other@1"
    assert [found.key for found in versions(ledger)] == ["train@1", "train@2", "other@1"]
    check_out(ledger, version(ledger, "train", 1), tmp_path / "old")
    assert (tmp_path / "old" / "train.csv").read_bytes() == first
    with pytest.raises(DataError, match="holds something"):
        check_out(ledger, version(ledger, "train", 1), tmp_path / "old")
    with pytest.raises(DataError, match="has no version 3"):
        version(ledger, "train", 3)
    with pytest.raises(DataError, match="it has other, train"):
        version(ledger, "trian")
    assert verify(ledger.folder).intact


def test_rolling_back_is_a_version_of_its_own(ledger: Ledger, tmp_path: Path) -> None:
    data = table(tmp_path / "train.csv", x=[1], y=["a"])
    commit(ledger, "train", [data])
    table(data, x=[9], y=["a"])
    commit(ledger, "train", [data])
    back = roll_back(ledger, "train", 1, note="vendor-b was compromised")
    assert (back.number, back.back_to) == (3, 1)
    assert back.files == version(ledger, "train", 1).files
    assert ledger.entry(back.entry).kind == "rollback"
    with pytest.raises(DataError, match="newest version already"):
        roll_back(ledger, "train", 3)
    assert drill(ledger, back).files == 1


def test_folders_are_versions_too(ledger: Ledger, tmp_path: Path) -> None:
    for name in ("cat/1.txt", "dog/1.txt", "dog/2.txt"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_text(name)
    found = commit(ledger, "images", [tmp_path / "images"])
    assert check_out(ledger, found, tmp_path / "out").files == 3
    assert (tmp_path / "out" / "images" / "dog" / "2.txt").read_text() == "dog/2.txt"


def test_an_altered_copy_is_never_given_back(ledger: Ledger, tmp_path: Path) -> None:
    data = table(tmp_path / "train.csv", x=[1], y=["a"])
    found = commit(ledger, "train", [data])
    copy = ledger.store.path(found.files[0].sha256)
    copy.chmod(0o644)
    copy.write_bytes(copy.read_bytes().replace(b"a", b"b"))  # a flipped label of the same size
    with pytest.raises(IntegrityError, match="was altered in the store"):
        check_out(ledger, found, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_entries_that_were_not_signed_are_not_believed(copied: Path) -> None:
    bundle = next((copied / "tile" / "entries").rglob("001.p/*"))
    bundle.write_bytes(bundle.read_bytes().replace(b"vendor", b"vendor"[::-1]))
    with pytest.raises(IntegrityError, match="not those that its checkpoint signs"):
        versions(Ledger(copied))


def test_versions_of_several_files_are_compared_as_one_table(tmp_path: Path) -> None:
    old = [table(tmp_path / "old" / f"{name}.csv", x=[1, 2], y=["a", name]) for name in "ab"]
    new = table(tmp_path / "new.parquet", x=[2, 1, 2, 7], y=["b", "a", "c", "a"])
    found = difference(old, [new], label="y")
    assert (found.unchanged, found.counts()) == (
        2,
        {"added": 1, "removed": 1, "label": 1, "features": 0},
    )
    other = table(tmp_path / "old" / "c.csv", z=[1])
    with pytest.raises(DataError, match="do not have the same columns"):
        difference([*old, other], [new])


def test_what_other_systems_call_it_is_read_and_never_asked(tmp_path: Path) -> None:
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text("a" * 40 + "\n")
    data = table(tmp_path / "train.csv", x=[1])
    (tmp_path / "train.csv.dvc").write_text(f"outs:\n- md5: {'b' * 32}\n  path: train.csv\n")
    assert pointers(data) == {"git": "a" * 40, "dvc": f"md5:{'b' * 32}"}
    (tmp_path / ".lakefs_ref.yaml").write_text(f"src: lakefs://mail/main/train/\nat_head: {'d' * 64}\n")
    assert pointers(data)["lakefs"] == f"lakefs://mail/main/train/ at {'d' * 64}"
    (tmp_path / ".lakefs_ref.yaml").write_text("src: http://elsewhere\nat_head: x\n")
    assert "lakefs" not in pointers(data)
    (git / "refs" / "heads" / "main").unlink()
    (git / "packed-refs").write_text(f"# pack-refs\n{'c' * 40} refs/heads/main\n")
    assert git_commit(data) == "c" * 40
    (git / "HEAD").write_text("ref: ../../../../etc/passwd\n")
    assert git_commit(data) is None


def test_the_lineage_of_a_ledger_follows_versions(ledger: Ledger, tmp_path: Path) -> None:
    from foretaste.provenance.adding import add_files

    good = table(tmp_path / "good.csv", x=[1, 2, 3], y=list("aab"))
    bad = table(tmp_path / "bad.csv", x=[7, 8], y=list("bb"))
    add_files(ledger, [good], source="honest")
    add_files(ledger, [bad], source="mallory")
    commit(ledger, "train", [good, bad])
    with LineageGraph(":memory:") as graph:
        assert synchronise(graph, ledger) == 3
        assert synchronise(graph, ledger) == 0
        assert [one.current for one in blast(graph, "mallory").versions] == [True]
        commit(ledger, "train", [good])
        assert synchronise(graph, ledger) == 1
        found = blast(graph, "mallory").versions
        assert [(one.artefact.key, one.rows, one.exact, one.current) for one in found] == [
            ("train@1", 2, True, False)
        ]
