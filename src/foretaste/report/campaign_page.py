"""The page of a red-team campaign: heat maps, dose and response, the bill, in one offline file."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import jinja2

from foretaste.redteam.adaptive import Attempt, frontier
from foretaste.redteam.summary import Curve, Summary
from foretaste.report import numbers
from foretaste.report.safe import visible

WIDTH, HEIGHT, LEFT, BOTTOM = 340, 190, 44, 34


@dataclass(frozen=True)
class Line:
    """One defence in a plot: the colour's number, and the points of its line and of its band."""

    defence: str
    colour: int
    line: str
    band: str


@dataclass(frozen=True)
class Plot:
    """One attack on one learner as an SVG: a line and a band for each defence, rates side by side."""

    attack: str
    learner: str
    measure: str
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    top: str


def render(summary: Summary, title: str, attempts: list[Attempt] | None = None) -> bytes:
    """The page, UTF-8; names from the data and the plan are shown, never interpreted.

    Parameters
    ----------
    summary : Summary
    title : str
        What was attacked.
    attempts : list of Attempt, optional
        Of an adaptive attacker; the frontier of those that went unseen is shown.
    """
    made = attempts or []
    page = (
        _environment()
        .get_template("campaign.html.jinja")
        .render(
            title=visible(title, 120),
            s=summary,
            maps=_maps(summary),
            plots=_plots(summary),
            attempts=len(made),
            seen=sum(not attempt.unseen for attempt in made),
            frontier=[(attempt, _options(attempt)) for attempt in frontier(made)],
        )
    )
    return page.encode("utf-8", "replace")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("foretaste.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        whole=numbers.whole,
        share=numbers.share,
        measure=numbers.measure,
        text=lambda v: visible(v, 80),
        sentence=lambda v: visible(v, 500),
    )
    environment.globals.update(width=WIDTH, height=HEIGHT, left=LEFT, floor=HEIGHT - BOTTOM)
    return environment


def _options(attempt: Attempt) -> str:
    return ", ".join(f"{visible(key, 40)}={visible(value, 40)}" for key, value in attempt.options.items())


def _maps(summary: Summary) -> list[tuple[str, list[float], list[tuple[Curve, list[float | None]]]]]:
    """One heat map per defence: attacks down, rates across."""
    maps = []
    for defence in dict.fromkeys(curve.defence for curve in summary.curves):
        curves = [curve for curve in summary.curves if curve.defence == defence]
        rates = sorted({dose.rate for curve in curves for dose in curve.doses})
        rows = [
            (curve, [next((d.success for d in curve.doses if d.rate == rate), None) for rate in rates])
            for curve in curves
        ]
        maps.append((defence, rates, rows))
    return maps


def _plots(summary: Summary) -> list[Plot]:
    found = []
    for attack, learner in dict.fromkeys((c.attack, c.learner) for c in summary.curves):
        curves = [c for c in summary.curves if (c.attack, c.learner) == (attack, learner) and c.doses]
        if not curves:
            continue
        rates = sorted({dose.rate for curve in curves for dose in curve.doses})
        most = max(0.05, 1.0 if curves[0].has_trigger else max(d.high for c in curves for d in c.doses))
        at = {rate: _across(position, len(rates)) for position, rate in enumerate(rates)}
        lines = []
        for number, curve in enumerate(curves):
            line = [f"{at[d.rate]:.1f},{_up(d.success / most):.1f}" for d in curve.doses]
            upper = [f"{at[d.rate]:.1f},{_up(d.high / most):.1f}" for d in curve.doses]
            lower = [f"{at[d.rate]:.1f},{_up(d.low / most):.1f}" for d in reversed(curve.doses)]
            lines.append(Line(curve.defence, number % 6, " ".join(line), " ".join(upper + lower)))
        measure = "attack success" if curves[0].has_trigger else "accuracy lost"
        ticks = tuple((at[rate], numbers.share(rate)) for rate in rates)
        found.append(Plot(attack, learner, measure, tuple(lines), ticks, numbers.share(most)))
    return found


def _across(position: int, count: int) -> float:
    return LEFT + 12 + position * (WIDTH - LEFT - 36) / max(count - 1, 1)


def _up(share: float) -> float:
    return 12 + (HEIGHT - BOTTOM - 12) * (1 - share)
