"""Whether numbers on a line fall into two bunches, and which is the small one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VALLEY = 1 / 3
"""Most values around a cut, as a share of the smaller part: a tail, cut anywhere, has about 1."""


@dataclass(frozen=True)
class Split:
    """A cut of a line into two bunches.

    Attributes
    ----------
    separation : float
        Distance between the means of the two parts in standard deviations within them (*d prime*).
    small : bool ndarray of shape (n,)
        The smaller part; empty where the line has no two bunches.
    """

    separation: float
    small: NDArray[np.bool_]


def split_line(values: NDArray[np.floating], least: int) -> Split:
    """Cut numbers in two in a valley, where *d prime* is largest.

    A cut lies in a valley where the values within a tenth of the distance between the two means around it are
    at most a third of the smaller part. The tail of one bunch, normal, exponential or heavier, has about as
    many there as beyond the cut, so a long tail alone is no second bunch, however far it reaches.

    Parameters
    ----------
    values : ndarray of shape (n,)
    least : int
        Fewest values in each part, at least 2.

    Returns
    -------
    Split
        With separation 0 where there is no such cut.

    Examples
    --------
    >>> found = split_line(np.r_[np.linspace(-1, 1, 50), np.linspace(9, 10, 5)], 3)
    >>> int(found.small.sum()), round(found.separation, 1)
    (5, 16.6)
    >>> round(split_line(np.random.default_rng(0).standard_exponential(500), 12).separation, 1)
    3.0
    """
    x = np.asarray(values, np.float64)
    n = len(x)
    nothing = Split(0.0, np.zeros(n, bool))
    if n < 2 * least:
        return nothing
    order = np.argsort(x, kind="stable")
    line = x[order] - np.median(x)
    k = np.arange(least, n - least + 1)  # the low part has k values
    total, squares = np.cumsum(line), np.cumsum(line**2)
    low, high = total[k - 1] / k, (total[-1] - total[k - 1]) / (n - k)
    within = (squares[-1] - k * low**2 - (n - k) * high**2) / n
    floor = 1e-12 * max(squares[-1] / n, 1e-300)
    distance = high - low
    cut, reach = (line[k - 1] + line[k]) / 2, distance / 10
    around = np.searchsorted(line, cut + reach, "right") - np.searchsorted(line, cut - reach, "left")
    valley = (around <= VALLEY * np.minimum(k, n - k)) & (line[k - 1] < line[k])
    if not valley.any():
        return nothing
    separation = np.where(valley, distance / np.sqrt(np.maximum(within, floor)), 0.0)
    best = int(separation.argmax())
    small = np.zeros(n, bool)
    small[order[: k[best]] if 2 * k[best] <= n else order[k[best] :]] = True
    return Split(float(separation[best]), small)
