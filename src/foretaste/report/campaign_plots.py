"""Geometry of a campaign's drawings: dose and response with bands, and what goes unseen at what success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foretaste.redteam.adaptive import Attempt, frontier
from foretaste.redteam.curves import Curve, Dose
from foretaste.report import numbers

WIDTH, HEIGHT, LEFT, ROOF, FLOOR = 340, 200, 46, 12, 160
RIGHT = WIDTH - 14
COLOURS = 6


@dataclass(frozen=True)
class Line:
    """One defence in a plot: the number of its colour, points of its line, its band and its doses."""

    defence: str
    colour: int
    line: str
    band: str
    dots: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Plot:
    """One attack on one learner: a line and a band for each defence, rates side by side."""

    attack: str
    learner: str
    has_trigger: bool
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    top: str
    limit: float | None
    seeds: str


@dataclass(frozen=True)
class Scatter:
    """The attempts of one attack: across the share of its rows that was flagged, up what it achieved."""

    attack: str
    top: str
    dots: tuple[tuple[float, float, str, str], ...]  # x, y, kind, title


def doses(curves: Sequence[Curve]) -> list[Plot]:
    """A plot for every attack and learner."""
    found = []
    colours = {name: at % COLOURS for at, name in enumerate(dict.fromkeys(c.defence for c in curves))}
    for attack, learner in dict.fromkeys((c.attack, c.learner) for c in curves):
        here = [c for c in curves if (c.attack, c.learner) == (attack, learner)]
        rates = sorted({dose.rate for curve in here for dose in curve.doses})
        has_trigger = here[0].has_trigger
        most = 1.0 if has_trigger else max(0.05, *(d.high for c in here for d in c.doses))
        at = {rate: _across(place, len(rates)) for place, rate in enumerate(rates)}
        seeds = sorted({dose.seeds for curve in here for dose in curve.doses})
        found.append(
            Plot(
                attack,
                learner,
                has_trigger,
                tuple(_line(curve, colours[curve.defence], at, most) for curve in here),
                tuple((at[rate], numbers.share(rate)) for rate in rates),
                numbers.share(most),
                _up(here[0].limit / most) if here[0].limit <= most else None,
                " to ".join(str(seed) for seed in dict.fromkeys((seeds[0], seeds[-1]))),
            )
        )
    return found


def frontiers(attempts: Sequence[Attempt]) -> list[Scatter]:
    """A plot for every attack that was searched."""
    best = {id(attempt) for attempt in frontier(attempts)}
    found = []
    for attack in dict.fromkeys(attempt.attack for attempt in attempts):
        here = [attempt for attempt in attempts if attempt.attack == attack]
        most = max(attempt.success for attempt in here)
        top = 1.0 if most > 0.25 else max(0.05, most)
        dots = tuple(
            (
                round(LEFT + 8 + (RIGHT - LEFT - 16) * attempt.caught, 1),
                _up(attempt.success / top),
                "best" if id(attempt) in best else "unseen" if attempt.unseen else "seen",
                f"{numbers.share(attempt.rate)} of the rows: {numbers.share(attempt.success)}, "
                f"{numbers.share(attempt.caught)} of them flagged",
            )
            for attempt in here
        )
        found.append(Scatter(attack, numbers.share(top), dots))
    return found


def _line(curve: Curve, colour: int, at: dict[float, float], most: float) -> Line:
    def point(dose: Dose, value: float) -> str:
        return f"{at[dose.rate]:.1f},{_up(value / most):.1f}"

    ordered: tuple[Dose, ...] = curve.doses
    if len(ordered) == 1:  # a single dose has a band as wide as its dot
        dose = ordered[0]
        x, low, high = at[dose.rate], _up(dose.low / most), _up(dose.high / most)
        band = f"{x - 5:.1f},{high:.1f} {x + 5:.1f},{high:.1f} {x + 5:.1f},{low:.1f} {x - 5:.1f},{low:.1f}"
    else:
        upper = [point(dose, dose.high) for dose in ordered]
        lower = [point(dose, dose.low) for dose in reversed(ordered)]
        band = " ".join(upper + lower)
    dots = tuple(
        (
            at[dose.rate],
            _up(dose.success / most),
            f"{curve.defence}, {numbers.share(dose.rate)}: {numbers.share(dose.success)} "
            f"({numbers.share(dose.low)} to {numbers.share(dose.high)})",
        )
        for dose in ordered
    )
    return Line(curve.defence, colour, " ".join(point(d, d.success) for d in ordered), band, dots)


def _across(place: int, count: int) -> float:
    return round(LEFT + 16 + place * (RIGHT - LEFT - 32) / max(count - 1, 1), 1)


def _up(share: float) -> float:
    return round(ROOF + (FLOOR - ROOF) * (1 - min(max(share, 0.0), 1.0)), 1)
