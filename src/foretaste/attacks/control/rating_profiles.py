"""The profiles of fake users: which items they rate, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from foretaste.data.dataset import Codes

STRATEGIES = ("random", "average", "bandwagon", "segment", "love-hate", "reverse-bandwagon")
NUKES = ("love-hate", "reverse-bandwagon")
FEW = 5

Numbers = NDArray[np.float64]
Items = NDArray[np.int64]


@dataclass(frozen=True)
class Ratings:
    """What is known about the ratings there are.

    Attributes
    ----------
    items : ndarray of int, shape (n,)
        The item of each rating.
    values : ndarray of float64, shape (n,)
    counts, means, spreads : ndarray, shape (items,)
        Number, mean and standard deviation of each item's ratings.
    """

    items: Items
    values: Numbers
    counts: Items
    means: Numbers
    spreads: Numbers

    @classmethod
    def of(cls, items: NDArray[np.int32], values: Numbers) -> Self:
        known = (items >= 0) & np.isfinite(values)
        own, given = items[known].astype(np.int64), values[known]
        size = int(items.max()) + 1
        counts = np.bincount(own, minlength=size)
        means = np.bincount(own, weights=given, minlength=size) / np.maximum(counts, 1)
        squares = np.bincount(own, weights=given**2, minlength=size) / np.maximum(counts, 1)
        spreads = np.sqrt(np.maximum(squares - means**2, 0))
        return cls(items.astype(np.int64), values, counts, means, spreads)

    def some_item(self, popular: bool, rng: np.random.Generator) -> int:
        """A random item with few ratings, or one of the most rated."""
        order = np.argsort(-self.counts, kind="stable")
        rated = order[self.counts[order] > 0]
        tenth = max(1, len(rated) // 10)
        few = rated[self.counts[rated] <= max(FEW, int(self.counts[rated].min()))]
        return int(rng.choice(rated[:tenth] if popular else few))

    def liked_along(self, item: int, users: NDArray[np.int32]) -> Items:
        """Items liked by most of those who like ``item``, the most liked first; then the popular ones."""
        liking = self.values >= np.nanmean(self.values)
        fans = np.unique(users[(self.items == item) & liking])
        along = self.items[np.isin(users, fans) & liking & (self.items >= 0)]
        shared = np.bincount(along, minlength=len(self.counts)).astype(np.float64)
        return np.argsort(-(shared + self.counts / (1 + self.counts.max())), kind="stable")


@dataclass(frozen=True)
class Profiles:
    """Fake users after one strategy."""

    ratings: Ratings
    item: int
    strategy: str
    nuke: bool
    fillers: int
    selected: int

    def draw(
        self, users: Codes | None, segment: list[int], count: int, rng: np.random.Generator
    ) -> tuple[Items, Numbers, Items]:
        """Items, ratings and fake users of ``count`` rows; the last user may have fewer than the others."""
        low, high = float(np.nanmin(self.ratings.values)), float(np.nanmax(self.ratings.values))
        assert users is not None
        chosen = self._selected(users, segment)
        rest = np.setdiff1d(np.flatnonzero(self.ratings.counts), [*chosen, self.item])
        width = min(self.fillers, len(rest))
        codes, values, own = [], [], []
        for user in range(-(-count // (1 + len(chosen) + width))):
            fillers = rng.choice(rest, size=width, replace=False)
            codes.append(np.concatenate([[self.item], chosen, fillers]))
            verdict = low if self.nuke else high
            of_chosen = np.full(len(chosen), low if self.strategy == "reverse-bandwagon" else high)
            values.append(np.concatenate([[verdict], of_chosen, self._rate(fillers, low, high, rng)]))
            own.append(np.full(len(codes[-1]), user))
        return (
            np.concatenate(codes)[:count].astype(np.int64),
            np.concatenate(values)[:count],
            np.concatenate(own)[:count],
        )

    def _selected(self, users: Codes, segment: list[int]) -> Items:
        """The selected items of the strategy, the same for every fake user."""
        counts, means = self.ratings.counts, self.ratings.means
        if self.strategy == "bandwagon":
            order = np.argsort(-counts, kind="stable")
        elif self.strategy == "reverse-bandwagon":
            known = counts >= max(1, np.quantile(counts[counts > 0], 0.75))
            order = np.argsort(np.where(known, means, np.inf), kind="stable")
        elif self.strategy == "segment":
            if segment:
                return np.array([item for item in segment if item != self.item], dtype=np.int64)
            order = self.ratings.liked_along(self.item, users.codes)
        else:
            return np.zeros(0, dtype=np.int64)
        order = order[(order != self.item) & (counts[order] > 0)]
        chosen: Items = order[: self.selected].astype(np.int64)
        return chosen

    def _rate(self, fillers: Items, low: float, high: float, rng: np.random.Generator) -> Numbers:
        if self.strategy == "segment":
            return np.full(len(fillers), low)
        if self.strategy == "love-hate":
            return np.full(len(fillers), high if self.nuke else low)
        overall = float(np.nanmean(self.ratings.values)), float(np.nanstd(self.ratings.values))
        if self.strategy == "average":
            sure = self.ratings.counts[fillers] >= 2
            spread = np.where(sure, self.ratings.spreads[fillers], overall[1])
            drawn = rng.normal(self.ratings.means[fillers], spread)
        else:
            drawn = rng.normal(*overall, size=len(fillers))
        return np.clip(drawn, low, high)
