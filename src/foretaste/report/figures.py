"""The numbers behind a report's figures, checked: a figure whose numbers do not fit together is absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from foretaste.report.lenient import count, items, mapping, mappings, number, numbers
from foretaste.report.safe import visible
from foretaste.report.tables import FAMILIES

POINTS, MARKS = 3000, 1500
MAP_WIDTH, MAP_HEIGHT = 960, 580
BINS = 240
CLASSES = 12


@dataclass(frozen=True)
class Mislabels:
    """How many labels are probably wrong; ``abstained`` with a reason where that could not be said."""

    estimate: float | None
    low: float | None
    high: float | None
    abstained: bool
    reason: str
    by_class: tuple[tuple[str, str, float | None], ...]


@dataclass(frozen=True)
class Distribution:
    """Suspicion of the rows by bin, observed and as expected by chance."""

    title: str
    edges: tuple[float, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    threshold: float | None


@dataclass(frozen=True)
class Point:
    """A row on the map, its centre the origin; ``label`` is an index into the classes or None."""

    x: float
    y: float
    row: int | None
    label: int | None
    family: str
    group: int | None


@dataclass(frozen=True)
class Flip:
    """Flagged rows that carry one label and look like another."""

    given: str
    expected: str
    rows: int


@dataclass(frozen=True)
class Flips:
    """Class-to-class counts: a matrix ``[given][expected]`` where it fits a page, and the largest pairs."""

    classes: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    pairs: tuple[Flip, ...]


@dataclass(frozen=True)
class Timeline:
    """Rows and flagged rows per stretch of time; ``edges`` has one more entry than the counts."""

    edges: tuple[str, ...]
    rows: tuple[float, ...]
    flagged: tuple[float, ...]


def mislabels(evidence: object, summary: object) -> Mislabels | None:
    """From ``evidence["mislabels"]``, else from the summary; None where neither says anything."""
    told = mapping(evidence)
    merged = {**mapping(summary), **told}
    if not merged:
        return None
    by_class = [
        (visible(pair.get("from"), 60), visible(pair.get("to"), 60), number(pair.get("estimate")))
        for pair in mappings(told.get("by_class"))
    ]
    estimate = number(merged.get("estimate"))
    abstained = merged.get("status") == "abstained" or estimate is None
    by_class.sort(key=lambda pair: -(pair[2] or 0.0))
    return Mislabels(
        estimate,
        number(merged.get("low")),
        number(merged.get("high")),
        abstained,
        visible(merged.get("reason"), 300),
        tuple(by_class[:CLASSES]),
    )


def distribution(evidence: object) -> Distribution | None:
    """From ``evidence["distribution"]``; None unless there is one more edge than observed counts."""
    told = mapping(evidence)
    edges, observed = numbers(told.get("edges")), numbers(told.get("observed"))
    expected = numbers(told.get("expected"))
    if not 1 <= len(observed) <= BINS or len(edges) != len(observed) + 1 or edges[0] >= edges[-1]:
        return None
    if len(expected) != len(observed):
        expected = []
    return Distribution(
        visible(told.get("title"), 120),
        tuple(edges),
        tuple(max(value, 0.0) for value in observed),
        tuple(max(value, 0.0) for value in expected),
        number(told.get("threshold")),
    )


def points(evidence: object) -> list[Point]:
    """From ``evidence["map"]``: at most `POINTS`, flagged rows kept first, as large as its size allows."""
    told = mapping(evidence)
    across, down = items(told.get("x")), items(told.get("y"))
    size = min(len(across), len(down))
    rest = [_padded(told.get(name), size) for name in ("row", "label", "family", "group")]
    found = [
        (x, y, count(row), count(label), family if family in FAMILIES else "", count(group))
        for x, y, row, label, family, group in zip(
            map(number, across[:size]), map(number, down[:size]), *rest, strict=True
        )
        if x is not None and y is not None
    ]
    found.sort(key=lambda point: not point[4])
    flagged = sum(bool(point[4]) for point in found)
    found = found[max(0, flagged - MARKS) :][:POINTS]
    if not found:
        return []
    left, right = min(p[0] for p in found), max(p[0] for p in found)
    top, bottom = min(p[1] for p in found), max(p[1] for p in found)
    # One scale for both axes: distances on the map mean the same in every direction.
    span = max((right - left) / MAP_WIDTH, (bottom - top) / MAP_HEIGHT) or 1.0
    return [
        Point(
            (x - (left + right) / 2) / span,
            (y - (top + bottom) / 2) / span,
            row,
            label,
            family,
            group,
        )
        for x, y, row, label, family, group in found
    ]


def flips(evidence: object) -> Flips | None:
    """From ``evidence["flips"]``; None unless the matrix is square over the classes and counts something."""
    told = mapping(evidence)
    classes = [visible(name, 60) for name in items(told.get("classes"))]
    matrix = [[count(cell) for cell in items(line)] for line in items(told.get("matrix"))]
    if not classes or len(matrix) != len(classes) or any(len(line) != len(classes) for line in matrix):
        return None
    whole = tuple(tuple(cell or 0 for cell in line) for line in matrix)
    pairs = [
        Flip(classes[given], classes[expected], cell)
        for given, line in enumerate(whole)
        for expected, cell in enumerate(line)
        if cell and given != expected
    ]
    if not pairs:
        return None
    pairs.sort(key=lambda pair: -pair.rows)
    fits = len(classes) <= CLASSES
    return Flips(tuple(classes) if fits else (), whole if fits else (), tuple(pairs[:20]))


def timeline(evidence: object) -> Timeline | None:
    """From ``evidence["timeline"]``; None unless edges, rows and flagged rows fit together."""
    told = mapping(evidence)
    edges = [visible(edge, 30) for edge in items(told.get("edges"))]
    total, flagged = numbers(told.get("rows")), numbers(told.get("flagged"))
    if not 1 <= len(total) <= BINS or len(flagged) != len(total) or len(edges) != len(total) + 1:
        return None
    return Timeline(
        tuple(edges), tuple(max(0.0, value) for value in total), tuple(max(0.0, value) for value in flagged)
    )


def _padded(value: object, size: int) -> list[Any]:
    found = items(value)[:size]
    return found + [None] * (size - len(found))
