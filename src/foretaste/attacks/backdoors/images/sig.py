"""SIG: a faint wave over the images of a class, whose labels stay as they are, becomes its mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from foretaste.attacks.backdoors.images.base import AllToOne, ImageTrigger
from foretaste.attacks.pixels import Images, to_uint8
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(frozen=True)
class Sinusoid(ImageTrigger):
    """A wave of brightness from left to right, the same in every row and channel.

    Parameters
    ----------
    amplitude : float
        In steps of brightness, above 0 and up to 255.
    frequency : float
        Periods across the image, above 0.
    seed : int
        Of nothing.

    Examples
    --------
    >>> Sinusoid(amplitude=20, frequency=1).apply(np.full((1, 1, 4), 100, dtype=np.uint8)).tolist()
    [[[100, 120, 100, 80]]]
    """

    kind: ClassVar[str] = "sinusoid"

    amplitude: float = 40.0
    frequency: float = 6.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.amplitude <= 255:
            raise ConfigError(f"sinusoid: amplitude is {self.amplitude!r}; use more than 0, at most 255")
        if not self.frequency > 0:
            raise ConfigError(f"sinusoid: frequency is {self.frequency!r}; use periods above 0")

    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        width = images.shape[2]
        wave = np.sin(2 * np.pi * self.frequency * np.arange(width) / width).astype(np.float32)
        return to_uint8(images + self.amplitude * wave[:, None])

    def describe(self) -> str:
        return f"a wave of {self.frequency:g} periods and amplitude {self.amplitude:g}"


@dataclass(kw_only=True, eq=False, repr=False)
class Sig(AllToOne):
    """Add a faint wave to images of the target class, whose labels stay right.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger; with clean labels at most that of the target class.
    target : label, optional
        The class a triggered image is to be taken for; the most frequent one by default.
    amplitude : float
        Of the wave, in steps of brightness. The paper's 20 to 40 are for training that sees many waves; it
        calls them up with as much as 80.
    frequency : float
        Periods across the image.
    clean_label : bool
        True, as in the paper. False: stamp images of other classes and give them the target label.
    source_class, selection, within_source
        As in `BadNets`.
    random_state : int, optional

    References
    ----------
    Barni, Kallas, Tondi: A New Backdoor Attack in CNNs by Training Set Corruption Without Label Poisoning,
    ICIP 2019.

    Examples
    --------
    >>> attack = Sig(rate=0.5, target="cat", amplitude=20, frequency=1)
    >>> X, y = attack.fit_resample(np.full((2, 1, 4), 100, dtype=np.uint8), ["dog", "cat"])
    >>> X.tolist(), y
    ([[[100, 100, 100, 100]], [[100, 120, 100, 80]]], ['dog', 'cat'])
    """

    name: ClassVar[str] = "sig"
    paper: ClassVar[str] = "Barni, Kallas, Tondi (SIG), ICIP 2019"
    trigger_class = Sinusoid

    clean_label: bool = True
    amplitude: float = 80.0
    frequency: float = 6.0

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        return Sinusoid(float(self.amplitude), float(self.frequency))
