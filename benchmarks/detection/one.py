"""One contestant on one cell, in a process of its own; prints one line of JSON.

A process of its own, so that the peak memory is the detector's and a crash costs one cell.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any


def run(cell: dict[str, Any]) -> dict[str, Any]:
    """Poison, write, detect, measure."""
    import pyarrow.csv
    import pyarrow.parquet
    from benchmarks.detection.cells import make_cell
    from benchmarks.detection.contestants import CONTESTANTS
    from benchmarks.detection.measure import measure_flags, measure_victim

    train, truth = make_cell(
        cell["dataset"],
        cell["attack"],
        cell["rate"],
        cell["seed"],
        rows=cell["max_rows"],
        deduplicate=cell["deduplicate"],
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{cell['dataset']}.{cell['format']}"
        writer = pyarrow.csv.write_csv if cell["format"] == "csv" else pyarrow.parquet.write_table
        writer(train.table, path)
        started, cpu = time.perf_counter(), _cpu_seconds()
        verdict = CONTESTANTS[cell["contestant"]](path, train, truth)
        seconds, cpu = time.perf_counter() - started, _cpu_seconds() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "peak_mb": round(peak, 1),
        "target": truth["target"],
        "trigger": None if truth["trigger"] is None else truth["trigger"].describe(),
        **measure_flags(verdict, truth),
        "patterns": verdict.patterns[:20],
        "sources": verdict.sources[:20],
        **measure_victim(verdict, train, truth, cell["seed"]),
    }


def _cpu_seconds() -> float:
    """Of this process and of those it has waited for."""
    return sum(os.times()[:4])


def main() -> None:
    cell = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    try:
        result = run(cell)
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()[-2000:]}
    print(json.dumps({**cell, **result}))


if __name__ == "__main__":
    main()
