"""Groups of images that stand apart from the rest along one direction of one view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from foretaste.detect.artefacts.directions import (
    LEAST_ROWS,
    MOST_ROWS,
    class_directions,
    leading,
    two_means,
)
from foretaste.features.image import ImageFeatures, shrunk
from foretaste.features.residuals import coarse_means, evened, resampling_traces, residual

LARGEST = 64
"""Images whose longer side is larger are averaged down to this many pixels before patches are looked for."""

DIRECTIONS = 6
GLOBAL_DIRECTIONS = 8
TILE, STRIDE = 6, 2
_TILE_DIRECTIONS = 2
_TILE_FLOOR = 1e-2


@dataclass(frozen=True)
class Candidate:
    """Rows that stand apart.

    Attributes
    ----------
    view : str
        In what: ``residual``, ``resampling``, ``pixels``, ``coarse``, ``all classes`` or ``tile``.
    label : int
        The class whose rows it was found among; -1 for all.
    separation : float
        See `Split`.
    rows : int64 ndarray
        Of that class, ascending.
    elsewhere : int64 ndarray
        Rows of other classes that lie as far out in the same direction, from their class's mean, as the group
        does from the rest of its class.
    corner : tuple of int or None
        Top and left of the tile, in pixels of ``residual``'s input.
    """

    view: str
    label: int
    separation: float
    rows: NDArray[np.int64]
    elsewhere: NDArray[np.int64]
    corner: tuple[int, int] | None = None


def candidates(image: ImageFeatures, y: NDArray[np.int64], n_classes: int, seed: int) -> Iterator[Candidate]:
    """Every split along the strongest directions of every view, whatever its separation.

    Parameters
    ----------
    image : ImageFeatures
    y : int64 ndarray of shape (n,)
        Class of each row; negative where it has none.
    n_classes : int
    seed : int
    """
    used = np.flatnonzero(image.present)
    y = np.where(image.present, y, -1)
    yield from tiles(shrunk(image.pixels, LARGEST), used)
    yield from everywhere(image.luminance, y, n_classes, used, seed)
    pixels = image.small.astype(np.float32)
    for view, matrix in (
        ("residual", residual(image.luminance).reshape(len(pixels), -1)),
        ("resampling", resampling_traces(image.luminance).reshape(len(pixels), -1)),
        ("coarse", coarse_means(pixels)),
        ("pixels", pixels.reshape(len(pixels), -1)),
    ):
        yield from by_class(view, matrix, y, n_classes, seed)


def by_class(
    view: str, matrix: NDArray[np.float32], y: NDArray[np.int64], n_classes: int, seed: int
) -> Iterator[Candidate]:
    """Splits within each class, along what varies more in it than in other classes."""
    centred = _without_class_means(matrix, y, n_classes)
    for label, scores in class_directions(centred, y, n_classes, DIRECTIONS, seed):
        own, others = np.flatnonzero(y == label), np.flatnonzero((y >= 0) & (y != label))
        for score in scores.T:
            split = two_means(score[own])
            if split is None:
                continue
            # a large group has moved its class's mean; others are counted from where the rest of the class is
            cut = split.cut - float(np.delete(score[own], split.rows).mean())
            beyond = score[others] > cut if split.above else score[others] < cut
            yield Candidate(view, label, split.separation, own[split.rows], others[beyond])


def everywhere(
    luminance: NDArray[np.float32], y: NDArray[np.int64], n_classes: int, used: NDArray[np.int64], seed: int
) -> Iterator[Candidate]:
    """Splits of all rows, along what varies most at a fixed place."""
    maps = residual(luminance)
    flat = _without_class_means(maps.reshape(len(maps), -1), y, n_classes).reshape(maps.shape)
    matrix = evened(flat).reshape(len(maps), -1)
    rng = np.random.default_rng(seed)
    rows = used if len(used) <= MOST_ROWS else np.sort(rng.choice(used, MOST_ROWS, replace=False))
    if len(rows) < 4 * LEAST_ROWS:
        return
    own, loads = leading(matrix[rows], GLOBAL_DIRECTIONS)
    scores = np.asarray(matrix @ loads, np.float64)
    scores[rows] = own
    for score in scores.T:
        split = two_means(score[used])
        if split is not None:
            yield Candidate("all classes", -1, split.separation, used[split.rows], used[:0])


def tiles(pixels: NDArray[np.uint8], used: NDArray[np.int64]) -> Iterator[Candidate]:
    """Splits of all rows in every small tile, along what varies more there than at other places."""
    h, w, channels = pixels.shape[1:]
    size = min(TILE, h, w)
    rough = residual(pixels.astype(np.float32))
    rough -= rough[used].mean(axis=0) if len(used) else 0
    corners = [(i, j) for i in _steps(h, size) for j in _steps(w, size)]
    scatter = np.empty((len(corners), size * size * channels, size * size * channels))
    for place, (i, j) in enumerate(corners):
        tile = rough[used, i : i + size, j : j + size].reshape(len(used), -1)
        scatter[place] = tile.T @ tile
    usual = scatter.mean(axis=0)
    level = float(np.trace(usual)) / len(usual)
    if level <= 0 or len(used) < 4 * LEAST_ROWS:
        return
    usual[np.diag_indices(len(usual))] += _TILE_FLOOR * level
    last = len(usual) - 1
    for (i, j), here in zip(corners, scatter, strict=True):
        count = min(_TILE_DIRECTIONS, last + 1)
        _, vectors = eigh(here, usual, subset_by_index=[last - count + 1, last])
        tile = rough[used, i : i + size, j : j + size].reshape(len(used), -1)
        for score in (tile @ vectors.astype(np.float32)).T:
            split = two_means(score)
            if split is not None:
                yield Candidate("tile", -1, split.separation, used[split.rows], used[:0], (i, j))


def _steps(length: int, size: int) -> list[int]:
    return sorted({*range(0, length - size + 1, STRIDE), length - size})


def _without_class_means(
    matrix: NDArray[np.float32], y: NDArray[np.int64], n_classes: int
) -> NDArray[np.float32]:
    out = matrix.copy()
    for label in range(-1, n_classes):
        rows = np.flatnonzero(y == label)
        if len(rows):
            out[rows] -= out[rows].mean(axis=0)
    return out
