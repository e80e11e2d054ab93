"""``Findings`` in a notebook: a compact snippet of HTML that stands on its own, in light and dark."""

from __future__ import annotations

from markupsafe import Markup

from foretaste.findings import Findings
from foretaste.report.campaigns import Campaign
from foretaste.report.model import build
from foretaste.report.numbers import plural, probability, share, whole
from foretaste.report.tables import Source

_TONE = {"clean": "#2e8b57", "noisy": "#b8860b", "poisoned": "#c2185b", "incomplete": "#7b68ee"}
_CAMPAIGNS, _SOURCES = 8, 5
# Notebooks set their own colours: everything but the edge inherits them.
_BOX = "border-left:4px solid {};padding:.2em 0 .2em 1em;max-width:60em;line-height:1.5"
_SHORT = "text-align:left;padding:.15em 1.2em .15em 0;vertical-align:top;white-space:nowrap"
_LONG = "text-align:left;padding:.15em 1.2em .15em 0;vertical-align:top;overflow-wrap:anywhere"


def snippet(findings: Findings) -> str:
    """A few lines of HTML without script, style sheet or identifiers; every value is escaped."""
    report = build(findings)
    counts = report.counts
    shown = [
        Markup("<div style='font-size:1.15em'><b>{}</b> · {}</div>").format(
            report.verdict_words, report.headline
        ),
        Markup("<div style='opacity:.75'>{} · {} flagged · {}</div>").format(
            plural(counts.rows, "row"), whole(counts.flagged), report.name
        ),
    ]
    if report.campaigns:
        heads = ["rule", "what ties the rows together", "label", "rows", "q"]
        shown.append(_table(heads, [_campaign(campaign) for campaign in report.campaigns[:_CAMPAIGNS]]))
        shown.append(_more(len(report.campaigns) - _CAMPAIGNS, "campaign"))
    if report.bad_sources:
        heads = ["bad source", "rows", "excess", "p"]
        shown.append(_table(heads, [_source(source) for source in report.bad_sources[:_SOURCES]]))
        shown.append(_more(len(report.bad_sources) - _SOURCES, "source"))
    box = Markup("<div style='{}'>{}</div>").format(
        _BOX.format(_TONE[report.verdict]), Markup("").join(shown)
    )
    return str(box)


def _table(heads: list[str], rows: list[list[str]]) -> Markup:
    head = Markup("").join(Markup("<th style='{}'>{}</th>").format(_SHORT, name) for name in heads)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_cell(value) for value in row)) for row in rows
    )
    return Markup("<table style='{}'><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        "margin:.6em 0 0;color:inherit;font:inherit", head, body
    )


def _cell(value: str) -> Markup:
    style = _SHORT if len(value) <= 40 else _LONG
    return Markup("<td style='{}'><bdi>{}</bdi></td>").format(style, value)


def _more(number: int, what: str) -> Markup:
    if number <= 0:
        return Markup("")
    return Markup("<div style='opacity:.75'>and {}</div>").format(plural(number, f"more {what}"))


def _campaign(campaign: Campaign) -> list[str]:
    rule = f"{campaign.code} {campaign.title}"
    return [rule, campaign.pattern, campaign.target, whole(campaign.size), probability(campaign.q_value)]


def _source(source: Source) -> list[str]:
    return [source.source, whole(source.rows), share(source.excess_share), probability(source.p_value)]
