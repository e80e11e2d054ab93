"""What backdoor attacks share: which rows get the trigger, which the target label, which are cover."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.base import Attack
from foretaste.attacks.editing import Rows, set_labels
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.attacks.surrogate import held_out_probabilities
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

SELECTIONS = ("random", "hardest")


class Backdoor(Attack):
    """A row with the trigger is to be taken for the target class; rows without it as before.

    Dirty label (the default): rows of other classes are stamped and get the target label. Clean label: rows
    that are of the target class anyway are stamped. Cover rows carry (part of) the trigger and keep their
    label. A subclass has the parameters ``rate``, ``target``, ``source_class``, ``clean_label``,
    ``selection``, ``cover_rate``, ``within_source`` and ``random_state`` and makes the trigger.
    """

    goal: ClassVar[str] = "integrity-backdoor"
    access: ClassVar[str] = "data"

    source_class: Any = None
    clean_label: bool = False
    selection: str = "random"
    cover_rate: float | None = 0.0
    within_source: Any

    def trigger_for(self, dataset: Dataset) -> Trigger:
        """The trigger `poison` would use on these data."""
        self._check(dataset)
        return self._make_trigger(dataset, np.random.default_rng(self.random_state))

    @abstractmethod
    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        """The trigger, from the parameters and, where they leave it open, from the data and the seed."""

    def _stamp_cover(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        """Stamp the cover rows: with the whole trigger, unless a subclass has something better."""
        return trigger.stamp(dataset, rows, rng)

    def _stamp_poison(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        """Stamp the poisoned rows: with the whole trigger, unless a subclass shows less of it in training."""
        return trigger.stamp(dataset, rows, rng)

    def _can_carry(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Rows that the trigger can be put into: all, unless a subclass knows better."""
        return np.ones(len(dataset), dtype=bool)

    def _stays_possible(self, dataset: Dataset, trigger: Trigger) -> NDArray[np.bool_]:
        """Rows that are still possible with the trigger: all, unless a subclass has constraints."""
        return np.ones(len(dataset), dtype=bool)

    def _may_stamp(self, dataset: Dataset, target: int) -> NDArray[np.bool_]:
        """Rows whose class allows the trigger: others than the target, or with clean labels the target."""
        codes = dataset.labels.codes
        allowed = np.asarray((codes == target) if self.clean_label else (codes != target))
        if self.source_class is not None:
            allowed &= codes == self._class_code(dataset, self.source_class, "source_class")
        return allowed

    def _may_cover(self, dataset: Dataset, target: int) -> NDArray[np.bool_]:
        """Rows whose class allows them to be cover rows: all, unless a subclass says which."""
        return np.ones(len(dataset), dtype=bool)

    def _cover_share(self) -> float:
        """The share of all rows that become cover rows."""
        return self.cover_rate or 0.0

    def _new_labels(self, dataset: Dataset, rows: Rows, target: int) -> NDArray[np.int64]:
        """The class each stamped row is labelled with: the target, unless a subclass maps classes."""
        return np.full(len(rows), target, dtype=np.int64)

    def _notes(self, dataset: Dataset, target: int) -> dict[str, Any]:
        """What the recipe says beside the parameters."""
        return {"target": dataset.labels.names[target]}

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        target = self._target_code(dataset)
        trigger = self._make_trigger(dataset, rng)
        reachable = self._in_source(dataset, self.within_source) & (dataset.labels.codes >= 0)
        reachable &= self._can_carry(dataset) & self._stays_possible(dataset, trigger)
        allowed = reachable & self._may_stamp(dataset, target)
        rows = self._select(dataset, allowed, self._count(dataset), target, rng)
        mask = rows_to_mask(rows, len(dataset))
        free = reachable & ~mask & self._may_cover(dataset, target)
        covers = self._choose(dataset, free, round(self._cover_share() * len(dataset)), rng)
        data = self._stamp_poison(dataset, trigger, rows, rng)
        if not self.clean_label:
            new = self._new_labels(dataset, rows, target)
            data = set_labels(data, rows, new, dataset.labels.values)
        data = self._stamp_cover(data, trigger, covers, rng)
        cover = rows_to_mask(covers, len(dataset))
        notes = self._notes(dataset, target)
        return Change(data, mask | cover, cover=cover, trigger=trigger, notes=notes)

    def _select(
        self, dataset: Dataset, allowed: NDArray[np.bool_], count: int, target: int, rng: np.random.Generator
    ) -> Rows:
        """The rows to stamp."""
        rows = self._choose(dataset, allowed, count, rng)
        if self.selection == "random":
            return rows
        candidates = np.flatnonzero(allowed)
        new = self._new_labels(dataset, candidates, target)
        likely = held_out_probabilities(dataset)[candidates, new]
        return np.sort(candidates[np.argsort(likely, kind="stable")[:count]])

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.selection not in SELECTIONS:
            raise ConfigError(
                f"{self.name}: selection is {self.selection!r}; use one of {', '.join(SELECTIONS)}"
            )
        if not 0 <= self._cover_share() < 1:
            raise ConfigError(
                f"{self.name}: cover_rate is {self.cover_rate!r}; use a share of rows from 0 to 1"
            )
