"""Looking at part of large data, where all of it would tell the attacker no more."""

from __future__ import annotations

import numpy as np

from foretaste.attacks.editing import Rows

ENOUGH = 20_000


def spread_rows(rows: Rows, at_most: int = ENOUGH) -> Rows:
    """Up to ``at_most`` of ``rows``, evenly spaced.

    Examples
    --------
    >>> spread_rows(np.arange(10), 4)
    array([0, 3, 6, 9])
    """
    if len(rows) <= at_most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, at_most).astype(np.int64)]
