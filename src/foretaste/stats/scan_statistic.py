"""The scan statistic: whether some rows arrived together, in one short stretch of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

FEWEST = 3
"""Rows with a time, at least, for a stretch to be looked for."""

LEAST_SHARE = 0.5
"""Share of a campaign's rows that must lie within its burst."""

LEAST_ODDS = 4.0
"""How much larger the odds of lying in that stretch must be in the campaign than elsewhere."""


def burst_of(
    times: NDArray[np.float64] | None, rows: NDArray[np.int64], *, alpha: float = 0.01
) -> tuple[float, float, float] | None:
    """The short stretch of time in which most rows of a campaign arrived, if there is one.

    A stretch is as long as the share of all rows that arrived in it, so that a busy day is no burst. Among
    stretches no longer than 1/2, 1/4, 1/8 ... the one with the most campaign rows is found; the p-value is
    that of the scan statistic, Bonferroni over the lengths.

    Parameters
    ----------
    times : float64 ndarray of shape (n,), or None
        Seconds; NaN where missing.
    rows : int64 ndarray
        The campaign.
    alpha : float
        Above this p-value there is no burst.

    Returns
    -------
    tuple of (start, end, p_value), or None
        Times of the first and the last row of the stretch.

    References
    ----------
    Wallenstein and Neff, "An approximation for the distribution of the scan statistic", Statistics in
    Medicine 6 (1987).

    Examples
    --------
    >>> start, end, p_value = burst_of(np.arange(1000.0), np.arange(400, 430))
    >>> start, end, p_value < 1e-20
    (400.0, 429.0, True)
    """
    if times is None:
        return None
    everyone = np.sort(times[np.isfinite(times)])
    mine = np.sort(times[rows][np.isfinite(times[rows])])
    n, count = len(everyone), len(mine)
    if count < FEWEST or n <= count:
        return None
    first, last = np.searchsorted(everyone, mine), np.searchsorted(everyone, mine, side="right")
    lengths = 0.5 ** np.arange(1, max(int(np.log2(n / count)) + 2, 2))
    best: tuple[float, float, float] | None = None
    for length in lengths:
        # for each campaign row as the first of the stretch: how many more fit
        end = np.searchsorted(last, first + length * n, side="right")
        held = end - np.arange(count)
        at = int(held.argmax())
        size, inside = int(last[end[at] - 1] - first[at]) if held[at] > 0 else 0, int(held[at])
        if inside < LEAST_SHARE * count or not _stands_out(inside, count, size, n):
            continue
        p_value = min(_scan_tail(inside, count, float(length)) * len(lengths), 1.0)
        if p_value <= alpha and (best is None or p_value < best[2]):
            best = (float(mine[at]), float(mine[end[at] - 1]), max(p_value, 1e-300))
    return best


def _stands_out(inside: int, count: int, size: int, n: int) -> bool:
    odds = (inside + 0.5) / (count - inside + 0.5)
    rest = size - inside
    return odds >= LEAST_ODDS * (rest + 0.5) / (n - count - rest + 0.5)


def _scan_tail(inside: int, count: int, length: float) -> float:
    """Probability that some stretch of this length holds ``inside`` or more of ``count`` uniform points."""
    at = float(binom.pmf(inside, count, length))
    beyond = float(binom.sf(inside - 1, count, length))
    return max((inside / length - count - 1) * at, 0.0) + 2 * beyond
