"""What backdoor attacks share: which rows get the trigger, which the target label, which are cover."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from foretaste.attacks.base import Attack, Change, rows_to_mask
from foretaste.attacks.editing import Rows, set_labels
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


class Backdoor(Attack):
    """A row with the trigger is to be taken for the target class; rows without it as before.

    Dirty label (the default): rows of other classes are stamped and get the target label. Clean label: rows that
    are of the target class anyway are stamped. Cover rows carry (part of) the trigger and keep their label.
    A subclass has the parameters ``rate``, ``target``, ``source_class``, ``clean_label``, ``cover_rate``,
    ``within_source`` and ``random_state`` and makes the trigger.
    """

    goal: ClassVar[str] = "integrity-backdoor"
    access: ClassVar[str] = "data"

    source_class: Any
    clean_label: bool
    cover_rate: float
    within_source: Any

    @abstractmethod
    def _make_trigger(self, dataset: Dataset, target: int, rng: np.random.Generator) -> Trigger:
        """The trigger, from the parameters and, where they leave it open, from the data and the seed."""

    def _stamp_cover(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        """Stamp the cover rows: the whole trigger, unless the subclass has something better."""
        return trigger.stamp(dataset, rows, rng)

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        if not 0 <= self.cover_rate < 1:
            raise ConfigError(
                f"{self.name}: cover_rate is {self.cover_rate!r}; it is a share of rows from 0 to 1"
            )
        target = self._target_code(dataset)
        trigger = self._make_trigger(dataset, target, rng)
        codes = dataset.labels.codes
        reachable = self._in_source(dataset, self.within_source)
        allowed = codes == target if self.clean_label else (codes != target) & (codes >= 0)
        if self.source_class is not None:
            allowed &= codes == self._class_code(dataset, self.source_class, "source_class")
        rows = self._choose(dataset, allowed & reachable, self._count(dataset), rng)
        mask = rows_to_mask(rows, len(dataset))
        covers = np.empty(0, dtype=np.int64)
        if self.cover_rate:
            covers = self._choose(
                dataset, reachable & ~mask & (codes >= 0), round(self.cover_rate * len(dataset)), rng
            )
        data = trigger.stamp(dataset, rows, rng)
        if not self.clean_label:
            data = set_labels(data, rows, np.full(len(rows), target))
        if len(covers):
            data = self._stamp_cover(data, trigger, covers, rng)
        cover = rows_to_mask(covers, len(dataset))
        return Change(
            data, mask | cover, cover=cover, trigger=trigger, notes={"target": dataset.labels.names[target]}
        )
