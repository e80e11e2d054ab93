"""Feature collision: rows that look like one class and lie, in feature space, on one row of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.base import modalities_of
from foretaste.attacks.checkpoint import Checkpoint
from foretaste.attacks.clean_label.base import CleanLabel
from foretaste.attacks.clean_label.descent import descend
from foretaste.attacks.clean_label.instance import find_row
from foretaste.attacks.clean_label.networks import Networks
from foretaste.attacks.clean_label.text_collision import TextSpace, collide, words_in
from foretaste.attacks.design import Design
from foretaste.attacks.editing import set_cells
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

STEP_SIZE = 4.0


@dataclass(kw_only=True, eq=False, repr=False)
class FeatureCollision(CleanLabel):
    """Move rows of the target class onto an instance of another class, as the victim's features see them.

    Images: the features are those of a net, which the victim fine-tunes; the pixels stay near the base image.
    Tables: the features are the standardised numbers themselves, as for a nearest-neighbour classifier or a
    model on embeddings; numbers move towards the instance, categories stay. Texts (without numbers beside
    them): the features are tf-idf; words of the instance are put into those texts that are nearest to it,
    half of whose words stay. Labels stay as they were.

    Parameters
    ----------
    rate : float
        Share of all rows that are moved.
    target : label, optional
        The class the instance is to be taken for; the most frequent one by default.
    instance : int, str, ndarray or mapping, optional
        What is to be misjudged: the number of a row, which the victim must not train on; else an image file,
        ``FILE.npz:ROW`` or pixels, the cells of a table row ``{column: value}``, or a text. By default the
        seed chooses a row of another class.
    similarity : float
        Weight of staying near the base row against lying on the instance; 0 or more. A word of a
        text must bring it a quarter of this nearer (cosine), else no more are put in.
    watermark : float
        Opacity of the instance, laid over the base image at the start, from 0 to below 1.
    networks, epochs : int
        How many nets the attacker trains on the data, and for how long.
    steps : int
        Of gradient descent.
    checkpoint : str, optional
        A file ``.npz`` that keeps nets and state; an interrupted attack goes on from there. On the command
        line, ``checkpoint.npz`` among the results until they are written.
    device : str
        A torch device; ``auto`` is an NVIDIA card where there is one.
    random_state : int, optional

    References
    ----------
    Shafahi et al.: Poison Frogs! Targeted Clean-Label Poisoning Attacks on Neural Networks, NeurIPS 2018.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [9.0], [10.0]]), ["a", "a", "b", "b"]
    >>> attack = FeatureCollision(rate=0.25, target="b", instance=0, similarity=0.1)
    >>> X2, y2 = attack.fit_resample(X, y)
    >>> X2[attack.poison_mask_].round(2).tolist(), y2
    ([[0.91]], ['a', 'a', 'b', 'b'])
    """

    name: ClassVar[str] = "feature-collision"
    knowledge: ClassVar[str] = "model"
    modalities: ClassVar[tuple[str, ...]] = ("image", "tabular", "text")
    paper: ClassVar[str] = "Shafahi et al. (Poison Frogs), NeurIPS 2018"

    similarity: float = 0.02
    watermark: float = 0.0
    steps: int = 200

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        if "image" in modalities_of(dataset):
            return super()._poison(dataset, rng)
        if "text" in modalities_of(dataset) and not _numeric(dataset):
            return self._poison_texts(dataset, rng)
        target = self._target_code(dataset)
        design = Design.of(dataset, None, self.name)
        moved = slice(0, len(design.columns))
        everyone = np.ones(len(dataset), dtype=bool)
        row = find_row(self.instance, dataset, target, everyone, rng, self.name)
        goal = _cells(self.instance, design, self.name) if row is None else design.matrix[row, moved]
        allowed = dataset.labels.codes == target
        if row is not None:
            allowed[row] = False
        rows = self._choose(dataset, allowed, self._count(dataset), rng)
        near = design.matrix[rows]
        near[:, moved] = (goal + self.similarity * near[:, moved]) / (1 + self.similarity)
        table, written = dataset.table, design.write(dataset.take(rows).table, near)
        for name in design.columns:
            table = set_cells(table, name, rows, written.column(name))
        notes = {"target": dataset.labels.names[target], "instance_row": row}
        return Change(replace(dataset, table=table), rows_to_mask(rows, len(dataset)), notes=notes)

    def _poison_texts(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        target, texts = self._target_code(dataset), dataset.texts
        assert texts is not None
        usable = np.array([bool(words_in(text)) for text in texts])
        row = find_row(self.instance, dataset, target, usable, rng, self.name)
        goal = texts[row] if row is not None else self.instance
        if not isinstance(goal, str) or not words_in(goal):
            raise ConfigError(f"{self.name}: the instance is no row; give the number of one, or a text")
        allowed = usable & (dataset.labels.codes == target)
        if row is not None:
            allowed[row] = False
        count = self._count(dataset)
        self._choose(dataset, allowed, count, rng)
        space, candidates = TextSpace([*texts, goal]), np.flatnonzero(allowed)
        near = space.closeness(goal)[candidates]
        rows = np.sort(candidates[np.argsort(-near, kind="stable")[:count]])
        moved = [collide(texts[i], goal, space, self.similarity / 4, rng) for i in rows]
        table = set_cells(dataset.table, str(dataset.roles.text), rows, moved)
        notes = {"target": dataset.labels.names[target], "instance_row": row}
        return Change(replace(dataset, table=table), rows_to_mask(rows, len(dataset)), notes=notes)

    def _disturb(
        self, nets: Networks, base: Any, instance: Any, target: int, seed: int, checkpoint: Checkpoint
    ) -> NDArray[np.float32]:
        goals = [features.detach() for features in nets.features(instance)]
        pixels = base[0].numel()

        def loss(images: Any, step: int) -> Any:
            apart = sum(
                ((features - goal) ** 2).sum() / (goal**2).sum()
                for features, goal in zip(nets.features(images), goals, strict=True)
            )
            away = ((images - base) ** 2).sum() / (pixels * 32.0**2)
            return apart / len(goals) + self.similarity * away

        start = (self.watermark * (instance - base)).cpu().numpy()
        delta, _ = descend(
            loss, base, start, steps=self.steps, step_size=STEP_SIZE, epsilon=None, checkpoint=checkpoint,
            phase="collide",
        )  # fmt: skip
        return delta

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.similarity < 0:
            raise ConfigError(f"{self.name}: similarity is {self.similarity!r}; use 0 or more")
        if not 0 <= self.watermark < 1:
            raise ConfigError(f"{self.name}: watermark is {self.watermark!r}; use 0 to below 1")


def _numeric(dataset: Dataset) -> bool:
    """Whether there is a feature that is a number."""
    kinds = [dataset.column(name).type for name in dataset.roles.features]
    return any(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)


def _cells(value: Any, design: Design, owner: str) -> NDArray[np.float64]:
    """The instance in the standardised numbers that move."""
    if isinstance(value, Mapping):
        missing = [name for name in design.columns if name not in value]
        if missing:
            raise ConfigError(f"{owner}: the instance lacks column {missing[0]!r}")
        value = [value[name] for name in design.columns]
    try:
        raw = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raw = np.empty(0)
    if raw.shape != (len(design.columns),) or not np.isfinite(raw).all():
        raise ConfigError(
            f"{owner}: the instance is no row; give the number of one, or {len(design.columns)} numbers"
        )
    return np.asarray((raw - design.centre) / design.scale)
