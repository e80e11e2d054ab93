"""What it costs to apply a trigger: beside copying the data, and beside a loop over single images.

    python -m benchmarks.attacks.stamping [--rows 20000]

The loop is the way of BackdoorBench, and of ART where a perturbation is given one image at a time: take an
image out of the array, alter it, put it back. ART itself is timed where it is installed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from foretaste.attacks.backdoors.images.badnets import Patch
from foretaste.attacks.backdoors.images.blended import Blend
from foretaste.attacks.backdoors.images.bpp import Dither
from foretaste.attacks.backdoors.images.sig import Sinusoid
from foretaste.attacks.backdoors.images.wanet import Warp
from foretaste.attacks.containers import pack

TRIGGERS = (Patch(), Blend(), Sinusoid(), Warp(), Dither())


def seconds(call: Callable[[], Any]) -> float:
    """The shortest of three, of this process alone."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def one_by_one(trigger: Any, images: Any) -> Any:
    rng = np.random.default_rng(0)
    out = images.copy()
    for i in range(len(out)):
        out[i] = trigger.paint(out[i : i + 1], rng)[0]
    return out


def art_seconds(images: Any) -> float | None:
    if find_spec("art") is None:
        return None
    from art.attacks.poisoning import PoisoningAttackBackdoor
    from art.attacks.poisoning.perturbations import add_pattern_bd

    attack = PoisoningAttackBackdoor(add_pattern_bd)
    scaled = images.astype(np.float32) / 255
    return seconds(lambda: attack.poison(scaled, np.eye(10)[np.zeros(len(scaled), int)]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks.stamping")
    parser.add_argument("--rows", type=int, default=20_000)
    rows = parser.parse_args().rows
    images = np.random.default_rng(0).integers(256, size=(rows, 32, 32, 3), dtype=np.uint8)
    copy = seconds(images.copy)
    print(f"{rows} images of 32 x 32 x 3, copying them takes {1000 * copy:.0f} ms")
    print("| trigger | all rows, times a copy | 1 % of rows, times a copy | one by one, times ours |")
    print("|---|---|---|---|")
    few = images[: max(1, rows // 100)]
    for trigger in TRIGGERS:
        whole = seconds(lambda t=trigger: t.apply(images))
        data, _, _ = pack(images)
        part = seconds(lambda t=trigger, d=data: t.stamp(d, np.arange(len(few)), np.random.default_rng(0)))
        loop = seconds(lambda t=trigger: one_by_one(t, few)) * rows / len(few)
        print(f"| {trigger.kind} | {whole / copy:.1f} | {part / copy:.1f} | {loop / whole:.1f} |", flush=True)
    art = art_seconds(images)
    print("ART is not installed" if art is None else f"ART add_pattern_bd: {art / copy:.1f} times a copy")


if __name__ == "__main__":
    main()
