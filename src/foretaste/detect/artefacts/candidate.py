"""A group of images that stands apart along one direction of one view."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

TILE = 6
"""Side of a tile in pixels."""


@dataclass(frozen=True)
class Candidate:
    """Rows that stand apart.

    Attributes
    ----------
    view : str
        In what: ``residual``, ``resampling``, ``pixels``, ``coarse``, ``waves``, ``shades``,
        ``rendering``, ``all classes``, ``tile`` or ``like tiles``.
    label : int
        The class whose rows it was found among; -1 for all.
    separation : float
        See `Split`.
    rows : int64 ndarray
        Of that class, ascending.
    elsewhere : int64 ndarray
        Rows of other classes that lie as far out in the same direction, from their class's mean, as the group
        does from the rest of its class.
    corner : tuple of int or None
        Top and left of the tile, in pixels of ``residual``'s input.
    rest : pair of int64 ndarray or None
        The rest of its class, and rows of other classes as far out as that, where it is the rest that other
        classes are unlike: an artefact under right labels may be in most of a class.
    """

    view: str
    label: int
    separation: float
    rows: NDArray[np.int64]
    elsewhere: NDArray[np.int64]
    corner: tuple[int, int] | None = None
    rest: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    def turned(self) -> Candidate:
        """The rest of the class as the group."""
        assert self.rest is not None
        rows, elsewhere = self.rest
        return replace(self, rows=rows, elsewhere=elsewhere, rest=(self.rows, self.elsewhere))
