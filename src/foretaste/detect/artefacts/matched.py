"""A group beside images of the classes it looks like, and rows of its class that were left out of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky
from scipy.stats import rankdata

from foretaste.detect.artefacts.copies import class_means, covariance_of, white

_PARTS = 5
_SHRINK = 0.1
_FLOOR = 1e-3
_TAUGHT = 5
_ROUNDS = 4
_FALSE = 0.02
_FALSE_ADDED = 0.05
_LOW = 0.05


def told_apart(
    matrix: NDArray[np.float32], rows: NDArray[np.int64], control: NDArray[np.int64], seed: int = 0
) -> float:
    """Chance that a row of the group lies further along what tells it from the control than one of that does.

    Rows with nothing but a wrong label are like images of the class they are from, at one half; those that
    something was done to are not. Each row is judged by a line that it did not teach.

    Parameters
    ----------
    matrix : float32 ndarray of shape (n, d)
    rows, control : int64 ndarray
        The group, and other rows of the classes that it looks like.
    seed : int

    References
    ----------
    Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC)
    curve", Radiology 143 (1982).

    Examples
    --------
    >>> matrix = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    >>> told_apart(matrix, np.arange(50), np.arange(50, 200)) < 0.6
    True
    >>> matrix[:50, 2] += 5
    >>> round(told_apart(matrix, np.arange(50), np.arange(50, 200)), 1)
    1.0
    """
    points = np.concatenate([matrix[rows], matrix[control]]).astype(np.float64)
    inside = np.arange(len(points)) < len(rows)
    part = np.random.default_rng(seed).permutation(len(points)) % _PARTS
    line = np.zeros(len(points))
    for held in range(_PARTS):
        group, others = points[(part != held) & inside], points[(part != held) & ~inside]
        if min(len(group), len(others)) < _TAUGHT:
            return 0.5
        here, there = group.mean(axis=0), others.mean(axis=0)
        within = np.concatenate([group - here, others - there])
        line[part == held] = (points[part == held] - (here + there) / 2) @ (
            np.linalg.inv(covariance_of(within, _SHRINK)) @ (here - there)
        )
    above = float(rankdata(line)[inside].sum()) - len(rows) * (len(rows) + 1) / 2
    return above / (len(rows) * len(control))


def grown(
    matrix: NDArray[np.float32],
    y: NDArray[np.int64],
    label: int,
    rows: NDArray[np.int64],
    wrong: NDArray[np.bool_],
    folds: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The group with those rows of its class that lie as far out, and without those that do not.

    What was done to images changes some more than others, and a cut between two means misses the latter. The
    line is found anew from the group, no row longer than the usual one, out of fold; the cut is moved to
    where rows of other classes, spread as widely as the rest of this one, begin.

    Parameters
    ----------
    matrix : float32 ndarray of shape (n, d)
    y : int64 ndarray of shape (n,)
        Class of each row; negative where it has none.
    label : int
        Class of the group.
    rows : int64 ndarray
        The group.
    wrong : bool ndarray of shape (n,)
        Rows whose content contradicts their label: only these are added.
    folds : int64 ndarray of shape (n,)

    References
    ----------
    Efron, "Large-scale inference", Cambridge (2010), chapter 5: expected false ones beyond a cut.
    """
    known = np.flatnonzero(y >= 0)
    own, others = np.flatnonzero(y == label), np.flatnonzero((y >= 0) & (y != label))
    points = np.asarray(matrix, np.float64)
    within = np.zeros_like(points)
    within[known] = points[known] - class_means(points, y, int(y.max()) + 1)[y[known]]
    points = white(within, cholesky(covariance_of(within[others], _FLOOR), lower=True))
    length = np.sqrt(np.square(points).sum(axis=1))
    points *= np.minimum(1, np.median(length[others]) / np.maximum(length, 1e-9))[:, None]
    group = rows
    for _ in range(_ROUNDS):
        inside = np.isin(np.arange(len(y)), group)
        line = np.zeros(len(y))
        for fold in np.unique(folds):
            taught = (folds != fold) & (y == label)
            if min((taught & inside).sum(), (taught & ~inside).sum()) < _TAUGHT:
                return rows
            middle = points[taught & ~inside].mean(axis=0)
            way = points[taught & inside].mean(axis=0) - middle
            way /= max(float(np.linalg.norm(way)), 1e-12)
            line[folds == fold] = points[folds == fold] @ way
            line[(folds == fold) & (y == label)] -= middle @ way
        rest = own[~inside[own]]
        usual = _usual(line[others], line[rest])
        kept = own[_beyond(line[own], usual, len(rest), _FALSE)]
        added = rest[_beyond(line[rest], usual, len(rest), _FALSE_ADDED)]
        new = np.union1d(kept[inside[kept]], added[wrong[added]])
        if not len(new):
            return rows
        if len(new) == len(group) and (new == group).all():
            break
        group = new
    return group


def _usual(others: NDArray[np.float64], rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the rest of a class may lie: as the others do, as widely as its own lower half, ascending."""
    middle, spread = np.median(others), np.median(others) - np.quantile(others, _LOW)
    wider = max((np.median(rest) - np.quantile(rest, _LOW)) / max(spread, 1e-9), 1.0)
    return np.sort(np.median(rest) + (others - middle) * wider)


def _beyond(
    line: NDArray[np.float64], usual: NDArray[np.float64], rest: int, false: float
) -> NDArray[np.int64]:
    """Positions of the highest values, as many as hold at most this share of the rest's by expectation."""
    order = np.argsort(-line, kind="stable")
    tail = 1 + len(usual) - np.searchsorted(usual, line[order], side="left")
    few = np.flatnonzero(rest * tail / len(usual) / np.arange(1, len(line) + 1) <= false)
    return np.sort(order[: few[-1] + 1]) if len(few) else order[:0]
