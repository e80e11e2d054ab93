"""The ledger, DVC, git, Delta Lake and model-signing on the same data: how long, and what they let pass.

    python -m venv peers && peers/bin/pip install dvc deltalake model-signing pyopenssl
    python -m benchmarks.provenance.peers --peers peers/bin [--folder DIR] [--megabytes 128]

Attacks on data at rest, by somebody who can write to the disk but has no private key:

1. In the stored copy, labels are swapped for others of the same length; size and times stay as they were.
2. The record of what happened is edited: another source is named.
3. The last record is taken away.
4. Everything is set back to the state before the last record.

A peer that is not installed is left out. All of them run as programs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

_DELTA = {
    "add": "from deltalake import write_deltalake, CommitProperties; from pyarrow import csv\n"
    "write_deltalake('t', csv.read_csv('data.csv'), mode='append',"
    " commit_properties=CommitProperties(custom_metadata={'source': 'vendor-a'}))",
    "read": "from deltalake import DeltaTable; t = DeltaTable('t'); print(t.history()); t.to_pyarrow_table()",
}


def main() -> None:
    """Run everything that is there and print what it took and what it let pass."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=Path, default=Path("peers/bin"))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--megabytes", type=int, default=128)
    chosen = parser.parse_args()
    peers = chosen.peers.resolve()
    for contestant in (foretaste, dvc, git, delta, model_signing):
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            place = Path(folder)
            _write(place / "data.csv", chosen.megabytes)
            os.environ["FORETASTE_KEYS"] = str(place / "keys")
            try:
                contestant(place, peers)
            except FileNotFoundError as error:
                print(f"{contestant.__name__}: left out, {error.filename} is not there")


def foretaste(place: Path, _: Path) -> None:
    """The ledger."""
    words = [sys.executable, "-m", "foretaste", "ledger"]
    _run(place, *words, "init", "L")
    _told("foretaste", "add", _timed(place, *words, "add", "L", "data.csv", "--source", "vendor-a"))
    _told("foretaste", "verify", _timed(place, *words, "verify", "L"))
    _told("foretaste", "prove one entry", _timed(place, *words, "prove", "L", "0", "--out", "p"))
    _storage("foretaste", place / "L", place / "data.csv")
    shutil.copytree(place / "L", place / "older")
    _run(place, *words, "add", "L", "data.csv", "--source", "vendor-a")
    shutil.copy(place / "L/checkpoint", place / "kept")
    attacks: list[Callable[[Path], object]] = [
        lambda copy: _swap(next((copy / "store").glob("*/*"))),
        lambda copy: _edit(copy / "tile/entries/000.p/2"),
        lambda copy: (copy / "tile/entries/000.p/2").unlink(),
        lambda copy: (shutil.rmtree(copy), shutil.copytree(place / "older", copy)),
    ]
    for number, attack in enumerate(attacks, start=1):
        copy = Path(shutil.copytree(place / "L", place / "copy"))
        _attack("foretaste", number, partial(attack, copy), place, [*words, "verify", "copy"])
        if number == len(attacks):
            kept = [*words, "verify", "copy", "--checkpoint", "kept"]
            _attack("foretaste", number, lambda: None, place, kept, " by a checkpoint kept elsewhere")
        shutil.rmtree(copy)


def dvc(place: Path, peers: Path) -> None:
    """DVC, its cache beside the data."""
    program = str(peers / "dvc")
    _run(place, program, "init", "--no-scm", "-q")
    _told("dvc", "add", _timed(place, program, "add", "-q", "data.csv"))
    _told("dvc", "status", _timed(place, program, "status"))
    _storage("dvc", place / ".dvc" / "cache", place / "data.csv")
    stored = next((place / ".dvc/cache/files/md5").glob("*/*"))

    def poison() -> None:
        stored.chmod(0o644)
        _swap(stored)
        stored.chmod(0o444)
        (place / "data.csv").unlink(missing_ok=True)

    _attack(
        "dvc",
        1,
        poison,
        place,
        ["sh", "-c", f"{program} checkout -q && {program} status | grep -q 'up to date'"],
    )


