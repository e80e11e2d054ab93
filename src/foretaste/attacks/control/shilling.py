"""Shilling: fake users whose ratings push an item up or pull it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.conditions import numbers
from foretaste.attacks.control.rating_profiles import NUKES, STRATEGIES, Profiles, Ratings
from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection
from foretaste.attacks.injection.sybil import new_names
from foretaste.data.dataset import Dataset, as_text, encode
from foretaste.errors import ConfigError, DataError


@dataclass(kw_only=True, eq=False, repr=False)
class Shilling(Injection):
    """Inject ratings of made-up users who all rate one item highest (push) or lowest (nuke).

    A row is one rating: the label is the rating, the source is the user, one more column names the item. Each
    fake user rates the target item, some selected items and random filler items; the strategies differ in
    which and how. The attacker can open accounts; ``average`` needs the mean rating of every item,
    ``bandwagon`` and ``segment`` which items are popular, ``random`` the overall mean.

    Parameters
    ----------
    rate : float
        Share of the rows (ratings) after the attack that are injected.
    item : optional
        The target item; for a push a random one with few ratings, for a nuke one with many, by default.
    item_column : str, optional
        The column that names the item; the first feature by default.
    strategy : {"random", "average", "bandwagon", "segment", "love-hate", "reverse-bandwagon"}
        Random, average: fillers rated around the mean of all ratings, or of their item. Bandwagon: popular
        items rated highest besides. Segment: items liked by those who like the target rated highest, fillers
        lowest. Love-hate: fillers rated highest, the target lowest. Reverse bandwagon: widely disliked items
        rated lowest besides.
    intent : {"push", "nuke"}, optional
        Nuke for love-hate and reverse-bandwagon, else push, by default.
    fillers : int
        Filler items of each fake user.
    selected : int
        Selected items of each fake user, where the strategy has any.
    segment : sequence, optional
        The items of the segment.
    random_state : int, optional

    References
    ----------
    Lam and Riedl: Shilling Recommender Systems for Fun and Profit, WWW 2004. Mobasher, Burke, Bhaumik,
    Williams: Toward Trustworthy Recommender Systems, ACM TOIT 2007.

    Examples
    --------
    >>> from foretaste.data.dataset import Roles
    >>> rng = np.random.default_rng(0)
    >>> table = pa.table({"user": rng.integers(30, size=300), "film": rng.integers(40, size=300),
    ...                   "stars": rng.integers(1, 6, size=300)})
    >>> data = Dataset(table, Roles(label="stars", source="user", features=("film",)))
    >>> after = Shilling(rate=0.1, item=7, fillers=10).poison(data)
    >>> new = after.data.table.filter(pa.array(after.mask))
    >>> set(new.filter(pa.compute.equal(new["film"], 7))["stars"].to_pylist()), min(new["user"].to_pylist())
    ({5}, 30)
    """

    name: ClassVar[str] = "shilling"
    goal: ClassVar[str] = "targeted"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    paper: ClassVar[str] = "Lam and Riedl, WWW 2004; Mobasher et al., ACM TOIT 2007"
    needs: ClassVar[tuple[str, ...]] = ("source",)
    own: ClassVar[tuple[str, ...]] = ("label", "source")
    source: Any = None  # one of its own for each fake user

    rate: float = 0.03
    item: Any = None
    item_column: str | None = None
    strategy: str = "average"
    intent: str | None = None
    fillers: int = 30
    selected: int = 5
    segment: Sequence[Any] | None = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.strategy not in STRATEGIES:
            raise ConfigError(
                f"{self.name}: strategy is {self.strategy!r}; use one of {', '.join(STRATEGIES)}"
            )
        if self.intent not in (None, "push", "nuke"):
            raise ConfigError(f"{self.name}: intent is {self.intent!r}; use push or nuke")
        if self.fillers < 0 or self.selected < 1:
            raise ConfigError(f"{self.name}: fillers must be at least 0 and selected at least 1")
        kind = dataset.column(str(dataset.roles.label)).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise DataError(
                f"{self.name}: the label holds {kind}, not ratings", file=dataset.name, hint="name the rating"
            )
        if self._item_column(dataset) not in dataset.table.column_names:
            raise ConfigError(f"{self.name}: there is no column {self.item_column!r}; name that of the items")

    def _item_column(self, dataset: Dataset) -> str:
        return dataset.roles.features[0] if self.item_column is None else self.item_column

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        column, label = self._item_column(dataset), str(dataset.roles.label)
        items = encode(dataset.column(column))
        ratings = Ratings.of(items.codes, numbers(dataset, label, self.name))
        nuke = (self.strategy in NUKES) if self.intent is None else self.intent == "nuke"
        named = [self._code(items.names, item, column) for item in self.segment or ()]
        item = (
            ratings.some_item(nuke, rng) if self.item is None else self._code(items.names, self.item, column)
        )
        profiles = Profiles(ratings, item, self.strategy, nuke, self.fillers, self.selected)
        codes, values, users = profiles.draw(dataset.sources, named, count, rng)
        first = np.full(len(items), -1, dtype=np.int64)
        present = np.flatnonzero(items.codes >= 0)
        first[items.codes[present][::-1]] = present[::-1]
        table = dataset.take(first[codes]).table
        known = dataset.column(label).drop_null().unique().sort()
        steps = known.cast(pa.float64()).to_numpy()
        nearest = np.abs(values[:, None] - steps[None, :]).argmin(axis=1)
        table = set_cells(table, label, np.arange(count), known.take(pa.array(nearest)))
        assert dataset.sources is not None
        fake = new_names(dataset.sources.values, int(users.max()) + 1, rng)
        table = set_cells(table, str(dataset.roles.source), np.arange(count), [fake[user] for user in users])
        notes = {"item": items.names[item], "intent": "nuke" if nuke else "push"}
        return table, notes | {"fake_users": len(fake)}

    def _code(self, names: list[str], item: Any, column: str) -> int:
        if as_text(item) not in names:
            raise ConfigError(f"{self.name}: {as_text(item)!r} does not occur in column {column!r}")
        return names.index(as_text(item))
