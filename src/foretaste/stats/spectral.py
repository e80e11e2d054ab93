"""Directions in which some rows of a class stand out together: moments and eigenvectors in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def centred(X: NDArray[np.floating], group: NDArray[np.integer]) -> NDArray[np.float64]:
    """Rows less the mean of their group, shape (n, d); rows of a negative group less the mean of all others.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    group : int ndarray of shape (n,)
    """
    X = np.asarray(X, np.float64)
    out: NDArray[np.float64] = X - X[group >= 0].mean(axis=0)
    for value in np.unique(group[group >= 0]):
        rows = group == value
        out[rows] -= out[rows].mean(axis=0)
    return out


def whitener(residual: NDArray[np.float64], *, floor: float = 1e-2) -> NDArray[np.float64]:
    """Matrix ``W`` such that ``residual @ W`` has unit variance in every direction, shape (d, d).

    Parameters
    ----------
    residual : float64 ndarray of shape (n, d)
        Rows with mean zero.
    floor : float
        Directions with less than this share of the median variance are not blown up further.
    """
    values, vectors = np.linalg.eigh(residual.T @ residual / max(len(residual), 1))
    typical = np.median(values[values > 1e-9 * values[-1]]) if values[-1] > 0 else 1.0
    return np.asarray(vectors / np.sqrt(np.maximum(values, floor * typical)), np.float64)


def top_directions(rows: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Unit eigenvectors of the Gram matrix with the largest eigenvalues, strongest first, shape (d, count).

    The smaller of the two Gram matrices is decomposed; the sign makes the largest entry positive.
    """
    n, d = rows.shape
    count = min(count, n, d)
    if d <= n:
        vectors = np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :count]
    else:
        left = np.linalg.eigh(rows @ rows.T)[1][:, ::-1][:, :count]
        vectors = rows.T @ left
        vectors /= np.maximum(np.sqrt(np.square(vectors).sum(axis=0)), 1e-300)
    largest = np.abs(vectors).argmax(axis=0)
    return np.asarray(vectors * np.where(vectors[largest, np.arange(count)] < 0, -1, 1), np.float64)


def quantum_entropy_scores(whitened: NDArray[np.float64], *, alpha: float = 4.0) -> NDArray[np.float64]:
    """How far each row reaches into the directions that have too much variance, shape (n,).

    Between the largest eigenvalue alone (``alpha`` to infinity) and plain length (``alpha`` 0).

    Parameters
    ----------
    whitened : float64 ndarray of shape (n, d)
        Rows whose covariance would be the identity if none of them were poisoned.

    References
    ----------
    Dong, Hopkins and Li, "Quantum entropy scoring for fast robust mean estimation and improved outlier
    detection", NeurIPS 2019.
    """
    covariance = whitened.T @ whitened / max(len(whitened), 1)
    values, vectors = np.linalg.eigh(covariance)
    excess = values - 1
    top = max(float(excess[-1]), 1e-9)
    weight = np.exp(alpha * (excess - excess[-1]) / top)
    weight /= weight.sum()
    return np.asarray(np.square(whitened @ vectors) @ weight, np.float64)
