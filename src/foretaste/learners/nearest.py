"""Labels of the nearest rows, without those that belong to the row's own group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def neighbour_vote(
    indices: NDArray[np.int32],
    similarities: NDArray[np.float32],
    y: NDArray[np.integer],
    n_classes: int,
    groups: NDArray[np.integer],
    *,
    k: int = 25,
) -> NDArray[np.float64]:
    """Log probabilities from the k most similar rows of other groups, shape (n, n_classes).

    A neighbour weighs its squared similarity (cosines below zero nothing); one vote in all is spread by class
    frequency, so that a row without neighbours gets the frequencies.
    """
    n = len(y)
    neighbour = np.minimum(indices, n - 1)
    usable = (indices < n) & (groups[neighbour] != groups[:, None]) & (y[neighbour] >= 0)
    usable &= np.cumsum(usable, axis=1) <= k
    weight = np.square(np.clip(similarities, 0, None)) * usable
    prior = np.bincount(y[y >= 0], minlength=n_classes) + 1.0
    cell = np.arange(n)[:, None] * n_classes + np.maximum(y[neighbour], 0)
    start = np.tile(prior / prior.sum(), n)
    # the spread vote comes first; to add at places one by one takes ten times as long
    cells, weights = np.append(np.arange(n * n_classes), cell), np.append(start, weight)
    votes = np.bincount(cells, weights, n * n_classes).reshape(n, n_classes)
    return np.asarray(np.log(votes / votes.sum(axis=1, keepdims=True)), np.float64)
