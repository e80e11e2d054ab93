"""Attacks beside those of the Adversarial Robustness Toolbox (ART): same rows, same victim, success and time.

    python -m benchmarks.attacks.beside_art [--rows 2000] [--epochs 6]

ART 1.20.1 runs with numpy 1.26.4, scikit-learn 1.5.2, pandas 2.2.3, pyarrow 19.0.1 and packaging, not what
this project installs: call this from an environment of its own, with this checkout and its ``src``
on ``PYTHONPATH``. Seconds are those of the processor, without training the surrogate, which ART is given.
Success is that of `benchmarks.attacks.images`; for a linear machine it is the error on test rows.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from benchmarks.attacks.image_data import Split, load_images
from benchmarks.attacks.image_victims import FromScratch, LastLayer
from benchmarks.detection.data import load_split
from benchmarks.detection.tables import environment
from sklearn.svm import LinearSVC

from foretaste.attacks import BadNets, FeatureCollision, LabelConsistent, SvmPoisoning
from foretaste.attacks.clean_label.networks import Networks, train_networks
from foretaste.attacks.containers import pack
from foretaste.attacks.design import Design
from foretaste.data.dataset import Dataset

TARGET = 0
EPSILON = 32
COLLISIONS = 10
COLLISION_STEPS = 100
INSTANCES = 3
HARDENED_RATES = (0.05,)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return call(), time.process_time() - start


def line(name: str, rate: float, ours: tuple[str, float], theirs: tuple[str, float]) -> str:
    ratio = theirs[1] / max(ours[1], 1e-4)
    cells = [f"{result}, {seconds:.3f} s" for result, seconds in (ours, theirs)]
    return f"| {name} | {100 * rate:.2g} % | {cells[0]} | {cells[1]} | {ratio:.1f} |"


@dataclass
class Bench:
    """The images, and a victim trained from scratch."""

    split: Split
    epochs: int

    def fit(self, x: Any, y: Any) -> FromScratch:
        return FromScratch(self.epochs, 0, "cpu").fit(x, y, self.split.classes)

    def surrogate(self) -> Networks:
        data, _, _ = pack(self.split.x, self.split.y)
        return train_networks(data, number=1, epochs=self.epochs, seed=7, device="cpu")

    def success(self, victim: Any, stamped: Any) -> str:
        others = self.split.y_test != TARGET
        return f"{(victim.predict(stamped[others]) == TARGET).mean():.2f}"


def art_classifier(nets: Networks, split: Split) -> Any:
    """A net as ART takes it: images ``[n, C, H, W]`` from 0 to 1."""
    import torch
    from art.estimators.classification import PyTorchClassifier

    from foretaste.learners.convnet import prepared

    class Scale(torch.nn.Module):
        def forward(self, images: Any) -> Any:
            return prepared(images * 255)

    network = nets.nets[0].network
    height, width, channels = nets.nets[0].shape
    model = torch.nn.Sequential(
        OrderedDict(scale=Scale(), features=network[:-1], last=network[-1])
    ).requires_grad_(True)
    return PyTorchClassifier(
        model, loss=torch.nn.CrossEntropyLoss(), input_shape=(channels, height, width),
        nb_classes=split.classes, clip_values=(0.0, 1.0), device_type="cpu",
    )  # fmt: skip


def to_art(images: Any) -> Any:
    axes = images if images.ndim == 4 else images[..., None]
    return np.ascontiguousarray(axes.transpose(0, 3, 1, 2)).astype(np.float32) / 255


def from_art(images: Any, like: Any) -> Any:
    rolled = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    return rolled if like.ndim == 4 else rolled[..., 0]


def art_patch(split: Split) -> tuple[Any, Any, Callable[[Any], Any]]:
    """ART's patch: the attack, the class it is for, and images with it."""
    from art.attacks.poisoning import PoisoningAttackBackdoor
    from art.attacks.poisoning.perturbations import add_pattern_bd

    patch = PoisoningAttackBackdoor(lambda x: add_pattern_bd(x, channels_first=True))
    wanted = np.eye(split.classes, dtype=np.float32)[TARGET]
    return (
        patch,
        wanted,
        lambda images: from_art(patch.poison(to_art(images), wanted, broadcast=True)[0], images),
    )


