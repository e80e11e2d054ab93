"""Prediction shift and hit ratio of shilling on MovieLens, by user- and item-based neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from benchmarks.detection.data import shared_data

from foretaste.attacks import Shilling
from foretaste.attacks.control.rating_profiles import NUKES, STRATEGIES
from foretaste.data.dataset import Dataset, Roles

NEIGHBOURS = 20
OVERLAP = 10
TOP = 10
LEAST_RATINGS = 20
ASKED = 80


def lines(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Shift of the predicted rating, and share of users who get the item among their ten best.

    80 users who have not rated the item are asked; the other films are those with at least 20 ratings.
    """
    table = pq.read_table(shared_data() / "ml_latest_small/ratings.parquet")
    data = Dataset(table, Roles(label="rating", source="userId", time="timestamp", features=("movieId",)))
    users = np.unique(table["userId"].to_numpy())
    films, counts = np.unique(table["movieId"].to_numpy(), return_counts=True)
    clean = ratings_of(data, users, films)
    for strategy in STRATEGIES:
        entries = []
        for rate in rates:
            shifts, before, after = [], [], []
            for seed in seeds:
                rng = np.random.default_rng(seed)
                pool = films[counts > 100] if strategy in NUKES else films[(counts >= 20) & (counts < 40)]
                item = int(rng.choice(pool))
                column = int(np.searchsorted(films, item))
                asked = rng.choice(np.flatnonzero(np.isnan(clean[:, column])), size=ASKED, replace=False)
                poison = Shilling(rate=rate, item=item, strategy=strategy, fillers=60, random_state=seed)
                now = ratings_of(poison.poison(data).data, users, films)
                shown = np.flatnonzero(counts >= LEAST_RATINGS)
                place = int(np.searchsorted(shown, column))
                old, new = (predictions(part, asked, shown) for part in (clean, now))
                shifts.append((new - old)[:, place].mean())
                seen = ~np.isnan(clean[np.ix_(asked, shown)])
                for said, into in ((old, before), (new, after)):
                    score = np.where(seen, -np.inf, said)
                    into.append(((score > score[:, [place]]).sum(axis=1) < TOP).mean())
            hits = f"{100 * np.mean(before):.0f} to {100 * np.mean(after):.0f}"
            entries.append(f"{np.mean(shifts):+.2f}, {hits}")
        measure = f"ml_latest_small, shift in stars, hit ratio@{TOP} in %"
        yield f"| {measure} | shilling {strategy} | {' | '.join(entries)} |"


def ratings_of(data: Dataset, users: Any, films: Any) -> Any:
    """Ratings, the users of the clean data first, then those that came in; NaN where there is none."""
    names = data.column("userId").to_numpy()
    order = np.concatenate([users, np.setdiff1d(names, users)])
    place = np.argsort(order, kind="stable")[np.searchsorted(np.sort(order), names)]
    table = np.full((len(order), len(films)), np.nan, dtype=np.float32)
    table[place, np.searchsorted(films, data.column("movieId").to_numpy())] = data.column("rating").to_numpy()
    return table


def predictions(ratings: Any, asked: Any, films: Any) -> Any:
    """What users would say of films: mean-centred ratings of the nearest users who rated each (Pearson)."""
    known = ~np.isnan(ratings)
    own = np.nanmean(ratings, axis=1, keepdims=True)
    centred = np.where(known, ratings - own, 0).astype(np.float32)
    both = known.astype(np.float32)
    common = both[asked] @ both.T
    length = np.sqrt((centred[asked] ** 2 @ both.T) * (both[asked] @ (centred**2).T))
    alike = centred[asked] @ centred.T / (length + 1e-6) * np.minimum(common, OVERLAP) / OVERLAP
    alike[np.arange(len(asked)), asked] = 0
    said = np.empty((len(asked), len(films)), dtype=np.float32)
    for place, film in enumerate(films):
        raters = np.flatnonzero(known[:, film])
        weight = np.maximum(alike[:, raters], 0)
        order = np.argsort(-weight, axis=1)[:, :NEIGHBOURS]
        kept = np.take_along_axis(weight, order, axis=1)
        values = centred[raters, film][order]
        said[:, place] = own[asked, 0] + (kept * values).sum(axis=1) / (kept.sum(axis=1) + 0.1)
    return said
