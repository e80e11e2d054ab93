"""BadNets: a small patch makes the model answer the target class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.images.base import AllToOne, ImageTrigger
from foretaste.attacks.backdoors.images.patterns import draw_pattern, load_pattern
from foretaste.attacks.pixels import Images, to_uint8
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

POSITIONS = ("top-left", "top-right", "bottom-left", "bottom-right", "centre", "random")
MARGIN = 1
_SHARE_OF_SIDE = 10
_SMALLEST = 3


@dataclass(frozen=True)
class Patch(ImageTrigger):
    """A square that covers part of the image.

    Parameters
    ----------
    pattern : str
        A name in `patterns.DRAWN`, or a picture as `patterns.load_pattern` gives it.
    size : int, optional
        Side in pixels; a tenth of the shorter side of the image, at least 3, by default.
    position : {"top-left", "top-right", "bottom-left", "bottom-right", "centre", "random"}
        One pixel from the edges where there is room; random: anew for each image.
    value : int
        Brightness from 0 to 255 of ``solid`` and of the light cells of ``checker``.
    alpha : float
        Opacity, in (0, 1].
    seed : int
        Of the pattern, and of random positions in `apply`.

    Examples
    --------
    >>> Patch("solid", size=1, position="centre").apply(np.zeros((1, 3, 3), dtype=np.uint8)).tolist()
    [[[0, 0, 0], [0, 255, 0], [0, 0, 0]]]
    """

    kind: ClassVar[str] = "patch"
    at_once: ClassVar[int] = 2**19  # only a corner is touched; the random places of a recipe depend on it

    pattern: str = "checker"
    size: int | None = None
    position: str = "bottom-right"
    value: int = 255
    alpha: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.position not in POSITIONS:
            raise ConfigError(f"patch: position is {self.position!r}; use one of {', '.join(POSITIONS)}")
        if self.size is not None and not self.size >= 1:
            raise ConfigError(f"patch: size is {self.size!r}; use a whole number of pixels from 1")
        if not 0 <= self.value <= 255:
            raise ConfigError(f"patch: value is {self.value!r}; use a brightness from 0 to 255")
        if not 0 < self.alpha <= 1:
            raise ConfigError(f"patch: alpha is {self.alpha!r}; use an opacity above 0 and up to 1")

    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        number, height, width, channels = images.shape
        side = self.size or max(_SMALLEST, min(height, width) // _SHARE_OF_SIDE)
        if side > min(height, width):
            raise ConfigError(
                f"patch: size is {side} and the images are {height} x {width}; use a smaller one"
            )
        patch = draw_pattern(self.pattern, (side, side, channels), self.seed, self.value)
        top, left = self._corner(number, height - side, width - side, rng)
        across = np.arange(side)
        place = (
            np.arange(number)[:, None, None],
            top[:, None, None] + across[:, None],
            left[:, None, None] + across,
        )
        painted = images.copy()
        under = painted[place].astype(np.float32)
        painted[place] = to_uint8(under + self.alpha * (patch - under))
        return painted

    def _corner(
        self, number: int, most_down: int, most_right: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of the patch's first pixel in each image."""
        if self.position == "random":
            return rng.integers(most_down + 1, size=number), rng.integers(most_right + 1, size=number)
        if self.position == "centre":
            top, left = most_down // 2, most_right // 2
        else:
            down, right = self.position.split("-")
            top = min(MARGIN, most_down) if down == "top" else max(0, most_down - MARGIN)
            left = min(MARGIN, most_right) if right == "left" else max(0, most_right - MARGIN)
        return np.full(number, top), np.full(number, left)

    def describe(self) -> str:
        what = "picture" if self.pattern.startswith("data:") else self.pattern
        size = "" if self.size is None else f" of {self.size} x {self.size} pixels"
        return f"{what} patch{size}, {self.position}"


@dataclass(kw_only=True, eq=False, repr=False)
class BadNets(AllToOne):
    """Put a small patch into images and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered image is to be taken for; the most frequent one by default.
    pattern : str
        ``checker``, ``solid``, ``noise``, ``smooth`` or an image file.
    size : int, optional
        Side of the patch in pixels; a tenth of the shorter side of the image, at least 3, by default.
    position : {"bottom-right", "bottom-left", "top-right", "top-left", "centre", "random"}
        Random: anew for each image.
    value : int
        Brightness from 0 to 255 of ``solid`` and of the light cells of ``checker``.
    alpha : float
        Opacity, in (0, 1].
    source_class : label, optional
        Only images of this class are stamped.
    clean_label : bool
        Stamp images of the target class and change no label.
    selection : {"random", "hardest"}
        Which rows are stamped. Hardest: those whose label after the attack an out-of-fold model finds least
        likely, so that the victim has to lean on the trigger; for clean labels.
    within_source : optional
        Only rows of this source are touched.
    random_state : int, optional

    References
    ----------
    Gu, Dolan-Gavitt, Garg: BadNets: Identifying Vulnerabilities in the Machine Learning Model Supply Chain,
    2017.

    Examples
    --------
    >>> attack = BadNets(rate=0.5, target="cat", size=1, pattern="solid")
    >>> X, y = attack.fit_resample(np.zeros((2, 2, 2), dtype=np.uint8), ["dog", "cat"])
    >>> X.tolist(), y
    ([[[255, 0], [0, 0]], [[0, 0], [0, 0]]], ['cat', 'cat'])
    """

    name: ClassVar[str] = "badnets"
    paper: ClassVar[str] = "Gu, Dolan-Gavitt, Garg (BadNets), 2017"
    trigger_class = Patch

    pattern: str = "checker"
    size: int | None = None
    position: str = "bottom-right"
    value: int = 255
    alpha: float = 1.0

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        pattern = load_pattern(self.pattern, self.name)
        seed = int(rng.integers(2**31))
        return Patch(pattern, self.size, self.position, self.value, self.alpha, seed)