def backdoors(bench: Bench, rates: list[float]) -> Iterator[str]:
    """A patch with wrong labels."""
    split = bench.split
    _, _, stamped = art_patch(split)
    test_stamped = stamped(split.x_test)
    for rate in rates:
        attack = BadNets(rate=rate, target=TARGET)
        (x, y), took = timed(lambda a=attack: a.fit_resample(split.x, split.y))
        ours = bench.success(bench.fit(x, y), attack.trigger_.apply(split.x_test)), took
        rows = np.flatnonzero(attack.poison_mask_)

        def by_art(rows: Any = rows) -> tuple[Any, Any]:
            x, y = split.x.copy(), split.y.copy()
            x[rows], y[rows] = stamped(x[rows]), TARGET
            return x, y

        (x, y), took = timed(by_art)
        yield line("badnets", rate, ours, (bench.success(bench.fit(x, y), test_stamped), took))


def hardened(bench: Bench) -> Iterator[str]:
    """A patch on images of the target class that were made hard to learn; their labels are right."""
    from art.attacks.poisoning import PoisoningAttackCleanLabelBackdoor

    split = bench.split
    patch, wanted, stamped = art_patch(split)
    classifier = art_classifier(bench.surrogate(), split)
    for rate in HARDENED_RATES:
        attack = LabelConsistent(rate=rate, target=TARGET, epsilon=EPSILON, epochs=bench.epochs, device="cpu")
        (x, y), took = timed(lambda a=attack: a.fit_resample(split.x, split.y))
        took -= training_time(bench)
        ours = bench.success(bench.fit(x, y), attack.trigger_.apply(split.x_test)), took
        rows = np.flatnonzero(attack.poison_mask_)
        art = PoisoningAttackCleanLabelBackdoor(
            patch, classifier, wanted, pp_poison=1 - 1e-9, eps=EPSILON / 255, eps_step=EPSILON / 255 / 4,
            max_iter=20,
        )  # fmt: skip

        def harden(rows: Any = rows, art: Any = art) -> Any:
            np.random.seed(0)  # noqa: NPY002  # what ART draws from, with replacement: some rows twice
            labels = np.tile(wanted, (len(rows), 1))
            return from_art(art.poison(to_art(split.x[rows]), labels)[0], split.x)

        found, took = timed(harden)
        x = split.x.copy()
        x[rows] = found
        theirs = bench.success(bench.fit(x, split.y), stamped(split.x_test)), took
        yield line("label-consistent", rate, ours, theirs)


def training_time(bench: Bench) -> float:
    return timed(bench.surrogate)[1]


def collisions(bench: Bench) -> Iterator[str]:
    """A few images moved onto one image in feature space; the victim is a new last layer."""
    from art.attacks.poisoning import FeatureCollisionAttack

    split, rng = bench.split, np.random.default_rng(3)
    wins: list[list[bool]] = []
    seconds = np.zeros(2)
    for number in range(INSTANCES):
        place = int(rng.choice(np.flatnonzero(split.y_test != TARGET)))
        instance = split.x_test[place : place + 1]
        attack = FeatureCollision(
            rate=COLLISIONS / len(split.y), target=TARGET, instance=instance[0], epochs=bench.epochs,
            steps=COLLISION_STEPS, device="cpu", random_state=number,
        )  # fmt: skip
        (x, _), took = timed(lambda a=attack: a.fit_resample(split.x, split.y))
        nets, rows = attack.surrogate_, np.flatnonzero(attack.poison_mask_)
        classifier = art_classifier(nets, split)
        art = FeatureCollisionAttack(
            classifier, to_art(instance), "features", max_iter=COLLISION_STEPS, learning_rate=1.0,
            similarity_coeff=256.0, watermark=0.3, verbose=False,
        )  # fmt: skip
        found, theirs = timed(lambda a=art, r=rows: a.poison(to_art(split.x[r]))[0])
        moved = split.x.copy()
        moved[rows] = from_art(found, split.x)
        seconds += [took - training_time(bench), theirs]
        wins.append(
            [
                bool(LastLayer(nets).fit(images, split.y, split.classes).predict(instance)[0] == TARGET)
                for images in (x, moved)
            ]
        )
    shares = [f"{sum(column)} of {INSTANCES}" for column in zip(*wins, strict=True)]
    ours, theirs_ = ((share, float(took) / INSTANCES) for share, took in zip(shares, seconds, strict=True))
    yield line("feature-collision", COLLISIONS / len(split.y), ours, theirs_)


