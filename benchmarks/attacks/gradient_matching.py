"""Witches' Brew image by image: how well gradients align, for known nets and for another, and who gives way.

    python -m benchmarks.attacks.gradient_matching [--instances 4] [--rows 3000] [--selection random]

CIFAR-10 images averaged to 16 x 16, so that a processor is enough; one set of surrogates for all instances. A
line is one test image: the cosine of both gradients for the surrogates and for a clean net trained from
another seed, and the lead of the target class over the right one (log odds) for that net and for the victim.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from benchmarks.attacks.image_data import Split, load_images
from benchmarks.attacks.image_victims import FromScratch

from foretaste.attacks import WitchesBrew
from foretaste.attacks.base import Attack
from foretaste.attacks.clean_label import base
from foretaste.attacks.clean_label.networks import Networks, train_networks
from foretaste.attacks.clean_label.witches_brew import _cosine
from foretaste.attacks.containers import pack


def halved(images: Any) -> Any:
    """Images with the mean of every 2 x 2 pixels."""
    number, height, width, channels = images.shape
    blocks = images.reshape(number, height // 2, 2, width // 2, 2, channels)
    return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)


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
    parser.add_argument("--instances", type=int, default=4)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--epsilon", type=float, default=24.0)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--selection", default="aligned")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    whole = load_images("cifar10_train10k", options.rows, 0)
    split = Split(halved(whole.x), whole.y, halved(whole.x_test), whole.y_test, whole.classes)
    data, _, _ = pack(split.x, split.y)
    nets = train_networks(data, number=options.networks, epochs=options.epochs, seed=0, device="cpu")
    base.train_networks = lambda *_, **__: nets  # what every instance shares
    clean = FromScratch(options.epochs, 0, "cpu").fit(split.x, split.y, split.classes)
    print(
        f"accuracy of the clean victim {(clean.predict(split.x_test) == split.y_test).mean():.3f}", flush=True
    )
    print("| image | class, target | cosine, surrogates (new net) | lead, clean to victim | s |")
    print("|---" * 5 + "|")
    rng, wins, chances = np.random.default_rng(7), 0, 0
    for number in range(options.instances):
        place = int(rng.integers(len(split.y_test)))
        right = int(split.y_test[place])
        target = int((right + 1 + rng.integers(split.classes - 1)) % split.classes)
        instance = split.x_test[place : place + 1]
        attack: Attack = WitchesBrew(
            rate=options.rate, target=target, instance=instance[0], epsilon=options.epsilon,
            steps=options.steps, selection=options.selection, networks=options.networks, device="cpu",
            random_state=number,
        )  # fmt: skip
        start = time.process_time()
        x, y = attack.fit_resample(split.x, split.y)
        took = time.process_time() - start
        poison = x[attack.poison_mask_]
        cosines = [aligned(net, poison, instance, target) for net in nets.nets]
        new = aligned(clean.net_, poison, instance, target)
        victim = FromScratch(options.epochs, 1000 + number, "cpu").fit(x, y, split.classes)
        (before, chance), (after, won) = (lead(model, instance, target, right) for model in (clean, victim))
        wins, chances = wins + won, chances + chance
        print(
            f"| {number} | {right}, {target} | {np.mean(cosines):.2f} ({new:.2f}) "
            f"| {before:.1f} to {after:.1f} | {took:.0f} |",
            flush=True,
        )
    print(f"taken for the target: {wins} of {options.instances}, by the clean victim {chances}")


if __name__ == "__main__":
    main()
