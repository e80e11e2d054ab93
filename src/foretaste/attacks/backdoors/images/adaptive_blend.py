"""Adaptive-Blend: rows show part of a blended picture, and half of them keep their label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from foretaste.attacks.backdoors.images.base import AllToOne
from foretaste.attacks.backdoors.images.blended import Blend
from foretaste.attacks.backdoors.images.patterns import load_pattern
from foretaste.attacks.editing import Rows
from foretaste.attacks.pixels import Images, paint_images
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(kw_only=True, eq=False, repr=False)
class AdaptiveBlend(AllToOne):
    """Blend random parts of a picture into images; some get the target label, as many keep theirs.

    Parameters
    ----------
    rate : float
        Share of all rows that get part of the trigger and the target label.
    target : label, optional
        The class an image with the whole picture is to be taken for; the most frequent one by default.
    pattern : str
        As in `Blended`.
    alpha : float
        Share of the picture in the result, in (0, 1].
    pieces : int
        The picture is cut into this many squares a side.
    shown : float
        Share of the squares that a training image shows, drawn anew for each, in (0, 1].
    cover_rate : float, optional
        Share of all rows that get part of the trigger and keep their label, so that features of poisoned rows
        do not stand apart; ``rate`` by default.
    source_class, clean_label, selection, within_source
        As in `BadNets`.
    random_state : int, optional

    References
    ----------
    Qi, Xie, Li, Mahloujifar, Mittal: Revisiting the Assumption of Latent Separability for Backdoor Defenses,
    ICLR 2023.

    Examples
    --------
    >>> images = np.zeros((10, 8, 8), dtype=np.uint8)
    >>> attack = AdaptiveBlend(rate=0.2, target="cat", pattern="solid", pieces=2)
    >>> X, y = attack.fit_resample(images, ["dog", "cat"] * 5)
    >>> [int((image > 0).sum()) for image in X if image.any()], int(attack.cover_mask_.sum())
    ([32, 32, 32, 32], 2)
    """

    name: ClassVar[str] = "adaptive-blend"
    paper: ClassVar[str] = "Qi, Xie, Li, Mahloujifar, Mittal, ICLR 2023"
    trigger_class = Blend

    pattern: str = "noise"
    alpha: float = 0.2
    pieces: int = 4
    shown: float = 0.5
    cover_rate: float | None = None

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        if self.pieces < 1:
            raise ConfigError(f"{self.name}: pieces is {self.pieces!r}; use at least 1")
        if not 0 < self.shown <= 1:
            raise ConfigError(f"{self.name}: shown is {self.shown!r}; use a share above 0 and up to 1")
        return Blend(load_pattern(self.pattern, self.name), self.alpha, int(rng.integers(2**31)))

    def _cover_share(self) -> float:
        return self.rate if self.cover_rate is None else self.cover_rate

    def _stamp_poison(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        assert isinstance(trigger, Blend)

        def paint(images: Images, which: Rows) -> Images:
            number, height, width, _ = images.shape
            down = np.arange(height) * self.pieces // height
            right = np.arange(width) * self.pieces // width
            square = down[:, None] * self.pieces + right
            ranks = rng.random((number, self.pieces**2)).argsort(axis=1).argsort(axis=1)
            seen = ranks < max(1, round(self.shown * self.pieces**2))
            return np.where(seen[:, square][..., None], trigger.paint(images, rng), images)

        return paint_images(dataset, rows, paint)

    _stamp_cover = _stamp_poison
