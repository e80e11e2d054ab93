"""Directions in which a few rows of a class stand apart together, and the exact split along one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular
from scipy.sparse.linalg import ArpackError, eigsh
from scipy.stats import t

MOST_ROWS = 4000
"""Rows a matrix of inner products is made of; of more, a random part."""

LEAST_ROWS = 12
"""Smallest side of a split."""

_FOLDS = 3
_FLOOR = 1e-3
_SMALL = 400


@dataclass(frozen=True)
class Split:
    """Two groups along one direction.

    Attributes
    ----------
    separation : float
        Distance of the means in units of the mean standard deviation: 2.65 for the halves of a normal
        distribution, more only where two groups lie apart.
    rows : int64 ndarray
        Positions of the smaller group, ascending.
    cut : float
        Value between the groups.
    above : bool
        Whether the smaller group lies above.
    """

    separation: float
    rows: NDArray[np.int64]
    cut: float
    above: bool


def two_means(values: NDArray[np.floating], least: int = LEAST_ROWS) -> Split | None:
    """The exact best split of numbers into two groups of at least ``least``; None where there is none.

    References
    ----------
    Fisher, "On grouping for maximum homogeneity", JASA 53 (1958).

    Examples
    --------
    >>> two_means(np.array([0, 0.1, 5, 0.2, 5.1, 0.1]), least=2).rows.tolist()
    [2, 4]
    """
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values, np.float64)[order]
    n = len(ordered)
    if n < 2 * least:
        return None
    ordered = ordered - ordered.mean()
    total, squares = np.cumsum(ordered), np.cumsum(np.square(ordered))
    low = np.arange(1, n)
    first, second = total[:-1] / low, (total[-1] - total[:-1]) / (n - low)
    within_low = squares[:-1] - low * np.square(first)
    within_high = squares[-1] - squares[:-1] - (n - low) * np.square(second)
    error = within_low + within_high
    error[: least - 1] = np.inf
    error[n - least :] = np.inf
    at = int(error.argmin())
    sizes = at + 1, n - at - 1
    spread = np.sqrt(max(within_low[at], 0) / sizes[0]) + np.sqrt(max(within_high[at], 0) / sizes[1])
    separation = float((second[at] - first[at]) / (spread / 2 + 1e-9 * (ordered[-1] - ordered[0]) + 1e-300))
    above = sizes[1] <= sizes[0]
    rows = np.sort(order[at + 1 :] if above else order[: at + 1])
    cut = float((values[order[at]] + values[order[at + 1]]) / 2)
    return Split(separation, rows, cut, above)


def rest_is_foreign(
    group: float, rest: float, others: NDArray[np.floating], share: float, least: int = 3
) -> bool:
    """Whether it is more likely that other classes' means lie where a group is than where the rest is.

    Means of classes are taken for draws from one normal distribution, so that the next is Student's t about
    theirs; a row is in the smaller part with the odds of its share. Never of fewer than ``least`` others.

    Parameters
    ----------
    group, rest : float
        Means of the two parts of a class along a direction.
    others : ndarray
        Means of the other classes.
    share : float
        Of the group in the class, in (0, 1).

    Examples
    --------
    >>> others = np.array([-0.5, 0.4, 0.1, -0.2])
    >>> rest_is_foreign(0.1, 7.0, others, 0.4), rest_is_foreign(7.0, 0.1, others, 0.4)
    (True, False)
    """
    if len(others) < least:
        return False
    spread = float(np.std(others, ddof=1)) * np.sqrt(1 + 1 / len(others)) + 1e-12
    at_group, at_rest = t.logpdf((np.array([group, rest]) - others.mean()) / spread, len(others) - 1)
    return bool(at_group - at_rest > np.log((1 - share) / share))


def leading(matrix: NDArray[np.float32], count: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Strongest directions that rows share, and each row's score along them by what the other rows say.

    The diagonal of the matrix of inner products is left out, so that no row speaks for itself, and no row is
    longer than the median one.

    Parameters
    ----------
    matrix : float32 ndarray of shape (m, d)
    count : int

    Returns
    -------
    scores : float64 ndarray of shape (m, count)
    directions : float32 ndarray of shape (d, count)

    References
    ----------
    Zhang, Cai and Wu, "Heteroskedastic PCA", Annals of Statistics 50 (2022).
    """
    length = np.sqrt(np.square(matrix).sum(axis=1))
    usual = float(np.median(length)) or 1.0
    bounded = matrix * np.minimum(1, usual / np.maximum(length, 1e-9))[:, None]
    products = (bounded @ bounded.T).astype(np.float64)
    np.fill_diagonal(products, 0)
    vectors = _top(products, min(count, len(products) - 1))
    return products @ vectors, bounded.T @ vectors.astype(np.float32)


def _top(products: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    n = len(products)
    if n > _SMALL:
        start = np.cos(np.arange(n, dtype=np.float64))  # any fixed vector
        try:
            values, vectors = eigsh(products, count, which="LA", v0=start, tol=1e-4)
            return np.asarray(vectors[:, np.argsort(-values, kind="stable")], np.float64)
        except ArpackError:
            pass
    _, vectors = eigh(products, subset_by_index=[n - count, n - 1])
    return np.asarray(vectors[:, ::-1], np.float64)


def class_directions(
    view: NDArray[np.float32], y: NDArray[np.int64], n_classes: int, count: int, random_state: int = 0
) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """Each class's strongest directions, in units of how rows of *other* classes vary.

    What all classes share (smooth shading, edges) is whitened away by the covariance of the other classes; an
    artefact that only one class has is not, however weak and wherever in the spectrum it is.

    Parameters
    ----------
    view : float32 ndarray of shape (n, d)
        Class means taken out.
    y : int64 ndarray of shape (n,)

    Yields
    ------
    label : int
    scores : float64 ndarray of shape (n, count)
        Of all rows along each direction.
    directions : float64 ndarray of shape (d, count)
    """
    sizes = np.bincount(y[y >= 0], minlength=n_classes)
    part = np.zeros(n_classes, np.int64)
    filled = np.zeros(min(_FOLDS, n_classes), np.int64)
    for label in np.argsort(-sizes, kind="stable"):
        part[label] = filled.argmin()
        filled[part[label]] += sizes[label]
    own = [view[(y >= 0) & (part[y] == fold)] for fold in range(len(filled))]
    scatter = [rows.T @ rows for rows in own]
    everything = np.sum(scatter, axis=0)
    rng = np.random.default_rng(random_state)
    for fold in range(len(filled)):
        alone = len(filled) == 1
        others = (everything if alone else everything - scatter[fold]) / max(
            filled.sum() - (0 if alone else filled[fold]), 1
        )
        level = float(np.trace(others)) / len(others)
        if level <= 0:
            continue
        others[np.diag_indices(len(others))] += _FLOOR * level
        lower = cholesky(others, lower=True, check_finite=False, overwrite_a=True)
        for label in np.flatnonzero(part == fold).tolist():
            rows = np.flatnonzero(y == label)
            if len(rows) < 4 * LEAST_ROWS:
                continue
            if len(rows) > MOST_ROWS:
                rows = np.sort(rng.choice(rows, MOST_ROWS, replace=False))
            white = solve_triangular(lower, view[rows].T, lower=True, check_finite=False).T
            own_scores, loads = leading(white, count)
            back = solve_triangular(lower, loads, lower=True, trans="T", check_finite=False)
            scores = np.asarray(view @ back, np.float64)
            scores[rows] = own_scores
            yield label, scores, back
