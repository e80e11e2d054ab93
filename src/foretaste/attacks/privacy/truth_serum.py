"""Truth Serum: poison that makes a model tell whether a row was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError, DataError


@dataclass(kw_only=True, eq=False, repr=False)
class TruthSerum(Injection):
    """Inject copies of some rows with a wrong label, so that the right one makes a great difference to them.

    A row that is contradicted by copies becomes an outlier: a model that was trained on it as well tells its
    label far better than one that was not, and membership inference succeeds at low false-positive rates
    (`foretaste.learners.membership` measures it). The attacker knows the rows they ask about, not whether
    they are in the training data.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The wrong label; the next class, for each row, by default.
    rows : sequence of int, optional
        The rows (from 0) to expose; random ones, as many as the rate allows, by default.
    copies : int
        Copies of each row.
    source : optional
        The source the rows name; those of random rows by default.
    random_state : int, optional

    References
    ----------
    Tramèr, Shokri, San Joaquin, Le, Jagielski, Hong, Carlini: Truth Serum: Poisoning Machine Learning Models
    to Reveal Their Secrets, CCS 2022 (8 or 16 mislabelled copies of each point).

    Examples
    --------
    >>> attack = TruthSerum(rate=0.4, rows=[0], copies=2)
    >>> X, y = attack.fit_resample(["a", "b", "c"], [0, 1, 0])
    >>> [(X[i], y[i]) for i in np.flatnonzero(attack.poison_mask_)]
    [('a', 1), ('a', 1)]
    """

    name: ClassVar[str] = "truth-serum"
    goal: ClassVar[str] = "privacy"
    modalities: ClassVar[tuple[str, ...]] = ("any",)
    paper: ClassVar[str] = "Tramèr et al., CCS 2022"
    own: ClassVar[tuple[str, ...]] = ("label",)

    rate: float = 0.02
    target: Any = None
    rows: Sequence[int] | None = None
    copies: int = 8
    source: Any = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.copies < 1:
            raise ConfigError(f"{self.name}: copies is {self.copies!r}; use at least one")

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        codes = dataset.labels.codes.astype(np.int64)
        wanted = None if self.target is None else self._target_code(dataset)
        exposed = self._exposed(dataset, wanted, count, rng)
        copied = np.repeat(exposed, -(-count // len(exposed)))[:count]
        new = (codes[copied] + 1) % len(dataset.labels)
        if wanted is not None:
            new = np.full(count, wanted)
        labels = dataset.labels.values.take(pa.array(new))
        table = set_cells(dataset.take(copied).table, str(dataset.roles.label), np.arange(count), labels)
        return table, {"exposed_rows": exposed.tolist()}

    def _exposed(
        self, dataset: Dataset, wanted: int | None, count: int, rng: np.random.Generator
    ) -> np.ndarray[Any, np.dtype[np.int64]]:
        codes = dataset.labels.codes
        if self.rows is None:
            allowed = (codes >= 0) & (codes != (-1 if wanted is None else wanted))
            return self._choose(dataset, allowed, max(1, count // self.copies), rng)
        try:
            exposed = np.unique([int(row) for row in self.rows])
        except ValueError as error:
            raise ConfigError(f"{self.name}: rows must be whole numbers") from error
        if not len(exposed) or exposed[0] < 0 or exposed[-1] >= len(dataset):
            raise ConfigError(f"{self.name}: rows must be from 0 to {len(dataset) - 1}")
        if (codes[exposed] < 0).any():
            raise DataError(f"{self.name}: one of the rows has no label", file=dataset.name)
        return exposed
