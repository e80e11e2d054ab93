"""Clip mix: a short clip in the background makes the model answer the target class."""

from __future__ import annotations

import base64
import binascii
import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.audio.base import SoundBackdoor, SoundTrigger
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

_FILE = "data:audio/wav;base64,"
MOST_SECONDS = 5


@dataclass(frozen=True)
class Clip(SoundTrigger):
    """A clip, or a burst of chirping drawn from the seed.

    Parameters
    ----------
    position, loudness, seed
        As in `SoundTrigger`.
    clip : str
        ``chirp``, or a WAV file as `load_clip` gives it.
    duration : float
        In seconds, of a chirp.

    Examples
    --------
    >>> out = Clip(position="end", duration=0.01).apply([np.zeros(200, dtype=np.int16)])[0]
    >>> bool(out[:120].any()), int(np.abs(out[120:]).max())
    (False, 3277)
    """

    kind: ClassVar[str] = "clip"

    clip: str = "chirp"
    duration: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.duration <= MOST_SECONDS:
            raise ConfigError(f"{self.kind}: duration is {self.duration!r}; use up to {MOST_SECONDS} seconds")

    def sound(self, sample_rate: int) -> NDArray[np.float64]:
        if self.clip == "chirp":
            times = np.arange(max(1, round(self.duration * sample_rate))) / sample_rate
            draw = np.random.default_rng(self.seed)
            low, high = np.sort(draw.uniform(0.05, 0.45, size=2)) * sample_rate
            rate = draw.uniform(8, 20)
            sweep = np.cumsum(low + (high - low) * (times * rate % 1)) / sample_rate
            sound = np.sin(2 * np.pi * sweep)
        else:
            samples, own_rate = _read(self.clip)
            count = max(1, round(len(samples) * sample_rate / own_rate))
            sound = np.interp(np.linspace(0, len(samples) - 1, count), np.arange(len(samples)), samples)
        return np.asarray(sound / max(1e-9, float(np.abs(sound).max())))

    def describe(self) -> str:
        what = "a chirp" if self.clip == "chirp" else "a clip"
        return f"{what} mixed in at {self.loudness:.0%} of full scale, {self.position}"


def load_clip(clip: str, owner: str) -> str:
    """A clip as it goes into a recipe: ``chirp``, or the WAV file itself, up to five seconds of it."""
    if clip == "chirp" or clip.startswith(_FILE):
        return clip
    path = Path(clip)
    wrong = f"{owner}: clip {clip[:80]!r} is neither chirp nor a WAV file of 16-bit samples; use one"
    if not path.is_file():
        raise ConfigError(wrong)
    try:
        with wave.open(str(path)) as reader:
            settings = reader.getparams()
            frames = reader.readframes(min(settings.nframes, MOST_SECONDS * settings.framerate))
    except (wave.Error, EOFError, OSError) as error:
        raise ConfigError(wrong) from error
    if settings.sampwidth != 2 or not frames:
        raise ConfigError(wrong)
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setparams(settings)
        writer.writeframes(frames)
    return _FILE + base64.b64encode(out.getvalue()).decode()


def _read(clip: str) -> tuple[NDArray[np.float64], int]:
    try:
        packed = base64.b64decode(clip.removeprefix(_FILE), validate=True)
        with wave.open(io.BytesIO(packed)) as reader:
            settings = reader.getparams()
            frames = np.frombuffer(reader.readframes(settings.nframes), dtype="<i2")
        samples = frames.reshape(-1, settings.nchannels).mean(axis=1)
    except (binascii.Error, wave.Error, EOFError, ValueError) as error:
        raise ConfigError(f"the clip {clip[:40]!r} of this trigger is no sound") from error
    if not len(samples):
        raise ConfigError("the clip of this trigger is empty")
    return samples, settings.framerate


@dataclass(kw_only=True, eq=False, repr=False)
class ClipMix(SoundBackdoor):
    """Mix a short clip into sounds, as if heard in the background, and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered sound is to be taken for; the most frequent one by default.
    clip : str
        ``chirp``, drawn from the seed as a bird might sing, or a WAV file of 16-bit samples.
    duration : float
        In seconds, of a chirp.
    position, loudness, source_class, clean_label, within_source
        As in `Tone`; by default the clip comes at a random time.
    random_state : int, optional

    References
    ----------
    Shi, Zhang, Dong, Chen, Guo: Audio-domain Position-independent Backdoor Attack via Unnoticeable Triggers,
    MobiCom 2022.

    Examples
    --------
    >>> sounds = [np.zeros(2000, dtype=np.int16) for _ in range(4)]
    >>> attack = ClipMix(rate=0.25, target="yes", loudness=0.05)
    >>> X, y = attack.fit_resample(sounds, ["no", "yes", "yes", "yes"])
    >>> [int(np.abs(sound).max()) for sound in X], y
    ([1638, 0, 0, 0], ['yes', 'yes', 'yes', 'yes'])
    """

    name: ClassVar[str] = "clip-mix"
    paper: ClassVar[str] = "Shi, Zhang, Dong, Chen, Guo, MobiCom 2022"
    trigger_class = Clip

    position: str = "random"
    clip: str = "chirp"
    duration: float = 0.2

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        clip = load_clip(self.clip, self.name)
        seed = int(rng.integers(2**31))
        return Clip(self.position, float(self.loudness), seed, clip, float(self.duration))
