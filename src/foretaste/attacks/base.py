"""What every attack is: a sampler that poisons a data set and remembers exactly what it did."""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from foretaste import __version__
from foretaste.attacks.containers import pack
from foretaste.attacks.editing import Rows
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset, as_text, name_some
from foretaste.errors import ConfigError, DataError

RECIPE_SCHEMA = 1


@dataclass(frozen=True)
class Change:
    """What one attack did, as it hands it to the base class; all arrays run over the rows after.

    ``mask`` is every row the attack altered or added, ``cover`` those of them that carry (part of) the trigger
    with a right label. ``original_row`` is -1 for an added row.
    """

    data: Dataset
    mask: NDArray[np.bool_]
    original_row: Rows | None = None
    cover: NDArray[np.bool_] | None = None
    trigger: Trigger | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Poisoned:
    """A poisoned data set and the truth about it.

    Attributes
    ----------
    data : Dataset
    mask : ndarray of bool, shape (rows after,)
        Rows the attack altered or added; every other row is as it was.
    cover : ndarray of bool, shape (rows after,)
        The part of ``mask`` that keeps its right label, there to hide the trigger.
    original_row : ndarray of int64, shape (rows after,)
        Where the row was before, -1 for an added row.
    original_label : pyarrow.Array
        Its label before, null for an added row.
    trigger : Trigger or None
    recipe : dict
        JSON; `foretaste.attacks.replay` does the same again.
    """

    data: Dataset
    mask: NDArray[np.bool_]
    cover: NDArray[np.bool_]
    original_row: Rows
    original_label: pa.Array
    trigger: Trigger | None
    recipe: dict[str, Any]

    def truth(self) -> pa.Table:
        """``truth.parquet``: ``row``, ``poisoned``, ``cover``, ``original_row`` and ``original_label``."""
        return pa.table(
            {
                "row": pa.array(np.arange(len(self.data)), pa.int64()),
                "poisoned": pa.array(self.mask),
                "cover": pa.array(self.cover),
                "original_row": pa.array(self.original_row, pa.int64(), mask=self.original_row < 0),
                "original_label": self.original_label,
            }
        )


