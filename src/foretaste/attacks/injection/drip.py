"""Drip: a campaign spread over time, so that no day stands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.injection.base import cells
from foretaste.attacks.injection.near_duplicates import NearDuplicates
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

SCHEDULES = ("steady", "growing", "burst")
BURST = 0.02


@dataclass(kw_only=True, eq=False, repr=False)
class Drip(NearDuplicates):
    """Inject near-duplicates at chosen times: a few at a time, more and more, or all at once.

    The rows are those of `NearDuplicates`; their times are times that other rows have. The attacker can
    submit rows as they please and knows a few rows to copy; the data need a time column.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The label the copies get; the most frequent class by default.
    schedule : {"steady", "growing", "burst"}
        Steady: the same share of every period. Growing: the later, the more (boiling frog; the density
        grows linearly). Burst: all within a random 2 % of the rows in order of time.
    source_class, templates, noise, variation, source
        As in `NearDuplicates`.
    random_state : int, optional

    References
    ----------
    Rubinstein et al.: ANTIDOTE: Understanding and Defending against Poisoning of Anomaly Detectors, IMC 2009
    (boiling frog). Carlini et al.: Poisoning Web-Scale Training Datasets is Practical, IEEE S&P 2024.

    Examples
    --------
    >>> from foretaste.data.dataset import Roles
    >>> table = pa.table({"text": ["a b", "c d"] * 50, "day": list(range(100)), "y": [0, 1] * 50})
    >>> data = Dataset(table, Roles(label="y", text="text", time="day"))
    >>> after = Drip(rate=0.1, schedule="growing").poison(data)
    >>> bool(np.mean(after.data.column("day").to_numpy()[after.mask]) > 55)
    True
    """

    name: ClassVar[str] = "drip"
    paper: ClassVar[str] = "Rubinstein et al. (ANTIDOTE), IMC 2009"
    needs: ClassVar[tuple[str, ...]] = ("time",)

    schedule: str = "steady"

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.schedule not in SCHEDULES:
            raise ConfigError(
                f"{self.name}: schedule is {self.schedule!r}; use one of {', '.join(SCHEDULES)}"
            )

    def _set_origin(self, dataset: Dataset, new: pa.Table, rows: Rows, rng: np.random.Generator) -> pa.Table:
        new = super()._set_origin(dataset, new, rows, rng)
        moments = dataset.times
        assert moments is not None
        in_order = np.argsort(moments, kind="stable")[: int(np.isfinite(moments).sum())]
        spread = (np.arange(len(rows)) + rng.random(len(rows))) / len(rows)
        if self.schedule == "growing":
            spread = np.sqrt(spread)
        elif self.schedule == "burst":
            spread = rng.random() * (1 - BURST) + BURST * spread
        donors = in_order[np.floor(spread * len(in_order)).astype(np.int64)]
        column = str(dataset.roles.time)
        return set_cells(new, column, rows, cells(dataset, column, rng.permutation(donors)))
