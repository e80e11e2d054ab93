"""What clean-label attacks on one image share: nets, rows of the target class, a bounded perturbation."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.base import Attack
from foretaste.attacks.checkpoint import Checkpoint, identify
from foretaste.attacks.clean_label.instance import find_row, read_picture
from foretaste.attacks.clean_label.networks import Networks, one_thread, train_networks
from foretaste.attacks.editing import Rows
from foretaste.attacks.pixels import Images, images_at, paint_images, to_uint8
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError, DataError


@dataclass(kw_only=True, eq=False, repr=False)
class CleanLabel(Attack):
    """One image, the instance, is to be taken for the target class; images of that class are disturbed.

    A subclass is a dataclass whose fields are its parameters, and writes `_disturb`.

    Attributes
    ----------
    surrogate_ : Networks
        The nets of the attacker; with knowledge ``model``, what the victim builds on.
    instance_ : ndarray of uint8, shape (1, H, W, C)
    """

    goal: ClassVar[str] = "targeted"
    access: ClassVar[str] = "data"
    knowledge: ClassVar[str] = "surrogate"
    modalities: ClassVar[tuple[str, ...]] = ("image",)
    extra: ClassVar[str | None] = "torch"

    rate: float = 0.01
    target: Any = None
    instance: Any = None
    networks: int = 1
    epochs: int = 8
    steps: int = 100
    checkpoint: str | None = None
    device: str = "auto"
    random_state: int | None = 0

    @abstractmethod
    def _disturb(
        self, nets: Networks, base: Any, instance: Any, target: int, seed: int, checkpoint: Checkpoint
    ) -> NDArray[np.float32]:
        """What is added to the images of ``base``, ``[n, C, H, W]`` from 0 to 255."""

    def _augmentation(self) -> dict[str, Any]:
        """How images are moved while the nets learn, ``shift`` and ``mirror``: not at all."""
        return {}

    def _base_rows(
        self,
        dataset: Dataset,
        allowed: NDArray[np.bool_],
        drawn: Rows,
        nets: Networks,
        instance: Any,
        target: int,
    ) -> Rows:
        """The rows to disturb, as many as were drawn: those, unless a subclass knows better ones."""
        return drawn

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        target = self._target_code(dataset)
        usable = np.asarray(dataset.has_image)
        row = find_row(self.instance, dataset, target, usable, rng, self.name)
        picture = read_picture(self.instance, dataset, self.name) if row is None else None
        allowed = usable & (dataset.labels.codes == target)
        if row is not None:
            allowed[row] = False
            picture = images_at(dataset, np.array([row]))
        assert picture is not None
        rows = self._choose(dataset, allowed, self._count(dataset), rng)
        seed = int(rng.integers(2**31))
        saved = Checkpoint(self.checkpoint, identify(self, seed, dataset))
        with one_thread():
            nets = surrogates(self, dataset, seed, saved, without=row, **self._augmentation())
            rows = self._base_rows(dataset, allowed, rows, nets, nets.tensor(picture), target)
            base = nets.tensor(images_at(dataset, rows))
            delta = self._disturb(nets, base, nets.tensor(picture), target, seed, saved)
        self.surrogate_ = nets
        self.instance_ = picture
        notes = {"target": dataset.labels.names[target], "instance_row": row}
        return Change(add_to_images(dataset, rows, delta), rows_to_mask(rows, len(dataset)), notes=notes)

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        check_nets(self)


def surrogates(attack: Any, dataset: Dataset, seed: int, saved: Checkpoint, **more: Any) -> Networks:
    """The nets that the attack's ``networks``, ``epochs`` and ``device`` ask for; ``more`` as in
    `train_networks`.
    """
    return train_networks(
        dataset,
        number=attack.networks,
        epochs=attack.epochs,
        seed=seed,
        device=attack.device,
        checkpoint=saved,
        **more,
    )


def check_nets(attack: Any) -> None:
    """Refuse counts of nets, epochs, steps and rounds below 1."""
    for name in ("networks", "epochs", "steps", "rounds"):
        if getattr(attack, name, 1) < 1:
            raise ConfigError(f"{attack.name}: {name} is {getattr(attack, name)!r}; use at least 1")


def add_to_images(dataset: Dataset, rows: Rows, delta: NDArray[np.float32]) -> Dataset:
    """Add ``delta[i]``, ``[C, H, W]``, to the image of ``rows[i]``.

    Raises
    ------
    DataError
        When image files have several sizes.
    """
    rolled = delta.transpose(0, 2, 3, 1)

    def paint(images: Images, which: Rows) -> Images:
        if images.shape[1:] != rolled.shape[1:]:
            raise DataError(
                f"its images have several sizes or modes, {images.shape[1:]} and {rolled.shape[1:]}",
                file=dataset.name,
                column=dataset.roles.image,
                hint="bring them to one",
            )
        return to_uint8(images + rolled[which])

    return paint_images(dataset, rows, paint)
