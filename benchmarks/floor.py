"""What a scan says it would have found, data set by data set, beside what it then does find.

    python -m benchmarks.floor --datasets sms_spam nsl_kdd --seeds 0 1 2

The floor is measured on clean data; then single triggers are planted, one per seed and rate, in draws that
the floor has not seen, and the share found is put beside the promise. Shared data are needed.
"""

from __future__ import annotations

import argparse

import numpy as np
from benchmarks.detection.cells import choose_target, modality
from benchmarks.detection.data import KINDS, load_split
from threadpoolctl import threadpool_limits

from foretaste._scan.floor import DOSES, FAINT, PLANTS, detection_floor
from foretaste.attacks import find_attack
from foretaste.detect.context import Context
from foretaste.detect.registry import find_detector

ALPHA, FDR = 0.01, 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", choices=sorted(KINDS), default=["sms_spam", "nsl_kdd"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", type=int, default=5000)
    options = parser.parse_args()
    print("| data | attack | rate | promised | found |\n|---|---|---|---|---|")
    for dataset in options.datasets:
        with threadpool_limits(1):
            report(dataset, options.seeds, options.rows)


def report(dataset: str, seeds: list[int], rows: int) -> None:
    """Print the floor of one data set beside what is found in other draws of it."""
    clean, _ = load_split(dataset, 1000, rows=rows)
    promised = {(f.attack, f.rate): f for f in detection_floor(clean, alpha=ALPHA, fdr=FDR)}
    attacks, detectors = PLANTS[modality(dataset)]
    for attack in attacks:
        for rate in DOSES:
            if (attack, rate) not in promised:
                continue
            hits = [found(dataset, attack, detectors, rate, seed, rows) for seed in seeds]
            print(
                f"| {dataset} | {attack} | {rate:.2%} | {promised[attack, rate].probability:.2f} "
                f"| {np.mean(hits):.2f} ({sum(hits)} of {len(hits)}) |",
                flush=True,
            )


def found(dataset: str, attack: str, detectors: tuple[str, ...], rate: float, seed: int, rows: int) -> bool:
    """Whether one planted trigger is the better part of a campaign that is the better part of it."""
    train, _ = load_split(dataset, seed, rows=rows)
    target = choose_target(train, rate, seed)
    made = find_attack(attack)(rate=rate, target=target, random_state=seed, **FAINT.get(attack, {}))
    done = made.poison(train)
    context = Context(done.data, jobs=1)
    for name in detectors:
        for campaign in find_detector(name)(alpha=ALPHA).examine(context).campaigns:
            inside = done.mask[campaign.rows].sum()
            if 2 * inside >= max(done.mask.sum(), len(campaign.rows)):
                return True
    return False


if __name__ == "__main__":
    main()
