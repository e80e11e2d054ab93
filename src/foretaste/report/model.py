"""What every report says, computed once from `Findings` and apart from any rendering.

All text in a `Report` has been made visible and bounded (`foretaste.report.safe`); a renderer has only the
syntax of its own medium left to care for. What is missing from the evidence is missing from the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from foretaste.findings import Findings
from foretaste.report import figures, tables, wording
from foretaste.report.campaigns import Campaign, campaigns, known_rule, review_items
from foretaste.report.lenient import count, items, mapping, mappings, number
from foretaste.report.numbers import listed
from foretaste.report.safe import plain, visible

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Detector:
    """One line of the plan: a detector that ran, or was skipped for a reason."""

    name: str
    codes: tuple[str, ...]
    ran: bool
    reason: str
    seconds: float | None
    rows_per_second: float | None


@dataclass(frozen=True)
class Column:
    """What a column was taken for, and the note on it."""

    name: str
    role: str
    code: str
    title: str
    note: str


@dataclass(frozen=True)
class Gap:
    """A rule this scan could not test, and why."""

    code: str
    title: str
    reason: str


@dataclass(frozen=True)
class Floor:
    """What this scan would have found: an attack at a rate, with a probability."""

    attack: str
    rate: float | None
    probability: float | None


@dataclass(frozen=True)
class Report:
    """Everything a report shows, in reading order; every string is safe to show."""

    name: str
    verdict: str
    verdict_words: str
    headline: str
    explanation: str
    fdr: float | None
    counts: wording.Counts
    steps: tuple[wording.Step, ...]
    sources: tuple[tables.Source, ...]
    campaigns: tuple[Campaign, ...]
    review: tuple[Campaign, ...]
    rows: tuple[tables.Row, ...]
    rows_with_findings: int
    mislabels: figures.Mislabels | None
    distribution: figures.Distribution | None
    points: tuple[figures.Point, ...]
    flips: figures.Flips | None
    timeline: figures.Timeline | None
    classes: tuple[tuple[str, int | None], ...]
    columns: tuple[Column, ...]
    plan: tuple[Detector, ...]
    gaps: tuple[Gap, ...]
    floors: tuple[Floor, ...]
    facts: Pairs
    command: str
    environment: Pairs
    settings: Pairs

    @property
    def floors_in_words(self) -> list[str]:
        """One line per attack that was planted."""
        doses: dict[str, list[tuple[float, float]]] = {}
        for floor in self.floors:
            if floor.rate is not None and floor.probability is not None:
                doses.setdefault(floor.attack, []).append((floor.rate, floor.probability))
        return [wording.would_have_found(attack, found) for attack, found in doses.items()]

    @property
    def bad_sources(self) -> tuple[tables.Source, ...]:
        """Sources that are flagged."""
        return tuple(source for source in self.sources if source.flagged)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every rule code that the report mentions and this version knows, sorted."""
        found = {campaign.code for campaign in (*self.campaigns, *self.review)}
        found |= {code for campaign in self.campaigns for code, _ in campaign.corroborated_by}
        found |= {row.code for row in self.rows} | {column.code for column in self.columns}
        found |= {gap.code for gap in self.gaps}
        found |= {"FT401"} if self.bad_sources else set()
        return tuple(sorted(code for code in found if known_rule(code)))


def not_tested(plan: Sequence[Detector], gaps: Sequence[Gap]) -> list[tuple[str, str]]:
    """What was not tested, each once: skipped detectors, and the gaps no skipped detector stands for."""
    skipped = [item for item in plan if not item.ran]
    told = {code for item in skipped for code in item.codes}
    names = [(item.name, item.reason) for item in skipped]
    return names + [(f"{gap.code} {gap.title}".strip(), gap.reason) for gap in gaps if gap.code not in told]


