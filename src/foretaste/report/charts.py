"""Geometry of the report's drawings: numbers in, SVG coordinates out. The templates only write them down.

Drawings that stretch with the page have no text in them; their labels are HTML beside them, so that letters
keep their size on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foretaste.report.campaigns import Statistic
from foretaste.report.figures import Distribution, Point, Timeline
from foretaste.report.numbers import measure, whole
from foretaste.report.tables import Source

AXIS_WIDTH = 360
_LOG_ABOVE = 50
GLYPHS = 4
"""Classes that get a glyph of their own on the map; the others share one."""


@dataclass(frozen=True)
class Tick:
    """A labelled position; ``anchor`` keeps its text inside the drawing."""

    x: float
    anchor: str
    text: str


@dataclass(frozen=True)
class Axis:
    """A statistic on a line from zero, beside the natural maximum and the threshold."""

    value: Tick
    natural: Tick | None
    threshold: Tick | None
    times: str


@dataclass(frozen=True)
class Bar:
    """A rectangle in a drawing of 1000 by 100 units, and what it says."""

    x: float
    width: float
    height: float
    title: str

    @property
    def y(self) -> float:
        """Upper edge."""
        return round(100 - self.height, 2)


@dataclass(frozen=True)
class Histogram:
    """Observed bars, the expected counts as a step line, and where flagging starts."""

    bars: tuple[Bar, ...]
    line: str
    threshold: float | None
    x_labels: tuple[str, ...]
    y_labels: tuple[str, ...]
    logarithmic: bool


@dataclass(frozen=True)
class Interval:
    """An excess with its interval on the scale all sources share, in units of 0 to 100."""

    zero: float
    bar_x: float
    bar_width: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Mark:
    """A flagged row on the map."""

    x: float
    y: float
    point: Point


@dataclass(frozen=True)
class Scatter:
    """Unflagged rows as a path per glyph (a class, `GLYPHS` for the rest), flagged rows one by one."""

    background: tuple[tuple[int, str, int], ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Bursts:
    """Rows and flagged rows over time, each scaled to its own largest bar."""

    rows: tuple[Bar, ...]
    flagged: tuple[Bar, ...]
    rows_top: str
    flagged_top: str
    labels: tuple[str, ...]


def axis(statistic: Statistic) -> Axis:
    """Place a statistic; negative ones by their size, since the natural maximum is one of sizes."""
    value = abs(statistic.value)
    natural = None if statistic.natural_max is None else abs(statistic.natural_max)
    threshold = None if statistic.threshold is None else abs(statistic.threshold)
    top = max(value, natural or 0.0, threshold or 0.0) * 1.04 or 1.0

    def tick(at: float, text: str) -> Tick:
        x = round(8 + (AXIS_WIDTH - 16) * at / top, 1)
        return Tick(x, "start" if x < 90 else "end" if x > AXIS_WIDTH - 90 else "middle", text)

    return Axis(
        tick(value, f"this finding: {measure(statistic.value)}"),
        None if natural is None else tick(natural, f"largest in nature: {measure(statistic.natural_max)}"),
        None if threshold is None else tick(threshold, f"needed: {measure(statistic.threshold)}"),
        f"{value / natural:.1f}" if natural and value > natural else "",
    )


def histogram(found: Distribution) -> Histogram:
    """Place a distribution; counts on a logarithmic scale where they span more than one can see otherwise."""
    most = max(*found.observed, *found.expected, 1.0)
    logarithmic = most > _LOG_ABOVE
    decades = math.ceil(math.log10(most))
    top = 1.0 + decades if logarithmic else most

    def height(value: float) -> float:
        level = (value if value < 1 else 1 + math.log10(value)) if logarithmic else value
        return round(100 * level / top, 2)

    left, right = found.edges[0], found.edges[-1]

    def across(edge: float) -> float:
        return round(1000 * (edge - left) / (right - left), 2)

    spans = list(zip(found.edges[:-1], found.edges[1:], strict=True))
    expected = found.expected or (None,) * len(spans)
    bars = tuple(
        Bar(
            across(low),
            max(round(across(high) - across(low) - 1.5, 2), 0.5),
            height(seen),
            f"{measure(low)} to {measure(high)}: {whole(seen)} rows"
            + ("" if chance is None else f", {measure(chance)} expected"),
        )
        for (low, high), seen, chance in zip(spans, found.observed, expected, strict=True)
    )
    line = " ".join(
        f"{'L' if at else 'M'}{across(low)} {round(100 - height(chance), 2)}H{across(high)}"
        for at, ((low, high), chance) in enumerate(zip(spans, expected, strict=True))
        if chance is not None
    )
    threshold = found.threshold
    inside = threshold is not None and left <= threshold <= right
    marks = ["0", *(f"{10**power:,}" for power in range(decades + 1))]
    linear = [whole(most * part / 4) if most >= 8 else measure(most * part / 4) for part in range(5)]
    return Histogram(
        bars,
        line,
        across(threshold) if inside and threshold is not None else None,
        tuple(measure(left + (right - left) * part / 4) for part in range(5)),
        tuple(reversed(marks if logarithmic else linear)),
        logarithmic,
    )


def intervals(sources: Sequence[Source]) -> list[Interval | None]:
    """Place the excess share of every judged source on one scale."""
    ends = [
        end
        for source in sources
        for end in (source.low_share, source.excess_share, source.high_share)
        if end is not None and source.judged
    ]
    # At least 5 points wide: on a scale of its own, every trifle would look like something.
    left, right = min([0.0, *ends]), max([0.05, *ends])

    def at(value: float | None) -> float | None:
        return None if value is None else round(2 + 96 * (value - left) / (right - left), 2)

    placed: list[Interval | None] = []
    for source in sources:
        zero, excess = at(0.0), at(source.excess_share)
        if excess is None or zero is None or not source.judged:
            placed.append(None)
            continue
        width = max(abs(excess - zero), 0.4)
        placed.append(
            Interval(zero, min(zero, excess), round(width, 2), at(source.low_share), at(source.high_share))
        )
    return placed


def scatter(points: Sequence[Point]) -> Scatter:
    """Place the map in 1000 by 620 units."""
    paths: dict[int, list[str]] = {}
    marks = []
    for point in points:
        x, y = round(500 + point.x, 1), round(310 - point.y, 1)
        if point.family:
            marks.append(Mark(x, y, point))
            continue
        glyph = GLYPHS if point.label is None or point.label >= GLYPHS else point.label
        paths.setdefault(glyph, []).append(_glyph(glyph, x, y))
    marks.sort(key=lambda mark: (mark.x, mark.y))
    return Scatter(
        tuple((glyph, "".join(parts), len(parts)) for glyph, parts in sorted(paths.items())), tuple(marks)
    )


def _glyph(glyph: int, x: float, y: float) -> str:
    """Dot, ring, plus, cross, and a short dash for the rest: classes differ in shape, not in colour alone."""
    if glyph == 1:
        return f"M{x - 3:.1f} {y}a3 3 0 1 0 6 0a3 3 0 1 0-6 0"
    if glyph == 2:
        return f"M{x - 3.5:.1f} {y}h7m-3.5-3.5v7"
    if glyph == 3:
        return f"M{x - 2.5:.1f} {y - 2.5:.1f}l5 5m0-5l-5 5"
    return f"M{x} {y}h{0 if glyph == 0 else 5}"


def bursts(found: Timeline) -> Bursts:
    """Place a timeline."""

    def bars(values: Sequence[float], what: str) -> tuple[Bar, ...]:
        top, width = max(values) or 1.0, 1000 / len(values)
        return tuple(
            Bar(
                round(at * width, 2),
                round(width * 0.86, 2),
                round(100 * value / top, 2),
                f"{found.edges[at]}: {whole(value)} {what}",
            )
            for at, value in enumerate(values)
        )

    last = len(found.edges) - 1
    return Bursts(
        bars(found.rows, "rows"),
        bars(found.flagged, "flagged rows"),
        whole(max(found.rows)),
        whole(max(found.flagged)),
        tuple(found.edges[at] for at in sorted({0, last // 2, last})),
    )
