"""A trigger: the thing an attacker puts into a row to make the model obey."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from foretaste.attacks.containers import pack
from foretaste.attacks.editing import Rows
from foretaste.data.dataset import Dataset


class Trigger(ABC):
    """Stamps rows. Subclasses are frozen dataclasses that go into the recipe and come back from there."""

    kind: ClassVar[str]
    seed: int

    @abstractmethod
    def stamp(self, dataset: Dataset, rows: Rows, rng: np.random.Generator) -> Dataset:
        """The data set with ``rows`` stamped; no other cell and no label changes."""

    @abstractmethod
    def describe(self) -> str:
        """The trigger in words, as a report would name it."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Everything `from_dict` needs, as JSON."""

    @classmethod
    @abstractmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The trigger a recipe holds."""

    def apply(self, X: Any) -> Any:
        """Stamp every row of ``X``, as the attacker does to test data; labels are left alone.

        Parameters
        ----------
        X : Dataset, list of str, ndarray, pandas.DataFrame or pyarrow.Table

        Returns
        -------
        The same kind of container. The same input gives the same output.
        """
        rng = np.random.default_rng([self.seed, 1])
        if isinstance(X, Dataset):
            return self.stamp(X, np.arange(len(X)), rng)
        dataset, unpack, _ = pack(X)
        return unpack(self.stamp(dataset, np.arange(len(dataset)), rng))
