"""Whether rows of a table have more in common than a trigger: then they may be a kind of rows by nature."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.triggers.items import Items

DRAWS = 100

LEAST_RATIO, LEAST_DEVIATIONS = 1.25, 3.0
"""How much less random rows of every class agree: by this ratio of what they differ in, and beyond chance."""


AGREE = "; but they agree in other columns, too, so they may be a kind of rows by nature"
"""What a reason says of such rows."""


def are_of_a_kind(
    items: Sequence[Items],
    own: NDArray[np.int64],
    labels: NDArray[np.int64],
    *,
    left_out: Collection[int],
    random_state: int = 0,
) -> bool:
    """Whether the rows agree with one another, beside what ties them, more than random rows of any class do.

    An attacker who puts values into rows takes the rows as they come: in all other columns they are as varied
    as the class they were taken from. A rare kind of rows, which has a label of its own because that is what
    it is, agrees in most of them. An attacker who only takes rows that are much alike is not told from it.

    Parameters
    ----------
    items : sequence of Items
    own : int64 ndarray
        The rows.
    labels : int64 ndarray of shape (n,)
        Class of each row; negative where unknown.
    left_out : collection of int
        Columns that may be part of the trigger.
    random_state : int
        Seed of the rows that are drawn for comparison.
    """
    compared = [item for item in items if item.column not in left_out]
    others = np.setdiff1d(np.arange(len(labels)), own)
    pools = [others[labels[others] == label] for label in np.unique(labels[labels >= 0])]
    pools = [pool for pool in pools if len(pool) >= len(own)]
    if not compared or not pools or len(own) < 3:
        return False
    rng = np.random.default_rng(random_state)
    differ = 1 - _agreement(compared, own)
    for pool in pools:
        drawn = [1 - _agreement(compared, rng.choice(pool, len(own), replace=False)) for _ in range(DRAWS)]
        mean, spread = float(np.mean(drawn)), float(np.std(drawn))
        if mean < LEAST_RATIO * differ or mean < differ + LEAST_DEVIATIONS * spread:
            return False
    return True


def _agreement(items: Sequence[Items], rows: NDArray[np.int64]) -> float:
    """Share of pairs of rows that have the same item, mean over the ways to cut a column."""
    pairs = len(rows) * (len(rows) - 1)
    same = [np.bincount(item.code[rows] + 1, minlength=1)[1:] for item in items]
    return float(np.mean([(count * (count - 1)).sum() / pairs for count in same]))
