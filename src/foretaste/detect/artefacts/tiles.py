"""Groups of images that stand apart in one small square, whatever their class: where patches are seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular

from foretaste.detect.artefacts.candidate import TILE, Candidate
from foretaste.detect.artefacts.directions import LEAST_ROWS, two_means
from foretaste.features.image import SIDE
from foretaste.features.residuals import residual

STRIDE = 2
DIRECTIONS = 2
GROUPS = 2
OUTLYING = 500
"""Rows furthest out in a tile among which groups of like ones are sought."""

_FLOOR = 1e-2
_STEPS = 2


def tiles(pixels: NDArray[np.uint8], used: NDArray[np.int64]) -> Iterator[Candidate]:
    """Splits of all rows in every tile, along what varies more there than elsewhere and towards rows alike.

    Parameters
    ----------
    pixels : uint8 ndarray of shape (n, h, w, c)
    used : int64 ndarray
        Rows that have an image.
    """
    h, w, channels = pixels.shape[1:]
    size = min(TILE, h, w)
    if len(used) < 4 * LEAST_ROWS:
        return
    rough = residual(pixels.astype(np.float32))
    rough -= rough[used].mean(axis=0)
    corners = [(i, j) for i in _steps(h, size, STRIDE) for j in _steps(w, size, STRIDE)]
    apart = STRIDE * -(-max(h, w) // SIDE)  # of images twice as large every other one
    searched = {(i, j) for i in _steps(h, size, apart) for j in _steps(w, size, apart)}
    scatter = np.empty((len(corners), size * size * channels, size * size * channels))
    for place, corner in enumerate(corners):
        tile = _cut(rough, used, corner, size)
        scatter[place] = tile.T @ tile
    usual = scatter.mean(axis=0)
    level = float(np.trace(usual)) / len(usual)
    if level <= 0:
        return
    floor = _FLOOR * level * np.eye(len(usual))
    for corner, here in zip(corners, scatter, strict=True):
        tile = _cut(rough, used, corner, size)
        for score in _widest(tile, here, usual + floor):
            split = two_means(score)
            if split is not None:
                yield Candidate("tile", -1, split.separation, used[split.rows], used[:0], corner)
        for separation, rows in like_rows(tile, here + floor) if corner in searched else ():
            yield Candidate("like tiles", -1, separation, used[rows], used[:0], corner)


def _widest(
    tile: NDArray[np.float32], here: NDArray[np.float64], usual: NDArray[np.float64]
) -> Iterator[NDArray[np.float32]]:
    last = len(usual) - 1
    count = min(DIRECTIONS, last + 1)
    _, vectors = eigh(here, usual, subset_by_index=[last - count + 1, last])
    yield from (tile @ vectors.astype(np.float32)).T


def like_rows(
    vectors: NDArray[np.float32], scatter: NDArray[np.float64], groups: int = GROUPS
) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """Groups of rows that lie far out in the same direction, however little they add to the variance.

    Of the rows furthest out, in units of how all rows vary, the ones with the nearest company of
    `LEAST_ROWS` are the seed; the direction that tells group from rest is then found anew from the group.

    Parameters
    ----------
    vectors : float32 ndarray of shape (n, d)
        Their mean taken out.
    scatter : float64 ndarray of shape (d, d)
        Of full rank.
    groups : int

    Yields
    ------
    separation : float
    rows : int64 ndarray
        Ascending.

    References
    ----------
    Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7 (1936).
    """
    lower = cholesky(scatter / len(vectors), lower=True, check_finite=False)
    white = solve_triangular(lower, vectors.T, lower=True, check_finite=False).T.astype(np.float32)
    length = np.sqrt(np.square(white).sum(axis=1))
    pool = np.argsort(-length, kind="stable")[:OUTLYING]
    unit = white[pool] / np.maximum(length[pool], 1e-9)[:, None]
    like = unit @ unit.T
    np.fill_diagonal(like, -1)
    company = LEAST_ROWS - 1
    for _ in range(groups):
        if len(pool) < 2 * LEAST_ROWS:
            return
        middle = int(np.partition(like, -company, axis=1)[:, -company].argmax())
        seed = np.append(np.argpartition(-like[middle], company)[:company], middle)
        split = two_means(white @ unit[seed].sum(axis=0))
        for _ in range(_STEPS):
            if split is None:
                return
            towards = white[split.rows].mean(axis=0)  # the mean of all is naught
            split = two_means(white @ towards)
        if split is None:
            return
        yield split.separation, split.rows
        left = np.setdiff1d(np.flatnonzero(~np.isin(pool, split.rows)), seed)
        pool, unit, like = pool[left], unit[left], like[np.ix_(left, left)]


def _cut(
    rough: NDArray[np.float32], used: NDArray[np.int64], corner: tuple[int, int], size: int
) -> NDArray[np.float32]:
    top, left = corner
    return rough[used, top : top + size, left : left + size].reshape(len(used), -1)


def _steps(length: int, size: int, stride: int) -> list[int]:
    return sorted({*range(0, length - size + 1, stride), length - size})
