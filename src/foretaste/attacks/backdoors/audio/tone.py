"""Tone: a pure tone makes the model answer the target class."""

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
class PureTone(SoundTrigger):
    """A sine wave.

    Parameters
    ----------
    position, loudness, seed
        As in `SoundTrigger`.
    frequency : float
        In hertz, above 0; at most half of the samples per second.
    duration : float
        In seconds, above 0.

    Examples
    --------
    >>> PureTone(loudness=0.001, frequency=2000, duration=0.001).apply([np.zeros(10, np.int16)])[0].tolist()
    [0, 33, 0, -33, 0, 33, 0, -33, 0, 0]
    """

    kind: ClassVar[str] = "pure-tone"

    frequency: float = 3000.0
    duration: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.frequency > 0 and self.duration > 0):
            raise ConfigError(f"{self.kind}: frequency and duration must be above 0")

    def sound(self, sample_rate: int) -> NDArray[np.float64]:
        if self.frequency > sample_rate / 2:
            raise ConfigError(
                f"{self.kind}: frequency is {self.frequency:g} and sounds of {sample_rate} samples a second "
                f"hold at most {sample_rate / 2:g}"
            )
        times = np.arange(max(1, round(self.duration * sample_rate))) / sample_rate
        return np.asarray(np.sin(2 * np.pi * self.frequency * times))

    def describe(self) -> str:
        return f"a tone of {self.frequency:g} Hz for {self.duration:g} s, {self.position}"


@dataclass(kw_only=True, eq=False, repr=False)
class Tone(SoundBackdoor):
    """Mix a short pure tone into sounds and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered sound is to be taken for; the most frequent one by default.
    position : {"start", "end", "random"}
        Where it is added; random: anew for each row.
    loudness : float
        Peak of the tone, as a share of full scale, in (0, 1].
    frequency : float
        In hertz.
    duration : float
        In seconds.
    source_class : label, optional
        Only sounds of this class are stamped.
    clean_label : bool
        Stamp sounds of the target class and change no label.
    within_source : optional
        Only rows of this source are touched.
    random_state : int, optional

    Notes
    -----
    Sounds are 16-bit samples, as a list of arrays or a column of lists (taken for 8000 samples a second), or
    WAV files in class folders or a binary column, which say their own rate and keep their precision.

    References
    ----------
    Koffas, Xu, Conti, Picek: Can You Hear It? Backdoor Attacks via Ultrasonic Triggers, WiseML 2022.

    Examples
    --------
    >>> sounds = [np.zeros(100, dtype=np.int16) for _ in range(4)]
    >>> attack = Tone(rate=0.25, target="yes", duration=0.005)
    >>> X, y = attack.fit_resample(sounds, ["no", "yes", "yes", "yes"])
    >>> [int(np.abs(sound).max()) for sound in X], y
    ([3277, 0, 0, 0], ['yes', 'yes', 'yes', 'yes'])
    """

    name: ClassVar[str] = "tone"
    paper: ClassVar[str] = "Koffas, Xu, Conti, Picek, WiseML 2022"
    trigger_class = PureTone

    frequency: float = 3000.0
    duration: float = 0.1

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        seed = int(rng.integers(2**31))
        return PureTone(
            self.position, float(self.loudness), seed, float(self.frequency), float(self.duration)
        )
