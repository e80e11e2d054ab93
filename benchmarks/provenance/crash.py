"""Kill a writer again and again, at any instant, and see whether every acknowledged entry is still there.

python -m benchmarks.provenance.crash --kills 1000

A child appends one to three entries at a time and reports each number once the append returned; it is killed
(SIGKILL) after a random time. Then the ledger is reopened, verified, and compared with what was acknowledged.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import time
from pathlib import Path

from foretaste.provenance.entries import Entry, now
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.verification import verify


def crash_loop(folder: Path, *, kills: int, seed: int, longest: float = 0.1) -> dict[str, int]:
    """Counts of what was acknowledged, lost, and found altered; the last two must be zero."""
    rng = random.Random(seed)
    ledger = Ledger.create(folder / "ledger", key=folder / "key.pem")
    acknowledged, lost, altered, unfinished = 0, 0, 0, 0
    known: dict[int, str] = {}
    for _ in range(kills):
        told = _killed_writer(ledger, rng.uniform(0.001, longest), rng.randrange(2**32))
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


def main() -> None:
    """Run it and print the counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="on the disk to try; a temporary one otherwise")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        print(json.dumps(crash_loop(Path(folder), kills=chosen.kills, seed=chosen.seed)))


if __name__ == "__main__":
    main()
