"""SARIF 2.1.0 (OASIS Standard): one result per campaign, bad source, mislabel rule and review item.

Data sets have rows rather than lines: every location names its row (`logicalLocations`), and its line as well
where the format has one row per line. At most 100 locations per result; ``findings.parquet`` has all rows.
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow.compute as pc

from foretaste.findings import Findings
from foretaste.report.campaigns import Campaign, known_rule
from foretaste.report.lenient import mapping
from foretaste.report.model import Report, not_covered
from foretaste.report.numbers import probability, share
from foretaste.report.safe import plain, sarif, visible
from foretaste.report.tables import Source, strongest
from foretaste.rules import Rule

LOCATIONS = 100
SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"campaign": "error", "mislabel": "warning", "review": "note", "note": "note"}
_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5", "info": "0.0"}
_FIRST_LINE = {"csv": 2, "tsv": 2, "jsonl": 1}

Json = dict[str, Any]


def render(report: Report, findings: Findings) -> bytes:
    """The log as JSON."""
    data = mapping(mapping(findings.evidence).get("data"))
    place = _Place(data)
    by_group = _rows_by_group(findings)
    results = [_campaign(campaign, by_group, place) for campaign in report.campaigns]
    told = {source.source for c in report.campaigns if c.code == "FT401" for source in c.sources}
    told |= {campaign.pattern for campaign in report.campaigns if campaign.code == "FT401"}
    results += [_source(source) for source in report.bad_sources if source.source not in told]
    results += _mislabels(findings, place)
    results += [_campaign(item, {}, place, "review") for item in report.review]
    rules = [found for found in map(known_rule, sorted({r["ruleId"] for r in results})) if found]
    index = {rule.code: position for position, rule in enumerate(rules)}
    for result in results:
        if result["ruleId"] in index:
            result["ruleIndex"] = index[result["ruleId"]]
    run: Json = {
        "tool": {
            "driver": {
                "name": "foretaste",
                "version": visible(findings.summary.get("version"), 40) or "unknown",
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [_invocation(report)],
        "artifacts": [place.artifact(mapping(findings.summary.get("data")).get("sha256"))],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "verdict": report.verdict,
            "rows": report.counts.rows,
            "flagged": report.counts.flagged,
            "falseDiscoveryRate": report.fdr,
        },
    }
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=True, allow_nan=False).encode() + b"\n"


class _Place:
    """Where rows are: the data file as a URI, and the line of a row where rows are lines."""

    def __init__(self, data: Json) -> None:
        path = (plain(data.get("path")) or plain(data.get("name")) or "data")[:1000]
        if re.match(r"[A-Za-z]:[\\/]", path):
            path = "/" + path.replace("\\", "/")
        self.relative = not path.startswith("/")
        quoted = urllib.parse.quote(path.encode("utf-8", "replace"), safe="/")
        self.uri = quoted if self.relative else f"file://{quoted}"
        self.first_line = None if path.endswith(".gz") else _FIRST_LINE.get(plain(data.get("format")))

    def artifact(self, sha256: object) -> Json:
        """The data file."""
        found: Json = {"location": self._location(), "roles": ["analysisTarget"]}
        if isinstance(sha256, str) and re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
            found["hashes"] = {"sha-256": sha256.lower()}
        return found

    def rows(self, rows: Iterable[int]) -> list[Json]:
        """One location per row."""
        return [self._row(row) for row in list(rows)[:LOCATIONS]]

    def _row(self, row: int) -> Json:
        physical: Json = {"artifactLocation": self._location() | {"index": 0}}
        if self.first_line is not None:
            physical["region"] = {"startLine": row + self.first_line}
        return {
            "physicalLocation": physical,
            "logicalLocations": [{"name": f"row {row}", "kind": "row"}],
            "properties": {"row": row},
        }

    def _location(self) -> Json:
        return {"uri": self.uri} | ({"uriBaseId": "%SRCROOT%"} if self.relative else {})


def _campaign(
    campaign: Campaign, by_group: dict[int, list[int]], place: _Place, family: str = "campaign"
) -> Json:
    rows = by_group.get(campaign.group) if campaign.group is not None else None
    if rows is None:
        rows = [example.row for example in campaign.examples if example.row is not None]
    named = f"{campaign.title}: {campaign.pattern}." if campaign.pattern else f"{campaign.title}."
    code = campaign.code or "FT000"
    result: Json = {
        "ruleId": code,
        "level": LEVELS[family],
        "message": {"text": f"{sarif(named)} {sarif(campaign.reason, 500)}".strip()},
        "locations": place.rows(rows),
        "partialFingerprints": {
            "foretaste/finding/v1": _fingerprint(code, campaign.target, campaign.pattern or campaign.kind)
        },
        "properties": {
            "family": family,
            "group": campaign.group,
            "target": campaign.target,
            "pattern": campaign.pattern,
            "pValue": campaign.p_value,
            "qValue": campaign.q_value,
            "sources": [source.source for source in campaign.sources],
        },
    }
    if campaign.size:
        result["occurrenceCount"] = campaign.size
    return result


def _source(source: Source) -> Json:
    text = (
        f"Bad source: {source.source}. {share(source.excess_share)} of its rows are suspicious beyond what "
        f"their content predicts (p-value {probability(source.p_value)})."
    )
    return {
        "ruleId": "FT401",
        "level": "error",
        "message": {"text": sarif(text, 500)},
        "partialFingerprints": {"foretaste/finding/v1": _fingerprint("FT401", "", source.source)},
        "properties": {
            "family": "campaign",
            "source": source.source,
            "rows": source.rows,
            "excess": source.excess,
        },
    }


def _mislabels(findings: Findings, place: _Place) -> list[Json]:
    table = findings.rows.filter(pc.equal(findings.rows.column("family"), "mislabel"))
    found = strongest(table)
    results = []
    for code in sorted({plain(code) for code in pc.unique(found.column("rule")).to_pylist()}):
        rows = found.filter(pc.equal(found.column("rule"), code)).column("row").to_pylist()
        if not rows:
            continue
        rule = known_rule(code)
        title = rule.title if rule else visible(code, 12)
        results.append(
            {
                "ruleId": visible(code, 12) or "FT101",
                "level": LEVELS["mislabel"],
                "message": {"text": sarif(f"{title}: {len(rows):,} rows, likely accidental.")},
                "locations": place.rows(rows),
                "occurrenceCount": len(rows),
                "partialFingerprints": {"foretaste/finding/v1": _fingerprint(code, "", "mislabel")},
                "properties": {"family": "mislabel"},
            }
        )
    return results


def _rows_by_group(findings: Findings) -> dict[int, list[int]]:
    """The first `LOCATIONS` rows of every campaign."""
    table = findings.rows.filter(pc.is_valid(findings.rows.column("group"))).select(["group", "row"])
    found: dict[int, list[int]] = {}
    for group, row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        rows = found.setdefault(group, [])
        if len(rows) < LOCATIONS:
            rows.append(row)
    return found


def _rule(rule: Rule) -> Json:
    text = " ".join(rule.section("How to respond").split())
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in re.findall(r"\w+", rule.title)),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.meaning.replace("{", "{{").replace("}", "}}")},
        "help": {"text": text, "markdown": rule.page_markdown},
        "defaultConfiguration": {"level": LEVELS[rule.family]},
        "properties": {
            "tags": ["security", "data-poisoning", rule.family],
            "security-severity": _SEVERITY[rule.severity],
        },
    }


def _invocation(report: Report) -> Json:
    not_run = not_covered(report.plan, report.gaps)
    found: Json = {
        "executionSuccessful": report.verdict != "incomplete",
        "toolExecutionNotifications": [
            {
                "level": "note",
                "message": {"text": sarif(f"Not tested: {name or 'a rule'}: {reason or 'no reason given'}")},
            }
            for name, reason in not_run[:200]
        ],
    }
    return found | ({"commandLine": report.command} if report.command else {})


def _fingerprint(*parts: str) -> str:
    """The same finding has the same fingerprint in the next scan, whatever rows it has gained or lost."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


__all__: Sequence[str] = ["LOCATIONS", "SCHEMA_URI", "render"]
