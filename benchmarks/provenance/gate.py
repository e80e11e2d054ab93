"""How long ``foretaste gate`` takes end to end when nothing changed: the wall time of the command.

    python -m benchmarks.provenance.gate [--megabytes 100] [--entries 10000] [--formats csv] [--last]

Of a CSV and a Parquet file of that size: two signed, ingested and committed versions, the second approved,
with a findings summary (written here, not scanned), a witnessed checkpoint and a policy that asks for all of
it, in a ledger with that many entries more. The data are hashed anew each time; drift and changed labels were
measured at the commit and are remembered, and measured anew where it says so.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from benchmarks.provenance.__main__ import told

from foretaste.data import file_sha256
from foretaste.provenance.batch import sign_batch
from foretaste.provenance.entries import Entry, now
from foretaste.provenance.gate import approve, load_policy, subject_of
from foretaste.provenance.gate.committing import commit_checked
from foretaste.provenance.ingest import ingest
from foretaste.provenance.keys import new_key
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.note import COSIGNATURE, VerifierKey
from foretaste.provenance.sources import SourcePolicy

_REPEATS = 5
_RECORDED = "require-signatures = true\nsources = 'sources.toml'\nallowed-sources = ['vendor']\n"
_POLICIES = {
    "is in the ledger": "",
    "and source, signature, approval": _RECORDED + "approvals = 1\n",
    "and findings, witness": _RECORDED
    + "approvals = 1\nfindings = 'scan'\nmax-findings = {critical = 0, high = 0}\nmax-flagged = 0.1\n"
    + "witnessed-checkpoint = 'kept'\nwitnesses = ['%(witness)s']\nwitness-age = '1h'\n",
}
_ALL = (
    _POLICIES["and findings, witness"] + "max-drift = 0.1\nlabel = 'label'\n[access]\ntwo-person-above = 9\n"
)
_POLICIES["and drift, changed labels"] = _ALL


def main() -> None:
    """Measure both formats."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--formats", nargs="+", choices=["parquet", "csv"], default=["parquet", "csv"])
    parser.add_argument("--last", action="store_true", help="only the policy that asks for everything")
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    asking = list(_POLICIES.items())[-1 if chosen.last else 0 :]
    for name in chosen.formats:
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            data = house(Path(folder), name, chosen.megabytes, chosen.entries)
            print(f"{name}: {data.stat().st_size / 1e6:,.0f} MB, a ledger of {chosen.entries + 5:,} entries")
            for asked, gate in asking:
                policy(Path(folder), gate)
                wall, cpu = timed(Path(folder), data)
                told(f"  {asked}", wall, f"s wall, {cpu:.2f} s CPU")
            shutil.rmtree(Path(folder) / "keys" / "measured")
            wall, cpu = timed(Path(folder), data, 1)
            told("    measured anew", wall, f"s wall, {cpu:.2f} s CPU")


_KEYS = {name: new_key() for name in ("vendor", "alice", "witness.example")}


def policy(folder: Path, gate: str) -> Path:
    """Write the policy file."""
    witness = VerifierKey.of("witness.example", _KEYS["witness.example"], COSIGNATURE)
    alice = f"[access.people.alice]\nkey = '{VerifierKey.of('alice', _KEYS['alice'])}'\nroles = ['approve']\n"
    file = folder / "foretaste.toml"
    file.write_text("[gate]\nledger = 'ledger'\n" + gate.replace("%(witness)s", str(witness)) + alice)
    return file


def house(folder: Path, name: str, megabytes: int, entries: int) -> Path:
    """Data whose whole past is in order."""
    os.environ["FORETASTE_KEYS"] = str(folder / "keys")
    ledger = Ledger.create(folder / "ledger")
    ledger.append([Entry("note", now(), note=f"number {i}") for i in range(entries)])
    vendor = VerifierKey.of("vendor", _KEYS["vendor"])
    sources = folder / "sources.toml"
    sources.write_text(f'schema = 1\n[source.vendor]\n[[source.vendor.key]]\nkey = "{vendor}"\n')
    data = folder / f"train.{name}"
    for seed in (0, 1):
        write(data, megabytes, seed)
        signature = sign_batch([data], "vendor", _KEYS["vendor"]).encode()
        ingest(ledger, SourcePolicy.read(sources), "vendor", [data], signature)
        rules = load_policy(policy(folder, _ALL))
        commit_checked(ledger, "train", [data], policy=rules)
    access = rules.access
    approve(ledger, subject_of(data), "approve", "alice", _KEYS["alice"], access)
    summary = {
        "data": {"sha256": file_sha256(data)},
        "verdict": "clean",
        "rules": {},
        "rows": 1,
        "flagged": 0,
    }
    (folder / "scan").mkdir()
    (folder / "scan" / "summary.json").write_text(json.dumps(summary))
    seen = ledger.checkpoint.cosign("witness.example", _KEYS["witness.example"], int(time.time()) - 7200)
    (folder / "kept").write_bytes(seen.encode())
    return data


def write(path: Path, megabytes: int, seed: int) -> None:
    """A table of eight measures, a category and a label."""
    draw = np.random.default_rng(seed)
    rows = megabytes * 10**6 // (68 if path.suffix == ".csv" else 41)
    columns = {f"x{i}": draw.normal(size=rows).round(4).astype(np.float32) for i in range(8)}
    kinds = np.array(["red", "green", "blue", "yellow"])[draw.integers(0, 4, rows)]
    table = pa.table({"id": np.arange(rows), **columns, "kind": kinds, "label": draw.integers(0, 2, rows)})
    if path.suffix == ".csv":
        arrow_csv.write_csv(table, path)
    else:
        pq.write_table(table, path)


def timed(folder: Path, data: Path, repeats: int = _REPEATS) -> tuple[float, float]:
    """The fastest of a few runs: wall and CPU seconds of the whole process."""
    found = []
    for _ in range(repeats):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "foretaste", "gate", data.name],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        found.append((wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return min(found)


if __name__ == "__main__":
    main()
