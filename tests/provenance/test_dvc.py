"""DVC's claims about files and folders, as DVC 3.67 wrote them down, and as the program writes them here."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.errors import DataError, ForetasteError
from foretaste.provenance.adding import add_files
from foretaste.provenance.gate import gate, load_policy
from foretaste.provenance.importers import read_claims
from foretaste.provenance.importers.dvc_yaml import outputs
from foretaste.provenance.ledger import Ledger

TABLE = "id,label\n1,spam\n2,hams\n"
FOLDER = """outs:
- md5: 9c54aa0126f7fe7f7742471a06acbcc0.dir
  size: 28
  nfiles: 3
  hash: md5
  path: folder
"""
LIST = (
    '[{"md5": "c00915ce8ced1c9800659770f1bbcb2a", "relpath": "a.csv"}, '
    '{"md5": "b1308e45d7501076cd34ebb17d843a9b", "relpath": "sub dir/\\u00fc \\"q\\".txt"}, '
    '{"md5": "401b30e3b8b5d629635a5c613cdb7919", "relpath": "sub/b.txt"}]'
)
LOCK = """schema: '2.0'
stages:
  prepare:
    cmd: cp train.csv out.csv && mkdir -p made && cp train.csv made/m.csv
    deps:
    - path: train.csv
      hash: md5
      md5: c00915ce8ced1c9800659770f1bbcb2a
      size: 23
    params:
      params.yaml:
        seed: 1
    outs:
    - path: made
      hash: md5
      md5: 1e5e859d19a7b520fcada1087e5b7bbd.dir
      size: 23
      nfiles: 1
    - path: out.csv
      hash: md5
      md5: c00915ce8ced1c9800659770f1bbcb2a
      size: 23
  second:
    cmd: cp out.csv second.csv
    deps:
    - path: out.csv
      hash: md5
      md5: c00915ce8ced1c9800659770f1bbcb2a
      size: 23
    outs:
    - path: second.csv
      hash: md5
      md5: c00915ce8ced1c9800659770f1bbcb2a
      size: 23
