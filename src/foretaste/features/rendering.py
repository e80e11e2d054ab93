"""How an image is rendered, whatever it shows: its tones, how sharp it is, its colours, its blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from foretaste.features.residuals import second_difference

BLOCK = 8
"""Side in pixels of the blocks that JPEG compresses, from the top left corner on."""

WINDOW = 64
"""Of larger images, sharpness and blocks are read in a window of so many pixels a side in the middle."""

RINGS = 4
LAGS = (1, 2, 4)

_QUANTILES = (0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1)
_DARK, _LIGHT = 2, 253
_HALF = 0.5
_CHUNK = 1024


def renderings(pixels: NDArray[np.uint8], small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a change of brightness, contrast, colour, sharpness or compression changes, a row for each image.

    Quantiles and rings of brightness, how strong each frequency is in blocks, differences of neighbouring
    pixels; of colours the balance, the saturation and how channels go together. Nothing says where in an
    image anything is, so that a filter leaves the same in every image it went over.

    Parameters
    ----------
    pixels : uint8 ndarray of shape (n, height, width, channels)
    small : uint8 ndarray of shape (n, h, w, channels)
        The same images, perhaps averaged down: their tones and colours are read here.

    Returns
    -------
    float32 ndarray of shape (n, d)
        Each column about its mean, in standard deviations.

    References
    ----------
    Fan and de Queiroz, "Identification of bitmap compression history: JPEG detection and quantizer
    estimation", IEEE TIP 12 (2003): compression is seen in blocks. Liu, Lee, Tao, Ma, Aafer and Zhang, "ABS",
    CCS 2019: photo filters as triggers.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(100, 156, (6, 16, 16, 1), dtype=np.uint8)
    >>> images[5] = images[5] // 2 + 64
    >>> np.abs(renderings(images, images)).mean(axis=1).argmax()
    np.int64(5)
    """
    parts = [
        np.concatenate(
            [_tones(small[part]), _sharpness(_window(pixels[part])), _colours(small[part])], axis=1
        )
        for part in (slice(start, start + _CHUNK) for start in range(0, len(pixels), _CHUNK))
    ]
    every = np.concatenate(parts)
    spread = every.std(axis=0)
    return np.asarray((every - every.mean(axis=0)) / (spread + 1e-6), np.float32)


def block_strengths(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean logarithm of how strong each frequency is in blocks of 8 x 8 pixels, images (n, h, w).

    Compression rounds most of the high frequencies to nothing.
    """
    n, h, w = plane.shape
    high, wide = min(BLOCK, h), min(BLOCK, w)
    down, across = h // high, w // wide
    blocks = plane[:, : down * high, : across * wide].reshape(n, down, high, across, wide)
    strength = np.abs(dctn(blocks, axes=(2, 4), norm="ortho"))
    return np.asarray(np.log(strength + _HALF).mean(axis=(1, 3)).reshape(n, -1), np.float32)


def _tones(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    plane = small.mean(axis=3, dtype=np.float32)
    flat = plane.reshape(len(plane), -1)
    extremes = [(flat <= _DARK).mean(axis=1), (flat >= _LIGHT).mean(axis=1)]
    high, wide = plane.shape[1:]
    away = np.maximum(
        *np.meshgrid(*(np.abs(2 * np.arange(s) + 1 - s) / s for s in (high, wide)), indexing="ij")
    ).ravel()
    ring = np.minimum((away * RINGS).astype(np.int64), RINGS - 1)
    rings = [flat[:, ring == r].mean(axis=1) for r in np.unique(ring)]
    return np.column_stack(
        [
            *np.quantile(flat, _QUANTILES, axis=1),
            flat.mean(axis=1),
            flat.std(axis=1),
            *extremes,
            *(r - rings[0] for r in rings[1:]),
        ]
    ).astype(np.float32)


def _sharpness(window: NDArray[np.uint8]) -> NDArray[np.float32]:
    plane = window.mean(axis=3, dtype=np.float32)
    steps = [
        np.log(np.abs(second_difference(plane, axis, lag)).mean(axis=(1, 2)) + _HALF)
        for lag in LAGS
        for axis in (1, 2)
    ]
    return np.column_stack([block_strengths(plane), *steps])


def _colours(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Balance, saturation, and of each pair of channels how they differ and go together; none if gray."""
    n, channels = len(small), min(small.shape[3], 3)
    if channels < 2:
        return np.zeros((n, 0), np.float32)
    planes = np.moveaxis(small[..., :channels].astype(np.float32), 3, 0)
    flat = planes.reshape(channels, n, -1)
    means, spreads = flat.mean(axis=2), flat.std(axis=2)
    saturation = flat.max(axis=0) - flat.min(axis=0)
    columns = [*(means - means.mean(axis=0)), *np.log1p(spreads)]
    columns += list(np.quantile(saturation, (0.1, 0.5, 0.9), axis=1))
    for one, other in ((a, b) for a in range(channels) for b in range(a)):
        apart = planes[one] - planes[other]
        columns.append(np.log1p(apart.std(axis=(1, 2))))
        columns += list(_bands(block_strengths(apart)).T)
        together = (flat[one] * flat[other]).mean(axis=1) - means[one] * means[other]
        columns.append(together / np.sqrt(np.square(spreads[one] * spreads[other]) + 1))
    return np.column_stack(columns).astype(np.float32)


def _bands(strengths: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over frequencies that are equally high, shape (n, bands)."""
    side = round(np.sqrt(strengths.shape[1]))
    if side * side != strengths.shape[1]:
        return strengths
    height = np.add.outer(np.arange(side), np.arange(side)).ravel()
    return np.stack([strengths[:, height == band].mean(axis=1) for band in range(2 * side - 1)], axis=1)


def _window(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of large images, its corner on the corner of a block."""
    top, left = (max(side - WINDOW, 0) // 2 // BLOCK * BLOCK for side in pixels.shape[1:3])
    return pixels[:, top : top + WINDOW, left : left + WINDOW]
