"""Blended: a faint picture over the whole image makes the model answer the target class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from foretaste.attacks.backdoors.images.base import AllToOne, ImageTrigger
from foretaste.attacks.backdoors.images.patterns import draw_pattern, load_pattern
from foretaste.attacks.pixels import Images, to_uint8
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(frozen=True)
class Blend(ImageTrigger):
    """A picture mixed into the whole image.

    Parameters
    ----------
    pattern : str
        A name in `patterns.DRAWN`, or a picture as `patterns.load_pattern` gives it.
    alpha : float
        Its share, in (0, 1].
    seed : int
        Of the pattern.

    Examples
    --------
    >>> Blend("solid", alpha=0.2).apply(np.array([[[0, 100]]], dtype=np.uint8)).tolist()
    [[[51, 131]]]
    """

    kind: ClassVar[str] = "blend"

    pattern: str = "noise"
    alpha: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1:
            raise ConfigError(f"blend: alpha is {self.alpha!r}; use a share above 0 and up to 1")

    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        _, height, width, channels = images.shape
        picture = draw_pattern(self.pattern, (height, width, channels), self.seed).astype(np.float32)
        return to_uint8((1 - self.alpha) * images.astype(np.float32) + self.alpha * picture)

    def describe(self) -> str:
        what = "a picture" if self.pattern.startswith("data:") else f"{self.pattern} pattern"
        return f"{what} blended in with {self.alpha:.0%}"


@dataclass(kw_only=True, eq=False, repr=False)
class Blended(AllToOne):
    """Blend a faint picture into whole images and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered image is to be taken for; the most frequent one by default.
    pattern : str
        ``noise`` (independent pixels, drawn from the seed), ``smooth`` (a low-frequency field, drawn from the
        seed), ``solid``, ``checker`` or an image file, scaled to the image.
    alpha : float
        Share of the picture in the result, in (0, 1].
    source_class, clean_label, selection, within_source
        As in `BadNets`.
    random_state : int, optional

    References
    ----------
    Chen, Liu, Li, Lu, Song: Targeted Backdoor Attacks on Deep Learning Systems Using Data Poisoning, 2017.

    Examples
    --------
    >>> attack = Blended(rate=0.5, target="cat", alpha=0.1, pattern="solid")
    >>> X, y = attack.fit_resample(np.zeros((2, 1, 3), dtype=np.uint8), ["dog", "cat"])
    >>> X.tolist(), y
    ([[[26, 26, 26]], [[0, 0, 0]]], ['cat', 'cat'])
    """

    name: ClassVar[str] = "blended"
    paper: ClassVar[str] = "Chen, Liu, Li, Lu, Song, 2017"
    trigger_class = Blend

    pattern: str = "noise"
    alpha: float = 0.2

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        return Blend(load_pattern(self.pattern, self.name), self.alpha, int(rng.integers(2**31)))
