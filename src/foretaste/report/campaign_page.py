"""The page of a red-team campaign: heat maps, dose and response, the bill, in one offline file."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import jinja2

from foretaste.redteam.adaptive import Attempt, frontier
from foretaste.redteam.curves import Curve
from foretaste.redteam.summary import Summary
from foretaste.report import campaign_plots, numbers
from foretaste.report.safe import visible


def render(summary: Summary, title: str, attempts: Sequence[Attempt] = ()) -> bytes:
    """The page, UTF-8; names from the data and the plan are shown, never interpreted.

    Parameters
    ----------
    summary : Summary
    title : str
        What was attacked.
    attempts : sequence of Attempt
        Of an adaptive attacker; the frontier of those that went unseen is shown.
    """
    page = (
        _environment()
        .get_template("campaign.html.jinja")
        .render(
            title=visible(title, 120),
            s=summary,
            learners=list(dict.fromkeys(curve.learner for curve in summary.curves)),
            maps=_maps(summary.curves),
            plots=campaign_plots.doses(summary.curves),
            attempts=len(attempts),
            seen=sum(not attempt.unseen for attempt in attempts),
            frontier=[(attempt, _options(attempt.options)) for attempt in frontier(attempts)],
            scatters=campaign_plots.frontiers(attempts),
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
        smallest_dose=_smallest_dose,
        text=lambda v: visible(v, 80),
        sentence=lambda v: visible(v, 500),
    )
    environment.globals.update(
        width=campaign_plots.WIDTH,
        height=campaign_plots.HEIGHT,
        left=campaign_plots.LEFT,
        floor=campaign_plots.FLOOR,
        roof=campaign_plots.ROOF,
    )
    return environment


def _options(options: Mapping[str, object]) -> str:
    told = [f"{visible(key, 40)}={visible(value, 40)}" for key, value in options.items() if value is not None]
    return ", ".join(told)


def _smallest_dose(curve: Curve) -> str:
    """The dose that breaks it, and between which doses the truth lies."""
    if curve.may_break_at is None:
        return "not broken"
    low = numbers.share(curve.may_break_at)
    high = None if curve.surely_breaks_at is None else numbers.share(curve.surely_breaks_at)
    if curve.breaks_at is None:
        return f"not broken; perhaps from {low}"
    if low == high:
        return f"{low} or less" if curve.breaks_at == curve.doses[0].rate else low
    return f"{numbers.share(curve.breaks_at)} ({low} to {high or 'more than was tried'})"


Map = tuple[str, list[float], list[tuple[Curve, list[float | None]]]]


def _maps(curves: Sequence[Curve]) -> list[Map]:
    """One heat map per defence: attacks down, rates across, the same rows and columns in each."""
    rates = sorted({dose.rate for curve in curves for dose in curve.doses})
    maps = []
    for defence in dict.fromkeys(curve.defence for curve in curves):
        rows = []
        for curve in (curve for curve in curves if curve.defence == defence):
            by_rate = {dose.rate: dose.success for dose in curve.doses}
            rows.append((curve, [by_rate.get(rate) for rate in rates]))
        maps.append((defence, rates, rows))
    return maps
