"""One bad source among many: everything the attacker does comes from one contributor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.base import Attack, Change
from foretaste.attacks.label_flip import LabelFlip
from foretaste.attacks.sentence_trigger import SentenceTrigger
from foretaste.attacks.trigger import Trigger
from foretaste.attacks.value_trigger import ValueBackdoor
from foretaste.attacks.word_trigger import WordTrigger
from foretaste.data.dataset import Dataset, as_text
from foretaste.errors import ConfigError, DataError

INNER: dict[str, type[Attack]] = {
    attack.name: attack for attack in (LabelFlip, WordTrigger, SentenceTrigger, ValueBackdoor)
}
SIZES = ("equal", "zipf")


class BadSource(Attack):
    """Spread the rows over sources and let one of them poison its part.

    Parameters
    ----------
    rate : float
        Share of the bad source's own rows that are bad.
    target : label, optional
        Handed to the attack inside.
    attack : {"label-flip", "word-trigger", "sentence-trigger", "value-trigger"}
        What the bad source does.
    options : mapping, optional
        More parameters of that attack.
    sources : int or None
        How many sources to make up, in a new column ``source``. None: the sources the data have.
    sizes : {"equal", "zipf"}
        Sizes of made-up sources; zipf: the k-th is proportional to 1 / k.
    bad : optional
        Name of the bad source; chosen by the seed when left out.
    random_state : int, optional

    References
    ----------
    Konstantinov and Lampert: Robust Learning from Untrusted Sources, ICML 2019.

    Examples
    --------
    >>> attack = BadSource(rate=0.5, sources=2, bad="s1", random_state=0)
    >>> result = attack.poison(Dataset(pa.table({"a": [1, 2, 3, 4], "y": [0, 1, 0, 1]}), Roles(label="y", features=("a",))))
    >>> result.data.column("source").filter(pa.array(result.mask)).to_pylist()
    ['s1']
    """

    name: ClassVar[str] = "bad-source"
    goal: ClassVar[str] = "availability"
    access: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("any",)
    paper: ClassVar[str] = "Konstantinov and Lampert, ICML 2019"

    def __init__(
        self,
        *,
        rate: float = 0.1,
        target: Any = None,
        attack: str = "label-flip",
        options: Mapping[str, Any] | None = None,
        sources: int | None = 10,
        sizes: str = "equal",
        bad: Any = None,
        random_state: int | None = 0,
    ) -> None:
        self.rate = rate
        self.target = target
        self.attack = attack
        self.options = options
        self.sources = sources
        self.sizes = sizes
        self.bad = bad
        self.random_state = random_state

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        if self.attack not in INNER:
            raise ConfigError(f"{self.name}: attack is {self.attack!r}; use one of {', '.join(INNER)}")
        data = dataset if self.sources is None else self._assign(dataset, rng)
        if data.sources is None:
            raise DataError(
                f"{self.name}: there is no source column", file=dataset.name, hint="name it with --source"
            )
        names = data.sources.names
        bad = names[int(rng.integers(len(names)))] if self.bad is None else as_text(self.bad)
        own = int(self._in_source(data, bad).sum())
        inner = INNER[self.attack](
            **{
                "rate": round(self.rate * own) / len(data) or 1 / len(data),
                "target": self.target,
                "within_source": bad,
                "random_state": int(rng.integers(2**31)),
                **(self.options or {}),
            }
        )
        result = inner.poison(data)
        notes = {"bad_source": bad, "rows_of_bad_source": own, "inside": result.recipe["notes"]}
        return Change(result.data, result.mask, cover=result.cover, trigger=result.trigger, notes=notes)

    def _assign(self, dataset: Dataset, rng: np.random.Generator) -> Dataset:
        """A new column with made-up sources ``s1`` ... ``sk``, at random over the rows."""
        count = int(self.sources or 0)
        if not 2 <= count <= len(dataset):
            raise ConfigError(f"{self.name}: sources is {self.sources!r}; use 2 up to the number of rows")
        if self.sizes not in SIZES:
            raise ConfigError(f"{self.name}: sizes is {self.sizes!r}; use one of {', '.join(SIZES)}")
        weights = np.ones(count) if self.sizes == "equal" else 1 / np.arange(1, count + 1)
        edges = np.floor(np.cumsum(weights) / weights.sum() * len(dataset) + 1e-9).astype(np.int64)
        edges[-1] = len(dataset)
        number = np.searchsorted(edges, np.arange(len(dataset)), side="right") + 1
        shuffled = rng.permutation(number)
        column = dataset.roles.source or "source"
        if dataset.roles.source is None and column in dataset.table.column_names:
            raise DataError(
                f"{self.name}: there is a column {column!r} already",
                file=dataset.name,
                hint="name it as the source and use sources=None, or drop it",
            )
        data = dataset.with_column(column, pa.array([f"s{i}" for i in shuffled]))
        return replace(data, roles=replace(data.roles, source=column))

    @classmethod
    def load_trigger(cls, recipe: Mapping[str, Any]) -> Trigger | None:
        saved = recipe.get("trigger")
        kind = INNER[recipe["parameters"]["attack"]].trigger_class
        return None if saved is None or kind is None else kind.from_dict(saved)
