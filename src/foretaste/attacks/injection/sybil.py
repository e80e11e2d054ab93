"""Sybil: one attacker writes under many names, each of which does little."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.injection.near_duplicates import NearDuplicates
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

_DIGITS = re.compile(r"\d+")


@dataclass(kw_only=True, eq=False, repr=False)
class Sybil(NearDuplicates):
    """Inject near-duplicates under many made-up sources, so that no source sends more than a few.

    The rows are those of `NearDuplicates`; the names look like those the data have. The attacker can open as
    many accounts as they please and knows a few rows to copy; the data need a source column.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The label the copies get; the most frequent class by default.
    per_source : int
        How many rows each made-up source sends.
    source_class, templates, noise, variation
        As in `NearDuplicates`.
    random_state : int, optional

    References
    ----------
    Douceur: The Sybil Attack, IPTPS 2002. Wang et al.: Man vs. Machine: Practical Adversarial Detection of
    Malicious Crowdsourcing Workers, USENIX Security 2014.

    Examples
    --------
    >>> from foretaste.data.dataset import Roles
    >>> table = pa.table({"text": ["a b", "c d"] * 50, "user": ["u7"] * 100, "y": [0, 1] * 50})
    >>> data = Dataset(table, Roles(label="y", text="text", source="user"))
    >>> after = Sybil(rate=0.1, per_source=2).poison(data)
    >>> names = after.data.column("user").filter(pa.array(after.mask)).to_pylist()
    >>> len(names), len(set(names)), "u7" in names
    (11, 6, False)
    """

    name: ClassVar[str] = "sybil"
    paper: ClassVar[str] = "Douceur, IPTPS 2002; Wang et al., USENIX Security 2014"
    needs: ClassVar[tuple[str, ...]] = ("source",)
    source: ClassVar[Any] = None  # type: ignore[misc]  # no one source: `_set_origin` makes them up

    per_source: int = 2

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.per_source < 1:
            raise ConfigError(f"{self.name}: per_source is {self.per_source!r}; use at least one row")

    def _set_origin(self, dataset: Dataset, new: pa.Table, rows: Rows, rng: np.random.Generator) -> pa.Table:
        new = super()._set_origin(dataset, new, rows, rng)
        assert dataset.sources is not None
        sources = -(-len(rows) // self.per_source)
        names = new_names(dataset.sources.values, sources, rng)
        own = rng.permutation(np.arange(len(rows)) // self.per_source)
        return set_cells(new, str(dataset.roles.source), rows, [names[i] for i in own])


def new_names(taken: pa.Array, count: int, rng: np.random.Generator) -> list[Any]:
    """Names that nobody has, in the manner of those there are: the next numbers, or other digits."""
    if pa.types.is_integer(taken.type):
        last = max(taken.to_pylist(), default=0)
        return [last + 1 + i for i in range(count)]
    models = taken.cast(pa.string()).to_pylist()
    known, names = set(models), list[Any]()
    while len(names) < count:
        model = models[int(rng.integers(len(models)))]
        digits = str(int(rng.integers(10 ** (2 + len(str(count))))))
        name = _DIGITS.sub(digits, model, count=1) if _DIGITS.search(model) else f"{model}{digits}"
        if name not in known:
            known.add(name)
            names.append(name)
    return names
