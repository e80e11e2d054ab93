"""Linear and naive Bayes models of sparse rows, out of fold, with their weights kept."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB

from foretaste.stats.folds import taught_rows


@dataclass(frozen=True)
class LinearFolds:
    """One-against-rest logistic models, one per fold and class, and their out-of-fold scores.

    Attributes
    ----------
    weights : float32 ndarray of shape (n_folds, n_classes, n_features)
    intercepts : float64 ndarray of shape (n_folds, n_classes)
    scores : float64 ndarray of shape (n, n_classes)
        Score of each row by the models that were not trained on its fold.
    """

    weights: NDArray[np.float32]
    intercepts: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def log_probability(self) -> NDArray[np.float64]:
        """Log probabilities of shape (n, n_classes), the one-against-rest odds normalised."""
        share = np.clip(expit(self.scores), 1e-9, None)
        return np.asarray(np.log(share / share.sum(axis=1, keepdims=True)), np.float64)

    def score(self, X: sparse.csr_matrix, folds: NDArray[np.integer]) -> NDArray[np.float64]:
        """Scores of other versions of some rows, shape (len(X), n_classes), given the folds of the rows."""
        scores = np.empty((X.shape[0], self.intercepts.shape[1]))
        for fold in np.unique(folds):
            at = np.flatnonzero(folds == fold)
            scores[at] = X[at] @ self.weights[fold].T + self.intercepts[fold]
        return scores


def fit_logistic(
    X: sparse.csr_matrix, positive: NDArray[np.bool_], *, C: float = 10.0, tolerance: float = 1e-3
) -> tuple[NDArray[np.float64], float]:
    """Weights and intercept of one L2 logistic model, by coordinate descent (liblinear).

    Parameters
    ----------
    X : csr matrix of shape (n, n_features)
    positive : bool ndarray of shape (n,)
        Both values must occur.
    C : float
        Inverse strength of the penalty.
    tolerance : float
        Where it stops; near is enough, as scores are calibrated later.
    """
    model = LogisticRegression(
        C=C, solver="liblinear", dual=True, tol=tolerance, max_iter=1000, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, positive)
    return model.coef_[0], float(model.intercept_[0])


def linear_folds(
    X: sparse.csr_matrix,
    y: NDArray[np.integer],
    n_classes: int,
    folds: NDArray[np.integer],
    *,
    C: float = 10.0,
) -> LinearFolds:
    """Fit L2 logistic models by coordinate descent (liblinear) and score every row out of fold.

    Rows with a negative label are scored, never trained on. With two classes the second model is the first,
    negated.
    """
    n_folds = int(folds.max()) + 1
    weights = np.zeros((n_folds, n_classes, X.shape[1]), np.float32)
    intercepts = np.zeros((n_folds, n_classes))
    scores = np.zeros((X.shape[0], n_classes))
    for fold in range(n_folds):
        train = taught_rows(folds, y, fold)
        for label in range(n_classes - 1 if n_classes == 2 else n_classes):
            positive = y[train] == label
            if positive.all() or not positive.any():
                intercepts[fold, label] = 10.0 if len(positive) and positive.all() else -10.0
                continue
            weights[fold, label], intercepts[fold, label] = fit_logistic(X[train], positive, C=C)
        if n_classes == 2:
            weights[fold, 1], intercepts[fold, 1] = -weights[fold, 0], -intercepts[fold, 0]
        test = np.flatnonzero(folds == fold)
        scores[test] = X[test] @ weights[fold].T + intercepts[fold]
    return LinearFolds(weights, intercepts, scores)


def logistic_folds(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    n_classes: int,
    folds: NDArray[np.integer],
    *,
    C: float = 1.0,
) -> NDArray[np.float64]:
    """Out-of-fold log probabilities of multinomial logistic regression on dense rows, (n, n_classes)."""
    out = np.full((len(X), n_classes), np.log(1e-6))
    for fold in range(int(folds.max()) + 1):
        train, test = taught_rows(folds, y, fold), np.flatnonzero(folds == fold)
        if not len(test) or len(np.unique(y[train])) < 2:
            continue
        model = LogisticRegression(C=C, tol=1e-3, max_iter=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X[train], y[train])
        out[np.ix_(test, model.classes_)] = np.log(np.clip(model.predict_proba(X[test]), 1e-6, 1))
    return out


def naive_bayes_folds(
    X: sparse.csr_matrix, y: NDArray[np.integer], n_classes: int, folds: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Out-of-fold log probabilities of complement naive Bayes, shape (n, n_classes).

    References
    ----------
    Rennie et al., "Tackling the poor assumptions of naive Bayes text classifiers", ICML 2003.
    """
    out = np.full((X.shape[0], n_classes), np.log(1e-6))
    for fold in range(int(folds.max()) + 1):
        train, test = np.flatnonzero((folds != fold) & (y >= 0)), np.flatnonzero(folds == fold)
        if not len(test) or not len(train):
            continue
        model = ComplementNB(alpha=0.3).fit(X[train], y[train])
        out[np.ix_(test, model.classes_.astype(np.int64))] = model.predict_log_proba(X[test])
    return out
