"""Rows that stand out along the strongest directions of their class (FT501)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from foretaste.detect.context import Context
from foretaste.detect.representations.base import Line, NetDetector
from foretaste.detect.representations.space import Space
from foretaste.stats.spectral import centred, top_directions

DIRECTIONS = 2


class SpectralSignature(NetDetector):
    """Looks along the top eigenvectors of what a net makes of each class, its mean taken away.

    References
    ----------
    Tran, Li and Madry, "Spectral signatures in backdoor attacks", NeurIPS 2018. There, the rows furthest out
    are removed, one and a half times as many as an assumed rate of poison; here, they must be a second bunch.

    Examples
    --------
    >>> SpectralSignature().rules
    ('FT501',)
    """

    rules: ClassVar[tuple[str, ...]] = ("FT501",)
    title: ClassVar[str] = "spectral signatures"
    how: ClassVar[str] = "along a main direction of their class in what a net learned"

    def lines(self, context: Context, spaces: list[Space]) -> Iterator[tuple[Space, Line]]:
        for space in spaces:
            rows = centred(space.rows, space.y)
            for label in range(space.n_classes):
                directions = top_directions(rows[space.y == label], DIRECTIONS)
                for line in (rows @ directions).T:
                    yield space, (label, np.asarray(line), None)