def linear_machine(rows: int, points: int) -> Iterator[str]:
    """Rows for a linear support vector machine, on columns scaled to unit variance."""
    from art.attacks.poisoning import PoisoningAttackSVM
    from art.estimators.classification.scikitlearn import ScikitlearnSVC
    from sklearn.svm import SVC

    train, test = load_split("wine_colour", 0, rows=rows)
    rate = points / (rows + points)
    clean = 1 - scaled_accuracy(train, test)
    attack = SvmPoisoning(rate=rate, target="white")
    after, took = timed(lambda: attack.poison(train))
    ours = f"error {100 * clean:.1f} to {100 * (1 - scaled_accuracy(after.data, test)):.1f} %", took
    design = Design.of(train, None, "benchmark")
    X, y = design.matrix[:, : len(design.columns)], train.labels.codes.astype(int)
    label = train.labels.names.index("white")
    one_hot = np.eye(2)[y]
    machine = ScikitlearnSVC(SVC(C=1.0, kernel="linear"), clip_values=(design.lower, design.upper))
    machine.fit(X, one_hot)
    start = X[np.random.default_rng(0).choice(np.flatnonzero(y != label), size=points)].copy()
    art = PoisoningAttackSVM(
        machine,
        step=0.5,
        eps=1.0,
        x_train=X,
        y_train=one_hot,
        x_val=X,
        y_val=one_hot,
        max_iter=20,
        verbose=False,
    )
    (made, _), took = timed(lambda: art.poison(start, y=np.eye(2)[np.full(points, label)]))
    added = rewritten(train, design, made, label, np.random.default_rng(0))
    theirs = f"error {100 * clean:.1f} to {100 * (1 - scaled_accuracy(added, test)):.1f} %", took
    yield line("svm-poisoning", rate, ours, theirs)


def scaled_accuracy(train: Dataset, test: Dataset) -> float:
    """A linear support vector machine on columns scaled to unit variance."""
    both = Dataset(pa.concat_tables([train.table, test.table]), train.roles)
    X, Z = np.split(Design.of(both, None, "benchmark").matrix, [len(train)])
    said, truth = (np.array(part.labels.names)[part.labels.codes] for part in (train, test))
    model = LinearSVC(C=1.0, dual=False, max_iter=3000).fit(X, said)
    return float((model.predict(Z) == truth).mean())


def rewritten(train: Dataset, design: Design, made: Any, label: int, rng: np.random.Generator) -> Dataset:
    """The training rows and those made, back in the units of the columns."""
    donors = train.take(rng.choice(np.flatnonzero(train.labels.codes == label), size=len(made)))
    matrix = design.matrix[: len(made)].copy()
    matrix[:, : len(design.columns)] = made
    table = design.write(donors.table, matrix)
    return Dataset(pa.concat_tables([train.table, table]), train.roles, train.name)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks.beside_art")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rates", nargs="+", type=float, default=[0.001, 0.005, 0.01], metavar="SHARE")
    parser.add_argument("--parts", nargs="+", default=["linear", "backdoors", "hardened", "collisions"])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import art
    import torch

    torch.set_num_threads(1)
    print(environment(), "; ART", art.__version__)
    print("| attack | rate | foretaste | ART | ART's seconds by ours |")
    print("|---" * 5 + "|")
    bench = Bench(load_images("fashion_mnist", options.rows, 0), options.epochs)
    parts = {
        "linear": lambda: linear_machine(200, 10),
        "backdoors": lambda: backdoors(bench, options.rates),
        "hardened": lambda: hardened(bench),
        "collisions": lambda: collisions(bench),
    }
    for name in options.parts:
        for entry in parts[name]():
            print(entry, flush=True)


if __name__ == "__main__":
    main()
