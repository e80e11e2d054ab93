"""How many of independent events with different probabilities happen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def tail_probability(probabilities: NDArray[np.floating], count: int) -> float:
    """Exact probability that at least ``count`` of the events happen, by convolution.

    Parameters
    ----------
    probabilities : ndarray of shape (n,)
        Of each event, in [0, 1].
    count : int

    References
    ----------
    Hong, "On computing the distribution function for the Poisson binomial distribution", Computational
    Statistics & Data Analysis 59 (2013).

    Examples
    --------
    >>> tail_probability(np.array([0.5, 0.5, 0.5]), 2)
    0.5
    """
    distribution = np.zeros(len(probabilities) + 1)
    distribution[0] = 1.0
    for p in np.asarray(probabilities, np.float64):
        distribution[1:] = distribution[1:] * (1 - p) + distribution[:-1] * p
        distribution[0] *= 1 - p
    return float(min(1.0, distribution[max(count, 0) :].sum()))
