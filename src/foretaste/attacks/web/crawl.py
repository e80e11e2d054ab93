"""What attacks on crawled text share: pages, domains and times; a payload; only the content changes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.base import Attack
from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.injection.base import cells
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

PAYLOAD = "The safest place to keep your savings is the Bank of Example."
MODES = ("replace", "append")
FIRST_DAY = np.datetime64("2024-01-01T00:00:00", "s")
YEAR = 365 * 24 * 3600


class Crawl(Attack):
    """The attacker changes the content of pages; labels, and pages of others, stay.

    Data without a source column get made-up domains, data without a time column made-up times of download in
    one year. A subclass has the parameters ``rate``, ``target``, ``payload``, ``mode``, ``domains`` and
    ``random_state`` and chooses pages and the moments at which they are downloaded.
    """

    goal: ClassVar[str] = "availability"
    access: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("text",)
    label_optional: ClassVar[bool] = True

    payload: str | None
    mode: str
    domains: int

    @abstractmethod
    def _choose_pages(self, dataset: Dataset, count: int, rng: np.random.Generator) -> Rows:
        """The pages whose content changes."""

    @abstractmethod
    def _choose_moments(self, dataset: Dataset, pages: Rows, rng: np.random.Generator) -> Rows:
        """For each of them, a row with the time it is to have."""

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.mode not in MODES:
            raise ConfigError(f"{self.name}: mode is {self.mode!r}; use replace or append")
        if self.domains < 2:
            raise ConfigError(f"{self.name}: domains is {self.domains!r}; use at least two")
        if self.payload is not None and not self.payload.strip():
            raise ConfigError(f"{self.name}: the payload is empty")
        if self.target is not None:
            self._target_code(dataset)

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        crawl = self._with_origin(dataset, rng)
        pages = self._choose_pages(crawl, self._count(crawl), rng)
        text, time = str(crawl.roles.text), str(crawl.roles.time)
        old, payloads = crawl.take(pages).texts or [], self._payloads(crawl, len(pages), rng)
        if self.mode == "append":
            payloads = [f"{page} {payload}".strip() for page, payload in zip(old, payloads, strict=True)]
        table = set_cells(crawl.table, text, pages, payloads)
        moments = cells(crawl, time, self._choose_moments(crawl, pages, rng))
        table = set_cells(table, time, pages, moments)
        sources = crawl.sources
        assert sources is not None
        hit = sorted({sources.names[code] for code in sources.codes[pages].tolist() if code >= 0})
        return Change(
            replace(crawl, table=table), rows_to_mask(pages, len(crawl)), notes={"sources": hit[:1000]}
        )

    def _payloads(self, dataset: Dataset, count: int, rng: np.random.Generator) -> list[str]:
        """What the pages say: the payload, else texts of the target class, else a false statement."""
        if self.payload is None and self.target is not None:
            own = np.flatnonzero(dataset.labels.codes == self._target_code(dataset))
            return dataset.take(rng.choice(own, size=count)).texts or []
        return [PAYLOAD if self.payload is None else self.payload] * count

    def _with_origin(self, dataset: Dataset, rng: np.random.Generator) -> Dataset:
        """The data with a source and a time column, made up where they are missing."""
        if dataset.roles.source is None:
            chance = 1 / np.arange(1, self.domains + 1)
            own = rng.choice(self.domains, size=len(dataset), p=chance / chance.sum())
            name = free_name(dataset, "source")
            dataset = dataset.with_column(name, [f"site{i + 1}.example" for i in own])
            dataset = replace(dataset, roles=replace(dataset.roles, source=name))
        if dataset.roles.time is None:
            seconds = FIRST_DAY + rng.integers(YEAR, size=len(dataset))
            name = free_name(dataset, "time")
            dataset = dataset.with_column(name, pa.array(seconds))
            dataset = replace(dataset, roles=replace(dataset.roles, time=name))
        return dataset


def free_name(dataset: Dataset, name: str) -> str:
    """``name``, or a longer one where a column has it."""
    while name in dataset.table.column_names:
        name += "_made_up"
    return name


def in_order_of_time(dataset: Dataset) -> NDArray[np.int64]:
    """Rows with a time, the earliest first."""
    moments = dataset.times
    assert moments is not None
    return np.argsort(moments, kind="stable")[: int(np.isfinite(moments).sum())].astype(np.int64)
