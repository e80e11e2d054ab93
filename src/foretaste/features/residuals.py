"""What is left of an image when its neighbourhood is taken away: where overlays and patches live.

Every view is one float32 row per image. Natural content is strong, smooth and different from image to image;
an artefact that many images share is weak, but the same in all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foretaste.features.image import box_mean, grid_means

COARSE = 8
_SAMPLE = 500
_VALUES = 4096
_GREY = 20
"""Grey levels that a residual of one half may stand for."""


def second_difference(images: NDArray[np.float32], axis: int, lag: int) -> NDArray[np.float32]:
    """Each pixel minus the mean of its two neighbours ``lag`` pixels away along an axis; edges repeat."""
    length = images.shape[axis]
    widths = [(lag, lag) if a == axis else (0, 0) for a in range(images.ndim)]
    padded = np.pad(images, widths, mode="edge")
    before = np.take(padded, range(length), axis=axis)
    after = np.take(padded, range(2 * lag, 2 * lag + length), axis=axis)
    return np.asarray(images - (before + after) / 2, np.float32)


def detail(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each pixel minus the mean of its four neighbours; images (n, h, w) or (n, h, w, c)."""
    return np.asarray((second_difference(images, 1, 1) + second_difference(images, 2, 1)) / 2, np.float32)


def residual(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each pixel minus the mean of its four neighbours, strong edges bounded; values in (-1, 1).

    Images have the shape (n, h, w) or (n, h, w, c). The bound, half way at 1.5 times the median size plus 3
    grey levels, keeps a weak pattern that many images share from being drowned by edges.
    """
    rough = detail(images)
    half = 1.5 * float(np.median(np.abs(rough[:: max(len(rough) // _SAMPLE, 1)]))) + 3
    return np.asarray(rough / (np.abs(rough) + half), np.float32)


def resampling_traces(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much finest detail there is for the detail at twice the size, pixel by pixel, in logarithms.

    Interpolation takes away the finest detail where it falls between pixels, so a warp leaves the same map
    in every image it was applied to.

    References
    ----------
    Popescu and Farid, "Exposing digital forgeries by detecting traces of resampling", IEEE TSP 53 (2005).
    """
    total = np.zeros_like(luminance)
    for axis in (1, 2):
        fine = np.log1p(np.abs(second_difference(luminance, axis, 1)))
        total += fine - np.log1p(box_mean(np.abs(second_difference(luminance, axis, 2)), 1))
    return total


def profile_spectra(luminance: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How strong waves of 1, 2, ... periods are in the mean row and in the mean column, in logarithms.

    A wave along an axis adds up in the mean over the other, while what images show averages out; the phase
    does not count. Images (n, h, w); shapes (n, w // 2) and (n, h // 2).

    Examples
    --------
    >>> wave = np.tile(40 * np.sin(2 * np.pi * 5 * np.arange(32) / 32 + 1), (1, 32, 1)).astype(np.float32)
    >>> across, down = profile_spectra(wave)
    >>> int(across[0].argmax()) + 1, bool(across.max() > 10 * down.max())
    (5, True)
    """
    rough = residual(luminance)
    across, down = (_spectrum(rough.mean(axis=axis)) for axis in (1, 2))
    return across, down


def _spectrum(profiles: NDArray[np.float32]) -> NDArray[np.float32]:
    length = profiles.shape[1]
    softened = profiles * np.hanning(length + 2)[1:-1]  # the two ends do not fit together
    strength = np.abs(np.fft.rfft(softened, axis=1))[:, 1:]
    return np.asarray(np.log1p(_GREY * strength), np.float32)


def coarse_means(pixels: NDArray[np.floating]) -> NDArray[np.float32]:
    """Means over an 8 x 8 grid, one row per image: where smooth overlays are strongest."""
    return grid_means(np.asarray(pixels, np.float32), COARSE).reshape(len(pixels), -1)


def histogram_spectra(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How regular each image's histogram of values is at every period: logarithms, one row of 127 per image.

    Values from a camera make smooth histograms; rounding to fewer shades leaves gaps at equal distances, a
    stretched contrast peaks or gaps. Images (n, h, w, c); extreme values, perhaps saturated, do not count.

    References
    ----------
    Stamm and Liu, "Forensic detection of image manipulation using statistical intrinsic fingerprints", IEEE
    TIFS 5 (2010).
    """
    count = _histograms(pixels).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(count, axis=1))[:, 1:128]
    by_chance = np.sqrt(np.maximum(count.sum(axis=1, keepdims=True), 1))  # of so many values
    return np.asarray(np.log1p(spectrum / by_chance), np.float32)


def shades(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number of different values in each image, extremes left out."""
    return np.asarray((_histograms(pixels) > 0).sum(axis=1), np.int64)


def _histograms(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    flat = pixels.reshape(len(pixels), -1)
    flat = flat[:, :: max(flat.shape[1] // _VALUES, 1)]
    count = np.empty((len(flat), 256), np.int64)
    for row, values in enumerate(flat):
        count[row] = np.bincount(values, minlength=256)
    count[:, [0, 255]] = 0
    return count


def evened(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maps (n, h, w) with their pooled power spectrum made flat.

    The spectrum is the same whatever the position, so a pattern at a fixed place, even in all classes, is not
    whitened away with it.
    """
    spectrum = np.fft.rfft2(maps, axes=(1, 2))
    power = np.square(np.abs(spectrum)).mean(axis=0)
    power += 1e-3 * power.mean() + 1e-12
    even = np.fft.irfft2(spectrum / np.sqrt(power), s=maps.shape[1:], axes=(1, 2))
    return np.asarray(even, np.float32)
