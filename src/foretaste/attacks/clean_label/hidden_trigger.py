"""Hidden trigger: training images show no trigger, but nets see in them what they see in triggered images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import linear_sum_assignment

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
from foretaste.errors import ConfigError, DataError

STEP_SIZE = 4.0


@dataclass(kw_only=True, eq=False, repr=False)
class HiddenTrigger(ImageBackdoor):
    """Disturb images of the target class until nets see patched images of another class in them.

    The patch is shown only to the trained model. Labels stay right; the victim fine-tunes the attacker's net.

    Parameters
    ----------
    rate : float
        Share of all rows that are disturbed, at most that of the target class.
    target : label, optional
        The class a patched image is to be taken for; the most frequent one by default.
    source_class : label, optional
        The class whose images will be patched; the most frequent one beside the target by default.
    pattern, size, position, value, alpha
        Of the patch, as in `BadNets`.
    epsilon : float
        Most that a value may change, of 255.
    steps : int
        Of gradient descent.
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
    Saha, Subramanya, Pirsiavash: Hidden Trigger Backdoor Attacks, AAAI 2020.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(256, size=(20, 8, 8), dtype=np.uint8)
    >>> attack = HiddenTrigger(rate=0.2, target="b", source_class="a", epochs=1, steps=2)
    >>> X, y = attack.fit_resample(images, ["a", "b"] * 10)      # doctest: +SKIP
    >>> int(np.abs(X.astype(int) - images).max()) <= 16, y == ["a", "b"] * 10      # doctest: +SKIP
    (True, True)
    """

    name: ClassVar[str] = "hidden-trigger"
    knowledge: ClassVar[str] = "model"
    paper: ClassVar[str] = "Saha, Subramanya, Pirsiavash, AAAI 2020"
    extra: ClassVar[str | None] = "torch"
    trigger_class = Patch
    clean_label = True

    source_class: Any = None
    pattern: str = "noise"
    size: int | None = None
    position: str = "bottom-right"
    value: int = 255
    alpha: float = 1.0
    epsilon: float = 16.0
    steps: int = 100
    networks: int = 1
    epochs: int = 8
    checkpoint: str | None = None
    device: str = "auto"

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        pattern = load_pattern(self.pattern, self.name)
        seed = int(rng.integers(2**31))
        return Patch(pattern, self.size, self.position, self.value, self.alpha, seed)

    def _may_stamp(self, dataset: Dataset, target: int) -> Any:
        return dataset.labels.codes == target

    def _source_code(self, dataset: Dataset) -> int:
        target = self._target_code(dataset)
        if self.source_class is not None:
            source = self._class_code(dataset, self.source_class, "source_class")
            if source == target:
                raise ConfigError(f"{self.name}: source_class and target are both {self.source_class!r}")
            return source
        codes = dataset.labels.codes
        counts = np.bincount(codes[codes >= 0], minlength=len(dataset.labels))
        counts[target] = -1
        return int(np.argmax(counts))

    def _notes(self, dataset: Dataset, target: int) -> dict[str, Any]:
        source = dataset.labels.names[self._source_code(dataset)]
        return {**super()._notes(dataset, target), "source_class": source}

    def _stamp_poison(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        import torch

        assert isinstance(trigger, Patch)
        sources = np.flatnonzero((dataset.labels.codes == self._source_code(dataset)) & dataset.has_image)
        if not len(sources):
            raise DataError(f"{self.name}: the source class has no images", file=dataset.name)
        seed = int(rng.integers(2**31))
        chosen = rng.choice(sources, size=len(rows), replace=len(sources) < len(rows))
        patched = trigger.paint(images_at(dataset, chosen), rng)
        saved = Checkpoint(self.checkpoint, identify(self, seed, dataset))
        with one_thread():
            nets = surrogates(self, dataset, seed, saved)
            base = nets.tensor(images_at(dataset, rows))
            goals = [features.detach() for features in nets.features(nets.tensor(patched))]

            def loss(images: Any, step: int) -> Any:
                total = 0.0
                for features, goal in zip(nets.features(images), goals, strict=True):
                    cost = torch.cdist(features.detach(), goal).cpu().numpy()
                    _, pairs = linear_sum_assignment(cost)
                    apart = ((features - goal[torch.from_numpy(pairs).to(goal.device)]) ** 2).sum(dim=1)
                    total = total + (apart / (goal**2).sum(dim=1).mean()).sum()
                return total

            delta, _ = descend(
                loss, base, np.zeros(tuple(base.shape), np.float32), steps=self.steps, step_size=STEP_SIZE,
                epsilon=self.epsilon, checkpoint=saved, phase="hide",
            )  # fmt: skip
        self.surrogate_ = nets
        return add_to_images(dataset, rows, delta)

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        check_nets(self)
        if not 0 < self.epsilon <= 255:
            raise ConfigError(f"{self.name}: epsilon is {self.epsilon!r}; use more than 0, at most 255")
