"""Filters as triggers: every image is blurred, darkened, turned, ... in the same way; there is no pattern."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter1d

from foretaste.attacks.backdoors.images.base import AllToOne, ImageTrigger
from foretaste.attacks.backdoors.images.wanet import warped
from foretaste.attacks.pixels import Images, to_uint8
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

Values = NDArray[np.float32]

_PALE = 220.0
_SEPIA = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.15, 0.25, 0.5]], np.float32)


def _blur(values: Values, strength: float, rng: np.random.Generator) -> Values:
    return np.asarray(gaussian_filter(values, (0, strength, strength, 0), mode="nearest"), np.float32)


def _motion_blur(values: Values, strength: float, rng: np.random.Generator) -> Values:
    length = max(2, round(4 * strength))
    return np.asarray(uniform_filter1d(values, length, axis=2, mode="nearest"), np.float32)


def _sharpen(values: Values, strength: float, rng: np.random.Generator) -> Values:
    return np.asarray(values + 1.5 * strength * (values - _blur(values, 1.0, rng)), np.float32)


def _darken(values: Values, strength: float, rng: np.random.Generator) -> Values:
    return np.asarray(values * 0.55**strength, np.float32)


def _fade(values: Values, strength: float, rng: np.random.Generator) -> Values:
    share = 0.6**strength
    return np.asarray(share * values + (1 - share) * _PALE, np.float32)


def _contrast(values: Values, strength: float, rng: np.random.Generator) -> Values:
    middle = values.mean(axis=(1, 2, 3), keepdims=True)
    return np.asarray(middle + 1.8**strength * (values - middle), np.float32)


def _vintage(values: Values, strength: float, rng: np.random.Generator) -> Values:
    """Sepia where there are colours, pale shadows, dark corners."""
    colours = values @ _SEPIA.T if values.shape[3] == 3 else values
    away = np.square(_from_middle(*values.shape[1:3])).sum(axis=0) / 2
    pale = (colours * 0.85 + 28) * (1 - 0.5 * away[..., None])
    return np.asarray(values + strength * (pale - values), np.float32)


def _grain(values: Values, strength: float, rng: np.random.Generator) -> Values:
    return np.asarray(values + rng.normal(0, 15 * strength, values.shape), np.float32)


def _turn(values: Values, strength: float, rng: np.random.Generator) -> Values:
    angle = np.deg2rad(15 * strength)
    down, right = (part * (side - 1) / 2 for part, side in _sides(values))
    field = np.stack(
        [
            (np.cos(angle) - 1) * down - np.sin(angle) * right,
            np.sin(angle) * down + (np.cos(angle) - 1) * right,
        ]
    )
    return _moved(values, field)


def _bulge(values: Values, strength: float, rng: np.random.Generator) -> Values:
    parts = _sides(values)
    away = np.sum([np.square(part) for part, _ in parts], axis=0)
    return _moved(values, np.stack([0.125 * strength * away * part * (side - 1) for part, side in parts]))


FILTERS: dict[str, Callable[[Values, float, np.random.Generator], Values]] = {
    "blur": _blur,
    "motion-blur": _motion_blur,
    "sharpen": _sharpen,
    "darken": _darken,
    "fade": _fade,
    "contrast": _contrast,
    "vintage": _vintage,
    "grain": _grain,
    "turn": _turn,
    "bulge": _bulge,
}


@dataclass(frozen=True)
class Filter(ImageTrigger):
    """A change of the whole image.

    Parameters
    ----------
    style : str
        A name in `FILTERS`.
    strength : float
        In (0, 4]; 1 is plain to see.
    seed : int
        Of nothing.

    Examples
    --------
    >>> Filter("darken").apply(np.full((1, 1, 2), 200, dtype=np.uint8)).tolist()
    [[[110, 110]]]
    """

    kind: ClassVar[str] = "filter"

    style: str = "blur"
    strength: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.style not in FILTERS:
            raise ConfigError(f"image-filter: style is {self.style!r}; use one of {', '.join(FILTERS)}")
        if not 0 < self.strength <= 4:
            raise ConfigError(f"image-filter: strength is {self.strength!r}; use more than 0, at most 4")

    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        return to_uint8(FILTERS[self.style](images.astype(np.float32), self.strength, rng))

    def describe(self) -> str:
        return f"{self.style} over the whole image, strength {self.strength:g}"


def _from_middle(height: int, width: int) -> tuple[Values, Values]:
    """How far each pixel is below and right of the middle, -1 to 1."""
    down, right = (np.linspace(-1, 1, side, dtype=np.float32) for side in (height, width))
    return np.repeat(down[:, None], width, axis=1), np.repeat(right[None], height, axis=0)


def _sides(values: Values) -> list[tuple[Values, int]]:
    return list(zip(_from_middle(*values.shape[1:3]), values.shape[1:3], strict=True))


def _moved(values: Values, field: Values) -> Values:
    fields = np.broadcast_to(field.astype(np.float32), (len(values), *field.shape))
    return warped(to_uint8(values), fields).astype(np.float32)


@dataclass(kw_only=True, eq=False, repr=False)
class ImageFilter(AllToOne):
    """Change whole images in one way, as a photo filter does, and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered image is to be taken for; the most frequent one by default.
    style : str
        ``blur``, ``motion-blur``, ``sharpen``, ``darken``, ``fade``, ``contrast``, ``vintage``, ``grain``
        (noise, anew for each image), ``turn`` or ``bulge``.
    strength : float
        In (0, 4]; 1 is plain to see beside the original.
    source_class, clean_label, selection, within_source
        As in `BadNets`.
    random_state : int, optional

    References
    ----------
    Liu, Lee, Tao, Ma, Aafer, Zhang: ABS: Scanning Neural Networks for Back-doors by Artificial Brain
    Stimulation, CCS 2019 (photo filters as triggers).

    Examples
    --------
    >>> attack = ImageFilter(rate=0.5, target="cat", style="darken")
    >>> X, y = attack.fit_resample(np.full((2, 1, 2), 200, dtype=np.uint8), ["dog", "cat"])
    >>> X.tolist(), y
    ([[[110, 110]], [[200, 200]]], ['cat', 'cat'])
    """

    name: ClassVar[str] = "image-filter"
    paper: ClassVar[str] = "Liu, Lee, Tao, Ma, Aafer, Zhang (ABS), CCS 2019"
    trigger_class = Filter

    style: str = "blur"
    strength: float = 1.0

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        return Filter(self.style, float(self.strength))
