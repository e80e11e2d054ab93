"""What models say about rows when all rows that share something with them were left out of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.learners.linear import linear_folds, logistic_folds, naive_bayes_folds
from foretaste.learners.nearest import neighbour_vote
from foretaste.learners.trees import boosting_folds
from foretaste.stats.calibration import pool_opinions

MOST_FOLDS = 5


def balanced_folds(groups: NDArray[np.integer], n_folds: int = MOST_FOLDS) -> NDArray[np.int64]:
    """Folds that keep every group whole and are as equal in rows as that allows; large groups are dealt
    first.

    Examples
    --------
    >>> balanced_folds(np.array([0, 0, 0, 1, 1, 2, 3]), 2).tolist()
    [0, 0, 0, 1, 1, 1, 0]
    """
    _, inverse = np.unique(groups, return_inverse=True)
    sizes = np.bincount(inverse)
    n_folds = max(2, min(n_folds, len(sizes)))
    filled = np.zeros(n_folds, np.int64)
    fold = np.empty(len(sizes), np.int64)
    for group in np.argsort(-sizes, kind="stable"):
        fold[group] = filled.argmin()
        filled[fold[group]] += sizes[group]
    return fold[inverse]


def outside_opinion(
    context: Context, groups: NDArray[np.integer], folds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Pooled log probabilities by cheap models that saw no row of the same group.

    Parameters
    ----------
    context : Context
    groups : int ndarray of shape (n,)
        What may not vouch for itself: a source, a stretch of time.
    folds : int ndarray of shape (n,)
        No group may lie in two folds.

    Returns
    -------
    float64 ndarray of shape (n, n_classes)
    """
    y, k = context.y, context.n_classes
    opinions: list[NDArray[np.floating]] = []
    if context.text is not None:
        words = context.text.word_tfidf
        opinions.append(linear_folds(words, y, k, folds).log_probability)
        opinions.append(naive_bayes_folds(words, y, k, folds))
    if context.table is not None:
        opinions.append(
            boosting_folds(
                context.table.matrix, y, k, folds, random_state=context.random_state, jobs=context.jobs
            )
        )
        opinions.append(logistic_folds(context.table.standard, y, k, folds))
    if context.image is not None:
        opinions.append(logistic_folds(context.image.standard, y, k, folds, C=0.3))
    if context.vectors is not None:
        opinions.append(logistic_folds(context.vectors.standard, y, k, folds, C=0.01))
    indices, cosines = context.neighbours
    opinions.append(neighbour_vote(indices, cosines, y, k, groups))
    return pool_opinions(opinions, y)[0]


def has_company(context: Context, groups: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Rows with similar rows in other groups: only there can the other groups say what the label should be.

    Of the 25 most similar rows, at least a quarter as many lie outside the group as would by chance. Rows of
    no group (negative) have company.
    """
    indices = context.neighbours[0][:, :25]
    n = len(groups)
    known = indices < n
    outside = known & (groups[np.minimum(indices, n - 1)] != groups[:, None])
    share = outside.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    own = np.bincount(groups[groups >= 0], minlength=1) / n
    enough = share >= 0.25 * (1 - own[np.maximum(groups, 0)])
    return np.asarray(enough | (groups < 0), bool)
