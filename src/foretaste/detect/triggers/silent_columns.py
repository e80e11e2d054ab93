"""Columns that say nothing about the label: what decides in one of them, here and there, was put there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.triggers.screen import Screen
from foretaste.stats.association import most_told

SAYS = 0.01
"""Share of the uncertainty about the label that a column must take away, not to be silent."""

LEAST_BINS = 8
"""Quantile bins that differ, of sixteen, for a column of which most rows can say something at all."""


def says_nothing(screen: Screen, column: int, but: NDArray[np.bool_]) -> bool:
    """Whether numbers of a column say nothing about the label in any but these rows.

    Parameters
    ----------
    screen : Screen
    column : int
    but : bool ndarray of shape (n_known,)
    """
    for items in screen.items:
        if items.column == column and items.conditions[0].value is None and len(items) >= LEAST_BINS:
            asked = (items.code >= 0) & ~but
            return most_told(items.code[asked], screen.y[asked]) < SAYS
    return False
