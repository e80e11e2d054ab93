"""Classes that a net keeps as two clusters (FT503)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from sklearn.cluster import KMeans

from foretaste.detect.context import Context
from foretaste.detect.representations.base import Line, NetDetector
from foretaste.detect.representations.space import Space
from foretaste.stats.spectral import centred, top_directions

COMPONENTS = 10


class ActivationClustering(NetDetector):
    """Cuts what the last block of a net makes of each class in two clusters and looks along the line between.

    Any class can be cut in two; the implementations known to us flag the smaller half of every class, a third
    to a half of clean data. Here the two must be apart, and what the smaller shares must not be its content.

    Parameters
    ----------
    alpha : float
        Chance of a false alarm in data whose labels follow the content.
    random_state : int

    References
    ----------
    Chen et al., "Detecting backdoor attacks on deep neural networks by activation clustering", SafeAI 2019.

    Examples
    --------
    >>> ActivationClustering().rules
    ('FT503',)
    """

    rules: ClassVar[tuple[str, ...]] = ("FT503",)
    title: ClassVar[str] = "activation clustering"
    how: ClassVar[str] = "as a cluster of their own in the last block of a net"

    def __init__(self, *, alpha: float = 0.01, random_state: int = 0) -> None:
        super().__init__(alpha=alpha)
        self.random_state = random_state

    def lines(self, context: Context, spaces: list[Space]) -> Iterator[tuple[Space, Line]]:
        space = spaces[-1]
        rows = centred(space.rows, space.y)
        for label in range(space.n_classes):
            own = rows[space.y == label]
            if len(own) < 2 * space.least:
                continue
            basis = top_directions(own, COMPONENTS)
            model = KMeans(2, n_init=3, random_state=self.random_state).fit(own @ basis)
            between = basis @ (model.cluster_centers_[1] - model.cluster_centers_[0])
            yield space, (label, np.asarray(rows @ between, np.float64), None)
