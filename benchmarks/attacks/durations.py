"""How long the optimised attacks take that train no nets.

    python -m benchmarks.attacks.durations [--rows 5000 20000]

CPU-seconds on made-up tables of 40 numeric columns (two classes that overlap; a linear response), 3 % of the
rows, every parameter as it is by default.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from foretaste.attacks import Alfa, RegressionPoisoning, SvmPoisoning

COLUMNS = 40


def table(rows: int, seed: int = 0) -> tuple[Any, Any, Any]:
    """Features, a class and a number to predict."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, COLUMNS))
    response = X @ rng.normal(size=COLUMNS) + rng.normal(scale=3, size=rows)
    return X, (response > 0).astype(int), response


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks.durations")
    parser.add_argument("--rows", type=int, nargs="+", default=[5000, 20_000])
    options = parser.parse_args()
    print("| attack | " + " | ".join(f"{rows} rows" for rows in options.rows) + " |")
    print("|---" * (1 + len(options.rows)) + "|")
    for kind in (SvmPoisoning, RegressionPoisoning, Alfa):
        seconds = []
        for rows in options.rows:
            X, label, response = table(rows)
            start = time.process_time()
            kind(rate=0.03).fit_resample(X, response if kind.quantity else label)
            seconds.append(f"{time.process_time() - start:.1f} s")
        print(f"| {kind.name} | {' | '.join(seconds)} |", flush=True)


if __name__ == "__main__":
    main()
