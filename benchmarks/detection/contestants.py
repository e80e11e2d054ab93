"""Detectors under test, behind one interface: a file goes in, flags, scores and names come out.

``foretaste`` is given the file and nothing else. The others have no notion of a file: see
`benchmarks.detection.peers`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.detection.peers import PEERS
from benchmarks.detection.verdict import Contestant, Verdict

from foretaste.data.dataset import Dataset


def foretaste(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """This package, by its public entry point, on defaults but for the decoys (and a cell's threads)."""
    from foretaste._scan import scan

    roles = {"label": train.roles.label, "source": train.roles.source, "image": train.roles.image}
    named = {role: column for role, column in roles.items() if column is not None}
    threads = int(os.environ.get("OMP_NUM_THREADS", 0)) or None
    found = scan(path, **named, jobs=threads, decoys=False)  # decoys change no finding: benchmarks.floor
    rows = found.rows
    group = np.array(rows.column("group").fill_null(-1).to_pylist(), dtype=np.int64)
    sources: list[str] = []
    if found.sources is not None:
        table = found.sources.to_pydict()
        sources = [name for name, bad in zip(table["source"], table["flagged"], strict=True) if bad]
    return Verdict(
        flags=found.flagged,
        scores=np.array(rows.column("score").to_pylist(), dtype=np.float64),
        family=rows.column("family").to_pylist(),
        patterns=[pattern or "" for pattern in found.groups.column("pattern").to_pylist()],
        groups=[np.flatnonzero(group == number) for number in found.groups.column("group").to_pylist()],
        sources=sources,
        verdict=found.verdict,
    )


def leave_alone(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Flag nothing: what happens without a defence."""
    return Verdict(np.zeros(len(train), dtype=bool))


def oracle(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Flag exactly the poisoned rows: the best any filter can do."""
    return Verdict(truth["mask"] & ~truth["cover"])


CONTESTANTS: dict[str, Contestant] = {
    "foretaste": foretaste,
    **PEERS,
    "leave-alone": leave_alone,
    "oracle": oracle,
}
