"""Confidence intervals for shares, for differences of shares, and for means of a few repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from scipy import stats


def wilson(share: float, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a share among ``count`` independent rows.

    Parameters
    ----------
    share : float, 0 to 1
    count : int, from 1
    confidence : float, 0 to 1

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Examples
    --------
    >>> [round(end, 4) for end in wilson(81 / 263, 263)]
    [0.2553, 0.3662]
    """
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    centre = share + z * z / (2 * count)
    half = z * sqrt(max(share * (1 - share) / count + z * z / (4 * count * count), 0.0))
    scale = 1 + z * z / count
    low, high = (centre - half) / scale, (centre + half) / scale  # rounding may put 0 and 1 just outside
    return min(max(low, 0.0), share), max(min(high, 1.0), share)


def newcombe(first: float, second: float, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of ``first - second``, two shares each among ``count`` rows.

    For shares of the same rows, which go together, it is wider than it need be.

    References
    ----------
    Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17 (1998), method 10.

    Examples
    --------
    >>> [round(end, 4) for end in newcombe(9 / 10, 3 / 10, 10)]
    [0.1705, 0.809]
    """
    low_1, high_1 = wilson(first, count, confidence)
    low_2, high_2 = wilson(second, count, confidence)
    difference = first - second
    return (
        difference - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2),
        difference + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2),
    )


def student(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean of two or more repetitions.

    Examples
    --------
    >>> [round(end, 3) for end in student([1.0, 2.0, 3.0])]
    [-0.484, 4.484]
    """
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / sqrt(len(values))
    half = float(stats.t.ppf(0.5 + confidence / 2, len(values) - 1)) * error
    return mean - half, mean + half
