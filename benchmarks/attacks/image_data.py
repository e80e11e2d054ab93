"""Images for the benchmark of attacks, from the shared folder beside the checkout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from benchmarks.detection.data import shared_data

FILES = {
    "cifar10_train10k": ("cifar10_train10k/train.npz", None),
    "cifar10_16px": ("cifar10_train10k/train.npz", None),  # the same, averaged to 16 x 16 for a processor
    "fashion_mnist": ("fashion_mnist/train.npz", "fashion_mnist/test.npz"),
    "gtsrb": ("gtsrb/gtsrb.npz", None),
}
TEST_ROWS = 2000


@dataclass(frozen=True)
class Split:
    """Training and test images ``[n, H, W(, C)]`` with labels from 0 on."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any
    classes: int


def load_images(name: str, rows: int, seed: int) -> Split:
    """A split of one data set; frames of one physical sign (gtsrb) are never on both sides."""
    file, test_file = FILES[name]
    rng = np.random.default_rng([seed, *file.split("/")[0].encode()])
    with np.load(shared_data() / file, allow_pickle=False) as archive:
        x, y = archive["x"], archive["y"].astype(np.int64)
        group = archive["track"] + 1000 * y if "track" in archive.files else np.arange(len(y))
    if test_file is not None:
        with np.load(shared_data() / test_file, allow_pickle=False) as archive:
            x_test, y_test = archive["x"][:TEST_ROWS], archive["y"][:TEST_ROWS].astype(np.int64)
    else:
        groups = rng.permutation(np.unique(group))
        held = np.isin(group, groups[: round(len(groups) * TEST_ROWS / len(y))])
        x, y, x_test, y_test = x[~held], y[~held], x[held], y[held]
    if name.endswith("_16px"):
        x, x_test = halved(x), halved(x_test)
    chosen = np.sort(rng.permutation(len(y))[:rows])
    return Split(x[chosen], y[chosen], x_test, y_test, int(y.max()) + 1)


def halved(images: Any) -> Any:
    """Images with the mean of every 2 x 2 pixels."""
    number, height, width, channels = images.shape
    blocks = images.reshape(number, height // 2, 2, width // 2, 2, channels)
    return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)
