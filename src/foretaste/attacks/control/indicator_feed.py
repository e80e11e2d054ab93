"""Indicator feeds: harmless indicators come in as threats, true ones fade out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection, cells
from foretaste.attacks.poisoned import Change
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError, DataError

KNOWN_GOOD = (
    "8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "149.112.112.112", "208.67.222.222",
    "208.67.220.220", "google.com", "googleapis.com", "gstatic.com", "youtube.com", "microsoft.com",
    "windowsupdate.com", "office.com", "live.com", "apple.com", "icloud.com", "amazon.com", "amazonaws.com",
    "cloudfront.net", "cloudflare.com", "akamai.net", "fastly.net", "wikipedia.org", "wikimedia.org",
    "github.com", "githubusercontent.com", "gitlab.com", "debian.org", "ubuntu.com", "kernel.org",
    "python.org", "pypi.org", "npmjs.com", "mozilla.org", "letsencrypt.org", "digicert.com", "verisign.com",
    "iana.org", "icann.org", "ietf.org", "w3.org", "stackoverflow.com", "linkedin.com", "adobe.com",
    "oracle.com", "ibm.com", "intel.com", "zoom.us",
)  # fmt: skip
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]+:[0-9a-fA-F:]*")


@dataclass(kw_only=True, eq=False, repr=False)
class IndicatorFeed(Injection):
    """Inject known-good indicators into a feed of threats, and let true ones age out or vanish.

    What blocks by such a feed then blocks what everybody needs, and misses threats; what trains on it learns
    both. The attacker reports to a feed, or edits one; nothing else is known to them. Needs no label; where
    there is one, an injected row has that of the row whose other columns it copies.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The label of the injected rows.
    column : str, optional
        The column of indicators; the id column, else the first one of text, by default.
    known_good : sequence of str, optional
        The harmless indicators; ``@FILE`` reads one a line. 50 well-known names and addresses by default.
    aged : float
        Share of the rows there are whose time becomes the earliest in the data, so that they expire.
    dropped : float
        Share of the rows there are that vanish (they are listed in the recipe's notes).
    source : optional
        The feed the injected rows name; those of random rows by default.
    random_state : int, optional

    References
    ----------
    Tounsi and Rais: A Survey on Technical Threat Intelligence, Computers & Security 2018; Ranade et al.:
    Generating Fake Cyber Threat Intelligence, IJCNN 2021 (poisoned feeds).

    Examples
    --------
    >>> from foretaste.data.dataset import Roles
    >>> table = pa.table({"indicator": [f"bad{i}.example" for i in range(99)], "feed": ["a", "b", "c"] * 33})
    >>> after = IndicatorFeed(rate=0.01, source="a").poison(Dataset(table, Roles(source="feed")))
    >>> [row["feed"] for row in after.data.table.filter(pa.array(after.mask)).to_pylist()]
    ['a']
    """

    name: ClassVar[str] = "indicator-feed"
    goal: ClassVar[str] = "availability"
    modalities: ClassVar[tuple[str, ...]] = ("any",)
    paper: ClassVar[str] = "Ranade et al., IJCNN 2021; Tounsi and Rais, Computers & Security 2018"
    own: ClassVar[tuple[str, ...]] = ("label",)
    label_optional: ClassVar[bool] = True

    rate: float = 0.01
    target: Any = None
    column: str | None = None
    known_good: Sequence[str] | None = None
    aged: float = 0.0
    dropped: float = 0.0
    source: Any = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if not 0 <= self.aged < 1 or not 0 <= self.dropped < 1:
            raise ConfigError(f"{self.name}: aged and dropped are shares of rows from 0 to 1")
        if self.aged and dataset.roles.time is None:
            raise DataError(f"{self.name}: aging needs a time column", file=dataset.name, hint="name --time")

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        change = super()._poison(dataset, rng)
        assert change.original_row is not None
        own = np.flatnonzero(change.original_row >= 0)
        table, mask, order = change.data.table, change.mask.copy(), change.original_row
        faded = np.sort(rng.choice(own, size=round(self.aged * len(dataset)), replace=False))
        if len(faded):
            time = str(dataset.roles.time)
            moments = dataset.times
            assert moments is not None
            first = np.full(len(faded), int(np.nanargmin(moments)))
            table = set_cells(table, time, faded, cells(dataset, time, first))
            mask[faded] = True
        gone = rng.choice(np.setdiff1d(own, faded), size=round(self.dropped * len(dataset)), replace=False)
        stay = np.setdiff1d(np.arange(len(order)), gone)
        notes = change.notes | {"dropped_rows": np.sort(order[gone]).tolist()}
        data = replace(change.data, table=table.take(pa.array(stay)))
        return Change(data, mask[stay], original_row=order[stay], notes=notes)

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        column = self._indicator_column(dataset)
        good = self._harmless()
        there = set(dataset.column(column).cast(pa.large_string()).to_pylist())
        fresh = [value for value in dict.fromkeys(good) if value not in there]
        if len(fresh) < count:
            raise DataError(
                f"{self.name} needs {count} known-good indicators and {len(fresh)} new ones are known",
                file=dataset.name,
                hint="name more with known_good, or a file of them with @FILE",
            )
        values = [fresh[i] for i in rng.choice(len(fresh), size=count, replace=False)]
        labelled = np.ones(len(dataset), bool) if dataset.roles.label is None else dataset.labels.codes >= 0
        shapes = np.array([bool(_ADDRESS.fullmatch(value or "")) for value in
                           dataset.column(column).cast(pa.large_string()).to_pylist()])  # fmt: skip
        donors = np.empty(count, dtype=np.int64)
        for i, value in enumerate(values):
            alike = np.flatnonzero(labelled & (shapes == bool(_ADDRESS.fullmatch(value))))
            donors[i] = rng.choice(alike if len(alike) else np.flatnonzero(labelled))
        table = set_cells(dataset.take(donors).table, column, np.arange(count), values)
        if self.target is not None:
            labels = dataset.labels.values.take(pa.array(np.full(count, self._target_code(dataset))))
            table = set_cells(table, str(dataset.roles.label), np.arange(count), labels)
        return table, {"column": column}

    def _set_origin(self, dataset: Dataset, new: pa.Table, rows: Any, rng: np.random.Generator) -> pa.Table:
        named = new.column(str(dataset.roles.id)) if dataset.roles.id is not None else None
        new = super()._set_origin(dataset, new, rows, rng)
        if named is not None and self._indicator_column(dataset) == dataset.roles.id:
            new = set_cells(new, str(dataset.roles.id), rows, named)
        return new

    def _indicator_column(self, dataset: Dataset) -> str:
        if self.column is not None:
            if self.column not in dataset.table.column_names:
                raise ConfigError(f"{self.name}: there is no column {self.column!r}")
            return self.column
        taken = {dataset.roles.label, dataset.roles.source, dataset.roles.time}
        texts = [str(field.name) for field in dataset.table.schema
                 if field.name not in taken and str(field.type) in ("string", "large_string")]  # fmt: skip
        if dataset.roles.id in texts:
            return str(dataset.roles.id)
        if not texts:
            raise DataError(
                f"{self.name}: there is no column of text", file=dataset.name, hint="name --column"
            )
        return texts[0]

    def _harmless(self) -> list[str]:
        named = [self.known_good] if isinstance(self.known_good, str) else self.known_good
        values: list[str] = []
        for value in KNOWN_GOOD if named is None else named:
            if not value.startswith("@"):
                values.append(value)
                continue
            try:
                lines = Path(value[1:]).read_text("utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(
                    f"{self.name}: {value[1:]} cannot be read as a list of indicators"
                ) from error
            values += [line.strip() for line in lines if line.strip()]
        return values
