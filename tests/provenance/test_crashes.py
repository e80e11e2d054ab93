"""Killed at any instant, out of disk space, many at once: every acknowledged entry is there afterwards."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from foretaste.provenance import durable
from foretaste.provenance.adding import add_files
from foretaste.provenance.entries import Entry, now
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.verification import verify

ROOT = Path(__file__).parents[2]


class Killed(BaseException):
    """Nobody may catch this and clean up."""


def notes(*texts: str) -> list[Entry]:
    return [Entry("note", now(), note=text) for text in texts]


def stopped_at(patch: pytest.MonkeyPatch, step: int, error: Callable[[], BaseException]) -> list[int]:
    """Let the writer stop at a certain step, midway where it writes a file; the list counts steps."""
    count = [0]
    write, replace, unlink, sync = durable.write_file, os.replace, Path.unlink, os.fsync

    def due() -> bool:
        count[0] += 1
        return count[0] == step

    def torn(path: Path, data: bytes, **settings: bool) -> None:
        if due():
            path.write_bytes(data[: len(data) // 2])
            raise error()
        write(path, data, **settings)

    def before(original: Callable[..., None]) -> Callable[..., None]:
        def stopping(*args: Any, **settings: Any) -> None:
            if due():
                raise error()
            original(*args, **settings)

        return stopping

    patch.setattr(durable, "write_file", torn)
    patch.setattr(os, "replace", before(replace))
    patch.setattr(Path, "unlink", before(unlink))
    patch.setattr(os, "fsync", before(sync))
    return count


@pytest.mark.parametrize("error", [Killed, lambda: OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize("already", [3, 254])
def test_a_writer_stopped_at_any_step_loses_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, already: int, error: Callable[[], BaseException]
) -> None:
    held = [f"before {i}" for i in range(already)]
    ledger.append(notes(*held))
    for step in range(1, 100):
        with monkeypatch.context() as patch:
            count = stopped_at(patch, step, error)
            try:
                ledger.append(notes("a", "b"))
            except (Killed, OSError):
                stopped = True
            else:
                stopped = False
        assert verify(ledger.folder).intact, step
        ledger.append(notes("after"))
        shown = [entry.note for entry in ledger.entries()]
        assert shown[: len(held)] == held
        assert shown[len(held) :] in ([["a", "b", "after"], ["after"]] if stopped else [["a", "b", "after"]])
        held = [str(text) for text in shown]
        assert verify(ledger.folder).notes == []
        if not stopped:
            break
    assert count[0] < step
    assert step > 10


def test_an_add_without_disk_space_leaves_the_ledger_intact(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "big.csv").write_text("a\n" * 1000)
    with monkeypatch.context() as patch:
        stopped_at(patch, 1, lambda: OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(OSError, match="No space left"):
            add_files(ledger, [tmp_path / "big.csv"])
    assert verify(ledger.folder).intact
    add_files(ledger, [tmp_path / "big.csv"])
    assert verify(ledger.folder).files == 1


def test_a_copy_that_no_entry_names_yet_is_noted_and_not_called_altered(ledger: Ledger) -> None:
    ledger.store.put_bytes(b"copied, and then the writer was killed")
    found = verify(ledger.folder)
    assert found.intact
    assert "named by no entry" in found.notes[0]


def test_a_rolled_back_checkpoint_with_the_genuine_one_as_pending_loses_nothing(ledger: Ledger) -> None:
    ledger.append(notes("one"))
    older = (ledger.folder / "checkpoint").read_bytes()
    ledger.append(notes("two"))
    (ledger.folder / "checkpoint").rename(ledger.folder / "pending")
    (ledger.folder / "checkpoint").write_bytes(older)
    assert not verify(ledger.folder).intact  # the tiles of the older state are gone
    (ledger.folder / "pending").write_bytes(b"forged")
    assert "pending: " in str(verify(ledger.folder).problems[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_thirty_kills_lose_no_acknowledged_entry(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "benchmarks.provenance.crash", "--kills", "30", "--folder", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
    counts = json.loads(done.stdout)
    assert (counts["kills"], counts["lost"], counts["altered"]) == (30, 0, 0)


def test_many_writers_at_once_lose_nothing(ledger: Ledger) -> None:
    program = (
        "import sys\n"
        "from foretaste.provenance.ledger import Ledger\n"
        "from foretaste.provenance.entries import Entry, now\n"
        "ledger = Ledger(sys.argv[1])\n"
        "for i in range(8): ledger.append([Entry('note', now(), note=f'{sys.argv[2]} {i}')])"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(ledger.folder), name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    shown = [str(entry.note) for entry in ledger.entries()]
    assert len(shown) == 24
    for name in "abc":
        assert [text for text in shown if text.startswith(name)] == [f"{name} {i}" for i in range(8)]
    assert verify(ledger.folder).intact


def test_an_add_of_a_folder_stopped_at_any_step_leaves_nothing_altered(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").mkdir()
    for name in ("one", "two", "same as two"):
        (tmp_path / "images" / name).write_text(name[-3:])
    for step in range(1, 100):
        with monkeypatch.context() as patch:
            count = stopped_at(patch, step, Killed)
            try:
                add_files(ledger, [tmp_path / "images"])
            except Killed:
                assert verify(ledger.folder).intact, step
            else:
                break
    assert count[0] < step
    assert verify(ledger.folder).files == 3
    assert len({entry.files for entry in ledger.entries()}) == 1
    assert step > 10


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare, to have a small disk of its own")
def test_a_disk_that_is_really_full_loses_nothing(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=2m tmpfs {tmp_path}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("no file system may be mounted here, not even in a name space of our own")
    words = f"{sys.executable} -m benchmarks.provenance.crash --full 8 --folder {tmp_path}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"{mount} && {words}"], cwd=ROOT, capture_output=True
    )
    counts = json.loads(done.stdout)
    assert counts["refused"] > 0
    assert (counts["lost"], counts["altered"]) == (0, 0)
