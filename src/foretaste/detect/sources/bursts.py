"""Bursts in time (FT304): short stretches with more contradicted rows than content explains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic
from foretaste.detect.excess import GroupExcess, contradiction_strata, judge_groups
from foretaste.detect.wrong_rows import WrongRows, wrong_rows
from foretaste.stats.stratified import Comparison

LEAST_WINDOWS = 8
"""Windows in the coarsest division of time; a longer stretch is no burst."""

SMALLEST_WINDOW = 20
"""Rows of a window in the finest division."""

FEWEST_WRONG = 3

SCREEN = 3.0
"""Standard errors above the other windows from which a window is judged exactly; all count as tested."""


@dataclass(frozen=True)
class _Window:
    rows: NDArray[np.int64]
    excess: GroupExcess
    group: int
    p_value: float
    natural: float
    tested: int


class Bursts(Detector):
    """Scan time for windows with an excess of wrong labels.

    Time is divided into windows of equal numbers of rows, twice as many in every further division, each
    division once more shifted by half a window. The windows of a division are compared with each other as
    sources are (see `foretaste.detect.excess`): exactly, given content and label, and against the spread
    that windows show by nature. The error rate is shared by the divisions. Overlapping windows are one burst.

    The models have seen other rows of the window: new material, a season or a release, is no burst of wrong
    labels where it is labelled alike.

    Parameters
    ----------
    alpha : float
        Family-wise error rate over all windows of all divisions.
    fdr : float
        Share of good rows tolerated among the rows listed for a burst.

    References
    ----------
    Kulldorff, "A spatial scan statistic", Communications in Statistics 26 (1997).
    """

    rules: ClassVar[tuple[str, ...]] = ("FT304",)
    title: ClassVar[str] = "bursts in time"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular", "image")
    scope: ClassVar[str] = "group"
    stage: ClassVar[str] = "place"

    def __init__(self, *, alpha: float = 0.01, fdr: float = 0.05) -> None:
        self.alpha = alpha
        self.fdr = fdr

    def examine(self, context: Context) -> Evidence:
        times = context.dataset.times
        if times is None:
            return _nothing("no time column; name it with --time")
        if not context.has_content:
            return _nothing("there are no text, feature columns or images to judge labels by")
        if context.n_classes < 2:
            return _nothing("fewer than two classes can be learned")
        timed = np.flatnonzero(np.isfinite(times) & (context.y >= 0))
        timed = timed[np.argsort(times[timed], kind="stable")]
        divisions = _divisions(times[timed])
        if not divisions:
            return _nothing(
                f"{len(timed)} labelled rows at {len(np.unique(times[timed]))} different times are too few "
                f"to compare stretches of time"
            )
        found = [
            window for windows in divisions for window in self._judge(context, timed, windows, len(divisions))
        ]
        doubted = np.zeros(len(context), bool)
        for window in found:
            doubted[window.rows] = True
        reference = np.flatnonzero((context.y >= 0) & ~doubted)
        rank = np.full(len(context), -1, np.int64)
        rank[timed] = np.arange(len(timed))
        campaigns = []
        for window, rows in _separate(found, rank):
            wrong = wrong_rows(context.log_probability, context.y, rows, reference, self.fdr)
            low = float(window.excess.low[window.group])
            if len(wrong.rows) >= max(FEWEST_WRONG, low * len(window.rows) / 3):
                campaigns.append(_campaign(context, times, window, len(rows), wrong, self.alpha))
        return Evidence(campaigns=campaigns)

    def _judge(
        self, context: Context, timed: NDArray[np.int64], windows: NDArray[np.int64], divisions: int
    ) -> list[_Window]:
        """The bad windows of one division."""
        n_windows = int(windows.max()) + 1
        rows = np.bincount(windows, minlength=n_windows)
        strata = contradiction_strata(context.log_probability[timed], context.y[timed], windows, n_windows)
        nobody = np.zeros(n_windows, bool)
        compared = [Comparison(view, nobody) for view in strata]
        high = np.min([view.share / view.error for view in compared], axis=0) > SCREEN
        if not high.any():
            return []
        tested = n_windows * divisions
        alpha = self.alpha / tested * int(high.sum())
        excess = judge_groups(strata, rows, alpha=alpha, only=high)
        natural = excess.judged & ~excess.bad
        highest = float(max([0.0, *(-np.log10(excess.p_value[natural]))]))
        return [
            _Window(
                np.sort(timed[windows == group]),
                excess,
                group,
                float(excess.p_value[group]),
                highest,
                tested,
            )
            for group in np.flatnonzero(excess.bad).tolist()
        ]


def _nothing(reason: str) -> Evidence:
    return Evidence(skipped=[Skipped("FT304", reason)])


def _separate(found: list[_Window], rank: NDArray[np.int64]) -> list[tuple[_Window, NDArray[np.int64]]]:
    """The strongest window of every burst, with the rows of all that touch it and are no longer than it."""
    left = sorted(found, key=lambda window: window.p_value)
    bursts = []
    while left:
        first = left[0]
        start, end = int(rank[first.rows].min()) - 1, int(rank[first.rows].max()) + 1
        touching = [w for w in left if rank[w.rows].min() <= end and rank[w.rows].max() >= start]
        joined = [w.rows for w in touching if len(w.rows) <= len(first.rows)]
        bursts.append((first, np.unique(np.concatenate(joined))))
        left = [w for w in left if not any(w is other for other in touching)]
    return bursts


def _divisions(times: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Window of each row in every division; ``times`` ascend. Equal times share a window."""
    n = len(times)
    first = np.searchsorted(times, times)
    last = np.searchsorted(times, times, side="right") - 1
    middle = (first + last) / 2
    divisions: list[NDArray[np.int64]] = []
    count = LEAST_WINDOWS
    while n / count >= SMALLEST_WINDOW:
        for shift in (0.0, 0.5):
            window = np.floor(middle * count / n + shift).astype(np.int64)
            window = np.unique(window, return_inverse=True)[1]
            if window[-1] + 1 >= LEAST_WINDOWS and not any(np.array_equal(window, d) for d in divisions):
                divisions.append(window)
        count *= 2
    return divisions


def _campaign(
    context: Context,
    times: NDArray[np.float64],
    window: _Window,
    rows: int,
    wrong: WrongRows,
    alpha: float,
) -> Campaign:
    share = float(window.excess.share[window.group])
    inside = times[wrong.rows]
    start, end = float(inside.min()), float(inside.max())
    stretch = f"{spell_time(start)} to {spell_time(end)}"
    return Campaign(
        rule="FT304",
        rows=wrong.rows,
        target=None if wrong.target is None else context.classes[wrong.target],
        pattern=stretch,
        kind="time",
        p_value=max(window.p_value, 1e-300),
        q_value=min(max(window.p_value, 1e-300) * window.tested, 1.0),
        effect=float(np.clip(share, 0, 1)),
        support=rows,
        statistic=Statistic(
            "evidence against the stretch of time (-log10 p)",
            float(-np.log10(max(window.p_value, 1e-300))),
            natural_max=window.natural,
            threshold=float(-np.log10(alpha / window.tested)),
        ),
        reason=(
            f"{len(wrong.rows)} of {rows} rows that arrived from {stretch} have a label their content "
            f"contradicts; other stretches of time have far fewer"
        ),
        posterior=wrong.posterior,
        parts=[{"start": start, "end": end}],
    )


def spell_time(seconds: float) -> str:
    """A moment as a person writes it, in UTC; the plain number where it is no date.

    Examples
    --------
    >>> spell_time(0.0)
    '1970-01-01 00:00:00'
    """
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return f"{seconds:g}"
