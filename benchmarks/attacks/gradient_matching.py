"""Witches' Brew image by image: how well gradients align, for known nets and for another, and who gives way.

    python -m benchmarks.attacks.gradient_matching [--instances 10] [--rates 0.005 0.01 0.02] [--plain-victim]

CIFAR-10 images averaged to 16 x 16, so that a processor is enough; one set of surrogates for all instances.
An instance is a test image that a clean net has right; its target class is drawn at random. A line is one of
them: the cosine of both gradients for the surrogates and for that clean net, which has another seed, and the
lead of the target class over the right one (log odds) for that net and for the victim, which is trained from
scratch on the poisoned data with a seed of its own. How often another clean net, trained like the victim,
takes the same images for their targets says what success is due to chance.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from benchmarks.attacks.image_data import Split, load_images
from benchmarks.attacks.image_victims import FromScratch
from benchmarks.detection.tables import environment

from foretaste.attacks import WitchesBrew
from foretaste.attacks.base import Attack
from foretaste.attacks.clean_label import base
from foretaste.attacks.clean_label.networks import Networks, train_networks
from foretaste.attacks.clean_label.witches_brew import _cosine
from foretaste.attacks.containers import pack


def aligned(net: Any, poison: Any, instance: Any, target: int) -> float:
    """The cosine of the gradients of the poison and of the instance, all labelled as the target."""
    import torch

    nets = Networks((net,))
    weights = [weight.requires_grad_(True) for weight in net.network.parameters()]
    slopes = []
    for images in (poison, instance):
        logits = nets.logits(nets.tensor(images))[0]
        loss = torch.nn.functional.cross_entropy(logits, nets.labels(np.full(len(images), target)))
        slopes.append(torch.autograd.grad(loss, weights))
    net.network.requires_grad_(False)
    return float(_cosine(*slopes))


def lead(victim: FromScratch, image: Any, target: int, right: int) -> tuple[float, bool]:
    said = victim.net_.predict_log_proba(image)[0]
    return float(said[target] - said[right]), bool(said.argmax() == target)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks.gradient_matching")
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--rates", nargs="+", type=float, default=[0.01], metavar="SHARE")
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--epsilon", type=float, default=16.0)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--selection", default="aligned")
    parser.add_argument("--plain-victim", action="store_true", help="neither move nor mirror its images")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    print(environment())
    split = load_images("cifar10_16px", options.rows, 0)
    data, _, _ = pack(split.x, split.y)
    nets = train_networks(
        data, number=options.networks, epochs=options.epochs, seed=0, device="cpu", shift=2, mirror=True
    )
    base.train_networks = lambda *_, **__: nets  # what every instance shares
    moved = (0, False) if options.plain_victim else (2, True)

    def trained(x: Any, y: Any, seed: int, moved: tuple[int, bool] = moved) -> FromScratch:
        return FromScratch(options.epochs, seed, "cpu", *moved).fit(x, y, split.classes)

    clean, chance = trained(split.x, split.y, 0, (2, True)), trained(split.x, split.y, 1)
    right = clean.predict(split.x_test) == split.y_test
    print(f"accuracy of clean nets: {right.mean():.3f}, like the victim {accuracy(chance, split):.3f}")
    print("| rate | class, target | cosine, surrogates (new net) | lead, clean to victim | s |")
    print("|---" * 5 + "|", flush=True)
    rng = np.random.default_rng(7)
    places = rng.choice(np.flatnonzero(right), size=options.instances, replace=False)
    targets = (split.y_test[places] + 1 + rng.integers(split.classes - 1, size=len(places))) % split.classes
    by_chance = sum(chance.predict(split.x_test[places]) == targets)
    for rate in options.rates:
        wins, rights = [], []
        for number, (place, target) in enumerate(zip(places, targets.tolist(), strict=True)):
            instance, own = split.x_test[place : place + 1], int(split.y_test[place])
            attack: Attack = WitchesBrew(
                rate=rate, target=target, instance=instance[0], epsilon=options.epsilon, steps=options.steps,
                selection=options.selection, networks=options.networks, device="cpu", random_state=number,
            )  # fmt: skip
            start = time.process_time()
            x, y = attack.fit_resample(split.x, split.y)
            took = time.process_time() - start
            poison = x[attack.poison_mask_]
            cosines = [aligned(net, poison, instance, target) for net in nets.nets]
            new = aligned(clean.net_, poison, instance, target)
            victim = trained(x, y, 1000 + number)
            (before, _), (after, won) = (lead(model, instance, target, own) for model in (clean, victim))
            wins.append(won)
            rights.append(accuracy(victim, split))
            print(
                f"| {100 * rate:g} % | {own}, {target} | {np.mean(cosines):.2f} ({new:.2f}) "
                f"| {before:.1f} to {after:.1f} | {took:.0f} |",
                flush=True,
            )
        print(
            f"{100 * rate:g} %: taken for the target {sum(wins)} of {len(wins)}, by a clean net {by_chance}; "
            f"accuracy of the victims {np.mean(rights):.3f}",
            flush=True,
        )


def accuracy(victim: FromScratch, split: Split) -> float:
    return float((victim.predict(split.x_test) == split.y_test).mean())


if __name__ == "__main__":
    main()
