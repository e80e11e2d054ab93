"""What image backdoors share: their parameters, and triggers that are painted."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.base import Backdoor
from foretaste.attacks.editing import Rows
from foretaste.attacks.pixels import Images, paint_images
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset


class ImageTrigger(Trigger):
    """A trigger for images. A subclass is a frozen dataclass of JSON values that refuses wrong ones."""

    at_once: ClassVar[int] = 2**17  # values painted in one go: what fits into a cache is painted fastest

    @abstractmethod
    def paint(self, images: Images, rng: np.random.Generator) -> Images:
        """Copies of the images, uint8 ``[n, H, W, C]``, with the trigger in each."""

    def stamp(self, dataset: Dataset, rows: Rows, rng: np.random.Generator) -> Dataset:
        return paint_images(dataset, rows, lambda images, _: self._paint_in_parts(images, rng))

    def _paint_in_parts(self, images: Images, rng: np.random.Generator) -> Images:
        painted = np.empty_like(images)
        step = max(1, self.at_once // int(np.prod(images.shape[1:])))
        for start in range(0, len(images), step):
            painted[start : start + step] = self.paint(images[start : start + step], rng)
        return painted

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        if saved["kind"] != cls.kind:
            raise ValueError(f"the trigger is a {saved['kind']}, not a {cls.kind}")
        return cls(**{name: value for name, value in saved.items() if name != "kind"})


@dataclass(kw_only=True, eq=False, repr=False)
class ImageBackdoor(Backdoor):
    """A backdoor in images; a subclass is a dataclass like this one, whose fields are its parameters."""

    modalities: ClassVar[tuple[str, ...]] = ("image",)

    rate: float = 0.01
    target: Any = None
    within_source: Any = None
    random_state: int | None = 0

    def _can_carry(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Rows that have an image."""
        if dataset.roles.image is None:
            return np.zeros(len(dataset), dtype=bool)
        return np.asarray(dataset.column(dataset.roles.image).is_valid().to_numpy())


@dataclass(kw_only=True, eq=False, repr=False)
class AllToOne(ImageBackdoor):
    """Images of every other class, or with clean labels of the target class itself, get the trigger."""

    source_class: Any = None
    clean_label: bool = False
    selection: str = "random"
