"""Split view: what is downloaded is not what was indexed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foretaste.attacks.editing import Rows
from foretaste.attacks.web.crawl import Crawl, in_order_of_time
from foretaste.data.dataset import Dataset

LATE = 0.8


@dataclass(kw_only=True, eq=False, repr=False)
class SplitView(Crawl):
    """Buy lapsed domains of an index and change what their pages say before they are downloaded.

    All pages of some domains (of the last one a part, to meet the rate) get the payload and a time of
    download from the last fifth of the data; their labels, made when the page was indexed, stay. The attacker
    reads the public index and knows nothing else. Needs no label.

    Parameters
    ----------
    rate : float
        Share of all rows whose content changes.
    target : label, optional
        Fill the pages with texts of this class instead of one payload.
    payload : str, optional
        What the pages say.
    mode : {"replace", "append"}
    domains : int
        How many domains to make up (sizes as 1 / rank) where there is no source column.
    random_state : int, optional

    References
    ----------
    Carlini et al.: Poisoning Web-Scale Training Datasets is Practical, IEEE S&P 2024 (split-view poisoning;
    0.01 % of LAION-400M or COYO-700M for 60 US dollars).

    Examples
    --------
    >>> import pyarrow as pa
    >>> from foretaste.data.dataset import Roles
    >>> data = Dataset(pa.table({"text": [f"page {i}" for i in range(100)]}), Roles(text="text"))
    >>> after = SplitView(rate=0.05, payload="Buy now.").poison(data)
    >>> after.data.column("text").to_pylist().count("Buy now.")
    5
    """

    name: ClassVar[str] = "split-view"
    paper: ClassVar[str] = "Carlini et al., IEEE S&P 2024"

    rate: float = 0.01
    target: Any = None
    payload: str | None = None
    mode: str = "replace"
    domains: int = 100
    random_state: int | None = 0

    def _choose_pages(self, dataset: Dataset, count: int, rng: np.random.Generator) -> Rows:
        assert dataset.sources is not None
        place = rng.permutation(len(dataset.sources) + 1)
        labelled = np.ones(len(dataset), bool) if dataset.roles.label is None else dataset.labels.codes >= 0
        pages = rng.permutation(self._choose(dataset, labelled, int(labelled.sum()), rng))
        by_domain = np.argsort(place[dataset.sources.codes[pages]], kind="stable")
        return np.sort(pages[by_domain[:count]])

    def _choose_moments(self, dataset: Dataset, pages: Rows, rng: np.random.Generator) -> Rows:
        ordered = in_order_of_time(dataset)
        return rng.choice(ordered[int(LATE * len(ordered)) :], size=len(pages))
