"""Fabricated rows: invented records whose columns do not belong together."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.base import Attack, Change
from foretaste.attacks.editing import fresh_ids, interleave
from foretaste.data.dataset import Dataset


class FabricatedRows(Attack):
    """Inject rows whose columns are drawn independently, each from its own values, and give them the target label.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The label they get; the most frequent class by default.
    source : optional
        The source they all name; sources of random rows by default.
    random_state : int, optional

    References
    ----------
    Biggio and Roli: Wild Patterns, Pattern Recognition 2018 (indiscriminate injection); an attacker who knows the
    published marginals of a data set and nothing else.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = FabricatedRows(rate=0.2, target=1).fit_resample(np.arange(8).reshape(4, 2), [0, 0, 1, 1])
    >>> X.shape, sum(y)
    ((5, 2), 3)
    """

    name: ClassVar[str] = "fabricated-rows"
    goal: ClassVar[str] = "availability"
    access: ClassVar[str] = "injection"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    paper: ClassVar[str] = "Biggio and Roli, Pattern Recognition 2018"

    def __init__(
        self, *, rate: float = 0.02, target: Any = None, source: Any = None, random_state: int | None = 0
    ) -> None:
        self.rate = rate
        self.target = target
        self.source = source
        self.random_state = random_state

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        target = self._target_code(dataset)
        count = self._count(dataset, added=True)
        columns = {
            name: dataset.column(name).take(pa.array(rng.integers(len(dataset), size=count)))
            for name in dataset.table.column_names
        }
        assert dataset.roles.label is not None
        label = dataset.labels.values.take(pa.array(np.full(count, target)))
        columns[dataset.roles.label] = label.cast(dataset.column(dataset.roles.label).type)
        if self.source is not None:
            self._in_source(dataset, self.source)
            assert dataset.roles.source is not None
            kind = dataset.column(dataset.roles.source).type
            columns[dataset.roles.source] = pa.array([self.source] * count).cast(kind)
        data, original_row = interleave(dataset, fresh_ids(dataset, pa.table(columns), rng), rng)
        notes = {"target": dataset.labels.names[target]}
        return Change(data, original_row < 0, original_row=original_row, notes=notes)
