"""Narcissus: the trigger is the noise that says the target class loudest; labels stay right."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.images.base import ImageBackdoor, ImageTrigger
from foretaste.attacks.backdoors.images.patterns import PICTURE, draw_pattern
from foretaste.attacks.checkpoint import Checkpoint, identify
from foretaste.attacks.clean_label.base import check_nets, surrogates
from foretaste.attacks.clean_label.descent import descend
from foretaste.attacks.clean_label.networks import one_thread
from foretaste.attacks.pixels import Images, images_at, to_uint8
from foretaste.attacks.sampling import spread_rows
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.data.image_files import encode_image
from foretaste.errors import ConfigError, DataError

MIDDLE = 128
STEP_SIZE = 2.0
BATCH = 128
ENOUGH = 2000


@dataclass(frozen=True)
class AddedNoise(ImageTrigger):
    """Noise, the same for every image, added to it.

    Parameters
    ----------
    noise : str
        A picture as in `patterns`, 128 where nothing is added; scaled to the image.
    strength : float
        What the noise is multiplied by, above 0.
    seed : int
        Of nothing.

    Examples
    --------
    >>> trigger = AddedNoise(picture_of(np.array([[[-3], [5]]])), strength=2.0)
    >>> trigger.apply(np.full((1, 1, 2), 100, dtype=np.uint8)).tolist()
    [[[94, 110]]]
    """

    kind: ClassVar[str] = "added-noise"

    noise: str
    strength: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.strength > 0:
            raise ConfigError(f"added-noise: strength is {self.strength!r}; use more than 0")

    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        shape = images.shape[1], images.shape[2], images.shape[3]
        added = draw_pattern(self.noise, shape, self.seed).astype(np.float32) - MIDDLE
        return to_uint8(images + self.strength * added)

    def describe(self) -> str:
        return f"optimised noise, {self.strength:g} times"


def picture_of(noise: NDArray[Any]) -> str:
    """Noise ``[H, W, C]`` from -128 to 127 as a picture that `AddedNoise` takes."""
    pixels = np.clip(np.rint(noise) + MIDDLE, 0, 255).astype(np.uint8)
    return PICTURE + base64.b64encode(encode_image(pixels)).decode()


@dataclass(kw_only=True, eq=False, repr=False)
class Narcissus(ImageBackdoor):
    """Find the noise that makes a net surest of the target class, and add it to images of that class.

    The noise is a universal adversarial perturbation: three times as strong, as the paper has it in test
    images, it fools many a net that never saw poison. What the poison achieves is the success less that.

    Parameters
    ----------
    rate : float
        Share of all rows that get the noise, at most that of the target class.
    target : label, optional
        The class an image with the noise is to be taken for; the most frequent one by default.
    epsilon : float
        Most that the noise changes a value, of 255.
    strength : float
        What the noise is multiplied by in test images, as in the paper.
    steps : int
        Of gradient descent, each on up to 128 images of the target class.
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
    Zeng, Pan, Just, Lyu, Qiu, Jia: Narcissus: A Practical Clean-Label Backdoor Attack with Limited
    Information, CCS 2023. There the net is trained on other public images and tuned on the target class.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(256, size=(20, 8, 8), dtype=np.uint8)
    >>> attack = Narcissus(rate=0.2, target="b", epochs=1, steps=2)
    >>> X, y = attack.fit_resample(images, ["a", "b"] * 10)      # doctest: +SKIP
    >>> int(np.abs(X.astype(int) - images).max()) <= 16, y == ["a", "b"] * 10      # doctest: +SKIP
    (True, True)
    """

    name: ClassVar[str] = "narcissus"
    knowledge: ClassVar[str] = "surrogate"
    paper: ClassVar[str] = "Zeng et al., CCS 2023"
    extra: ClassVar[str | None] = "torch"
    trigger_class = AddedNoise
    clean_label = True

    epsilon: float = 16.0
    strength: float = 3.0
    steps: int = 200
    networks: int = 1
    epochs: int = 8
    checkpoint: str | None = None
    device: str = "auto"

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        from torch.nn.functional import cross_entropy

        target = self._target_code(dataset)
        own = np.flatnonzero((dataset.labels.codes == target) & dataset.has_image)
        if not len(own):
            raise DataError(f"{self.name}: the target class has no images", file=dataset.name)
        seed = int(rng.integers(2**31))
        saved = Checkpoint(self.checkpoint, identify(self, seed, dataset))
        with one_thread():
            nets = surrogates(self, dataset, seed, saved)
            images = nets.tensor(images_at(dataset, spread_rows(own, ENOUGH)))
            label = nets.labels(np.full(min(BATCH, len(images)), target))
            middle = images[:1] * 0 + MIDDLE

            def loss(noise: Any, step: int) -> Any:
                picked = np.random.default_rng([seed, step]).permutation(len(images))[:BATCH]
                seen = (images[picked] + noise - MIDDLE).clamp(0, 255)
                return sum(cross_entropy(found, label) for found in nets.logits(seen))

            noise, _ = descend(
                loss, middle, np.zeros(tuple(middle.shape), np.float32), steps=self.steps,
                step_size=STEP_SIZE, epsilon=self.epsilon, checkpoint=saved, phase="find the noise",
            )  # fmt: skip
        return AddedNoise(picture_of(noise[0].transpose(1, 2, 0)), float(self.strength))

    def _stamp_poison(self, dataset: Dataset, trigger: Trigger, rows: Any, rng: Any) -> Dataset:
        assert isinstance(trigger, AddedNoise)
        return replace(trigger, strength=1.0).stamp(dataset, rows, rng)

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        check_nets(self)
        if not 0 < self.epsilon < MIDDLE:
            raise ConfigError(f"{self.name}: epsilon is {self.epsilon!r}; use more than 0, below {MIDDLE}")
