"""One bad source among many: everything the attacker does comes from one contributor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from foretaste.attacks.backdoors.images.badnets import BadNets
from foretaste.attacks.backdoors.images.blended import Blended
from foretaste.attacks.backdoors.sentence_trigger import SentenceTrigger
from foretaste.attacks.backdoors.value_trigger import ValueTrigger
from foretaste.attacks.backdoors.word_trigger import WordTrigger
from foretaste.attacks.base import Attack
from foretaste.attacks.labels.label_flip import LabelFlip
from foretaste.attacks.poisoned import Change
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset, as_text, name_some
from foretaste.errors import ConfigError, DataError

INNER: dict[str, type[Attack]] = {
    attack.name: attack
    for attack in (LabelFlip, WordTrigger, SentenceTrigger, ValueTrigger, BadNets, Blended)
}
SIZES = ("equal", "zipf")


@dataclass(kw_only=True, eq=False, repr=False)
class BadSource(Attack):
    """Spread the rows over sources and let one of them poison its part.

    Parameters
    ----------
    rate : float
        Share of all rows that are bad: 0.01 is every tenth row of one source of ten.
    target : label, optional
        Handed to the attack inside.
    attack : {"label-flip", "word-trigger", "sentence-trigger", "value-trigger", "badnets", "blended"}
        What the bad source does.
    options : mapping, optional
        More parameters of that attack.
    sources : int or None
        How many sources to make up, in a new column ``source``. None: the sources the data have.
    sizes : {"equal", "zipf"}
        Sizes of made-up sources; zipf: the k-th is proportional to 1 / k.
    skew : float
        How much the class shares of made-up sources differ, as the standard deviation of their log odds; 0:
        only by chance.
    bad : optional
        Name of the bad source; chosen by the seed when left out.
    random_state : int, optional

    References
    ----------
    Konstantinov and Lampert: Robust Learning from Untrusted Sources, ICML 2019.

    Examples
    --------
    >>> from foretaste.data.dataset import Roles
    >>> table = pa.table({"a": [1, 2, 3, 4], "y": [0, 1, 0, 1]})
    >>> attack = BadSource(rate=0.25, sources=2, bad="s1", random_state=0)
    >>> result = attack.poison(Dataset(table, Roles(label="y", features=("a",))))
    >>> result.data.column("source").filter(pa.array(result.mask)).to_pylist()
    ['s1']
    """

    name: ClassVar[str] = "bad-source"
    version: ClassVar[int] = 2
    goal: ClassVar[str] = "availability"
    access: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("any",)
    paper: ClassVar[str] = "Konstantinov and Lampert, ICML 2019"

    rate: float = 0.01
    target: Any = None
    attack: str = "label-flip"
    options: Mapping[str, Any] | None = None
    sources: int | None = 10
    sizes: str = "equal"
    skew: float = 0.0
    bad: Any = None
    random_state: int | None = 0

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        data = dataset if self.sources is None else self._assign(dataset, rng)
        if data.sources is None:
            raise DataError(
                f"{self.name}: there is no source column", file=dataset.name, hint="name it with --source"
            )
        names = data.sources.names
        bad = names[int(rng.integers(len(names)))] if self.bad is None else as_text(self.bad)
        own = int(self._in_source(data, bad).sum())
        inner = self._inner(bad, int(rng.integers(2**31)))
        result = inner.poison(data)
        notes = {"bad_source": bad, "rows_of_bad_source": own, "inside": result.recipe["notes"]}
        return Change(result.data, result.mask, cover=result.cover, trigger=result.trigger, notes=notes)

    def _inner(self, bad: str, seed: int) -> Attack:
        """The attack the bad source runs on its own rows."""
        kind = INNER[self.attack]
        own = {"rate": self.rate, "target": self.target, "within_source": bad, "random_state": seed}
        options = dict(self.options or {})
        wrong = [name for name in options if name in own or name not in kind._get_param_names()]
        if wrong:
            raise ConfigError(f"{self.name}: {name_some(wrong)} is not an option of {self.attack}")
        return kind(**own, **options)

    def _assign(self, dataset: Dataset, rng: np.random.Generator) -> Dataset:
        """A new column with made-up sources ``s1`` ... ``sk``, at random over the rows."""
        column = dataset.roles.source or "source"
        if dataset.roles.source is None and column in dataset.table.column_names:
            raise DataError(
                f"{self.name}: there is a column {column!r} already",
                file=dataset.name,
                hint="name it with --source, or drop it",
            )
        count = int(self.sources or 0)
        weights = np.ones(count) if self.sizes == "equal" else 1 / np.arange(1, count + 1)
        if self.skew:
            codes = dataset.labels.codes
            pull = np.exp(self.skew * rng.standard_normal((len(dataset.labels) + 1, count))) * weights
            edges = np.cumsum(pull / pull.sum(axis=1, keepdims=True), axis=1)[codes]
            number = 1 + (rng.random(len(dataset))[:, None] > edges[:, :-1]).sum(axis=1)
        else:
            ends = np.round(np.cumsum(weights) / weights.sum() * len(dataset)).astype(np.int64)
            number = rng.permutation(np.searchsorted(ends, np.arange(len(dataset)), side="right") + 1)
        data = dataset.with_column(column, pa.array([f"s{i}" for i in number]))
        return replace(data, roles=replace(data.roles, source=column))

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.attack not in INNER:
            raise ConfigError(f"{self.name}: attack is {self.attack!r}; use one of {', '.join(INNER)}")
        if self.sources is not None and not 2 <= self.sources <= len(dataset):
            raise ConfigError(f"{self.name}: sources is {self.sources!r}; use 2 up to the number of rows")
        if self.sizes not in SIZES:
            raise ConfigError(f"{self.name}: sizes is {self.sizes!r}; use one of {', '.join(SIZES)}")
        if self.skew < 0:
            raise ConfigError(f"{self.name}: skew is {self.skew!r}; use 0 or more")

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Self:
        parameters = recipe.get("parameters")
        if recipe.get("version") == 1 and isinstance(parameters, Mapping):
            recipe = {**recipe, "version": cls.version}
            if parameters.get("attack") == WordTrigger.name:  # then it put every word in once
                options = {"repeats": 1, **(parameters.get("options") or {})}
                recipe["parameters"] = {**parameters, "options": options}
        return super().from_recipe(recipe)

    @classmethod
    def load_trigger(cls, recipe: Mapping[str, Any]) -> Trigger | None:
        parameters = recipe.get("parameters")
        inner = INNER.get(str(parameters.get("attack"))) if isinstance(parameters, Mapping) else None
        if inner is None:
            raise ConfigError(f"the recipe for {cls.name} does not say what the source did")
        return inner.load_trigger(recipe)
