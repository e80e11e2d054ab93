"""Where an artefact sits and what it looks like: a box in words, and its amplified picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.features.image import ImageFeatures, png
from foretaste.features.residuals import detail

PATCH_AREA = 0.25
"""Share of the image up to which an artefact's box is called a patch."""

_HELD = 0.9
_THROUGHOUT = 0.8
_REACH = 110.0


@dataclass(frozen=True)
class Place:
    """Where a group of images differs from others.

    Attributes
    ----------
    top, left, bottom, right : int
        Box in pixels of the images as they are, ends included.
    height, width : int
        Of the images.
    local : bool
        Whether the box is small enough for a patch.
    picture : str
        The mean difference, amplified, gray where there is none: a PNG as data URI.
    """

    top: int
    left: int
    bottom: int
    right: int
    height: int
    width: int
    local: bool
    picture: str

    def words(self) -> str:
        """The box for a person.

        Examples
        --------
        >>> Place(27, 27, 30, 30, 32, 32, True, "").words()
        'patch at rows 27-30, columns 27-30, bottom right'
        >>> Place(0, 0, 31, 31, 32, 32, False, "").words()
        'overlay over the whole image'
        """
        if not self.local:
            inside = (self.bottom - self.top + 1) * (self.right - self.left + 1)
            if inside >= 0.6 * self.height * self.width:
                return "overlay over the whole image"
            return f"overlay at rows {self.top}-{self.bottom}, columns {self.left}-{self.right}"
        down = _third((self.top + self.bottom + 1) / 2 / self.height, ("top", "middle", "bottom"))
        across = _third((self.left + self.right + 1) / 2 / self.width, ("left", "centre", "right"))
        where = "in the middle" if (down, across) == ("middle", "centre") else f"{down} {across}"
        return f"patch at rows {self.top}-{self.bottom}, columns {self.left}-{self.right}, {where}"

    def sound(self) -> str:
        """The box of spectrograms, low pitch at the bottom, for a person.

        Examples
        --------
        >>> Place(4, 0, 11, 11, 64, 64, True, "").sound()
        'sound of high pitch (bands 53-60 of 64), 0-19 % into the clip'
        >>> Place(0, 0, 63, 63, 64, 64, False, "").sound()
        'sound of every pitch, throughout the clip'
        """
        low, high = self.height - self.bottom, self.height - self.top
        pitch = _third((self.top + self.bottom + 1) / 2 / self.height, ("high", "middle", "low"))
        bands = f"of {pitch} pitch (bands {low}-{high} of {self.height})"
        start, end = self.left / self.width, (self.right + 1) / self.width
        if high - low + 1 >= _THROUGHOUT * self.height:
            bands = "of every pitch"
        when = f"{100 * start:.0f}-{100 * end:.0f} % into" if end - start < _THROUGHOUT else "throughout"
        return f"sound {bands}, {when} the clip"


def locate(image: ImageFeatures, rows: NDArray[np.int64], control: NDArray[np.int64]) -> Place:
    """Find where the images ``rows`` differ from ``control`` beyond chance.

    Detail is compared pixel by pixel (Welch), so smooth content that differs between the two does not hide
    a small patch; the box holds 90 % of what is beyond chance along each side.
    """
    pixels = image.small
    excess = _excess(detail(pixels[rows].astype(np.float32)), detail(pixels[control].astype(np.float32)))
    top, bottom = _middle(excess.sum(axis=1))
    left, right = _middle(excess.sum(axis=0))
    high, wide = pixels.shape[1:3]
    height, width = image.pixels.shape[1:3]
    tall, broad = max(height // high, 1), max(width // wide, 1)
    local = (bottom - top + 1) * (right - left + 1) <= PATCH_AREA * high * wide
    shift = pixels[rows].mean(axis=0, dtype=np.float64) - pixels[control].mean(axis=0, dtype=np.float64)
    return Place(
        top * tall,
        left * broad,
        min((bottom + 1) * tall, height) - 1,
        min((right + 1) * broad, width) - 1,
        height,
        width,
        bool(local),
        png(_amplified(shift)),
    )


def _excess(mine: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    error = mine.var(axis=0) / len(mine) + others.var(axis=0) / len(others) + 0.1 / len(mine)
    shift = np.square(mine.mean(axis=0) - others.mean(axis=0))
    beyond = shift > (2 * np.log(shift.size) + 4) * error  # more than the largest of so many by chance
    return np.asarray((np.where(beyond, shift, 0.0) if beyond.any() else shift).sum(axis=2), np.float64)


def _middle(weight: NDArray[np.float64]) -> tuple[int, int]:
    share = np.cumsum(weight) / weight.sum()
    cut = (1 - _HELD) / 2
    return int(np.searchsorted(share, cut)), int(np.searchsorted(share, 1 - cut))


def _amplified(shift: NDArray[np.float64]) -> NDArray[np.uint8]:
    centred = shift - np.median(shift)
    largest = float(np.quantile(np.abs(centred), 0.995)) or 1.0
    return np.asarray(np.clip(128 + centred * (_REACH / largest), 0, 255), np.uint8)


def _third(share: float, names: tuple[str, str, str]) -> str:
    return names[min(int(share * 3), 2)]
