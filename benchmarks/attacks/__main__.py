"""Poison real data, train the standard victim and print what the attack achieved.

    python -m benchmarks.attacks --datasets sms_spam adult --rates 0.01 0.03 --seeds 0 1 2

An entry reads ``attack success (success against the clean victim), change of the clean accuracy``, means over
seeds. Success is the share of test rows of other classes taken for the target once they carry the trigger; of
near-duplicates, the share of fresh copies taken for the target; flips and fabricated rows have none. The rate
of ``bad-source*`` is the share of bad rows within one source of ten.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
from benchmarks.detection.cells import ATTACKS, make_cell, modality
from benchmarks.detection.data import DEFAULT_ROWS, KINDS
from benchmarks.detection.grid import FIRST
from benchmarks.detection.tables import environment
from benchmarks.detection.victims import Victim, accuracy, attack_success, copies_success

from foretaste.errors import DataError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks")
    parser.add_argument("--datasets", nargs="+", choices=sorted(KINDS), default=list(FIRST), metavar="NAME")
    parser.add_argument(
        "--attacks", nargs="+", choices=sorted(ATTACKS), default=list(ATTACKS), metavar="NAME"
    )
    parser.add_argument("--rates", nargs="+", type=float, default=[0.005, 0.01, 0.03], metavar="SHARE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N")
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="at most so many training rows")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(environment())
    for dataset in options.datasets:
        for line in table(dataset, options):
            print(line, flush=True)
        print()


def table(dataset: str, options: argparse.Namespace) -> Any:
    """The lines of one data set's table, as they are measured."""
    clean = {}
    for seed in options.seeds:
        train, truth = make_cell(dataset, "none", 0.0, seed, rows=options.rows)
        victim = Victim(seed).fit(train)
        clean[seed] = victim, accuracy(victim, truth["test"])
    start = np.mean([right for _, right in clean.values()])
    yield f"### {dataset}: {len(train)} rows, clean accuracy {start:.3f}"
    yield "| attack | " + " | ".join(f"{100 * rate:g} %" for rate in options.rates) + " |"
    yield "|---" * (1 + len(options.rates)) + "|"
    for attack in options.attacks:
        if modality(dataset) in ATTACKS[attack][0]:
            entries = [entry(dataset, attack, rate, clean, options) for rate in options.rates]
            yield f"| {attack} | {' | '.join(entries)} |"


def entry(
    dataset: str,
    attack: str,
    rate: float,
    clean: dict[int, tuple[Victim, float]],
    options: argparse.Namespace,
) -> str:
    changes, wins, chances = [], [], []
    for seed, (before, right) in clean.items():
        try:
            train, truth = make_cell(dataset, attack, rate, seed, rows=options.rows)
        except DataError as error:
            return f"{error}"[:60]
        victim = Victim(seed).fit(train)
        changes.append(accuracy(victim, truth["test"]) - right)
        for model, into in ((victim, wins), (before, chances)):
            if truth["trigger"] is not None:
                into.append(attack_success(model, truth["test"], truth["trigger"], truth["wanted"]))
            elif attack == "near-duplicates":
                into.append(copies_success(model, truth["clean"], truth["recipe"]))
    change = f"{np.mean(changes):+.3f}"
    return f"{np.mean(wins):.2f} ({np.mean(chances):.2f}), {change}" if wins else change


if __name__ == "__main__":
    main()
