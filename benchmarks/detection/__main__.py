"""Run the detection benchmark and print its tables.

    python -m benchmarks.detection --quick
    python -m benchmarks.detection --datasets sms_spam adult --attacks token values --seeds 0 1 2
    python -m benchmarks.detection --unseen --more --rows 3000 --contestants foretaste
    python -m benchmarks.detection --images --seeds 0 --contestants foretaste cleanlab leave-alone oracle
    python -m benchmarks.detection --tables-only

Results go to ``.benchmarks/detection.jsonl``, one line for each cell; a cell that is there is not run again
(``--redo foretaste`` forgets the lines of one contestant first). Shared data are needed; none are copied.
Peers that are not installed are left out, and said to be.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from benchmarks.detection.cells import ATTACKS, NO_ATTACK
from benchmarks.detection.contestants import CONTESTANTS
from benchmarks.detection.data import DEFAULT_ROWS, IMAGE_ROWS, KINDS
from benchmarks.detection.grid import FIRST, IMAGES, MORE, QUICK, STANDARD, UNSEEN, cells
from benchmarks.detection.peers import missing
from benchmarks.detection.tables import environment, tables

ROOT = Path(__file__).resolve().parents[2]
KEY = ("dataset", "attack", "rate", "seed", "contestant", "max_rows", "deduplicate", "format")


def main() -> None:
    options = parse()
    results = read(options.results)
    if options.redo:
        results = [line for line in results if line["contestant"] not in options.redo]
        options.results.write_text("".join(json.dumps(line) + "\n" for line in results))
    options.contestants = [c for c in options.contestants if options.tables_only or takes_part(c)]
    wanted = list(plan(options))
    if not options.tables_only:
        run_missing(wanted, results, options)
    keys = {key(cell) for cell in wanted}
    print(environment())
    print(tables([line for line in results if key(line) in keys]))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--datasets", nargs="+", choices=sorted(KINDS), metavar="NAME")
    parser.add_argument("--attacks", nargs="+", choices=[*NO_ATTACK, *ATTACKS], metavar="NAME")
    parser.add_argument("--rates", nargs="+", type=float, metavar="SHARE")
    parser.add_argument("--seeds", nargs="+", type=int, default=None, metavar="N")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--unseen", action="store_true", help="the data sets nothing was tuned on")
    parser.add_argument("--images", action="store_true", help="the sets of images")
    parser.add_argument("--more", action="store_true", help="harder and rarer attacks as well")
    parser.add_argument("--quick", action="store_true", help="one seed, few attacks, two data sets")
    rows = parser.add_mutually_exclusive_group()
    usual = f"{DEFAULT_ROWS}, {IMAGE_ROWS} images"
    rows.add_argument("--rows", type=int, metavar="N", help=f"training rows, at most; otherwise {usual}")
    rows.add_argument("--full", action="store_true", help="all training rows")
    parser.add_argument("--deduplicate", action="store_true", help="drop exact duplicates before poisoning")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--timeout", type=int, default=900, help="seconds one cell may take")
    parser.add_argument("--threads", type=int, default=2, help="threads of one cell")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="cells at once")
    parser.add_argument("--redo", nargs="+", choices=CONTESTANTS, help="forget the lines of these first")
    parser.add_argument("--results", type=Path, default=ROOT / ".benchmarks" / "detection.jsonl")
    parser.add_argument("--tables-only", action="store_true")
    return parser.parse_args()


def takes_part(name: str) -> bool:
    reason = missing(name)
    if reason is not None:
        print(reason, file=sys.stderr)
    return reason is None


def plan(options: argparse.Namespace) -> Any:
    """The cells the flags ask for."""
    usual = IMAGES if options.images else UNSEEN if options.unseen else FIRST[::3] if options.quick else FIRST
    datasets = options.datasets or usual
    attacks = QUICK if options.quick else STANDARD | (MORE if options.more else {})
    if options.attacks:
        known = STANDARD | MORE
        attacks = {name: known.get(name, (0.01,)) for name in options.attacks}
    if options.rates:
        attacks = {
            name: rates if name.startswith("none") else tuple(options.rates)
            for name, rates in attacks.items()
        }
    seeds = options.seeds if options.seeds is not None else [0] if options.quick else [0, 1, 2]
    settings = {"deduplicate": options.deduplicate, "format": options.format}
    if options.full or options.rows is not None:
        settings["max_rows"] = options.rows
    return cells(datasets, attacks, seeds, options.contestants, settings)


def run_missing(
    wanted: list[dict[str, Any]], results: list[dict[str, Any]], options: argparse.Namespace
) -> None:
    done = {key(line) for line in results if "error" not in line}
    missing = [cell for cell in wanted if key(cell) not in done]
    options.results.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(run_one, cell, options) for cell in missing]
        for number, ended in enumerate(as_completed(running), 1):
            line = ended.result()
            results[:] = [old for old in results if key(old) != key(line)] + [line]
            with options.results.open("a") as file:
                file.write(json.dumps(line) + "\n")
            name = "{dataset} {attack} {rate:g} seed {seed} {contestant}".format(**line)
            print(f"[{number}/{len(missing)}] {name}: {short(line)}", file=sys.stderr, flush=True)


def run_one(cell: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """One cell in a fresh process."""
    threads = str(options.threads)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.detection.one", json.dumps(cell)],
            capture_output=True,
            text=True,
            timeout=options.timeout,
            env=os.environ | dict.fromkeys(names, threads) | {"PYTHONPATH": paths},
        )
    except subprocess.TimeoutExpired:
        return {**cell, "error": f"took longer than {options.timeout} s"}
    lines = done.stdout.strip().splitlines()
    try:
        result: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        return {**cell, "error": f"exit status {done.returncode}: {done.stderr.strip()[-500:]}"}
    return result


def read(path: Path) -> list[dict[str, Any]]:
    """The results so far; of several lines for one cell, the last."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return list({key(line): line for line in lines}.values())


def key(cell: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(cell.get(name) for name in KEY)


def short(line: dict[str, Any]) -> str:
    if "error" in line:
        return str(line["error"])[:200]
    shown = [f"flagged {line['flagged']}"]
    for name in ("recall", "fdr", "auroc", "accuracy", "attack_success", "seconds"):
        if line.get(name) is not None:
            shown.append(f"{name} {line[name]:.3f}")
    return ", ".join(shown)


if __name__ == "__main__":
    main()
