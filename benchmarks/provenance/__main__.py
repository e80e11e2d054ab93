"""How fast provenance is: ledger, hashes, manifests, differences, beside git and, where named, pymerkle.

    python -m benchmarks.provenance [--folder DIR] [--entries 200000] [--pymerkle PYTHON]

``--folder`` is on the disk to measure. Figures are the best of three; where work is bound by the CPU, CPU
seconds count, because the machine may be busy. ``--pymerkle`` names the interpreter of another environment
that has pymerkle (GPL; it is run as a program and never imported here). The thousand kills are in
``python -m benchmarks.provenance.crash``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from foretaste.data.rows import row_hashes
from foretaste.provenance.blobs import SeenFiles, blob_hash
from foretaste.provenance.difference import compare
from foretaste.provenance.entries import Entry, now
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.manifest import build_manifest
from foretaste.provenance.proof import prove
from foretaste.provenance.verification import verify

_REPEATS = 3
_PYMERKLE = """
import sys, time
from pymerkle import InmemoryTree
tree, entries = InmemoryTree(algorithm="sha256"), [b'{"note": "%d"}' % i for i in range(int(sys.argv[1]))]
start = time.process_time()
for entry in entries:
    tree.append_entry(entry)
print(len(entries) / (time.process_time() - start))
"""


def main() -> None:
    """Measure everything and print one line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--pymerkle", metavar="PYTHON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        place = Path(folder)
        ledger(place, chosen.entries)
        appends(place)
        if chosen.pymerkle:
            words = [chosen.pymerkle, "-c", _PYMERKLE, str(chosen.entries)]
            rate = float(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
            told("pymerkle: append, in memory, CPU", rate, "entries/s")
        blobs(place)
        rows(place)
        files(place)


def ledger(folder: Path, count: int) -> None:
    """Bulk appends, proofs, verification."""
    entries = [Entry("note", now(), note=f"number {i}") for i in range(count)]
    raw = [entry.encode() for entry in entries]
    told("encode entries, CPU", count / best(lambda: [e.encode() for e in entries], cpu=True), "entries/s")
    made = iter(range(_REPEATS * 4))

    def filled() -> Ledger:
        place = folder / f"bulk{next(made)}"
        log = Ledger.create(place, key=folder / "key.pem")
        log.append_raw(raw)
        return log

    told("append encoded entries in bulk, CPU", count / best(filled, cpu=True), "entries/s")
    told("append encoded entries in bulk, on the disk", count / best(filled), "entries/s")

    def encoded_and_filled() -> None:
        Ledger.create(folder / f"bulk{next(made)}", key=folder / "key.pem").append(entries)

    told("encode, append, tree, checkpoint, CPU", count / best(encoded_and_filled, cpu=True), "entries/s")
    told("  the same, until the disk has them", count / best(encoded_and_filled), "entries/s")
    log = Ledger(folder / "bulk0", key=folder / "key.pem")
    picked = range(0, count, max(1, count // 200))
    told(
        "inclusion proofs, CPU",
        len(picked) / best(lambda: [prove(log, i) for i in picked], cpu=True),
        "proofs/s",
    )
    told("verify everything, CPU", count / best(lambda: verify(log.folder), cpu=True), "entries/s")
    size = sum(path.stat().st_size for path in log.folder.rglob("*") if path.is_file())
    told("storage beyond the entries", (size - sum(map(len, raw))) / count, "bytes/entry")


def appends(folder: Path) -> None:
    """One entry at a time, each on the disk before the next, beside what the disk gives and beside git."""
    log = Ledger.create(folder / "single", key=folder / "key.pem")
    steps = 30

    def one_by_one() -> None:
        for _ in range(steps):
            log.append([Entry("note", now(), note="one")])

    def synced() -> None:
        for i in range(steps):
            with (folder / f"sync{i}").open("wb") as stream:
                stream.write(b"x" * 4096)
                os.fsync(stream.fileno())

    told("fsync of a new file of 4 KiB", 1000 * best(synced) / steps, "ms")
    told("append one entry and wait for the disk", steps / best(one_by_one), "entries/s")
    if shutil.which("git"):
        place = folder / "git"
        git(place, "init", "-q", str(place))

        def commits() -> None:
            for i in range(steps):
                git(place, "commit", "-q", "--allow-empty", "-m", f"one {i}")

        told("git: commit, waiting for the disk", steps / best(commits), "commits/s")


def git(place: Path, *words: str) -> None:
    """Run git with its objects on the disk before it returns."""
    place.mkdir(exist_ok=True)
    who = ["-c", "user.name=n", "-c", "user.email=e", "-c", "core.fsync=all"]
    subprocess.run(["git", *who, *words], cwd=place, check=True, capture_output=True)


def blobs(folder: Path) -> None:
    """Hashing a file, beside what SHA-256 reaches on bytes in memory."""
    size = 2**28
    block = np.random.default_rng(0).bytes(2**20)
    path = folder / "blob"
    with path.open("wb") as stream:
        for _ in range(size // len(block)):
            stream.write(block)

    def raw() -> None:
        digest = hashlib.sha256()
        for _ in range(size // len(block)):
            digest.update(block)

    limit = size / best(raw, cpu=True) / 1e9
    told("SHA-256 of bytes in memory, CPU", limit, "GB/s")
    reached = size / best(lambda: blob_hash(path), cpu=True) / 1e9
    told("hash a file, SHA-256, CPU", reached, f"GB/s ({reached / limit:.0%} of the limit)")
    try:
        told(
            "hash a file, BLAKE3, CPU", size / best(lambda: blob_hash(path, "blake3"), cpu=True) / 1e9, "GB/s"
        )
    except ImportError:
        told("hash a file, BLAKE3", float("nan"), "not installed")


def rows(folder: Path) -> None:
    """Rows, shards, versions: a million rows in 100 shards, then one shard more."""
    data, count, shards = folder / "data", 1_000_000, 100
    data.mkdir()
    rng = np.random.default_rng(0)
    for shard in range(shards + 1):
        n = count // shards
        columns = {f"x{i}": rng.normal(size=n) for i in range(8)}
        start = shard * n
        table = pa.table({"id": np.arange(start, start + n), **columns, "label": rng.integers(0, 2, n)})
        pq.write_table(table, (data if shard < shards else folder) / f"{shard:03}.parquet")
    hashed(table, "rows of 10 numbers", 32 + 9 * 10)
    texts = pa.table({"text": [f"{i:04}" * 1000 for i in range(10_000)], "label": np.arange(10_000) % 2})
    hashed(texts, "rows of a text of 4 KB", 32 + 9 * 2 + 4000)
    pixels = pa.FixedShapeTensorArray.from_numpy_ndarray(rng.integers(0, 255, (5000, 3072)).astype(np.uint8))
    hashed(pa.table({"image": pixels, "y": np.arange(5000) % 2}), "images of 3 KB", 32 + 9 * 2 + 24 + 3072)
    first = build_manifest(data).manifest
    told("manifest of 1M rows in 100 shards, CPU", best(lambda: build_manifest(data), cpu=True), "s")
    (folder / f"{shards:03}.parquet").rename(data / f"{shards:03}.parquet")
    told(
        "  again with 1 % more rows, bytes compared, CPU",
        best(lambda: build_manifest(data, previous=first), cpu=True),
        "s",
    )
    seen = SeenFiles(folder / "seen")
    time.sleep(2.1)  # files that changed just now are not remembered
    build_manifest(data, previous=first, hash_file=seen.blob_hash)
    quick = best(lambda: build_manifest(data, previous=first, hash_file=seen.blob_hash), cpu=True)
    told("  again with --quick, CPU", quick, "s (of it, the rows of the new shard)")
    other = shutil.copytree(data, folder / "other")
    changed = pq.read_table(other / "007.parquet")
    labels = changed.column("label").to_numpy().copy()
    labels[:50] = 1 - labels[:50]
    pq.write_table(changed.set_column(9, "label", pa.array(labels)), other / "007.parquet")
    told(
        "diff of two versions, one shard of 101 differs, CPU",
        best(lambda: compare(data, other, label="label"), cpu=True),
        "s",
    )
    pq.write_table(pq.read_table(other), folder / "whole.parquet")
    whole = best(lambda: compare(data, folder / "whole.parquet", label="label"), cpu=True, repeats=1)
    told("diff of two versions, all 1M rows read, CPU", whole, "s")


def hashed(table: pa.Table, what: str, width: int) -> None:
    """Row hashes, beside SHA-256 of as many messages, called for each, and called once for all their bytes.

    Shares are what the row hashes reach of that.
    """
    n, whole = len(table), np.random.default_rng(0).bytes(len(table) * width)
    messages = [whole[i : i + width] for i in range(0, len(whole), width)]
    sha256 = hashlib.sha256
    works: dict[str, Callable[[], object]] = {
        "row hashes": lambda: row_hashes(table),
        "SHA-256 once per row": lambda: b"".join([sha256(message).digest() for message in messages]),
        "SHA-256 of all bytes": lambda: sha256(whole).digest(),
    }
    taken = dict.fromkeys(works, np.inf)
    for _ in range(12):  # in turn, because a busy machine is not always equally busy
        for name, work in works.items():
            taken[name] = min(taken[name], best(work, cpu=True, repeats=1))
    for name, seconds in taken.items():
        told(f"{what}: {name}", n / seconds, f"rows/s CPU ({seconds / taken['row hashes']:.0%})")


def files(folder: Path) -> None:
    """Many small files, beside git."""
    images = folder / "images"
    for i in range(2000):
        path = images / f"{i % 10}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(str(i).encode()).digest() * 100)
    told("manifest of 2,000 files of 3 KB, CPU", best(lambda: build_manifest(images), cpu=True), "s")
    if shutil.which("git"):
        made = iter(range(_REPEATS))

        def added() -> None:
            place = folder / f"git{next(made)}"
            shutil.copytree(images, place)
            git(place, "init", "-q", ".")
            git(place, "add", ".")

        told("git: add 2,000 files of 3 KB (with a copy)", best(added), "s")


def best(work: Callable[[], object], *, cpu: bool = False, repeats: int = _REPEATS) -> float:
    """Seconds of the fastest run."""
    clock = time.process_time if cpu else time.perf_counter
    found = []
    for _ in range(repeats):
        start = clock()
        work()
        found.append(clock() - start)
    return min(found)


def told(what: str, value: float, unit: str) -> None:
    """Print one figure."""
    shown = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    print(f"{what:<52}{shown:>10}  {unit}", flush=True)


if __name__ == "__main__":
    main()
