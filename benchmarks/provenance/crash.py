"""Kill a writer again and again, at any instant, and see whether every acknowledged entry is still there.

python -m benchmarks.provenance.crash --kills 1000
unshare -rm sh -c "mount -t tmpfs -o size=4m tmpfs DIR &&
    python -m benchmarks.provenance.crash --full 300 --folder DIR"
python -m benchmarks.provenance.crash --writers 8 --appends 50

A child appends one to three entries at a time and reports each number once the append returned; it is killed
(SIGKILL) after a random time of up to four appends. Then the ledger is reopened, verified, and compared with
what was acknowledged.
With ``--full``, on a small file system of its own, something else fills the disk to within a random number of
bytes before each append. With ``--writers``, that many processes append at once.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from foretaste.provenance.entries import Entry, now
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.verification import verify

_WARM_UP = 3


def crash_loop(folder: Path, *, kills: int, seed: int) -> dict[str, int]:
    """Counts of what was acknowledged, lost, and found altered; the last two must be zero."""
    rng = random.Random(seed)
    ledger = Ledger.create(folder / "ledger", key=folder / "key.pem")
    acknowledged, lost, altered, unfinished = 0, 0, 0, 0
    known: dict[int, str] = {}
    start = time.perf_counter()
    for _ in range(_WARM_UP):
        ledger.append([Entry("note", now(), note="how long does it take here")])
    longest = 4 * (time.perf_counter() - start) / _WARM_UP
    for _ in range(kills):
        told = _killed_writer(ledger, rng.uniform(longest / 100, longest), rng.randrange(2**32))
        acknowledged += len(told)
        known |= told
        found = verify(ledger.folder)
        altered += len(found.problems)
        unfinished += sum("not finished" in note for note in found.notes)
        ledger.append([Entry("note", now(), note="after a kill")])
        held = [entry.note for entry in ledger.entries()]
        lost += sum(number >= len(held) or held[number] != note for number, note in known.items())
    altered += len(verify(ledger.folder).problems)
    return {
        "kills": kills,
        "entries": len(ledger),
        "acknowledged": acknowledged,
        "kills during an append": unfinished,
        "lost": lost,
        "altered": altered,
    }


def _killed_writer(ledger: Ledger, seconds: float, seed: int) -> dict[int, str]:
    """What a child acknowledged before it was killed, note by number."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        rng = random.Random(seed)
        while True:
            notes = [f"{rng.random()}" for _ in range(rng.randint(1, 3))]
            numbers = ledger.append([Entry("note", now(), note=note) for note in notes])
            lines = "".join(f"{number} {note}\n" for number, note in zip(numbers, notes, strict=True))
            os.write(writing, lines.encode())
    os.close(writing)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading) as stream:
        told = stream.read()
    return {int(line.split()[0]): line.split()[1] for line in told.split("\n")[:-1]}


def full_disk_loop(folder: Path, *, times: int, seed: int) -> dict[str, int]:
    """Counts as `crash_loop`, of appends to a disk that something else fills up again and again."""
    rng, filler = random.Random(seed), folder / "filler"
    ledger = Ledger.create(folder / "ledger", key=folder / "key.pem")
    known: list[str] = []
    refused, altered, lost = 0, 0, 0
    for _ in range(times):
        _fill(filler, shutil.disk_usage(folder).free - rng.randrange(2**17))
        note = f"{rng.random()}"
        entries = [Entry("note", now(), note=note)] * rng.choice([1, 30, 300])
        try:
            ledger.append(entries)
            known += [note] * len(entries)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            refused += 1
        altered += len(verify(ledger.folder).problems)
        filler.unlink()
        ledger.append([Entry("note", now(), note="with space")])
        held = [str(entry.note) for entry in ledger.entries()]
        if len(held) > len(known) and held[len(known)] != "with space":  # refused, and there all the same
            known += held[len(known) : -1]
        known.append("with space")
        lost += sum(one != other for one, other in zip(known, held, strict=True))
        altered += len(verify(ledger.folder).problems)
    return {
        "appends": 2 * times,
        "refused": refused,
        "entries": len(ledger),
        "lost": lost,
        "altered": altered,
    }


def _fill(filler: Path, size: int) -> None:
    with filler.open("wb") as stream:
        stream.write(bytes(max(0, size)))


_WRITER = """
import sys
from foretaste.provenance.entries import Entry, now
from foretaste.provenance.ledger import Ledger
folder, key, name, count = sys.argv[1:]
ledger = Ledger(folder, key=key)
for number in range(int(count)):
    ledger.append([Entry("note", now(), note=f"{name} {number}")])
"""


def many_writers(folder: Path, *, writers: int, appends: int) -> dict[str, float]:
    """Processes that append at once: what is there of what they appended, in the order of each of them."""
    ledger = Ledger.create(folder / "ledger", key=folder / "key.pem")
    words = [sys.executable, "-c", _WRITER, str(ledger.folder), str(ledger.key_path)]
    start = time.perf_counter()
    running = [subprocess.Popen([*words, f"w{name}", str(appends)]) for name in range(writers)]
    failed = sum(one.wait() != 0 for one in running)
    seconds = time.perf_counter() - start
    held = [str(entry.note) for entry in ledger.entries()]
    lost = 0
    for name in range(writers):
        mine = [note for note in held if note.startswith(f"w{name} ")]
        lost += mine != [f"w{name} {number}" for number in range(appends)]
    altered = len(verify(ledger.folder).problems)
    return {"writers": writers, "entries": len(held), "failed": failed, "writers that lost any": lost,
            "altered": altered, "seconds": round(seconds, 1)}  # fmt: skip


def main() -> None:
    """Run it and print the counts as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--full", type=int, metavar="TIMES")
    parser.add_argument("--writers", type=int)
    parser.add_argument("--appends", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="on the disk to try; a temporary one otherwise")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        place = Path(folder)
        if chosen.full:
            found: dict[str, int] | dict[str, float] = full_disk_loop(
                place, times=chosen.full, seed=chosen.seed
            )
        elif chosen.writers:
            found = many_writers(place, writers=chosen.writers, appends=chosen.appends)
        else:
            found = crash_loop(place, kills=chosen.kills, seed=chosen.seed)
        print(json.dumps(found))


if __name__ == "__main__":
    main()
