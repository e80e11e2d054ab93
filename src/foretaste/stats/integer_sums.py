"""Upper tails of sums of independent small integers, as precise at 1e-200 as at 0.1.

An exponentially tilted convolution; a saddlepoint approximation where the sum is too long for it.

References
----------
Lugannani and Rice, "Saddle point approximation for the distribution of the sum", Adv. Appl. Prob. 12
(1980).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.special import log_ndtr
from scipy.stats import norm

_EXACT_WIDTH = 1 << 14

_REACH = 9


def log_tail(pmf: NDArray[np.float64], size: NDArray[np.int64], value: int) -> tuple[float, float]:
    """Upper tail of a sum of independent small integers.

    Parameters
    ----------
    pmf : float64 ndarray of shape (n_strata, n_levels)
        Distribution of one row's level in each stratum.
    size : int64 ndarray of shape (n_strata,)
        Rows of each stratum.
    value : int

    Returns
    -------
    log_upper, log_mid : float
        Logarithms of ``P(T >= value)`` and of ``P(T > value) + P(T = value) / 2``.

    Examples
    --------
    >>> round(float(np.exp(log_tail(np.array([[0.5, 0.5]]), np.array([10]), 9)[0])), 6)  # 11 of 1024
    0.010742
    """
    levels = np.arange(pmf.shape[1])
    highest = int((size * np.where(pmf > 0, levels, 0).max(axis=1)).sum())
    if value > highest:
        return -np.inf, -np.inf
    if value <= 0:
        at = float((size * np.log(pmf[:, 0])).sum()) if value == 0 and (pmf[:, 0] > 0).all() else -np.inf
        return 0.0, float(np.log1p(-np.exp(at) / 2))
    alive = (size > 0) & (pmf[:, 0] < 1)
    pmf, size = pmf[alive], size[alive]
    tilt, log_mgf, mean, variance = _tilt(pmf, size, min(value, highest - 0.25))
    # the tilted sum lies around its mean; only what lies near has mass, so a short circle will do
    reach = int(_REACH * np.sqrt(variance)) + _REACH * (len(levels) - 1)
    end = min(highest, int(mean) + reach)
    width = next_fast_len(min(highest, int(mean) + reach, 2 * reach) + 1, real=True)
    if mean - value > reach:
        return 0.0, 0.0
    if width > _EXACT_WIDTH:
        return _saddlepoint(tilt, log_mgf, variance, value)
    tilted = pmf * np.exp(tilt * levels)
    tilted /= tilted.sum(axis=1, keepdims=True)
    point = _angles(width, len(levels)) @ tilted.T
    loudness = np.log(point.real**2 + point.imag**2 + 1e-300) @ (size / 2)  # a complex log is far slower
    spectrum = np.exp(loudness + 1j * (np.arctan2(point.imag, point.real) @ size))
    circle = np.fft.irfft(spectrum, width)
    mass = np.clip(circle[np.arange(value, end + 1) % width], 0, None)
    beyond = mass * np.exp(-tilt * np.arange(len(mass)))
    base = log_mgf - tilt * value
    upper = float(beyond.sum())
    return (
        min(base + float(np.log(max(upper, 1e-300))), 0.0),
        min(base + float(np.log(max(upper - beyond[0] / 2, 1e-300))), 0.0),
    )


@lru_cache(maxsize=32)
def _angles(width: int, n_levels: int) -> NDArray[np.complex128]:
    turns = np.outer(np.arange(width // 2 + 1) / width, np.arange(n_levels))
    return np.asarray(np.exp(-2j * np.pi * turns), np.complex128)


def _tilt(
    pmf: NDArray[np.float64], size: NDArray[np.int64], goal: float
) -> tuple[float, float, float, float]:
    """The tilt under which the mean is ``goal`` (at least 0), its log moment generating function, the mean
    and the variance.
    """
    levels = np.arange(pmf.shape[1])

    def moments(tilt: float) -> tuple[float, float, float]:
        weight = pmf * np.exp(tilt * (levels - levels[-1]))
        total = weight.sum(axis=1)
        mean = (weight * levels).sum(axis=1) / total
        variance = (weight * levels**2).sum(axis=1) / total - mean**2
        log_mgf = float((size * (np.log(total) + tilt * levels[-1])).sum())
        return log_mgf, float((size * mean).sum()), float((size * variance).sum())

    low, high = 0.0, 1.0
    if moments(0.0)[1] >= goal:
        high = 0.0
    while moments(high)[1] < goal and high < 64:
        high *= 2
    for _ in range(18):
        half = (low + high) / 2
        low, high = (half, high) if moments(half)[1] < goal else (low, half)
    return low, *moments(low)


def _saddlepoint(tilt: float, log_mgf: float, variance: float, value: int) -> tuple[float, float]:
    """Lugannani and Rice's formula with the lattice correction; for sums too long to convolve."""
    if tilt < 1e-6:
        return float(np.log(0.5)), float(np.log(0.5))
    w = np.sqrt(max(2 * (tilt * value - log_mgf), 1e-12))
    u = 2 * np.sinh(tilt / 2) * np.sqrt(variance)
    log_density = float(norm.logpdf(w))
    correction = 1 / u - 1 / w
    log_upper = float(log_ndtr(-w) + np.log1p(max(correction * np.exp(log_density - log_ndtr(-w)), -0.99)))
    return log_upper, log_upper
