"""Groups of images that stand apart from the rest along one direction of one view."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.directions import (
    LEAST_ROWS,
    MOST_ROWS,
    class_directions,
    leading,
    rest_is_foreign,
    two_means,
)
from foretaste.detect.artefacts.tiles import tiles
from foretaste.features.image import ImageFeatures, shrunk
from foretaste.features.residuals import coarse_means, evened, resampling_traces, residual

LARGEST = 64
"""Images whose longer side is larger are averaged down to this many pixels before patches are looked for."""

DIRECTIONS = 6
GLOBAL_DIRECTIONS = 24


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
    means = np.array([matrix[y == c].mean(axis=0) for c in range(n_classes) if (y == c).any()])
    present = np.unique(y[y >= 0])
    for label, scores, directions in class_directions(centred, y, n_classes, DIRECTIONS, seed):
        own, others = np.flatnonzero(y == label), np.flatnonzero((y >= 0) & (y != label))
        away = (means[present != label] - means[present == label]) @ directions
        for score, apart in zip(scores.T, away.T, strict=True):
            split = two_means(score[own])
            if split is None:
                continue
            rest = np.delete(own, split.rows)
            # a large group has moved its class's mean; others are counted from where the rest of the class is
            middles = float(score[own[split.rows]].mean()), float(score[rest].mean())
            further = [
                others[(score[others] > split.cut - middle) == above]
                for middle, above in zip(middles[::-1], (split.above, not split.above), strict=True)
            ]
            turned = rest_is_foreign(*middles, apart, len(split.rows) / len(own))
            yield Candidate(
                view,
                label,
                split.separation,
                own[split.rows],
                further[0],
                rest=(rest, further[1]) if turned else None,
            )


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


def _without_class_means(
    matrix: NDArray[np.float32], y: NDArray[np.int64], n_classes: int
) -> NDArray[np.float32]:
    out = matrix.copy()
    for label in range(-1, n_classes):
        rows = np.flatnonzero(y == label)
        if len(rows):
            out[rows] -= out[rows].mean(axis=0)
    return out
