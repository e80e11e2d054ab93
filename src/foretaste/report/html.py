"""``report.html``: one self-contained page that reads without a network and without JavaScript.

The page carries a Content-Security-Policy that names its one style sheet and its one script by hash and
allows nothing else, so that even markup that slipped through the template engine's escaping could neither run
nor load anything. Its size is bounded by budgets for rows, cards and sources; what does not fit is counted.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TypeVar

import jinja2
from markupsafe import Markup, escape

from foretaste import rules
from foretaste.report import charts, numbers, prose, wording
from foretaste.report.campaigns import Campaign, known_rule
from foretaste.report.model import Report
from foretaste.report.safe import Piece
from foretaste.report.tables import FAMILIES, Row

PAGE_BYTES = 4_700_000
ROW_BYTES = 2_500_000
CARD_BYTES, REVIEW_BYTES, BRIEF_BYTES = 1_000_000, 300_000, 250_000
CARDS, BRIEF_CARDS = 60, 1000
SOURCES, SOURCES_FIRST = 150, 12
COLUMNS = 200
OPEN_CARDS = 3
"""Campaign cards that are open when the page is; the others open on demand."""

T = TypeVar("T")


@dataclass(frozen=True)
class Choices:
    """What the rows table can be filtered by: distinct values in order of appearance."""

    families: tuple[str, ...]
    codes: tuple[str, ...]
    labels: tuple[str, ...]
    sources: tuple[str, ...]


def render(report: Report) -> bytes:
    """The page, UTF-8, always under 5 MB."""
    rest = len(_page(report, ()))
    return _page(report, _within(report.rows, min(ROW_BYTES, PAGE_BYTES - rest), _row_bytes))


def _page(report: Report, rows: Sequence[Row]) -> bytes:
    cards = _within(report.campaigns[:CARDS], CARD_BYTES, _card_bytes)
    brief = report.campaigns[len(cards) : len(cards) + BRIEF_CARDS]
    sources = report.sources[:SOURCES]
    style, script = _asset("report.css"), _asset("report.js")
    shown = {
        "cards": cards,
        "brief": _within(brief, BRIEF_BYTES, lambda c: 300 + _bytes(f"{c.name}{c.target}{c.title}")),
        "review": _within(report.review[:CARDS], REVIEW_BYTES, _card_bytes),
        "sources": list(zip(sources, charts.intervals(sources), strict=True)),
        "sources_first": max(SOURCES_FIRST, len(report.bad_sources[:SOURCES])),
        "rows": rows,
        "columns": report.columns[:COLUMNS],
        "choices": _choices(rows),
        "listed_rows": {row.row for row in rows if row.row is not None},
        "triggers": {campaign.group: _trigger(campaign) for campaign in report.campaigns},
        "numbers_of_groups": {c.group: c.number for c in cards if c.group is not None},
        "histogram": charts.histogram(report.distribution) if report.distribution else None,
        "scatter": charts.scatter(report.points) if report.points else None,
        "bursts": charts.bursts(report.timeline) if report.timeline else None,
        "glossary": [found for found in map(known_rule, report.codes) if found],
    }
    page = (
        _environment()
        .get_template("report.html.jinja")
        .render(r=report, policy=_policy(style, script), style=Markup(style), script=Markup(script), **shown)
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
        probability=numbers.probability,
        measure=numbers.measure,
        plural=numbers.plural,
        prose=prose.html,
        level=_level,
        capital=wording.capital,
        marked=_marked,
    )
    environment.globals.update(
        axis=charts.axis, glyphs=charts.GLYPHS, open_cards=OPEN_CARDS, sections=rules.SECTIONS
    )
    return environment


@functools.cache
def _asset(name: str) -> str:
    return (resources.files("foretaste.report") / "templates" / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Content Security Policy Level 3: only these two inline blocks and inline images, nothing else."""

    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _within(found: Sequence[T], budget: int, cost: Callable[[T], int]) -> tuple[T, ...]:
    """The first of ``found`` whose costs together stay within the budget."""
    kept = []
    for item in found:
        budget -= cost(item)
        if budget < 0:
            break
        kept.append(item)
    return tuple(kept)


def _row_bytes(row: Row) -> int:
    texts = (row.id, row.source, row.label, row.suggested, row.title, row.reason, row.content)
    return 700 + sum(map(_bytes, texts))


def _card_bytes(card: Campaign) -> int:
    shown = [piece.text for e in (*card.examples, *card.contrast) for piece in e.pieces]
    shown += [cell.text for e in (*card.examples, *card.contrast) for cell in e.cells]
    shown += [source.source for source in card.sources] + [card.pattern, card.reason, card.target]
    return 4000 + sum(_bytes(text) + 60 for text in shown)


def _bytes(text: str) -> int:
    return len(str(escape(text)).encode("utf-8", "replace"))


def _choices(rows: Sequence[Row]) -> Choices:
    def distinct(values: list[str]) -> tuple[str, ...]:
        return tuple(sorted(dict.fromkeys(value for value in values if value))[:200])

    return Choices(
        tuple(family for family in FAMILIES if any(row.family == family for row in rows)),
        distinct([row.code for row in rows]),
        distinct([row.label for row in rows]),
        distinct([row.source for row in rows]),
    )


def _trigger(campaign: Campaign) -> list[str]:
    """Regular expressions for what ties a campaign's rows together, as `Row.content` writes it."""
    return [
        rf"{re.escape(part.column)} = [^·]*?(?= · |$)"
        if part.column
        else rf"(?<!\w){re.escape(part.condition)}(?!\w)"
        for part in campaign.parts
    ]


def _marked(row: Row, triggers: Mapping[int | None, list[str]]) -> list[Piece]:
    """The content of a row with the trigger of its campaign marked."""
    found = triggers.get(row.group) if row.family == "campaign" else None
    if not found:
        return [Piece(row.content, "plain")]
    split = re.split(f"({'|'.join(found)})", row.content, flags=re.IGNORECASE)
    return [Piece(text, "mark" if at % 2 else "plain") for at, text in enumerate(split) if text]


def _level(value: int, most: int) -> int:
    """Shade of a matrix cell, 0 (none) to 5."""
    return 0 if not value or not most else min(5, 1 + (4 * value) // most)
