"""Markdown for a pull request comment: the verdict, the campaigns, what to do, under GitHub's length limit.

Text from the data stands in code spans or is escaped character by character: it can neither format, nor link,
nor mention anybody.
"""

from __future__ import annotations

from foretaste.report.campaigns import Campaign
from foretaste.report.model import Report, not_covered
from foretaste.report.numbers import plural, probability, share, whole
from foretaste.report.safe import code_span, markdown

LIMIT = 60_000
"""Bytes; a GitHub comment may have 65,536 characters."""
_CAMPAIGNS, _SOURCES, _REVIEW = 20, 10, 10
_SIGN = {"clean": "✅", "noisy": "⚠️", "poisoned": "🛑", "incomplete": "❔"}


def render(report: Report) -> bytes:
    """GitHub-flavoured Markdown, at most `LIMIT` bytes."""
    blocks = [
        f"## {_SIGN[report.verdict]} foretaste: {report.verdict_words.lower()}",
        f"**{markdown(report.headline)}** ({code_span(report.name)})",
        *_campaigns(report),
        *_sources(report),
        *_labels(report),
        *_review(report),
        *_next(report),
        *_floors(report),
        *_gaps(report),
    ]
    kept: list[str] = []
    room = LIMIT - 200
    for block in blocks:
        room -= len(block.encode("utf-8", "replace")) + 2
        if room < 0:
            kept.append("*Cut here: the whole report is in* `report.html`.")
            break
        kept.append(block)
    return ("\n\n".join(kept) + "\n").encode("utf-8", "replace")


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return code_span(text, 80, table=True) if text else ""


def _campaigns(report: Report) -> list[str]:
    if not report.campaigns:
        return []

    def row(campaign: Campaign) -> list[str]:
        names = ", ".join(_cell(source.source) for source in campaign.sources[:3])
        return [
            f"{_cell(campaign.code)} {markdown(campaign.title, 60)}",
            _cell(campaign.pattern),
            _cell(campaign.target),
            whole(campaign.size),
            probability(campaign.q_value),
            names,
        ]

    heads = ["rule", "trigger or trait", "pushes to", "rows", "q", "sources"]
    blocks = ["### Campaigns", _table(heads, [row(campaign) for campaign in report.campaigns[:_CAMPAIGNS]])]
    more = len(report.campaigns) - _CAMPAIGNS
    return [*blocks, f"and {plural(more, 'more campaign')}."] if more > 0 else blocks


def _sources(report: Report) -> list[str]:
    if not report.bad_sources:
        return []
    rows = [
        [
            _cell(source.source),
            whole(source.rows),
            share(source.excess_share),
            probability(source.p_value),
        ]
        for source in report.bad_sources[:_SOURCES]
    ]
    more = len(report.bad_sources) - _SOURCES
    heads = ["source", "rows", "suspicious beyond its content", "p"]
    blocks = ["### Bad sources", _table(heads, rows)]
    return [*blocks, f"and {plural(more, 'more source')}."] if more > 0 else blocks


def _labels(report: Report) -> list[str]:
    found = report.mislabels
    if not found:
        return []
    if found.abstained:
        return [f"Wrong labels were not counted: {markdown(found.reason) or 'the models are too weak'}"]
    interval = f" ({whole(found.low)} to {whole(found.high)})" if found.low is not None else ""
    return [f"Wrong labels, at random: about {whole(found.estimate)}{interval}."]


def _review(report: Report) -> list[str]:
    if not report.review:
        return []
    lines = [
        f"- {_cell(item.code)} {code_span(item.name)} {markdown(item.reason)}"
        for item in report.review[:_REVIEW]
    ]
    title = f"For a person to look at: {plural(len(report.review), 'pattern')}"
    return [f"<details><summary>{title}</summary>\n\n" + "\n".join(lines) + "\n\n</details>"]


def _next(report: Report) -> list[str]:
    lines = []
    for number, step in enumerate(report.steps, start=1):
        lines.append(f"{number}. {markdown(step.text, 500)}")
        if step.command:
            lines.append(f"   {code_span(step.command, 2000)}")
    return ["### What to do next", "\n".join(lines)] if lines else []


def _floors(report: Report) -> list[str]:
    lines = [f"- {markdown(line)}" for line in report.floors_in_words[:40]]
    title = "Would have found, planted in a copy"
    return [f"<details><summary>{title}</summary>\n\n" + "\n".join(lines) + "\n\n</details>"] if lines else []


def _gaps(report: Report) -> list[str]:
    told = not_covered(report.plan, report.gaps)[:40]
    lines = [f"- {code_span(name)}: {markdown(reason)}" for name, reason in told]
    if not lines:
        return []
    return ["<details><summary>Not covered by this scan</summary>\n\n" + "\n".join(lines) + "\n\n</details>"]
