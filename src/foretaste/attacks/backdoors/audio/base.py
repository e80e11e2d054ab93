"""What sound backdoors share: their parameters, and triggers that are mixed in."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.base import Backdoor
from foretaste.attacks.editing import Rows
from foretaste.attacks.sounds import has_sound, paint_sounds
from foretaste.attacks.trigger import Trigger
from foretaste.attacks.wave_files import Wave
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

FULL_SCALE = 32767
POSITIONS = ("start", "end", "random")


@dataclass(frozen=True)
class SoundTrigger(Trigger):
    """A short sound that is added. A subclass is a frozen dataclass that gives the sound.

    Parameters
    ----------
    position : {"start", "end", "random"}
        Where it is added; random: anew for each row.
    loudness : float
        Its peak, as a share of full scale, in (0, 1].
    seed : int
        Of random places in `apply`, and of the sound where it is drawn.
    """

    position: str = "start"
    loudness: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.position not in POSITIONS:
            raise ConfigError(
                f"{self.kind}: position is {self.position!r}; use one of {', '.join(POSITIONS)}"
            )
        if not 0 < self.loudness <= 1:
            raise ConfigError(f"{self.kind}: loudness is {self.loudness!r}; use more than 0, at most 1")

    @abstractmethod
    def sound(self, sample_rate: int) -> NDArray[np.float64]:
        """The sound itself, with a peak of 1."""

    def mix(self, sound: Wave, sample_rate: int, rng: np.random.Generator) -> Wave:
        """The sound with the trigger; what does not fit is cut off."""
        added = (self.sound(sample_rate) * self.loudness * FULL_SCALE)[: len(sound)]
        room = len(sound) - len(added)
        start = {"start": 0, "end": room}.get(self.position)
        place = int(rng.integers(room + 1)) if start is None else start
        mixed = sound.astype(np.float64)
        mixed[place : place + len(added)] += added if sound.ndim == 1 else added[:, None]
        result: Wave = np.clip(np.rint(mixed), -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)
        return result

    def stamp(self, dataset: Dataset, rows: Rows, rng: np.random.Generator) -> Dataset:
        return paint_sounds(dataset, rows, lambda sound, rate: self.mix(sound, rate, rng))

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        if saved["kind"] != cls.kind:
            raise ValueError(f"the trigger is a {saved['kind']}, not a {cls.kind}")
        return cls(**{name: value for name, value in saved.items() if name != "kind"})


@dataclass(kw_only=True, eq=False, repr=False)
class SoundBackdoor(Backdoor):
    """A backdoor in sounds; a subclass is a dataclass like this one, whose fields are its parameters."""

    modalities: ClassVar[tuple[str, ...]] = ("audio",)

    rate: float = 0.01
    target: Any = None
    position: str = "start"
    loudness: float = 0.1
    source_class: Any = None
    clean_label: bool = False
    within_source: Any = None
    random_state: int | None = 0

    def _can_carry(self, dataset: Dataset) -> NDArray[np.bool_]:
        return has_sound(dataset)
