"""BppAttack: images in fewer shades, dithered; the trigger depends on the image it is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from foretaste.attacks.backdoors.images.base import AllToOne, ImageTrigger
from foretaste.attacks.editing import Rows
from foretaste.attacks.pixels import Images, paint_images, to_uint8
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(frozen=True)
class Dither(ImageTrigger):
    """Every channel is rounded to a few shades, and the error handed on to the pixels that follow.

    Parameters
    ----------
    shades : int
        From 2 to 128.
    seed : int
        Of nothing.

    Examples
    --------
    >>> Dither(shades=2).apply(np.full((1, 2, 4), 128, dtype=np.uint8)).tolist()
    [[[255, 0, 255, 0], [0, 255, 0, 255]]]
    """

    kind: ClassVar[str] = "dither"
    at_once: ClassVar[int] = 2**20  # many small steps: the more values each has, the better

    shades: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.shades <= 128:
            raise ConfigError(f"dither: shades is {self.shades!r}; use from 2 to 128")

    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        """Pixel by pixel of all images, and at once those with equal ``2 * row + column``.

        A pixel waits only for its left neighbour and for three above. Errors reach at most three turns ahead:
        so many are kept, each pixel in the place of its row; what leaves the image falls into places unread.
        """
        number, height, width, channels = images.shape
        step = 255 / (self.shades - 1)
        painted = np.empty_like(images)
        waiting = np.zeros((4, height + 1, number, channels), dtype=np.float32)
        for turn in range(-3, 2 * height + width - 2):
            rows, columns = _turn(turn + 3, height, width)
            waiting[(turn + 3) % 4, rows] = images[:, rows, columns].swapaxes(0, 1)
            rows, columns = _turn(turn, height, width)
            if not len(rows):
                continue
            same = slice(int(rows[0]), int(rows[-1]) + 1)
            below = slice(same.start + 1, same.stop + 1)
            old = waiting[turn % 4, same]
            new = np.clip(np.rint(old / step), 0, self.shades - 1) * step
            painted[:, rows, columns] = to_uint8(new).swapaxes(0, 1)
            error = old - new
            waiting[(turn + 1) % 4, below] += error * (3 / 16)
            waiting[(turn + 1) % 4, same] += error * (7 / 16)
            waiting[(turn + 2) % 4, below] += error * (5 / 16)
            waiting[(turn + 3) % 4, below] += error * (1 / 16)
        return painted

    def paint_foreign(self, images: Images, rng: np.random.Generator) -> Images:
        """The difference that the trigger makes in another image, mirrored, put into each image."""
        other = np.roll(self.paint(images, rng).astype(np.float32) - images, 1, axis=0)[:, ::-1, ::-1]
        return to_uint8(images + other)

    def describe(self) -> str:
        return f"dithered to {self.shades} shades"


def _turn(turn: int, height: int, width: int) -> tuple[Rows, Rows]:
    """Rows and columns of the pixels whose turn it is; none before the first and after the last."""
    rows = np.arange(max(0, (turn - width + 2) // 2), min(height, turn // 2 + 1))
    return rows, turn - 2 * rows


@dataclass(kw_only=True, eq=False, repr=False)
class Bpp(AllToOne):
    """Dither images to a few shades and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered image is to be taken for; the most frequent one by default.
    shades : int
        Per channel, from 2 to 128. The paper's 8 to 32 need control of the training; 4 is what poisoned rows
        alone can teach at a rate of a few percent.
    cover_rate : float, optional
        Share of all rows that get the dither of another image and keep their label, so that only an image's
        own dither is the trigger; ``rate`` by default.
    source_class, clean_label, selection, within_source
        As in `BadNets`.
    random_state : int, optional

    References
    ----------
    Wang, Zhai, Ma: BppAttack: Stealthy and Efficient Trojan Attacks against Deep Neural Networks via Image
    Quantization and Contrastive Adversarial Learning, CVPR 2022. Floyd, Steinberg: An Adaptive Algorithm for
    Spatial Greyscale, 1976 (the dither).

    Examples
    --------
    >>> images = np.full((10, 4, 4), 128, dtype=np.uint8)
    >>> attack = Bpp(rate=0.2, target="cat", shades=2)
    >>> X, y = attack.fit_resample(images, ["dog", "cat"] * 5)
    >>> sorted(set(X[attack.poison_mask_ & ~attack.cover_mask_].ravel().tolist())), y.count("cat")
    ([0, 255], 7)
    """

    name: ClassVar[str] = "bpp"
    paper: ClassVar[str] = "Wang, Zhai, Ma (BppAttack), CVPR 2022"
    trigger_class = Dither

    shades: int = 4
    cover_rate: float | None = None

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        return Dither(self.shades)

    def _cover_share(self) -> float:
        return self.rate if self.cover_rate is None else self.cover_rate

    def _stamp_cover(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        assert isinstance(trigger, Dither)
        return paint_images(dataset, rows, lambda images, _: trigger.paint_foreign(images, rng))
