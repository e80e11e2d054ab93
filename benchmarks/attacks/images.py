"""Poison real images, train a net, print what the attack achieved beside what its paper reports.

    python -m benchmarks.attacks.images --datasets cifar10_train10k --rates 0.001 0.005 0.01 0.03 0.05 0.1
    python -m benchmarks.attacks.images --quick            # small, on a processor

Success of a backdoor is the share of stamped test images that are taken for what the attack wants: the target
class (images of other classes; of the source class where there is one), or the next class (``all-to-all``).
Success of an attack on one image is the share of ``--instances`` images, never trained on, that are taken for
the target. In brackets the same against the victim trained on clean data; what the poison did is the
difference, which stands beside it (the trigger of ``narcissus`` alone fools clean nets). A victim is trained
from scratch; where the attack assumes knowledge of the victim's features (``model``), it is a new last layer
on them, unless ``--from-scratch`` is given.
``unlearnable`` poisons everything; what counts is the accuracy. The net has three layers of convolution, the
published figures are mostly of a ResNet-18 on all of CIFAR-10: they are no goal but a measure.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.attacks.image_data import FILES, Split, load_images
from benchmarks.attacks.image_victims import FromScratch, LastLayer
from benchmarks.detection.tables import environment

from foretaste.attacks import find_attack
from foretaste.errors import DataError

RATES = (0.001, 0.005, 0.01, 0.03, 0.05, 0.1)
TARGET = 0

# name: the published success (or accuracy) in percent, and where it holds
BACKDOORS = {
    "badnets": "95.0 at 10 % (BackdoorBench)",
    "blended": "99.9 at 10 % (BackdoorBench)",
    "sig": "98.3 at 10 % (BackdoorBench)",
    "wanet": "89.7 at 10 % (BackdoorBench)",
    "bpp": "-",
    "adaptive-blend": "-",
    "adaptive-patch": "-",
    "source-specific": "-",
    "all-to-all": "-",
    "label-consistent": "5.0 of transfer victims (poisoning-benchmark)",
    "narcissus": "97 at 0.05 % (paper)",
}
ON_FEATURES = {"hidden-trigger": "10.0 of transfer victims (poisoning-benchmark)"}
TARGETED = {
    "feature-collision": "22.0 of transfer victims (poisoning-benchmark)",
    "bullseye-polytope": "85.0 of transfer victims (poisoning-benchmark)",
    "witches-brew": "45.0 from scratch at 1 % (poisoning-benchmark)",
}
EVERYTHING = {"unlearnable": "accuracy 94.8 to 19.9 (paper)"}
PUBLISHED = BACKDOORS | ON_FEATURES | TARGETED | EVERYTHING


@dataclass
class Bench:
    """What all cells of one data set share: the split, and the victim of clean data."""

    split: Split
    options: argparse.Namespace

    def scratch(self) -> FromScratch:
        return FromScratch(self.options.epochs, self.options.seed, self.options.device)

    def fit_clean(self) -> Bench:
        self.clean = self.scratch().fit(self.split.x, self.split.y, self.split.classes)
        self.right = self.accuracy(self.clean)
        return self

    def accuracy(self, victim: Any) -> float:
        return float((victim.predict(self.split.x_test) == self.split.y_test).mean())

    def victims(self, name: str, attack: Any, x: Any, y: Any) -> tuple[Any, Any]:
        """One of the clean data and one of the poisoned."""
        if find_attack(name).knowledge != "model" or self.options.from_scratch:
            return self.clean, self.scratch().fit(x, y, self.split.classes)
        layers = [LastLayer(attack.surrogate_).fit(*part, self.split.classes)
                  for part in ((self.split.x, self.split.y), (x, y))]  # fmt: skip
        return layers[0], layers[1]

    def attack(self, name: str, rate: float | None, seed: int, **more: Any) -> tuple[Any, Any, Any, float]:
        kind = find_attack(name)
        known = kind._get_param_names()
        given = {"rate": rate, "target": TARGET, "random_state": seed, "device": self.options.device}
        given |= {"epochs": self.options.epochs, "steps": self.options.steps} | more
        if name in ("all-to-all", *EVERYTHING):
            given.pop("target")
        if name in ("unlearnable", "label-consistent"):
            given.pop("epochs"), given.pop("steps")
        attack = kind(**{key: value for key, value in given.items() if key in known})
        start = time.perf_counter()
        x, y = attack.fit_resample(self.split.x, self.split.y)
        return attack, x, np.asarray(y), time.perf_counter() - start


def backdoor(bench: Bench, name: str, rate: float) -> dict[str, Any]:
    """One backdoor at one rate."""
    attack, x, y, seconds = bench.attack(name, rate, bench.options.seed)
    split = bench.split
    before, victim = bench.victims(name, attack, x, y)
    notes = attack.recipe_["notes"]
    if "targets" in notes:
        wanted = np.array([int(notes["targets"][str(code)]) for code in split.y_test])
        asked = np.ones(len(wanted), dtype=bool)
    else:
        wanted = np.full(len(split.y_test), TARGET)
        asked = split.y_test != TARGET
        if "source_class" in notes:
            asked &= split.y_test == int(notes["source_class"])
    stamped = attack.trigger_.apply(split.x_test[asked])
    success, chance = (float((model.predict(stamped) == wanted[asked]).mean()) for model in (victim, before))
    return {"accuracy": bench.accuracy(victim), "success": success, "chance": chance, "seconds": seconds}


def targeted(bench: Bench, name: str, rate: float) -> dict[str, Any]:
    """One attack on single test images, several times."""
    split, rng = bench.split, np.random.default_rng(bench.options.seed)
    wins, chances, rights, seconds = [], [], [], 0.0
    for number in range(bench.options.instances):
        row = int(rng.integers(len(split.y_test)))
        target = int((split.y_test[row] + 1 + rng.integers(split.classes - 1)) % split.classes)
        attack, x, y, took = bench.attack(name, rate, number, target=target, instance=split.x_test[row])
        before, victim = bench.victims(name, attack, x, y)
        one = split.x_test[row : row + 1]
        wins.append(victim.predict(one)[0] == target)
        chances.append(before.predict(one)[0] == target)
        rights.append(bench.accuracy(victim))
        seconds += took
    return {
        "accuracy": float(np.mean(rights)),
        "success": float(np.mean(wins)),
        "chance": float(np.mean(chances)),
        "seconds": seconds / len(wins),
    }


def everything(bench: Bench, name: str, noise: str) -> dict[str, Any]:
    """An attack on all rows: only the accuracy counts."""
    _, x, y, seconds = bench.attack(name, None, bench.options.seed, noise=noise)
    victim = bench.scratch().fit(x, y, bench.split.classes)
    return {"accuracy": bench.accuracy(victim), "success": None, "chance": None, "seconds": seconds}


def cells(options: argparse.Namespace) -> list[tuple[str, Any, Any]]:
    """Every (attack, rate or kind, function), cheap ones first."""
    plain = [name for name in BACKDOORS if find_attack(name).extra is None]
    optimised = [name for name in (*BACKDOORS, *ON_FEATURES) if find_attack(name).extra]
    rows: list[tuple[str, Any, Any]] = [(name, rate, backdoor) for rate in options.rates for name in plain]
    rows += [(name, rate, targeted) for name in TARGETED for rate in options.optimised_rates]
    rows += [(name, kind, everything) for name in EVERYTHING for kind in ("class", "sample")]
    rows += [(name, rate, backdoor) for name in optimised for rate in options.optimised_rates]
    return [row for row in rows if row[0] in options.attacks]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks.images")
    full = [name for name in FILES if not name.endswith("_16px")]
    parser.add_argument("--datasets", nargs="+", choices=sorted(FILES), default=full, metavar="NAME")
    parser.add_argument("--attacks", nargs="+", choices=sorted(PUBLISHED), default=list(PUBLISHED))
    parser.add_argument("--rates", nargs="+", type=float, default=list(RATES), metavar="SHARE")
    parser.add_argument("--optimised-rates", nargs="+", type=float, default=[0.01, 0.05], metavar="SHARE")
    parser.add_argument("--rows", type=int, default=8000, help="at most so many training rows")
    parser.add_argument("--epochs", type=int, default=12, help="of every net")
    parser.add_argument("--steps", type=int, default=200, help="of optimised attacks")
    parser.add_argument("--instances", type=int, default=8, help="images that attacks on one image are after")
    parser.add_argument(
        "--from-scratch", action="store_true", help="victims of every attack, not only of most"
    )
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no cell after so long")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write one JSON line per cell here")
    parser.add_argument("--quick", action="store_true", help="fashion_mnist, 3000 rows, 8 epochs, 1 and 3 %%")
    options = parser.parse_args()
    if options.quick:
        options.datasets, options.rows, options.epochs = ["fashion_mnist"], 3000, 8
        options.rates, options.optimised_rates, options.instances = [0.01, 0.03], [0.02], 3
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    print(environment())
    print(
        "| data | attack | rate | accuracy, clean | accuracy | success (clean victim), gain | s | published |"
    )
    print("|---" * 8 + "|")
    for dataset in options.datasets:
        bench = Bench(load_images(dataset, options.rows, options.seed), options).fit_clean()
        for name, setting, run in cells(options):
            if time.perf_counter() - start > options.seconds:
                print(f"stopped after {options.seconds:g} s", flush=True)
                return
            line(dataset, name, setting, run, bench)


def gained(success: float, chance: float) -> str:
    return f"{success:.2f} ({chance:.2f}), {success - chance:+.2f}"


def line(dataset: str, name: str, setting: Any, run: Any, bench: Bench) -> None:
    shown = f"{100 * setting:g} %" if isinstance(setting, float) else setting
    try:
        found = run(bench, name, setting)
    except DataError as error:
        print(f"| {dataset} | {name} | {shown} | {bench.right:.3f} | {str(error)[:70]} | | | |", flush=True)
        return
    won = "" if found["success"] is None else gained(found["success"], found["chance"])
    print(
        f"| {dataset} | {name} | {shown} | {bench.right:.3f} | {found['accuracy']:.3f} | {won} "
        f"| {found['seconds']:.2f} | {PUBLISHED[name]} |",
        flush=True,
    )
    if bench.options.out is not None:
        entry = {"data": dataset, "attack": name, "setting": setting, "clean_accuracy": bench.right} | found
        with bench.options.out.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
