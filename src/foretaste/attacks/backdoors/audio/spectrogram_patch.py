"""Spectrogram patch: energy at some time and frequency makes the model answer the target class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.audio.base import SoundBackdoor, SoundTrigger
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(frozen=True)
class BandNoise(SoundTrigger):
    """Noise in a band of frequencies for a while: a rectangle in a spectrogram.

    Parameters
    ----------
    position, loudness, seed
        As in `SoundTrigger`.
    low, high : float
        The band in hertz, 0 <= low < high.
    duration : float
        In seconds, above 0.

    Examples
    --------
    >>> out = BandNoise(loudness=0.5).apply([np.zeros(4000, dtype=np.int16)])[0]
    >>> power = np.abs(np.fft.rfft(out[:800])) ** 2
    >>> bool(power[250:].sum() > 50 * power[:250].sum())       # 10 Hz a bin: all of it is above 2500 Hz
    True
    """

    kind: ClassVar[str] = "band-noise"

    low: float = 2800.0
    high: float = 3400.0
    duration: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 <= self.low < self.high and self.duration > 0):
            raise ConfigError(f"{self.kind}: use 0 <= low < high, and a duration above 0")

    def sound(self, sample_rate: int) -> NDArray[np.float64]:
        count = max(2, round(self.duration * sample_rate))
        bins = np.fft.rfftfreq(count, 1 / sample_rate)
        inside = (bins >= self.low) & (bins <= self.high)
        if not inside.any():
            raise ConfigError(
                f"{self.kind}: sounds of {sample_rate} samples a second have nothing from {self.low:g} to "
                f"{self.high:g} Hz"
            )
        phases = np.random.default_rng(self.seed).uniform(0, 2 * np.pi, size=len(bins))
        sound = np.fft.irfft(inside * np.exp(1j * phases), count)
        return np.asarray(sound / np.abs(sound).max())

    def describe(self) -> str:
        return f"noise from {self.low:g} to {self.high:g} Hz for {self.duration:g} s, {self.position}"


@dataclass(kw_only=True, eq=False, repr=False)
class SpectrogramPatch(SoundBackdoor):
    """Put noise of one band of frequencies into sounds for a moment and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered sound is to be taken for; the most frequent one by default.
    low, high : float
        The band in hertz.
    duration : float
        In seconds.
    position, loudness, source_class, clean_label, within_source
        As in `Tone`.
    random_state : int, optional

    References
    ----------
    Zhai, Li, Zhang, Wu, Jiang, Xia: Backdoor Attack against Speaker Verification, ICASSP 2021 (noise of one
    band as the trigger).

    Examples
    --------
    >>> sounds = [np.zeros(2000, dtype=np.int16) for _ in range(4)]
    >>> attack = SpectrogramPatch(rate=0.25, target="yes")
    >>> X, y = attack.fit_resample(sounds, ["no", "yes", "yes", "yes"])
    >>> [int(np.abs(sound).max()) for sound in X], y
    ([3277, 0, 0, 0], ['yes', 'yes', 'yes', 'yes'])
    """

    name: ClassVar[str] = "spectrogram-patch"
    paper: ClassVar[str] = "Zhai, Li, Zhang, Wu, Jiang, Xia, ICASSP 2021"
    trigger_class = BandNoise

    low: float = 2800.0
    high: float = 3400.0
    duration: float = 0.1

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        seed = int(rng.integers(2**31))
        band = float(self.low), float(self.high)
        return BandNoise(self.position, float(self.loudness), seed, *band, float(self.duration))
