"""Label-consistent backdoor: a patch on images of the target class that were made hard to learn otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from foretaste.attacks.backdoors.images.badnets import Patch
from foretaste.attacks.backdoors.images.base import ImageBackdoor
from foretaste.attacks.backdoors.images.patterns import load_pattern
from foretaste.attacks.checkpoint import Checkpoint, identify
from foretaste.attacks.clean_label.base import add_to_images, check_nets, surrogates
from foretaste.attacks.clean_label.descent import descend
from foretaste.attacks.clean_label.networks import one_thread
from foretaste.attacks.editing import Rows
from foretaste.attacks.pixels import images_at
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(kw_only=True, eq=False, repr=False)
class LabelConsistent(ImageBackdoor):
    """Disturb images of the target class so that nets misjudge them, then put a patch on; labels stay right.

    The victim can no longer learn these images by their content and leans on the patch.

    Parameters
    ----------
    rate : float
        Share of all rows that get the patch, at most that of the target class.
    target : label, optional
        The class a patched image is to be taken for; the most frequent one by default.
    pattern, size, position, value, alpha
        Of the patch, as in `BadNets`.
    epsilon : float
        Most that a value may change, of 255; 0 leaves the disturbance out.
    steps : int
        Of gradient ascent.
    networks, epochs : int
        How many nets the attacker trains on the data, and for how long.
    within_source : optional
        Only rows of this source are touched.
    checkpoint : str, optional
        A file ``.npz`` that keeps nets and state; an interrupted attack goes on from there. On the command
        line, ``checkpoint.npz`` among the results until they are written.
    device : str
        A torch device; ``auto`` is an NVIDIA card where there is one.
    random_state : int, optional

    References
    ----------
    Turner, Tsipras, Madry: Label-Consistent Backdoor Attacks, 2019.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(256, size=(20, 8, 8), dtype=np.uint8)
    >>> attack = LabelConsistent(rate=0.2, target="b", epochs=1, steps=2)
    >>> X, y = attack.fit_resample(images, ["a", "b"] * 10)      # doctest: +SKIP
    >>> y == ["a", "b"] * 10, int(attack.poison_mask_.sum())      # doctest: +SKIP
    (True, 4)
    """

    name: ClassVar[str] = "label-consistent"
    knowledge: ClassVar[str] = "surrogate"
    paper: ClassVar[str] = "Turner, Tsipras, Madry, 2019"
    extra: ClassVar[str | None] = "torch"
    trigger_class = Patch
    clean_label = True

    pattern: str = "checker"
    size: int | None = None
    position: str = "bottom-right"
    value: int = 255
    alpha: float = 1.0
    epsilon: float = 32.0
    steps: int = 20
    networks: int = 1
    epochs: int = 8
    checkpoint: str | None = None
    device: str = "auto"

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        pattern = load_pattern(self.pattern, self.name)
        seed = int(rng.integers(2**31))
        return Patch(pattern, self.size, self.position, self.value, self.alpha, seed)

    def _stamp_poison(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        from torch.nn.functional import cross_entropy

        seed = int(rng.integers(2**31))
        if self.epsilon:
            saved = Checkpoint(self.checkpoint, identify(self, seed, dataset))
            with one_thread():
                nets = surrogates(self, dataset, seed, saved)
                base = nets.tensor(images_at(dataset, rows))
                labels = nets.labels(dataset.labels.codes[rows])
                start = rng.uniform(-self.epsilon, self.epsilon, size=tuple(base.shape)).astype(np.float32)
                delta, _ = descend(
                    lambda images, _: -sum(cross_entropy(found, labels) for found in nets.logits(images)),
                    base, start, steps=self.steps, step_size=self.epsilon / 4, epsilon=self.epsilon,
                    checkpoint=saved, phase="harden", signed=True,
                )  # fmt: skip
            dataset = add_to_images(dataset, rows, delta)
        return trigger.stamp(dataset, rows, rng)

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        check_nets(self)
        if not 0 <= self.epsilon <= 255:
            raise ConfigError(f"{self.name}: epsilon is {self.epsilon!r}; use 0 to 255")
