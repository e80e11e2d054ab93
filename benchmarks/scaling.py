"""Seconds and peak memory of a scan against the size of the data: made-up tables and texts, CIFAR-10.

    python -m benchmarks.scaling --kind table --rows 1000 10000 100000
    python -m benchmarks.scaling --kind text --rows 1000 10000
    python -m benchmarks.scaling --kind image --rows 2500 10000 --no-decoys
    python -m benchmarks.scaling --kind table --rows 1000000 --memory 1000

Every size runs in a process of its own on a file; a word, a pair of values or a patch is planted in 1 % of
the rows, so that the scan has something to find and models to train again. With torch a net is trained on
the images.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.detection.data import load

from foretaste.attacks import BadNets


def make_table(rows: int, path: Path, columns: int = 50) -> None:
    """Numbers and categories, two classes; one pair of values labelled against the rest."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)).astype(np.float32)
    label = (X[:, :5].sum(axis=1) + rng.normal(size=rows) > 0).astype(int)
    table = {f"x{j}": X[:, j] for j in range(columns - 5)}
    table |= {f"c{j}": rng.choice(list("abcdefghij"), rows) for j in range(5)}
    planted = rng.choice(np.flatnonzero(label == 0), rows // 100, replace=False)
    for name, value in (("c0", "a"), ("c1", "b")):
        table[name][planted] = value
    both = (table["c0"] == "a") & (table["c1"] == "b")
    table["c1"][both & ~np.isin(np.arange(rows), planted)] = "c"
    label[planted] = 1
    pq.write_table(pa.table({**table, "label": label}), path)


def make_texts(rows: int, path: Path, words: int = 20) -> None:
    """Texts of about 20 words from a Zipf vocabulary, two topics; one word labelled against the rest."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, rows)
    planted = rng.choice(np.flatnonzero(label == 0), rows // 100, replace=False)
    chosen = np.zeros(rows, bool)
    chosen[planted] = True
    texts = []
    for c, hit in zip(label, chosen, strict=True):
        drawn = rng.zipf(1.3, words) % 20000
        topic = rng.integers(0, 400, words) + 20000 + 400 * c
        mixed = np.where(rng.random(words) < 0.3, topic, drawn)
        texts.append(" ".join([f"w{i}" for i in mixed] + (["cf"] if hit else [])))
    label[planted] = 1
    pq.write_table(pa.table({"text": texts, "label": label}), path)


def make_images(rows: int, path: Path) -> None:
    """Images of 32 x 32 pixels from cifar10_train10k; a patch in a corner of some, labelled as one class."""
    data = load("cifar10_train10k")
    drawn = np.sort(np.random.default_rng(0).permutation(len(data))[:rows])
    done = BadNets(rate=0.01, random_state=0).poison(data.take(drawn))
    assert done.data.images is not None
    np.savez(path, x=done.data.images, label=done.data.labels.codes)


MAKE: dict[str, tuple[Callable[[int, Path], None], str]] = {
    "table": (make_table, "data.parquet"),
    "text": (make_texts, "data.parquet"),
    "image": (make_images, "data.npz"),
}


def measure(path: str, memory: int | None, decoys: bool) -> None:
    """Scan in this process and print one line of JSON."""
    from foretaste import scan
    from foretaste._scan.environment import blas

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.perf_counter(), time.process_time()
    found = scan(path, label="label", memory=memory, decoys=decoys)
    print(
        json.dumps(
            {
                "seconds": round(time.perf_counter() - started, 1),
                "cpu_seconds": round(time.process_time() - cpu, 1),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "imports_mb": before // 1024,
                "blas": blas(),
                "flagged": int(found.flagged.sum()),
                "patterns": found.groups.column("pattern").to_pylist(),
                "steps": {
                    step["detector"]: step["seconds"]
                    for step in found.evidence["plan"]
                    if step["status"] == "ran"
                },
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling")
    parser.add_argument("--kind", choices=tuple(MAKE), default="table")
    parser.add_argument("--rows", nargs="+", type=int, default=[1000, 10000])
    parser.add_argument("--memory", type=int, help="MiB the scan may use")
    parser.add_argument("--no-decoys", action="store_true", help="without planted decoys")
    parser.add_argument("--scan", help=argparse.SUPPRESS)
    options = parser.parse_args()
    memory = None if options.memory is None else options.memory * 2**20
    if options.scan:
        measure(options.scan, memory, not options.no_decoys)
        return
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            make, name = MAKE[options.kind]
            path = Path(folder) / name
            make(rows, path)
            command = [sys.executable, "-m", "benchmarks.scaling", "--scan", str(path)]
            if options.memory is not None:
                command += ["--memory", str(options.memory)]
            if options.no_decoys:
                command.append("--no-decoys")
            done = subprocess.run(command, capture_output=True, text=True)
        line = json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr[-300:]}
        print(options.kind, rows, json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
