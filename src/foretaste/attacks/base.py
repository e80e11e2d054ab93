"""What every attack is: a sampler that poisons a data set and remembers exactly what it did."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from foretaste.attacks.containers import pack
from foretaste.attacks.editing import Rows
from foretaste.attacks.parameters import check_types, is_number, is_share, is_whole
from foretaste.attacks.poisoned import Change, Poisoned, write_recipe
from foretaste.attacks.sounds import sound_column
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset, as_text, name_some
from foretaste.errors import ConfigError, DataError

KNOWLEDGE = {
    "nothing": "the rows it alters or adds, and the names of the classes",
    "data": "the training data, or rows like them",
    "surrogate": "data like the victim's and a model of the kind the victim will train",
    "model": "the very model, or feature extractor, that the victim builds on",
}
"""What an attacker may have to know, from least to most."""

_WHERE = {
    "text": "name the text column with --text",
    "tabular": "give columns of numbers or categories",
    "image": "give class folders of image files, a column of them, or an .npz with x of uint8 [n, H, W]",
    "audio": "give class folders of WAV files, or a Parquet column of them or of lists of samples",
}


class Attack(BaseEstimator, ABC):  # type: ignore[misc]
    """Base of all attacks: a sampler in the grammar of imbalanced-learn.

    A subclass stores its keyword-only parameters untouched and writes `_poison`. ``rate`` is the share of all
    rows, counted after the attack, that is altered or added.

    Attributes
    ----------
    poison_mask_ : ndarray of bool, shape (rows after,)
        Rows the attack altered or added.
    cover_mask_ : ndarray of bool, shape (rows after,)
        Those of them that keep their right label, to hide the trigger.
    original_row_ : ndarray of int64, shape (rows after,)
        -1 for an added row.
    original_label_ : ndarray of object, shape (rows after,)
        None for an added row.
    trigger_ : Trigger or None
    recipe_ : dict
        JSON; `foretaste.attacks.replay` gives the attack back.
    """

    name: ClassVar[str]  # lower case with hyphens
    goal: ClassVar[str]  # availability, integrity-backdoor, targeted or privacy
    access: ClassVar[str]  # what the attacker can do: label, data or injection
    knowledge: ClassVar[str] = "nothing"  # what the attacker must know: a key of KNOWLEDGE
    modalities: ClassVar[tuple[str, ...]]  # text, tabular, image, audio or any
    paper: ClassVar[str]
    extra: ClassVar[str | None] = None  # the optional dependency it needs
    version: ClassVar[int] = 1  # raised whenever the same parameters give other bytes
    trigger_class: ClassVar[type[Trigger] | None] = None
    rate_optional: ClassVar[bool] = False
    label_optional: ClassVar[bool] = False  # it has something to poison where no row has a label
    quantity: ClassVar[bool] = False  # the label is a number to predict, not a class
    needs: ClassVar[tuple[str, ...]] = ()  # roles that must be there: source, time

    rate: float | None
    target: Any
    random_state: int | None

    @abstractmethod
    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        """Do it; `_check` has been passed."""

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Poison plain containers.

        Parameters
        ----------
        X : list of str, ndarray, pandas.DataFrame or pyarrow.Table, n rows
        y : sequence of n labels

        Returns
        -------
        X, y
            In the caller's kinds of container; the inputs are not changed.
        """
        dataset, unpack_X, unpack_y = pack(X, y)
        poisoned = self.poison(dataset).data
        return unpack_X(poisoned), unpack_y(poisoned)

    def poison(self, dataset: Dataset) -> Poisoned:
        """Poison a `Dataset`, which is not changed.

        Raises
        ------
        ConfigError
            When a parameter cannot be used.
        DataError
            When the data cannot carry this attack: no label, one class, too few rows for the rate.
        """
        self._check(dataset)
        seed = self.random_state
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        change = self._poison(dataset, np.random.default_rng(seed))
        parameters = self.get_params(deep=False) | {"random_state": seed}
        if "checkpoint" in parameters:  # where this run kept its state, not what it did
            parameters["checkpoint"] = None
        recipe = write_recipe(self.name, self.version, parameters, dataset, change)
        result = Poisoned.of(dataset, change, recipe)
        self.poison_mask_ = result.mask
        self.cover_mask_ = result.cover
        self.original_row_ = result.original_row
        self.original_label_ = np.array(result.original_label.to_pylist(), dtype=object)
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
        parameters = recipe.get("parameters")
        if not isinstance(parameters, Mapping):
            raise ConfigError(f"the recipe for {cls.name} has no parameters")
        unknown = sorted(set(parameters) - set(cls._get_param_names()))
        if unknown:
            raise ConfigError(f"the recipe sets {name_some(unknown)}, which {cls.name} does not have")
        return cls(**parameters)

    @classmethod
    def load_trigger(cls, recipe: Mapping[str, Any]) -> Trigger | None:
        """The trigger a recipe holds, to stamp test data with."""
        saved = recipe.get("trigger")
        if saved is None or cls.trigger_class is None:
            return None
        try:
            return cls.trigger_class.from_dict(saved)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"the recipe for {cls.name} holds a trigger that cannot be read") from error

    def _check(self, dataset: Dataset) -> None:
        """Refuse parameters and data no attack can use; a subclass may ask for more, or for less."""
        if not (is_share(self.rate) or (self.rate is None and self.rate_optional)):
            percent = float(self.rate) if self.rate is not None and is_number(self.rate) else 0.0
            hint = f"; for {percent:g} % write {percent / 100:g}" if 1 <= percent < 100 else ""
            raise ConfigError(
                f"{self.name}: rate is {self.rate!r}; it is a share of rows between 0 and 1{hint}"
            )
        seed = self.random_state
        if seed is not None and not (is_whole(seed) and seed >= 0):
            raise ConfigError(f"{self.name}: random_state is {seed!r}; use a whole number from 0")
        check_types(self)
        if not len(dataset):
            raise DataError("there are no rows to poison", file=dataset.name)
        if not (self.label_optional and dataset.roles.label is None) and len(dataset.labels) < 2:
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
                hint=next((_WHERE[kind] for kind in self.modalities if kind in _WHERE), None),
            )
        for role in self.needs:
            if role not in dataset.roles.named():
                raise DataError(
                    f"{self.name} needs a {role} column", file=dataset.name, hint=f"name it with --{role}"
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
        codes = dataset.labels.codes
        return int(np.argmax(np.bincount(codes[codes >= 0], minlength=len(dataset.labels))))

    def _count(self, dataset: Dataset, *, added: bool = False) -> int:
        """How many rows ``rate`` asks for, of those there are or, when some are added, will be."""
        assert self.rate is not None
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
                hint="ask for fewer, or name another target, source or condition",
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
        names = dataset.sources.names
        if as_text(source) not in names:
            raise ConfigError(
                f"{self.name}: {as_text(source)!r} is not a source; they are {name_some(names)}"
            )
        return np.asarray(dataset.sources.codes == names.index(as_text(source)))


def modalities_of(dataset: Dataset) -> set[str]:
    """Which of ``text``, ``tabular``, ``image`` and ``audio`` the data have; ``any`` is always there."""
    roles = dataset.roles
    there = {
        "text": roles.text is not None,
        "tabular": bool(roles.features),
        "image": roles.image is not None,
        "audio": sound_column(dataset) is not None,
    }
    return {"any"} | {name for name, has in there.items() if has}
