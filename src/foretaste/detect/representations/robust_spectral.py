"""Rows that stand out where their class, with natural spread taken away, has too much of it (FT502)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.representations.base import Line, NetDetector
from foretaste.detect.representations.space import Space
from foretaste.stats.spectral import top_directions

DIRECTIONS = 2


class RobustSpectral(NetDetector):
    """Looks along directions that natural rows do not use: those are scaled to the same spread first.

    The spread is that of rows whose label agrees with their content, so that poison does not hide in it, and
    no row weighs more than half of them do. Directions are sought among all rows of a class and among those
    whose content speaks for another.

    References
    ----------
    Hayase, Kong, Somani and Oh, "SPECTRE: defending against backdoor attacks using robust statistics", ICML
    2021. There, robust means and covariances need a rate of poison; here, the content of rows says which to
    learn the natural spread from.

    Examples
    --------
    >>> RobustSpectral().rules
    ('FT502',)
    """

    rules: ClassVar[tuple[str, ...]] = ("FT502",)
    title: ClassVar[str] = "robust spectral signatures"
    how: ClassVar[str] = "along a direction of what a net learned that natural images hardly use"

    def lines(self, context: Context, spaces: list[Space]) -> Iterator[tuple[Space, Line]]:
        for space in spaces:
            for label in range(space.n_classes):
                for direction in whitened_directions(space, label).T:
                    yield space, (label, space.whitened @ direction, None)


def whitened_directions(space: Space, label: int) -> NDArray[np.float64]:
    """Unit directions to look along for one class, shape (d, at most 5)."""
    white = space.whitened
    own = space.y == label
    against = white[own & (space.said != label)]
    found = [top_directions(white[own], DIRECTIONS)]
    if len(against) >= space.least:
        found += [_shared_by_most(against)[:, None], top_directions(against, DIRECTIONS)]
    return np.concatenate(found, axis=1)


def _shared_by_most(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direction of the mean, turned towards the half of the rows that have most of it."""
    direction = rows.mean(axis=0)
    for _ in range(3):
        along = rows @ direction
        direction = rows[along >= np.median(along)].mean(axis=0)
        direction /= max(float(np.sqrt(direction @ direction)), 1e-12)
    return np.asarray(direction, np.float64)
