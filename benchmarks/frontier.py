"""What an attacker who knows the scan still gets: the frontier of damage that goes unseen, set by set.

    python -m benchmarks.frontier --datasets sms_spam nsl_kdd digits --trials 24 --out frontier

``digits`` come with scikit-learn: a table of pixels from eight annotators. For the others the shared data are
needed. A killed run goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.detection.data import KINDS, shared_data

from foretaste.data import Dataset
from foretaste.redteam.adaptive import Attempt, adapt, against_scan, frontier
from foretaste.redteam.plan import Plan, quick_plan
from foretaste.redteam.run import Workers
from foretaste.report.numbers import share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [*sorted(name for name, kind in KINDS.items() if kind.image is None), "digits"]
    parser.add_argument("--datasets", nargs="+", choices=names, default=["sms_spam", "nsl_kdd", "digits"])
    parser.add_argument("--attacks", nargs="+", help="of those a quick plan has; all without it")
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("frontier"))
    options = parser.parse_args()
    print("| data | attack | attempts, seen | rate | success, flagged | again | options |")
    print("|---|---|---|---|---|---|---|")
    for name in options.datasets:
        plan = prepare(name, options.out / name, options.rows)
        with Workers(plan, options.out / name, jobs=options.jobs).open() as workers:
            for attack, _, _ in plan.attacks:
                if options.attacks and attack not in options.attacks:
                    continue
                made = adapt(
                    plan,
                    attack,
                    trials=options.trials,
                    run=lambda trials, w=workers, p=plan: [lines[0] for lines in w.run(p, trials)],
                )
                tell(name, attack, made)


def prepare(name: str, folder: Path, rows: int) -> Plan:
    """The data as one file, and the attacks of a quick campaign against the scan alone."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "digits":
        table, roles = digits(), {"label": "digit", "source": "annotator"}
    else:
        kind = KINDS[name]
        table = pq.read_table(shared_data() / kind.file)
        table = (kind.prepare or (lambda given: given))(table).drop_columns(
            [column for column in kind.drop if column in table.column_names]
        )
        roles = {"label": kind.label} | ({"text": kind.text} if kind.text else {})
    drawn = np.random.default_rng(0).permutation(len(table))[:rows]
    table = table.take(pa.array(np.sort(drawn)))
    pq.write_table(table, folder / "data.parquet")
    return against_scan(quick_plan(folder / "data.parquet", Dataset.from_table(table, **roles)))


def digits() -> pa.Table:
    """1,797 handwritten digits as counts of ink in 8 x 8 cells, each labelled by one of eight annotators."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    columns = {f"pixel_{at // 8}_{at % 8}": X[:, at].astype(int) for at in range(64)}
    annotators = np.random.default_rng(0).integers(0, 8, len(y))
    return pa.table(columns | {"annotator": [f"annotator-{who}" for who in annotators], "digit": y})


def tell(name: str, attack: str, made: Sequence[Attempt]) -> None:
    """The frontier as rows of a table."""
    seen = sum(not attempt.unseen for attempt in made)
    best = frontier(made)
    for attempt in best:
        options = ", ".join(f"{key}={value}" for key, value in attempt.options.items() if value is not None)
        again = "failed"
        if attempt.again_success is not None:
            unseen = "" if attempt.again_unseen else ", seen"
            again = f"{share(attempt.again_success)}, {share(attempt.again_caught)}{unseen}"
        print(
            f"| {name} | {attack} | {len(made)}, {seen} | {share(attempt.rate)} "
            f"| {share(attempt.success)}, {share(attempt.caught)} | {again} | {options} |",
            flush=True,
        )
    if not best:
        print(f"| {name} | {attack} | {len(made)}, {seen} | | nothing unseen | | |", flush=True)


if __name__ == "__main__":
    main()
