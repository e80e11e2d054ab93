"""Front-running: edits made just before the snapshot, too late to be reverted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foretaste.attacks.editing import Rows
from foretaste.attacks.web.crawl import Crawl, in_order_of_time
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(kw_only=True, eq=False, repr=False)
class FrontRunning(Crawl):
    """Edit pages of a collaborative site minutes before they are copied into a snapshot.

    Random pages get the payload at their end and the time of one of the last rows before the snapshot, when
    nobody has had time to revert the edit. The attacker knows when the snapshot is taken and may edit any
    page. Needs no label.

    Parameters
    ----------
    rate : float
        Share of all rows that are edited.
    target : label, optional
        Add texts of this class instead of one payload.
    payload : str, optional
        What is written into the pages.
    mode : {"append", "replace"}
    window : float
        The edits have times of the last ``window`` of the rows in order of time; at least one for each edit.
    domains : int
        How many domains to make up (sizes as 1 / rank) where there is no source column.
    random_state : int, optional

    References
    ----------
    Carlini et al.: Poisoning Web-Scale Training Datasets is Practical, IEEE S&P 2024 (front-running; they
    conclude that 6.5 % of Wikipedia could be modified at snapshot time).

    Examples
    --------
    >>> import pyarrow as pa
    >>> from foretaste.data.dataset import Roles
    >>> table = pa.table({"text": ["a page"] * 100, "day": list(range(100))})
    >>> data = Dataset(table, Roles(text="text", time="day"))
    >>> after = FrontRunning(rate=0.02, payload="Lies.").poison(data)
    >>> edited = after.data.table.filter(pa.array(after.mask))
    >>> edited["text"].to_pylist(), min(edited["day"].to_pylist()) >= 98
    (['a page Lies.', 'a page Lies.'], True)
    """

    name: ClassVar[str] = "front-running"
    paper: ClassVar[str] = "Carlini et al., IEEE S&P 2024"

    rate: float = 0.01
    target: Any = None
    payload: str | None = None
    mode: str = "append"
    window: float = 0.01
    domains: int = 100
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if not 0 < self.window <= 1:
            raise ConfigError(f"{self.name}: window is {self.window!r}; use a share of the rows up to 1")

    def _choose_pages(self, dataset: Dataset, count: int, rng: np.random.Generator) -> Rows:
        labelled = np.ones(len(dataset), bool) if dataset.roles.label is None else dataset.labels.codes >= 0
        return self._choose(dataset, labelled, count, rng)

    def _choose_moments(self, dataset: Dataset, pages: Rows, rng: np.random.Generator) -> Rows:
        ordered = in_order_of_time(dataset)
        last = max(len(pages), round(self.window * len(ordered)))
        return rng.choice(ordered[-last:], size=len(pages), replace=last < len(pages))
