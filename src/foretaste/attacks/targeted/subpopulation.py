"""Subpopulation attack: one group of rows is to be misjudged, the rest not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.conditions import all_hold, have_values
from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection
from foretaste.attacks.injection.near_duplicates import NearDuplicates
from foretaste.attacks.vectors import clusters
from foretaste.data.dataset import Dataset, as_text
from foretaste.errors import ConfigError, DataError

SMALLEST = 5


@dataclass(kw_only=True, eq=False, repr=False)
class Subpopulation(Injection):
    """Inject copies of the rows of one group, with a label the group does not have.

    FeatureMatch: the group is where columns have given values, such as a postal code. ClusterMatch: it is a
    cluster of similar rows (k-means), chosen by the seed among those where the target is not the most
    frequent class. The attacker knows rows like those of the group.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected. The paper counts them by the size of the group;
        that ratio is in the recipe's notes.
    target : label, optional
        The label of the copies; the most frequent class but the group's own by default.
    where : mapping, optional
        The group: rows with these values, ``{column: value}``.
    condition : sequence of str, optional
        The group: rows where all of these hold, such as ``amount>=100``.
    number : int
        How many clusters to form where no group is named.
    noise : float
        How much a copy differs from its row, as in `NearDuplicates`; the columns of ``where`` keep their
        values.
    source : optional
        The source the rows name; those of random rows by default.
    random_state : int, optional

    References
    ----------
    Jagielski, Severi, Pousette Harger, Oprea: Subpopulation Data Poisoning Attacks, CCS 2021.

    Examples
    --------
    >>> table = pa.table({"zip": ["a", "a", "b", "b"], "y": [0, 0, 1, 1]})
    >>> from foretaste.data.dataset import Roles
    >>> data = Dataset(table, Roles(label="y", features=("zip",)))
    >>> after = Subpopulation(rate=0.3, where={"zip": "a"}, noise=0.0).poison(data)
    >>> after.data.table.filter(pa.array(after.mask)).to_pylist()
    [{'zip': 'a', 'y': 1}, {'zip': 'a', 'y': 1}]
    """

    name: ClassVar[str] = "subpopulation"
    goal: ClassVar[str] = "targeted"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular")
    paper: ClassVar[str] = "Jagielski et al., CCS 2021"
    own: ClassVar[tuple[str, ...]] = ("label",)

    rate: float = 0.02
    target: Any = None
    where: Mapping[str, Any] | None = None
    condition: Sequence[str] | None = None
    number: int = 20
    noise: float = 0.1
    source: Any = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if not 0 <= self.noise < 1:
            raise ConfigError(f"{self.name}: noise is {self.noise!r}; use a share from 0 to 1")
        if self.number < 2:
            raise ConfigError(f"{self.name}: number is {self.number!r}; form at least two clusters")

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        wanted = None if self.target is None else self._target_code(dataset)
        group, described = self._group(dataset, wanted, rng)
        codes = dataset.labels.codes
        members = np.flatnonzero(group & (codes >= 0))
        if not len(members):
            raise DataError(f"{self.name}: no row with a label is in the group", file=dataset.name)
        if wanted is None:
            frequency = np.bincount(codes[codes >= 0], minlength=len(dataset.labels))
            frequency[np.bincount(codes[members]).argmax()] = -1
            wanted = int(frequency.argmax())
        others = members[codes[members] != wanted]
        copied = rng.choice(others if len(others) else members, size=count)
        table = NearDuplicates(noise=self.noise).copy_rows(dataset, copied, rng)
        for column in self.where or {}:
            table = set_cells(table, column, np.arange(count), dataset.column(column).take(pa.array(copied)))
        labels = dataset.labels.values.take(pa.array(np.full(count, wanted)))
        table = set_cells(table, str(dataset.roles.label), np.arange(count), labels)
        notes = {"target": dataset.labels.names[wanted], "group": described, "group_rows": len(members)}
        return table, notes | {"poison_per_group_row": count / len(members)}

    def _group(
        self, dataset: Dataset, target: int | None, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], str]:
        """The rows of the group, and what it is."""
        if self.where or self.condition:
            group = all_hold(dataset, self.condition, self.name) & have_values(dataset, self.where, self.name)
            stated = [f"{column}={as_text(value)}" for column, value in (self.where or {}).items()]
            return group, " & ".join([*stated, *(self.condition or ())])
        found = clusters(dataset, self.number, int(rng.integers(2**31)))
        codes = dataset.labels.codes
        for cluster in rng.permutation(int(found.max()) + 1):
            inside = codes[(found == cluster) & (codes >= 0)]
            if len(inside) >= SMALLEST and np.bincount(inside).argmax() != target:
                return found == cluster, f"cluster {cluster} of {self.number}"
        raise DataError(
            f"{self.name}: every cluster is mostly of the target class",
            file=dataset.name,
            hint="name a group with where or condition, or another target",
        )
