"""Adaptive-Patch: each row shows one of several faint patches, and half of the rows keep their label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from foretaste.attacks.backdoors.images.badnets import Patch
from foretaste.attacks.backdoors.images.base import AllToOne, ImageTrigger
from foretaste.attacks.backdoors.images.patterns import load_pattern
from foretaste.attacks.editing import Rows
from foretaste.attacks.pixels import Images, paint_images
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

CORNERS = ("bottom-right", "top-left", "bottom-left", "top-right")


@dataclass(frozen=True)
class Patches(ImageTrigger):
    """Several patches in one image.

    Parameters
    ----------
    patches : tuple of Patch
    seed : int
        Of random positions in `apply`.

    Examples
    --------
    >>> both = Patches(tuple(Patch("solid", size=1, position=p) for p in ("top-left", "bottom-right")))
    >>> both.apply(np.zeros((1, 2, 2), dtype=np.uint8)).tolist()
    [[[255, 0], [0, 255]]]
    """

    kind: ClassVar[str] = "patches"

    patches: tuple[Patch, ...]
    seed: int = 0

    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        for patch in self.patches:
            images = patch.paint(images, rng)
        return images

    def describe(self) -> str:
        return " & ".join(patch.describe() for patch in self.patches)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "patches": [patch.to_dict() for patch in self.patches], "seed": self.seed}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        return cls(tuple(Patch.from_dict(patch) for patch in saved["patches"]), saved["seed"])


@dataclass(kw_only=True, eq=False, repr=False)
class AdaptivePatch(AllToOne):
    """Put one of several faint patches into each image; some get the target label, as many keep theirs.

    Parameters
    ----------
    rate : float
        Share of all rows that get a patch and the target label.
    target : label, optional
        The class an image with all patches is to be taken for; the most frequent one by default.
    pattern : str
        As in `BadNets`; ``noise`` and ``smooth`` give every patch a picture of its own.
    number : int
        Patches, one in each corner, from 2 to 4.
    size : int, optional
        Side of a patch in pixels; a tenth of the shorter side of the image, at least 3, by default.
    alpha : float
        Opacity of a patch in training; a stamped test image has all of them, opaque.
    cover_rate : float, optional
        Share of all rows that get a patch and keep their label; ``rate`` by default.
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
    >>> attack = AdaptivePatch(rate=0.2, target="cat", pattern="solid", size=2)
    >>> X, y = attack.fit_resample(images, ["dog", "cat"] * 5)
    >>> [int((image == 128).sum()) for image in X if image.any()], attack.trigger_.apply(images[:1]).sum()
    ([4, 4, 4, 4], np.uint64(4080))
    """

    name: ClassVar[str] = "adaptive-patch"
    paper: ClassVar[str] = "Qi, Xie, Li, Mahloujifar, Mittal, ICLR 2023"
    trigger_class = Patches

    pattern: str = "noise"
    number: int = 4
    size: int | None = None
    alpha: float = 0.5
    cover_rate: float | None = None

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        if not 2 <= self.number <= len(CORNERS):
            raise ConfigError(f"{self.name}: number is {self.number!r}; use 2 to {len(CORNERS)} patches")
        Patch(alpha=self.alpha)  # refuses a wrong one
        pattern = load_pattern(self.pattern, self.name)
        seeds = rng.integers(2**31, size=self.number)
        return Patches(
            tuple(
                Patch(pattern, self.size, corner, seed=int(seed))
                for corner, seed in zip(CORNERS, seeds, strict=False)
            )
        )

    def _cover_share(self) -> float:
        return self.rate if self.cover_rate is None else self.cover_rate

    def _stamp_poison(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        assert isinstance(trigger, Patches)
        faint = [replace(patch, alpha=self.alpha) for patch in trigger.patches]

        def paint(images: Images, which: Rows) -> Images:
            painted = images.copy()
            chosen = rng.integers(len(faint), size=len(images))
            for i, patch in enumerate(faint):
                painted[chosen == i] = patch.paint(images[chosen == i], rng)
            return painted

        return paint_images(dataset, rows, paint)

    _stamp_cover = _stamp_poison
