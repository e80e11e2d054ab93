"""Whether a group of a class is a kind of its own, or copies of all the other classes, moved together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.special import logsumexp

from foretaste.detect.artefacts.diversity import FROM_ALL, agreement

ODD = 0.2
"""Share of a kind's rows that may be anything, those that speak loudest for copies: wrong labels, say."""

SHIFT = 2.0
"""Least distance of most copies from the images they are like, in standard deviations: rows that only have
another class's label, without a mark that they share, lie at none, whatever rows of a kind are among them."""

_ROUNDS = 15
_SHRINK = 0.02


@dataclass(frozen=True)
class Copies:
    """How well a group is explained by copies of the other classes.

    Attributes
    ----------
    evidence : float
        Logarithm of how much better than by a kind of its own, without the `ODD` rows for which it is
        clearest.
    sources : float
        Agreement of where they are from with the sizes of the classes: 1 as by chance, 0 none.
    shift : float
        How far all but the `ODD` rows that are moved least are moved, and the same way, in standard
        deviations within classes.
    """

    evidence: float
    sources: float
    shift: float

    @property
    def manifold(self) -> bool:
        """Whether they are from all classes, and all are moved."""
        return self.sources >= FROM_ALL and self.shift >= SHIFT


def copies_of_others(
    X: NDArray[np.float64], y: NDArray[np.int64], n_classes: int, label: int, rows: NDArray[np.int64]
) -> Copies:
    """Compare the two explanations by where the rows lie in the plane of the class means.

    Both have one free place and one free spread, and vary as rows do within other classes: a kind of its own
    about that place, and the other classes in proportion to their sizes, all moved by as much. So a kind
    that is new, rare or far away is still a kind; only rows as manifold as all other classes are not. How far
    copies are moved is asked where content plays no part, outside the plane of the other classes' means.

    Parameters
    ----------
    X : float64 ndarray of shape (n, d)
        Descriptors.
    y : int64 ndarray of shape (n,)
        Class of each row; negative where it has none.
    n_classes : int
    label : int
        The class of the group.
    rows : int64 ndarray
        The group; it has no say in what classes are like.

    References
    ----------
    Tang et al., "Demon in the variant: statistical analysis of DNNs for robust backdoor contamination
    detection", USENIX Security 2021: two groups in a class, told apart by how all classes vary.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> means, y = 6 * rng.normal(size=(5, 8)), np.arange(500) % 5
    >>> X = means[y] + rng.normal(size=(500, 8))
    >>> kind = np.flatnonzero(y == 0)[:30]
    >>> bool(copies_of_others(X, y, 5, 0, kind).evidence < 0)
    True
    >>> X[kind] = X[kind + 1 + np.arange(30) % 4] + 4
    >>> found = copies_of_others(X, y, 5, 0, kind)
    >>> bool(found.evidence > 20), found.manifold
    (True, True)
    """
    kept = y >= 0
    kept[rows] = False
    count = np.bincount(y[kept], minlength=n_classes).astype(np.float64)
    means = class_means(X, np.where(kept, y, -1), n_classes)
    within = X[kept] - means[y[kept]]
    lower = cholesky(covariance_of(within, _SHRINK), lower=True)
    every, other = count > 0, (count > 0) & (np.arange(n_classes) != label)
    rows_there, centres = white(X[rows], lower), white(means, lower)
    prior = count[other] / count[other].sum()
    middle = centres[every].mean(axis=0)
    plane = _span(centres[every] - middle)
    evidence, share = _copies_or_kind((rows_there - middle) @ plane, (centres[other] - middle) @ plane, prior)
    sources = agreement(share, prior, len(rows))
    middle = centres[other].mean(axis=0)
    plane = _span(centres[other] - middle)
    moved = rows_there - middle
    moved -= (moved @ plane) @ plane.T
    # along the way that the other half is moved: chance adds nothing
    shifts = np.concatenate([moved[half::2] @ _unit(moved[1 - half :: 2].mean(axis=0)) for half in (0, 1)])
    return Copies(evidence, sources, float(np.quantile(shifts, ODD)))


def class_means(X: NDArray[np.float64], y: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Of every class, shape (n_classes, d); zeros for one without rows."""
    none = np.zeros(X.shape[1])
    return np.stack([X[y == c].mean(axis=0) if (y == c).any() else none for c in range(n_classes)])


def _copies_or_kind(
    rows: NDArray[np.float64], centres: NDArray[np.float64], prior: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Log evidence for copies of all centres against one kind, and the share of each centre."""
    m, d = rows.shape
    share = np.tile(prior, (m, 1))
    for _ in range(_ROUNDS):
        moved = rows - (rows - share @ centres).mean(axis=0)
        distance = np.square(moved).sum(axis=1)[:, None] - 2 * moved @ centres.T
        distance += np.square(centres).sum(axis=1)
        likely = np.log(prior) - distance / 2
        share = np.exp(likely - logsumexp(likely, axis=1, keepdims=True))
    spread = max(float((share * distance).sum(axis=1).mean()) / d, 1.0)
    copies = logsumexp(np.log(prior) - distance / (2 * spread), axis=1) - d / 2 * np.log(spread)
    most = int(np.ceil((1 - ODD) * m))
    usual = np.arange(m)
    for _ in range(_ROUNDS):  # the place and spread of most rows
        length = np.square(rows - rows[usual].mean(axis=0)).sum(axis=1)
        usual = np.argsort(length, kind="stable")[:most]
    spread = max(float(length[usual].mean()) / d, 1.0)
    kind = -length / (2 * spread) - d / 2 * np.log(spread)
    return float(np.sort(copies - kind)[:most].sum()), share.mean(axis=0)


def covariance_of(within: NDArray[np.float64], shrink: float) -> NDArray[np.float64]:
    """Of rows about their means, shape (d, d), and a share of the mean variance in all directions."""
    covariance = within.T @ within / max(len(within), 1)
    level = shrink * float(np.trace(covariance)) / len(covariance) + 1e-12
    return np.asarray(covariance + level * np.eye(len(covariance)), np.float64)


def white(X: NDArray[np.float64], lower: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows in units of how others vary, by the Cholesky factor of their covariance."""
    return np.asarray(solve_triangular(lower, X.T, lower=True).T, np.float64)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.linalg.norm(vector)), 1e-300)


def _span(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal basis, as columns, of what the vectors span."""
    _, strength, basis = np.linalg.svd(vectors, full_matrices=False)
    return np.asarray(basis[strength > 1e-6 * max(float(strength[0]), 1e-300)].T, np.float64)
