"""WaNet: an elastic warp, the same for every image, makes the model answer the target class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from scipy.sparse import csr_array

from foretaste.attacks.backdoors.images.base import AllToOne, ImageTrigger
from foretaste.attacks.editing import Rows
from foretaste.attacks.pixels import Images, paint_images, to_uint8
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Warp(ImageTrigger):
    """Every pixel is fetched from a little beside itself, by a smooth field of displacements.

    Parameters
    ----------
    grid : int
        Control points a side, at least 2.
    strength : float
        Mean displacement along an axis, in half pixels, as in the paper.
    seed : int
        Of the field.

    Examples
    --------
    >>> image = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    >>> warped = Warp(strength=2).apply(image)
    >>> warped.shape, bool((warped != image).any())
    ((1, 8, 8), True)
    """

    kind: ClassVar[str] = "warp"
    at_once: ClassVar[int] = 2**14  # its numbers take eight times the bytes

    grid: int = 4
    strength: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.grid < 2:
            raise ConfigError(f"warp: grid is {self.grid!r}; use at least 2 control points a side")
        if not self.strength > 0:
            raise ConfigError(f"warp: strength is {self.strength!r}; use more than 0")

    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        number, height, width, channels = images.shape
        matrix = fetching(self.grid, self.strength, self.seed, height, width)
        pixels = images.transpose(1, 2, 0, 3).reshape(height * width, number * channels)
        moved = (matrix @ pixels.astype(np.float64)).reshape(height, width, number, channels)
        return to_uint8(moved.transpose(2, 0, 1, 3))

    def paint_noisy(self, images: Images, rng: np.random.Generator) -> Images:
        """The warp with each pixel moved by up to ``strength`` pixels more, anew for each image.

        That is the paper's half pixel for its strength of 0.5: with less, such images look like those with
        the trigger, and what they teach about the label contradicts it.
        """
        field = self._field(images)
        noise = 2 * rng.random((len(images), *field.shape), dtype=np.float32) - 1
        return warped(images, field + np.float32(self.strength) * noise)

    def _field(self, images: Images) -> NDArray[np.float32]:
        return displacements(self.grid, self.strength, self.seed, *images.shape[1:3])

    def describe(self) -> str:
        return f"a warp by {self.strength / 2:g} pixels on average, seed {self.seed}"


@lru_cache(maxsize=8)
def displacements(grid: int, strength: float, seed: int, height: int, width: int) -> NDArray[np.float32]:
    """The field of a warp in pixels, ``[2, height, width]``: down and right; not to be written to.

    The outermost control points lie on the corner pixels, as in the paper.
    """
    points = np.random.default_rng(seed).uniform(-1, 1, size=(2, grid, grid))
    points /= np.abs(points).mean()
    fine = zoom(points, (1, height / grid, width / grid), order=3, mode="nearest")
    field = np.asarray(fine * strength / 2, dtype=np.float32)
    field.setflags(write=False)
    return field


def corners(field: NDArray[np.float32]) -> list[tuple[Places, Places, NDArray[np.float64]]]:
    """The four pixels around the place each pixel is fetched from: rows, columns, shares; edges are held."""
    height, width = field.shape[-2:]
    down = np.clip(np.arange(height, dtype=np.float32)[:, None] + field[..., 0, :, :], 0, height - 1)
    right = np.clip(np.arange(width, dtype=np.float32) + field[..., 1, :, :], 0, width - 1)
    top, left = down.astype(np.int64), right.astype(np.int64)
    bottom, beside = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    y, x = down - top, right - left
    return [
        (top, left, (1 - y) * (1 - x)),
        (top, beside, (1 - y) * x),
        (bottom, left, y * (1 - x)),
        (bottom, beside, y * x),
    ]


@lru_cache(maxsize=1)
def fetching(grid: int, strength: float, seed: int, height: int, width: int) -> csr_array:
    """The warp as a sparse matrix, pixels after by pixels before: one product warps any number of images."""
    around = corners(displacements(grid, strength, seed, height, width))
    shares = np.concatenate([share.ravel() for _, _, share in around])
    before = np.concatenate([(row * width + column).ravel() for row, column, _ in around])
    after = np.tile(np.arange(height * width), len(around))
    return csr_array((shares, (after, before)), shape=(height * width, height * width))


def warped(images: Images, fields: NDArray[np.float32]) -> Images:
    """Images ``[n, H, W, C]``, each by its own field ``[n, 2, H, W]``; bilinear."""
    which = np.arange(len(images))[:, None, None]
    parts = [share[..., None] * images[which, row, column] for row, column, share in corners(fields)]
    return to_uint8(np.sum(parts, axis=0))


@dataclass(kw_only=True, eq=False, repr=False)
class WaNet(AllToOne):
    """Warp images a little, always in the same way, and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered image is to be taken for; the most frequent one by default.
    grid : int
        Control points a side.
    strength : float
        Mean displacement along an axis, in half pixels. The paper's 0.5 needs control of the training and
        10 % of the rows; 3 is what poisoned rows alone can teach at a rate of a few percent.
    cover_rate : float, optional
        Share of all rows that are warped with noise on top and keep their label, so that the warp itself is
        learned, not just any warp; twice the rate by default, as in the paper.
    source_class, clean_label, selection, within_source
        As in `BadNets`.
    random_state : int, optional

    References
    ----------
    Nguyen, Tran: WaNet - Imperceptible Warping-based Backdoor Attack, ICLR 2021.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> images = rng.integers(256, size=(20, 8, 8, 3), dtype=np.uint8)
    >>> attack = WaNet(rate=0.1, target="cat")
    >>> X, y = attack.fit_resample(images, ["dog", "cat"] * 10)
    >>> int(attack.poison_mask_.sum()), int(attack.cover_mask_.sum()), y.count("cat")
    (6, 4, 12)
    """

    name: ClassVar[str] = "wanet"
    version: ClassVar[int] = 2
    paper: ClassVar[str] = "Nguyen, Tran (WaNet), ICLR 2021"
    trigger_class = Warp

    grid: int = 4
    strength: float = 3.0
    cover_rate: float | None = None

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        return Warp(self.grid, float(self.strength), int(rng.integers(2**31)))

    def _cover_share(self) -> float:
        return 2 * self.rate if self.cover_rate is None else self.cover_rate

    def _stamp_cover(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        assert isinstance(trigger, Warp)
        return paint_images(dataset, rows, lambda images, _: trigger.paint_noisy(images, rng))