"""
LONG = (
    "a very long name with many words in it that goes on and on so that a YAML writer would fold it "
    "somewhere because it is much longer than eighty letters.csv"
)
NAMES = {
    "'#hash.csv'": "#hash.csv",
    "\"'single'.csv\"": "'single'.csv",
    "'- dash.csv'": "- dash.csv",
    "'123'": "123",
    LONG.replace("that a YAML", "that a \n    YAML").replace("eighty ", "eighty \n    "): LONG,
    '"it\'s: odd #1.csv"': "it's: odd #1.csv",
    'quote "x" and back.csv': 'quote "x" and back.csv',
    '"tab\\ttab.csv"': "tab\ttab.csv",
    "'trail '": "trail ",
    "emoji😀.csv": "emoji😀.csv",
    "'it''s'": "it's",
    '"\\xfc\\u00fc\\U0001F600 folded \\\n    line"': "üü😀 folded line",
}


def made(place: Path) -> Path:
    """The folder that `FOLDER` is about."""
    (place / "folder" / "sub").mkdir(parents=True)
    (place / "folder" / "sub dir").mkdir()
    (place / "folder" / "a.csv").write_text(TABLE)
    (place / "folder" / "sub" / "b.txt").write_text("x\n")
    (place / "folder" / "sub dir" / 'ü "q".txt').write_text("ü\n")
    (place / "folder.dvc").write_text(FOLDER)
    return place / "folder"


def wrong(file: Path) -> list[str]:
    return [claim.path for claim in read_claims(file) if claim.matches is not True]


@pytest.mark.parametrize(("written", "name"), NAMES.items(), ids=NAMES.values())
def test_names_are_read_as_dvc_quotes_and_folds_them(written: str, name: str) -> None:
    text = f"outs:\n- md5: {'0' * 32}\n  size: 2\n  hash: md5\n  path: {written}\nmeta:\n  path: no\n"
    assert [out["path"] for out in outputs(text)] == [name]


def test_a_recorded_folder_matches_and_the_list_in_the_cache_names_what_does_not(tmp_path: Path) -> None:
    folder = made(tmp_path)
    (claim,) = read_claims(tmp_path / "folder.dvc")
    assert (claim.path, claim.matches, claim.verified) == ("folder", True, False)
    (folder / "sub" / "b.txt").write_text("y\n")
    (folder / "more").write_text("")
    assert wrong(tmp_path / "folder.dvc") == ["folder"]
    cache = tmp_path / ".dvc" / "cache" / "files" / "md5" / "9c"
    cache.mkdir(parents=True)
    (cache / "54aa0126f7fe7f7742471a06acbcc0.dir").write_text(LIST)
    assert wrong(tmp_path / "folder.dvc") == ["folder/sub/b.txt", "folder/more"]
    (cache / "54aa0126f7fe7f7742471a06acbcc0.dir").write_text(LIST.replace("40", "41"))  # not that list
    assert wrong(tmp_path / "folder.dvc") == ["folder"]


def test_a_recorded_lock_of_two_stages(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    for name in ("made/m.csv", "out.csv", "second.csv"):
        (tmp_path / name).write_text(TABLE)
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert [claim.path for claim in read_claims(tmp_path / "dvc.lock")] == ["made", "out.csv", "second.csv"]
    assert wrong(tmp_path / "dvc.lock") == []
    (tmp_path / "made" / "m.csv").write_text(TABLE.replace("hams", "spam"))
    (tmp_path / "out.csv").unlink()
    assert wrong(tmp_path / "dvc.lock") == ["made", "out.csv"]
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    with pytest.raises(DataError, match="names no outputs"):
        read_claims(tmp_path / "dvc.lock")


def test_folders_and_links_that_lead_out_are_not_read(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    folder = made(inside)
    (folder / "sub" / "b.txt").unlink()
    (tmp_path / "b.txt").write_text("x\n")
    (folder / "sub" / "b.txt").symlink_to(tmp_path / "b.txt")
    assert wrong(inside / "folder.dvc") == ["folder"]
    (inside / "folder.dvc").write_text(FOLDER.replace("path: folder", "path: ../inside/folder"))
    assert wrong(inside / "folder.dvc") == ["../inside/folder"]


def test_texts_that_dvc_2_may_have_hashed_with_other_line_ends_are_not_called_changed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(TABLE.replace("\n", "\r\n").encode())
    (tmp_path / "t.csv.dvc").write_text("outs:\n- md5: c00915ce8ced1c9800659770f1bbcb2a\n  path: t.csv\n")
    (claim,) = read_claims(tmp_path / "t.csv.dvc")
    assert claim.matches is None
    assert "DVC 2" in claim.note


@given(st.text(alphabet="outs: -\n\t'\"\\\\path{}|é1", max_size=80), st.binary(max_size=60))
def test_whatever_stands_in_a_pointer_is_answered(
    tmp_path_factory: pytest.TempPathFactory, text: str, raw: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert all(isinstance(value, str) for out in outputs(f"outs:\n{text}") for value in out.values())
    (folder / "x.dvc").write_bytes(b"outs:\n- path: x\n  md5: " + raw)
    with suppress(ForetasteError):
        read_claims(folder / "x.dvc")


def dvc(place: Path, *words: str) -> str:
    """Run DVC; the test is skipped where there is none."""
    program = os.environ.get("FORETASTE_DVC") or shutil.which("dvc")
    if program is None:
        pytest.skip("there is no program dvc (pip install dvc; or name one in FORETASTE_DVC)")
    quiet = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(place / "site")}
    done = subprocess.run([program, *words], cwd=place, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_dvc_itself_writes_is_read(tmp_path: Path) -> None:
    dvc(tmp_path, "init", "--no-scm", "-q")
    made(tmp_path)
    (tmp_path / "folder.dvc").unlink()
    (tmp_path / LONG).write_text(TABLE)
    dvc(tmp_path, "add", "-q", "folder", LONG)
    stage = "{cmd: mkdir made && cp folder/a.csv made, deps: [folder], outs: [made]}"
    (tmp_path / "dvc.yaml").write_text(f"stages:\n  prepare: {stage}\n")
    dvc(tmp_path, "repro", "-q")
    pointers = [tmp_path / "folder.dvc", tmp_path / f"{LONG}.dvc", tmp_path / "dvc.lock"]
    assert [[(c.path, c.matches) for c in read_claims(file)] for file in pointers] == [
        [("folder", True)], [(LONG, True)], [("made", True)],
    ]  # fmt: skip
    (tmp_path / "folder" / "a.csv").write_text(TABLE.replace("hams", "spam"))
    assert wrong(tmp_path / "folder.dvc") == ["folder/a.csv"]


def test_a_label_flipped_in_the_cache_that_dvc_serves_as_clean_is_caught(
    tmp_path: Path, ledger: Ledger
) -> None:
    dvc(tmp_path, "init", "--no-scm", "-q")
    data = tmp_path / "train.csv"
    data.write_text(TABLE)
    dvc(tmp_path, "add", "-q", "train.csv")
    add_files(ledger, [data], source="vendor")
    (stored,) = (tmp_path / ".dvc" / "cache" / "files" / "md5").glob("*/*")
    before = stored.stat()
    stored.chmod(0o644)
    stored.write_text(TABLE.replace("hams", "spam"))
    os.utime(stored, ns=(before.st_atime_ns, before.st_mtime_ns))
    stored.chmod(0o444)
    data.unlink()
    dvc(tmp_path, "checkout", "-q")
    assert "up to date" in dvc(tmp_path, "status")
    assert data.read_text() == TABLE.replace("hams", "spam")
    assert wrong(tmp_path / "train.csv.dvc") == ["train.csv"]
    (tmp_path / "foretaste.toml").write_text("[gate]\nledger = 'ledger'\n")
    assert not gate([data], load_policy(tmp_path / "foretaste.toml")).passed
