"""Gradient-boosted trees, out of fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from foretaste.learners.threads import one_thread_each
from foretaste.stats.folds import taught_rows


def boosting_folds(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    n_classes: int,
    folds: NDArray[np.integer],
    *,
    random_state: int = 0,
    jobs: int = 2,
) -> NDArray[np.float64]:
    """Out-of-fold log probabilities of histogram gradient boosting, shape (n, n_classes)."""
    out = np.full((len(X), n_classes), np.log(1e-6))
    rounds = max(
        30, min(100, 300 // n_classes)
    )  # each round is a tree per class; fewer, larger steps do as well

    def fit(fold: int) -> None:
        train, test = taught_rows(folds, y, fold), np.flatnonzero(folds == fold)
        if not len(test) or len(np.unique(y[train])) < 2:
            return
        model = HistGradientBoostingClassifier(
            max_iter=rounds,
            max_leaf_nodes=15,
            learning_rate=min(10 / rounds, 0.2),
            early_stopping=False,
            random_state=random_state,
        )
        told = ~np.isnan(X[train]).all(axis=0)  # a column that is empty here cannot be binned
        if not told.any():
            return
        model.fit(X[train][:, told], y[train])
        share = np.clip(model.predict_proba(X[test][:, told]), 1e-6, 1)
        out[np.ix_(test, model.classes_.astype(np.int64))] = np.log(share)

    with one_thread_each(jobs) as pool:
        list(pool.map(fit, range(int(folds.max()) + 1)))
    return out