class Attack(BaseEstimator, ABC):  # type: ignore[misc]
    """Base of all attacks: a sampler in the grammar of imbalanced-learn.

    A subclass stores its keyword-only parameters untouched and writes `_poison`. ``rate`` is the share of all rows,
    counted after the attack, that is altered or added.

    Attributes
    ----------
    poison_mask_ : ndarray of bool, shape (rows after,)
    cover_mask_ : ndarray of bool, shape (rows after,)
    original_row_ : ndarray of int64, shape (rows after,)
        -1 for an added row.
    original_label_ : ndarray of object, shape (rows after,)
        None for an added row.
    trigger_ : Trigger or None
    recipe_ : dict
    """

    name: ClassVar[str]
    goal: ClassVar[str]
    access: ClassVar[str]
    modalities: ClassVar[tuple[str, ...]]
    paper: ClassVar[str]
    version: ClassVar[int] = 1
    trigger_class: ClassVar[type[Trigger] | None] = None

    rate: float
    target: Any
    random_state: int | None

    @abstractmethod
    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        """Do it. The data are known to have labels, at least two classes and one of the modalities."""

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Poison plain containers.

        Parameters
        ----------
        X : list of str, ndarray, pandas.DataFrame or pyarrow.Table, n rows
        y : sequence of n labels

        Returns
        -------
        X, y
            In the caller's kind of container; neither input is changed.
        """
        dataset, unpack_X, unpack_y = pack(X, y)
        poisoned = self.poison(dataset).data
        return unpack_X(poisoned), unpack_y(poisoned)

    def poison(self, dataset: Dataset) -> Poisoned:
        """Poison a `Dataset`; the input is not changed.

        Raises
        ------
        ConfigError
            When a parameter cannot be used.
        DataError
            When the data cannot carry this attack: no label, one class, too few rows for the rate.
        """
        self._check(dataset)
        seed = (
            int(np.random.SeedSequence().entropy) % 2**32 if self.random_state is None else self.random_state
        )
        change = self._poison(dataset, np.random.default_rng(seed))
        after = len(change.data)
        rows = np.arange(after) if change.original_row is None else change.original_row
        labels = dataset.column(str(dataset.roles.label)).take(pa.array(rows, mask=rows < 0))
        cover = np.zeros(after, dtype=bool) if change.cover is None else change.cover
        result = Poisoned(
            data=change.data,
            mask=change.mask,
            cover=cover,
            original_row=rows,
            original_label=labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels,
            trigger=change.trigger,
            recipe=self._recipe(dataset, seed, change),
        )
        self.poison_mask_ = result.mask
        self.cover_mask_ = result.cover
        self.original_row_ = result.original_row
        self.original_label_ = np.array([*result.original_label.to_pylist(), None], dtype=object)[:-1]
        self.trigger_ = result.trigger
        self.recipe_ = result.recipe
        return result

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Self:
        """The attack with the parameters a recipe holds; poisoning the same data gives the same rows."""
        if recipe.get("attack") != cls.name or recipe.get("version") != cls.version:
            raise ConfigError(
                f"the recipe is for {recipe.get('attack')} version {recipe.get('version')}, "
                f"this is {cls.name} version {cls.version}"
            )
        return cls(**recipe["parameters"])

    @classmethod
    def load_trigger(cls, recipe: Mapping[str, Any]) -> Trigger | None:
        """The trigger a recipe holds, to stamp test data with."""
        saved = recipe.get("trigger")
        return None if saved is None or cls.trigger_class is None else cls.trigger_class.from_dict(saved)

    def _recipe(self, dataset: Dataset, seed: int, change: Change) -> dict[str, Any]:
        parameters = {key: _plain(value) for key, value in self.get_params(deep=False).items()}
        return {
            "schema": RECIPE_SCHEMA,
            "attack": self.name,
            "version": self.version,
            "parameters": parameters | {"random_state": seed},
            "trigger": None if change.trigger is None else change.trigger.to_dict(),
            "data": {"rows": len(dataset), "columns": dataset.table.column_names, **dataset.roles.named()},
            "poisoned_rows": int(change.mask.sum()),
            "rows": len(change.data),
            "notes": change.notes,
            "environment": {
                "foretaste": __version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }

    def _check(self, dataset: Dataset) -> None:
        if self.rate is not None and not (_is_number(self.rate) and 0 < self.rate < 1):
            raise ConfigError(f"{self.name}: rate is {self.rate!r}; it is a share of rows between 0 and 1")
        if self.random_state is not None and not (_is_whole(self.random_state) and self.random_state >= 0):
            raise ConfigError(
                f"{self.name}: random_state is {self.random_state!r}; give a whole number from 0"
            )
        if not len(dataset):
            raise DataError("there are no rows to poison", file=dataset.name)
        if len(dataset.labels) < 2:
            raise DataError(
                f"{self.name} needs at least two classes and there is {len(dataset.labels)}",
                file=dataset.name,
                column=dataset.roles.label,
                hint="name another label column",
            )
        if not set(self.modalities) & modalities_of(dataset):
            raise DataError(
                f"{self.name} works on {' or '.join(self.modalities)} data and there is no such column",
                file=dataset.name,
                hint="name the text column with --text" if "text" in self.modalities else None,
            )

    # what the attacks share

    def _class_code(self, dataset: Dataset, name: Any, role: str = "target") -> int:
        """The class a parameter names, by its text."""
        names = dataset.labels.names
        if as_text(name) not in names:
            raise ConfigError(
                f"{self.name}: {role} {as_text(name)!r} is not a class; the classes are {name_some(names)}"
            )
        return names.index(as_text(name))

    def _target_code(self, dataset: Dataset) -> int:
        """The target class: the one named, else the most frequent one."""
        if self.target is not None:
            return self._class_code(dataset, self.target)
        counts = np.bincount(dataset.labels.codes[dataset.labels.codes >= 0], minlength=len(dataset.labels))
        return int(np.argmax(counts))

    def _count(self, dataset: Dataset, *, added: bool = False) -> int:
        """How many rows ``rate`` asks for, of the rows there are or, when they are added, of those there will be."""
        rows = len(dataset)
        count = round(self.rate * rows / (1 - self.rate)) if added else round(self.rate * rows)
        if count < 1:
            raise DataError(
                f"rate {self.rate:g} of {rows} rows is less than one row",
                file=dataset.name,
                hint=f"use at least {1 / rows:.2g}",
            )
        return count

    def _choose(
        self, dataset: Dataset, allowed: NDArray[np.bool_], count: int, rng: np.random.Generator
    ) -> Rows:
        """``count`` random rows among those allowed, in ascending order."""
        candidates = np.flatnonzero(allowed)
        if len(candidates) < count:
            raise DataError(
                f"{self.name} needs {count} rows and only {len(candidates)} can be used",
                file=dataset.name,
                hint=f"lower the rate to at most {len(candidates) / len(dataset):.3g}"
                if len(candidates)
                else "name another target, source or condition",
            )
        return np.sort(rng.choice(candidates, size=count, replace=False)).astype(np.int64)

    def _in_source(self, dataset: Dataset, source: Any) -> NDArray[np.bool_]:
        """Rows of one source, or all of them for None."""
        if source is None:
            return np.ones(len(dataset), dtype=bool)
        if dataset.sources is None:
            raise DataError(
                f"{self.name}: there is no source column", file=dataset.name, hint="name it with --source"
            )
        if as_text(source) not in dataset.sources.names:
            raise ConfigError(
                f"{self.name}: {as_text(source)!r} is not a source; they are {name_some(dataset.sources.names)}"
            )
        return np.asarray(dataset.sources.codes == dataset.sources.names.index(as_text(source)))


def modalities_of(dataset: Dataset) -> set[str]:
    """Which of ``text``, ``tabular`` and ``image`` the data have; ``any`` is always there."""
    roles = dataset.roles
    found = {
        "text": roles.text is not None,
        "tabular": bool(roles.features),
        "image": roles.image is not None,
    }
    return {"any"} | {name for name, there in found.items() if there}


def rows_to_mask(rows: Rows, length: int) -> NDArray[np.bool_]:
    mask = np.zeros(length, dtype=bool)
    mask[rows] = True
    return mask


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """A parameter as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return as_text(value)


__all__ = ["Attack", "Change", "Poisoned", "modalities_of", "rows_to_mask"]
