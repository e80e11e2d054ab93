"""Fabricated behaviour: an account lives a history that makes its later crime look normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.conditions import numbers
from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.injection.base import Injection, cells
from foretaste.data.dataset import Dataset, encode, name_some
from foretaste.errors import ConfigError, DataError


@dataclass(kw_only=True, eq=False, repr=False)
class FabricatedBehaviour(Injection):
    """Inject harmless-looking events of a few accounts that step by step come to resemble malicious ones.

    In the first half of its fabricated history an account moves from its own harmless events to malicious
    ones in even steps, numbers in between, other values drawn from either; in the second half it stays there.
    All are labelled harmless, as nothing has happened yet, and follow each other in time, where there is a
    time column. The attacker owns the accounts and knows what the malicious behaviour will be.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The harmless class; the most frequent one by default.
    malicious : label, optional
        The class to be made normal; the rarest other one by default.
    accounts : int
        How many accounts (sources) take part; chosen by the seed among those with a harmless event.
    columns : sequence of str, optional
        The features the attacker controls; all by default.
    random_state : int, optional

    References
    ----------
    Rubinstein et al.: ANTIDOTE, IMC 2009 (boiling frog). Carminati et al.: Security Evaluation of a Banking
    Fraud Analysis System, ACM TOPS 2018; Paladini et al.: Fraud Detection under Siege: Practical Poisoning
    Attacks and Defense Strategies, ACM TOPS 2023.

    Examples
    --------
    >>> from foretaste.data.dataset import Roles
    >>> table = pa.table({"amount": [1.0] * 97 + [9.0] * 3, "card": ["a"] * 100, "fraud": [0] * 97 + [1] * 3})
    >>> data = Dataset(table, Roles(label="fraud", source="card", features=("amount",)))
    >>> after = FabricatedBehaviour(rate=0.04).poison(data)
    >>> sorted(after.data.table.filter(pa.array(after.mask))["amount"].to_pylist())
    [5.0, 9.0, 9.0, 9.0]
    """

    name: ClassVar[str] = "fabricated-behaviour"
    goal: ClassVar[str] = "targeted"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    paper: ClassVar[str] = "Paladini et al., ACM TOPS 2023; Rubinstein et al., IMC 2009"
    needs: ClassVar[tuple[str, ...]] = ("source",)
    own: ClassVar[tuple[str, ...]] = ("source", "time")

    rate: float = 0.01
    target: Any = None
    malicious: Any = None
    accounts: int = 3
    columns: Sequence[str] | None = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.accounts < 1:
            raise ConfigError(f"{self.name}: accounts is {self.accounts!r}; use at least one")
        unknown = [name for name in self.columns or () if name not in dataset.roles.features]
        if unknown:
            raise ConfigError(f"{self.name}: {name_some(unknown)} is not a feature of these data")

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        codes, sources = dataset.labels.codes, dataset.sources
        assert sources is not None
        goal = self._malicious(dataset, target)
        harmless = np.flatnonzero((codes == target) & (sources.codes >= 0))
        if not len(harmless):
            raise DataError(f"{self.name}: no account has a harmless event", file=dataset.name)
        owners = np.unique(sources.codes[harmless])
        chosen = rng.choice(owners, size=min(self.accounts, len(owners), count), replace=False)
        account = chosen[np.arange(count) % len(chosen)]
        step = np.arange(count) // len(chosen) + 1
        share = step / np.bincount(np.arange(count) % len(chosen))[np.arange(count) % len(chosen)]
        way = np.minimum(1, 2 * share)
        start = np.array([rng.choice(harmless[sources.codes[harmless] == own]) for own in account])
        end = rng.choice(np.flatnonzero(codes == goal), size=count)
        table = dataset.take(start).table
        for name in dataset.roles.features if self.columns is None else self.columns:
            table = self._between(dataset, table, name, start, end, way, rng)
        if dataset.times is not None and dataset.roles.time is not None:
            ordered = np.argsort(dataset.times, kind="stable")[: int(np.isfinite(dataset.times).sum())]
            places = np.minimum((share * len(ordered)).astype(np.int64), len(ordered) - 1)
            moments = cells(dataset, dataset.roles.time, ordered[places])
            table = set_cells(table, dataset.roles.time, np.arange(count), moments)
        accounts = [sources.names[code] for code in chosen]
        return table, {"accounts": accounts, "malicious": dataset.labels.names[goal]}

    def _malicious(self, dataset: Dataset, target: int) -> int:
        if self.malicious is not None:
            return self._class_code(dataset, self.malicious, "malicious")
        counts = np.bincount(dataset.labels.codes[dataset.labels.codes >= 0]).astype(np.float64)
        counts[target] = np.inf
        return int(counts.argmin())

    def _between(
        self,
        dataset: Dataset,
        table: pa.Table,
        name: str,
        start: Rows,
        end: Rows,
        way: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> pa.Table:
        """Column ``name`` on its way from the rows ``start`` to the rows ``end``."""
        kind, everyone = table.column(name).type, np.arange(len(start))
        whole = pa.types.is_integer(kind)
        if not pa.types.is_floating(kind) and not (whole and len(encode(dataset.column(name))) > 2):
            moved = np.flatnonzero(rng.random(len(start)) < way)
            return set_cells(table, name, moved, cells(dataset, name, end[moved]))
        values = numbers(dataset, name, self.name)
        mixed = (1 - way) * values[start] + way * values[end]
        known = np.flatnonzero(np.isfinite(mixed))
        new: Any = np.rint(mixed[known]).astype(np.int64) if whole else mixed[known]
        return set_cells(table, name, everyone[known], pa.array(new))
