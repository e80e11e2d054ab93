"""The cheapest opinion there is: which class mean a row is near, in the plane that the means span."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp


def class_mean_opinions(
    X: NDArray[np.floating],
    y: NDArray[np.integer],
    n_classes: int,
    kept: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Log probabilities of linear discriminant analysis in the span of the class means, (n, n_classes).

    A shift that rows share has next to nothing in so few of many directions: the opinion is about what else
    is in the rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : int ndarray of shape (n,)
    kept : bool ndarray of shape (n,)
        Rows to learn from; each class needs one.

    References
    ----------
    Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7 (1936).
    """
    rows = np.asarray(X, np.float64)
    rows = rows - rows[kept].mean(axis=0)
    means = np.stack([rows[kept & (y == k)].mean(axis=0) for k in range(n_classes)])
    basis, strength, _ = np.linalg.svd(means.T, full_matrices=False)
    plane = rows @ basis[:, strength > 1e-6 * max(strength[0], 1e-300)]
    if not plane.shape[1]:
        return np.full((len(y), n_classes), -np.log(n_classes))
    centres = np.stack([plane[kept & (y == k)].mean(axis=0) for k in range(n_classes)])
    residual = plane[kept] - centres[y[kept]]
    covariance = residual.T @ residual / kept.sum()
    covariance += (1e-3 * np.trace(covariance) / len(covariance) + 1e-12) * np.eye(len(covariance))
    weights = np.linalg.solve(covariance, centres.T)
    prior = np.log(np.bincount(y[kept], minlength=n_classes) / kept.sum())
    score = plane @ weights - 0.5 * (centres.T * weights).sum(axis=0) + prior
    return np.asarray(score - logsumexp(score, axis=1, keepdims=True), np.float64)