def git(place: Path, _: Path) -> None:
    """git, the data committed."""
    who = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    _run(place, "git", "init", "-q", ".")
    add = f"git add data.csv && {' '.join(who)} commit -q -m 'from vendor-a'"
    _told("git", "add and commit", _timed(place, "sh", "-c", add))
    _told("git", "fsck", _timed(place, "git", "fsck", "--full"))
    _storage("git", place / ".git", place / "data.csv")
    rewritten = f"{' '.join(who)} commit -q --amend -m 'from vendor-b'"
    _attack("git", 2, lambda: _run(place, "sh", "-c", rewritten), place, ["git", "fsck", "--full"])


def delta(place: Path, peers: Path) -> None:
    """Delta Lake."""
    program = str(peers / "python")
    _told("delta", "add", _timed(place, program, "-c", _DELTA["add"]))
    _told("delta", "read everything", _timed(place, program, "-c", _DELTA["read"]))
    _storage("delta", place / "t", place / "data.csv")
    log = place / "t/_delta_log/00000000000000000000.json"
    _attack("delta", 2, lambda: _edit(log), place, [program, "-c", _DELTA["read"]])
    _run(place, program, "-c", _DELTA["add"])
    last = place / "t/_delta_log/00000000000000000001.json"
    _attack("delta", 3, last.unlink, place, [program, "-c", _DELTA["read"]])


def model_signing(place: Path, peers: Path) -> None:
    """model-signing with a key of its own: signatures over files, no log."""
    program = str(peers / "python")
    if not (peers / "model_signing").exists():
        raise FileNotFoundError(2, "not installed", "model_signing")
    _run(place, "openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "k.pem")
    _run(place, "openssl", "ec", "-in", "k.pem", "-pubout", "-out", "p.pem")
    (place / "model").mkdir()
    (place / "data.csv").rename(place / "model" / "data.csv")
    sign = ["-m", "model_signing", "sign", "key", "model", "--signature", "s", "--private_key", "k.pem"]
    check = ["-m", "model_signing", "verify", "key", "model", "--signature", "s", "--public_key", "p.pem"]
    _told("model-signing", "sign", _timed(place, program, *sign))
    _told("model-signing", "verify", _timed(place, program, *check))
    _attack("model-signing", 1, lambda: _swap(place / "model" / "data.csv"), place, [program, *check])


def _write(path: Path, megabytes: int) -> None:
    lines = "".join(f"{i},{i * 7919 % 104729},{'spam' if i % 3 else 'hams'}\n" for i in range(50_000))
    with path.open("w") as stream:
        stream.write("id,amount,label\n")
        for _ in range(max(1, megabytes * 10**6 // len(lines))):
            stream.write(lines)


def _swap(path: Path) -> None:
    """Another label of the same length, the times as they were."""
    found = path.stat()
    with path.open("r+b") as stream:
        block = stream.read(2**20)
        stream.seek(0)
        stream.write(block.replace(b"hams", b"spam"))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def _edit(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"vendor-a", b"vendor-b"))


def _attack(
    name: str, number: int, change: Callable[[], object], place: Path, check: list[str], how: str = ""
) -> None:
    """Attack, and let the tool look; its own success means that it noticed nothing."""
    change()
    noticed = subprocess.run(check, cwd=place, capture_output=True).returncode != 0
    print(f"{name:<14} attack {number}: {'noticed' + how if noticed else 'served as clean'}", flush=True)


def _timed(place: Path, *words: str) -> float:
    start = time.perf_counter()
    _run(place, *words)
    return time.perf_counter() - start


def _run(place: Path, *words: str) -> None:
    done = subprocess.run(words, cwd=place, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stdout}{done.stderr}")


def _told(name: str, what: str, seconds: float) -> None:
    print(f"{name:<14} {what:<24}{seconds:8.2f} s", flush=True)


def _storage(name: str, kept: Path, data: Path) -> None:
    size = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    print(f"{name:<14} {'storage':<24}{size / data.stat().st_size:8.2f} of the data", flush=True)


if __name__ == "__main__":
    main()
