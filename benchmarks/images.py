"""Shared artefacts in images: what is found of each attack, what in clean data, in how many CPU seconds.

    python -m benchmarks.images --rows 3000 --seeds 21
    python -m benchmarks.images --attacks none --seeds 11,12,13
    python -m benchmarks.images --attacks filter-blur:.02,elastic:.02 --rows 2000 --seeds 2 --success
    python -m benchmarks.images --attacks camera-brighter --seeds 2    # half of one class, right labels

Prints one line a cell: rows the attack altered (covers among them), rows flagged, recall, realised
false-discovery rate, and per campaign its rule, pattern, view, separation and the largest natural one.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from benchmarks.detection.data import shared_data
from benchmarks.detection.victims import Victim
from benchmarks.transforms import COLOURS, TRANSFORMS
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from foretaste.attacks import find_attack
from foretaste.data import Dataset, from_arrays
from foretaste.detect.artefacts.shared import SharedArtefacts
from foretaste.detect.context import Context

FILES = {
    "cifar10_train10k": "train.npz",
    "fashion_mnist": "train.npz",
    "gtsrb": "gtsrb.npz",
    "pneumoniamnist": "train.npz",
}
COLOURED = ("cifar10_train10k", "gtsrb")
ATTACKS = (
    "none,badnets:.005,badnets:.01,blended:.01,blended:.02,sig:.03,wanet:.03,all-to-all:.02,"
    "adaptive-blend:.02,adaptive-patch:.02,source-specific:.01,bpp:.02,sig-any-phase:.03"
)
ANY_PHASE = "sig-any-phase"
CAMERA = "camera-"
"""Before a transform: half of the target class went through it, and its labels are right."""

POOL = 50
TESTED = 600


def load(name: str, rows: int, seed: int, after: int = 0) -> Dataset:
    """A random part of one data set; after so many rows: another part."""
    with np.load(shared_data() / name / FILES[name]) as arrays:
        x, y = arrays["x"], arrays["y"]
    chosen = np.random.default_rng(seed).permutation(len(x))[after : after + rows]
    return from_arrays(x[chosen], y[chosen].astype(str))


def with_waves(data: Dataset, rate: float, target: str, seed: int) -> tuple[Dataset, NDArray[np.int64]]:
    """The wave of ``sig`` with a phase of its own in each row, that gets the target label."""
    assert data.images is not None
    rng, y = np.random.default_rng(seed), np.array(data.labels.names)[data.labels.codes]
    rows = np.sort(rng.permutation(np.flatnonzero(y != target))[: round(rate * len(y))])
    x, across = data.images.astype(np.float32), np.arange(data.images.shape[2])
    angle = 2 * np.pi * (6 * across / len(across) + rng.random((len(rows), 1)))
    wave = (40 * np.sin(angle))[:, None, :]
    x[rows] += wave if x.ndim == 3 else wave[..., None]
    y[rows] = target
    return from_arrays(np.clip(np.rint(x), 0, 255).astype(np.uint8), y), rows


def transformed(
    name: str, data: Dataset, kind: str, rate: float, target: str, seed: int
) -> tuple[Dataset, NDArray[np.int64]]:
    """Images of other classes that a transform went over and that got the target label; or a camera's."""
    x, y = shown(data), np.array(data.labels.names)[data.labels.codes]
    rng, camera = np.random.default_rng(seed), kind.startswith(CAMERA)
    rows = rng.permutation(np.flatnonzero((y == target) == camera))
    rows = np.sort(rows[: len(rows) // 2 if camera else round(rate * len(y))])
    others = shown(load(name, POOL, seed, len(data)))
    x[rows] = TRANSFORMS[kind.removeprefix(CAMERA)](x[rows], rng, others)
    y[rows] = target
    return from_arrays(x, y), rows


def shown(data: Dataset) -> NDArray[np.uint8]:
    """Its images, [n, H, W, C]."""
    assert data.images is not None
    x = data.images.copy()
    return x if x.ndim == 4 else x[..., None]


def success(name: str, data: Dataset, kind: str, target: str, seed: int, after: int) -> float:
    """Share of unseen images of other classes that a net takes for the target once they are transformed."""
    test = load(name, 2 * TESTED, seed, after + POOL)
    y = np.array(test.labels.names)[test.labels.codes]
    rows = np.flatnonzero(y != target)[:TESTED]
    others = shown(load(name, POOL, seed, after))
    x = TRANSFORMS[kind](shown(test)[rows], np.random.default_rng(seed), others)
    return float((Victim(0).fit(data).predict(from_arrays(x, y[rows])) == target).mean())


def cell(name: str, attack: str, rows: int, seed: int, told: bool = False) -> str:
    """One line about one data set, attack and seed."""
    data, altered = load(name, rows, seed), np.zeros(0, np.int64)
    kind, _, rate = attack.partition(":")
    if kind != "none":
        sizes = np.bincount(data.labels.codes)
        target = data.labels.names[int(np.argsort(-sizes, kind="stable")[seed % 3])]
        if kind == ANY_PHASE:
            data, altered = with_waves(data, float(rate), target, seed)
        elif kind.removeprefix(CAMERA) in TRANSFORMS:
            data, altered = transformed(name, data, kind, float(rate or 0), target, seed)
        else:
            aimed = {} if kind == "all-to-all" else {"target": target}
            done = find_attack(kind)(rate=float(rate), random_state=seed, **aimed).poison(data)
            data, altered = done.data, np.flatnonzero(done.mask)
    started = time.process_time()
    with threadpool_limits(1):
        found = SharedArtefacts().examine(Context(data, jobs=1)).campaigns
    seconds = time.process_time() - started
    flagged = np.unique(np.concatenate([np.zeros(0, np.int64), *(c.rows for c in found)]))
    hit = len(np.intersect1d(flagged, altered))
    works = ""
    if told and kind in TRANSFORMS:
        left = data.take(np.setdiff1d(np.arange(len(data)), flagged))
        works = (
            " to ".join(f"{success(name, d, kind, target, seed, len(data)):.2f}" for d in (data, left)) + "  "
        )
    shown = "; ".join(
        f"{c.rule} {c.pattern} ({c.parts[0]['view']}, {c.statistic.value:.1f} against "
        f"{c.statistic.natural_max or 0:.1f})"
        for c in found
    )
    return (
        f"{name:<17}{attack:<20}{seed:>4}{len(altered):>6}{len(flagged):>6}{hit / max(len(altered), 1):>7.2f}"
        f"{1 - hit / max(len(flagged), 1) if len(flagged) else 0:>6.2f}{seconds:>6.0f} s  {works}{shown}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--seeds", default="21")
    parser.add_argument("--datasets", default=",".join(FILES), help="some of these: the default")
    parser.add_argument("--attacks", default=ATTACKS)
    parser.add_argument("--success", action="store_true", help="train nets on what is there and what is left")
    chosen = parser.parse_args()
    unknown = set(chosen.datasets.split(",")) - set(FILES)
    if unknown:
        parser.error(f"there is no data set {min(unknown)}; there are {', '.join(FILES)}")
    print(f"{'data':<17}{'attack':<20}{'seed':>4}{'rows':>6}{'found':>6}{'recall':>7}{'FDR':>6}{'CPU':>6}")
    for attack in chosen.attacks.split(","):
        for seed in map(int, chosen.seeds.split(",")):
            for name in chosen.datasets.split(","):
                if attack.partition(":")[0].removeprefix(CAMERA) in COLOURS and name not in COLOURED:
                    continue
                print(cell(name, attack, chosen.rows, seed, chosen.success), flush=True)


if __name__ == "__main__":
    main()
