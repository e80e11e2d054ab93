"""A blind spot: one kind of attack is to pass for harmless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.conditions import all_hold, have_values
from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection, cells
from foretaste.data.dataset import Dataset, name_some
from foretaste.errors import ConfigError, DataError


@dataclass(kw_only=True, eq=False, repr=False)
class HideAttack(Injection):
    """Inject rows that look like one kind of attack where the attacker has a say, and are labelled harmless.

    Each row is a harmless one whose controlled columns are those of a row of the hidden kind: traffic the
    attacker sends before the attack, which whoever labels it finds harmless. Other kinds are to be recognised
    as before. The attacker knows what their attack looks like.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The harmless class; the most frequent one by default.
    hidden : mapping, optional
        The kind to hide, ``{column: value}``, such as ``attack=neptune``; the column need not be a feature.
    condition : sequence of str, optional
        The kind to hide: rows where all of these hold, such as ``duration>1000``.
    columns : sequence of str, optional
        The columns the attacker controls; all features but those of ``hidden`` by default.
    noise : float
        Share of the controlled cells that stay as in the harmless row.
    source : optional
        The source the rows name; those of random rows by default.
    random_state : int, optional

    References
    ----------
    Chung and Mok: Allergy Attack Against Automatic Signature Generation, RAID 2006, and Perdisci et al.:
    Misleading Worm Signature Generators, IEEE S&P 2006 (crafted flows); Apruzzese et al.: Addressing
    Adversarial Attacks Against Security Systems Based on Machine Learning, CyCon 2019 (flow detectors).

    Examples
    --------
    >>> from foretaste.data.dataset import Roles
    >>> table = pa.table({"bytes": [1, 2, 9, 8], "kind": ["-", "-", "flood", "scan"], "y": [0, 0, 1, 1]})
    >>> data = Dataset(table, Roles(label="y", features=("bytes",)))
    >>> after = HideAttack(rate=0.2, target=0, hidden={"kind": "flood"}, noise=0.0).poison(data)
    >>> after.data.table.filter(pa.array(after.mask)).to_pylist()
    [{'bytes': 9, 'kind': '-', 'y': 0}]
    """

    name: ClassVar[str] = "hide-attack"
    goal: ClassVar[str] = "targeted"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    paper: ClassVar[str] = "Perdisci et al., IEEE S&P 2006; Apruzzese et al., CyCon 2019"

    rate: float = 0.01
    target: Any = None
    hidden: Mapping[str, Any] | None = None
    condition: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    noise: float = 0.1
    source: Any = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if not 0 <= self.noise < 1:
            raise ConfigError(f"{self.name}: noise is {self.noise!r}; use a share from 0 to 1")
        unknown = [name for name in self.columns or () if name not in dataset.roles.features]
        if unknown:
            raise ConfigError(f"{self.name}: {name_some(unknown)} is not a feature of these data")

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        codes = dataset.labels.codes
        kind = have_values(dataset, self.hidden, self.name) & all_hold(dataset, self.condition, self.name)
        kind &= (codes >= 0) & (codes != target)
        if not kind.any():
            raise DataError(
                f"{self.name}: no row of another class is of the kind to hide",
                file=dataset.name,
                hint="name it with hidden, such as attack=neptune",
            )
        models = rng.choice(np.flatnonzero(kind), size=count)
        table = dataset.take(rng.choice(np.flatnonzero(codes == target), size=count)).table
        columns = self.columns
        if columns is None:  # a column that names the attack is made by whoever labels, not by the attacker
            columns = [name for name in dataset.roles.features if name not in (self.hidden or ())]
        taken = rng.random((count, len(columns))) >= self.noise
        for j, column in enumerate(columns):
            rows = np.flatnonzero(taken[:, j])
            table = set_cells(table, column, rows, cells(dataset, column, models[rows]))
        return table, {"hidden_rows": int(kind.sum())}