def not_covered(plan: Sequence[Detector], gaps: Sequence[Gap]) -> list[tuple[str, str]]:
    """`not_tested` by reason, those that hold for the fewest tests first: no images is the least of news."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in not_tested(plan, gaps):
        by_reason.setdefault(reason, []).append(name)
    return [(listed(tests), reason) for reason, tests in sorted(by_reason.items(), key=lambda i: len(i[1]))]


def build(findings: Findings) -> Report:
    """Compute the report of a scan. Never fails on what the evidence holds or lacks."""
    evidence, summary = mapping(findings.evidence), mapping(findings.summary)
    data = mapping(evidence.get("data"))
    verdict = summary.get("verdict")
    # An unknown verdict must not read as a good one.
    verdict = verdict if isinstance(verdict, str) and verdict in wording.VERDICTS else "incomplete"
    found = campaigns(evidence.get("campaigns"), findings.groups.to_pylist())
    review = review_items(evidence.get("review"))
    sources = tables.sources(evidence.get("sources"), findings.sources)
    bad = [source for source in sources if source.flagged]
    mislabels = figures.mislabels(evidence.get("mislabels"), summary.get("mislabels"))
    gaps = _gaps(evidence.get("not_testable"), summary.get("skipped"))
    plan = tuple(_detector(item) for item in mappings(evidence.get("plan"))[:60])
    counts = _counts(findings, summary, found, len(bad), len(review))
    fdr = number(summary.get("fdr"))
    command = plain(evidence.get("command"))
    path = plain(data.get("path")) or plain(data.get("name"))
    clean = wording.clean_command(path, wording.findings_directory(command))
    return Report(
        name=visible(data.get("name") or data.get("path"), 120) or "data set",
        verdict=verdict,
        verdict_words=wording.VERDICTS[verdict],
        headline=wording.headline(verdict, counts, mislabels, visible(summary.get("incomplete"), 300)),
        explanation=wording.explanation(verdict, counts, fdr, len(not_tested(plan, gaps))),
        fdr=fdr,
        counts=counts,
        steps=tuple(
            wording.next_steps(
                verdict,
                found,
                bad,
                len(review),
                clean,
                visible(command, 1000),
                wording.unlisted_labels(mislabels, counts),
            )
        ),
        sources=tuple(sources),
        campaigns=tuple(found),
        review=tuple(review),
        rows=tuple(tables.rows(evidence.get("rows"), findings.rows)),
        rows_with_findings=findings.rows.num_rows - findings.rows.column("family").null_count,
        mislabels=mislabels,
        distribution=figures.distribution(evidence.get("distribution")),
        points=tuple(figures.points(evidence.get("map"))),
        flips=figures.flips(evidence.get("flips")),
        timeline=figures.timeline(evidence.get("timeline")),
        classes=tuple(
            (visible(item.get("name"), 60), count(item.get("rows")))
            for item in mappings(data.get("classes"))[:1000]
        ),
        columns=tuple(_column(item) for item in mappings(evidence.get("columns"))[:500]),
        plan=plan,
        gaps=gaps,
        floors=_floors(evidence.get("would_have_found"), summary.get("would_have_found")),
        facts=_facts(data, summary),
        command=visible(command, 2000),
        environment=_pairs(evidence.get("environment")),
        settings=_pairs(evidence.get("settings")),
    )


def _counts(
    findings: Findings, summary: Mapping[str, Any], found: list[Campaign], bad: int, review: int
) -> wording.Counts:
    family = findings.rows.column("family")
    rows, flagged = count(summary.get("rows")), count(summary.get("flagged"))
    return wording.Counts(
        rows=len(findings) if rows is None else rows,
        flagged=int(pc.sum(findings.rows.column("flagged")).as_py() or 0) if flagged is None else flagged,
        campaigns=len(found),
        source_campaigns=min(bad, sum(campaign.code == "FT401" for campaign in found)),
        bad_sources=bad,
        campaign_rows=int(pc.sum(pc.equal(family, "campaign")).as_py() or 0),
        mislabel_rows=int(pc.sum(pc.equal(family, "mislabel")).as_py() or 0),
        review=review,
    )


def _detector(item: Mapping[str, Any]) -> Detector:
    return Detector(
        visible(item.get("detector"), 60) or "detector",
        tuple(visible(code, 12) for code in items(item.get("rules"))[:12]),
        item.get("status") == "ran",
        visible(item.get("reason"), 200),
        number(item.get("seconds")),
        number(item.get("rows_per_second")),
    )


def _column(item: Mapping[str, Any]) -> Column:
    found = known_rule(item.get("rule"))
    return Column(
        visible(item.get("column"), 80),
        visible(item.get("role"), 20),
        visible(item.get("rule"), 12),
        found.title if found else "",
        visible(item.get("note"), 200),
    )


def _gaps(*evidence: object) -> tuple[Gap, ...]:
    """Rules not tested, from the evidence and the summary; the same rule with the same reason once."""
    told = [item for value in evidence for item in mappings(value)[:60]]
    found = [
        Gap(visible(item.get("rule"), 12), rule.title if rule else "", visible(item.get("reason"), 240))
        for item in told
        for rule in [known_rule(item.get("rule"))]
    ]
    return tuple(dict.fromkeys(found))


def _floors(*evidence: object) -> tuple[Floor, ...]:
    told = next((mappings(value) for value in evidence if mappings(value)), [])
    return tuple(
        Floor(visible(item.get("attack"), 80), number(item.get("rate")), number(item.get("probability")))
        for item in told[:50]
    )


def _facts(data: Mapping[str, Any], summary: Mapping[str, Any]) -> Pairs:
    """What identifies the data and the scan: enough to tell whether this report is about these bytes."""
    hashed = mapping(summary.get("data"))
    named = [
        ("file", data.get("path") or data.get("name")),
        ("format", data.get("format")),
        ("rows", summary.get("rows", hashed.get("rows", data.get("rows")))),
        ("columns", hashed.get("columns", data.get("columns"))),
        *((role, data.get(role)) for role in ("label", "source", "time", "id", "text")),
        ("SHA-256 of the data", hashed.get("sha256")),
        ("foretaste version", summary.get("version")),
        ("seconds", summary.get("seconds")),
    ]
    return tuple((name, visible(value, 300)) for name, value in named if value not in (None, ""))


def _pairs(value: object) -> Pairs:
    return tuple((visible(name, 60), visible(item, 200)) for name, item in list(mapping(value).items())[:60])
