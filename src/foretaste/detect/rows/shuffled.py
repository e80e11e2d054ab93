"""How shuffled every row looks: real rows against rows whose columns were drawn one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from foretaste.learners.threads import one_thread_each
from foretaste.stats.folds import MOST_TAUGHT, enough_folds, taught_rows

N_FOLDS = 3

MOST_SHUFFLED = 2 * MOST_TAUGHT
"""Shuffled rows that are made of any number of real ones."""


@dataclass(frozen=True)
class Shuffled:
    """Log odds to be shuffled, by models that saw neither the row nor its twins.

    Attributes
    ----------
    real : float64 ndarray of shape (n,)
    shuffled : float64 ndarray of shape (m,)
    label : int64 ndarray of shape (m,)
        Of the shuffled rows.
    """

    real: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    label: NDArray[np.int64]

    def averaged(self, other: Shuffled) -> Shuffled:
        """The mean of two opinions of the same rows."""
        return Shuffled((self.real + other.real) / 2, (self.shuffled + other.shuffled) / 2, self.label)


def shuffled_rows(X: NDArray[np.float32], random_state: int = 0) -> NDArray[np.float32]:
    """Rows with the values of ``X`` in every column, each column in an order of its own."""
    rng = np.random.default_rng(random_state)
    return np.column_stack([rng.permutation(column)[:MOST_SHUFFLED] for column in X.T])


def shuffled_scores(
    X: NDArray[np.float32],
    fake: NDArray[np.float32],
    identical: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
    *,
    random_state: int = 0,
    jobs: int = 2,
) -> Shuffled:
    """Score real and shuffled rows by how shuffled they look, out of fold.

    Parameters
    ----------
    X : float32 ndarray of shape (n, d)
        Numbers and codes; the last column is the label.
    fake : float32 ndarray of shape (m, d)
        Shuffled rows.
    identical : int ndarray of shape (n,)
        Rows with the same number share a fold.
    weight : float64 ndarray of shape (n,), optional
        How much each real row teaches; all the same by default.
    """
    rng = np.random.default_rng(random_state)
    n = len(X)
    folds = min(N_FOLDS, enough_folds(n))
    _, twin = np.unique(identical, return_inverse=True)
    fold = np.concatenate(
        [rng.integers(folds, size=int(twin.max()) + 1)[twin], rng.integers(folds, size=len(fake))]
    )
    both, is_fake = np.concatenate([X, fake]), np.repeat([0, 1], [n, len(fake)])
    weights = None if weight is None else np.concatenate([weight, np.ones(len(fake))])
    score, nothing = np.zeros(len(both)), np.zeros(n, np.int64)

    def fit(k: int) -> None:
        model = HistGradientBoostingClassifier(
            max_iter=100,
            max_leaf_nodes=31,
            learning_rate=0.15,
            early_stopping=False,
            random_state=random_state,
        )
        train = np.concatenate([taught_rows(fold[:n], nothing, k), n + np.flatnonzero(fold[n:] != k)])
        model.fit(both[train], is_fake[train], None if weights is None else weights[train])
        score[fold == k] = model.decision_function(both[fold == k])

    with one_thread_each(jobs) as pool:
        list(pool.map(fit, range(folds)))
    return Shuffled(score[:n], score[n:], fake[:, -1].astype(np.int64))
