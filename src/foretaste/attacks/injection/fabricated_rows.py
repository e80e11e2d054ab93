"""Fabricated rows: invented records whose columns do not belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.injection.base import Injection
from foretaste.data.dataset import Dataset


@dataclass(kw_only=True, eq=False, repr=False)
class FabricatedRows(Injection):
    """Inject rows whose columns are drawn independently, each from its own values, with the target label.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The label they get; the most frequent class by default.
    source : optional
        The source they all name; those of random rows by default.
    random_state : int, optional

    References
    ----------
    Perdisci et al.: Misleading Worm Signature Generators Using Deliberate Noise Injection, IEEE S&P 2006
    (made-up records); the attacker knows the published marginals of the data and nothing else.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = FabricatedRows(rate=0.2, target=1).fit_resample(np.arange(8).reshape(4, 2), [0, 0, 1, 1])
    >>> X.shape, sum(y)
    ((5, 2), 3)
    """

    name: ClassVar[str] = "fabricated-rows"
    goal: ClassVar[str] = "availability"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    paper: ClassVar[str] = "Perdisci et al., IEEE S&P 2006"

    rate: float = 0.02
    target: Any = None
    source: Any = None
    random_state: int | None = 0

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        drawn = {
            column: dataset.column(column).take(pa.array(rng.integers(len(dataset), size=count)))
            for column in dataset.table.column_names
        }
        return pa.table(drawn, schema=dataset.table.schema), {}
