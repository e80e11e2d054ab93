"""Rows against their content whose nearest, to a net, are other such rows (FT504)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from foretaste.detect.context import Context
from foretaste.detect.representations.base import Line, NetDetector
from foretaste.detect.representations.space import Space
from foretaste.stats.neighbours import nearest_neighbours

NEIGHBOURS = 10


class DeepNeighbours(NetDetector):
    """Asks of rows whose content speaks against their label how many of their nearest in a net are alike.

    Wrong labels and hard rows lie scattered among the rows they look like. Rows that a net learned to know by
    a trait of their own lie together.

    References
    ----------
    Papernot and McDaniel, "Deep k-nearest neighbors" (2018). Peri et al., "Deep k-NN defense against
    clean-label data poisoning attacks", ECCV workshops 2020.

    Examples
    --------
    >>> DeepNeighbours().rules
    ('FT504',)
    """

    rules: ClassVar[tuple[str, ...]] = ("FT504",)
    title: ClassVar[str] = "deep neighbours"
    how: ClassVar[str] = "as each other's nearest neighbours in a net"

    def lines(self, context: Context, spaces: list[Space]) -> Iterator[tuple[Space, Line]]:
        for space in spaces:
            length = np.sqrt(np.square(space.whitened).sum(axis=1, keepdims=True))
            unit = space.whitened / np.maximum(length, 1e-12)
            near, _ = nearest_neighbours(unit, NEIGHBOURS, jobs=context.jobs)
            against = space.said != space.y
            for label in range(space.n_classes):
                alike = against & (space.y == label)
                if alike.sum() >= 2 * space.least:
                    yield space, (label, alike[near].mean(axis=1), against)
