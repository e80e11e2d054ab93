"""JUnit XML for CI systems: one test case per test and class, and one per source.

A campaign or a bad source is a failure; what could not run is skipped with its reason; probable mislabels and
the review list are told in the output of a passing case, since they do not fail a scan by default; a scan
that did not finish is an error. After the schema that the reporters of Jenkins, GitLab and GitHub share.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable

from foretaste.report.campaigns import Campaign, known_rule
from foretaste.report.model import Report
from foretaste.report.numbers import plural, probability, share, whole
from foretaste.rules import all_rules

CLASSES = 50
SOURCES = 500


def render(report: Report) -> bytes:
    """The test suites as UTF-8 XML."""
    root = ET.Element("testsuites", name="foretaste")
    _suite(root, "campaigns", _campaign_cases(report))
    _suite(root, "sources", _source_cases(report))
    _suite(root, "labels", _label_cases(report))
    _suite(root, "coverage", _coverage_cases(report))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root, " ")
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _suite(root: ET.Element, name: str, cases: Iterable[ET.Element]) -> None:
    suite = ET.SubElement(root, "testsuite", name=f"foretaste {name}")
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in suite)))


def _case(classname: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=f"foretaste.{classname}", name=name, time="0")


def _campaign_cases(report: Report) -> list[ET.Element]:
    """One case per rule that ran and class; classes beyond `CLASSES` only where something was found."""
    by_case: dict[tuple[str, str], list[Campaign]] = defaultdict(list)
    for campaign in report.campaigns:
        by_case[campaign.code, campaign.target].append(campaign)
    ran = {code for item in report.plan if item.ran for code in item.codes}
    tested = [r.code for r in all_rules() if r.family == "campaign" and r.scope != "source" and r.code in ran]
    classes = [name for name, _ in report.classes[:CLASSES]] or [""]
    keys = dict.fromkeys([(code, name) for code in tested for name in classes] + list(by_case))
    cases = []
    for code, target in sorted(keys):
        rule = known_rule(code)
        title = rule.title if rule else "Finding"
        case = _case(code or "campaign", f"{title}: class {target}" if target else title)
        for campaign in by_case.get((code, target), []):
            failure = ET.SubElement(case, "failure", type=code, message=_headline(campaign))
            failure.text = _details(campaign)
        cases.append(case)
    return cases


def _headline(campaign: Campaign) -> str:
    rows = f" ({plural(campaign.size, 'row')})" if campaign.size is not None else ""
    return f"{campaign.title}: {campaign.pattern}{rows}" if campaign.pattern else f"{campaign.title}{rows}"


def _details(campaign: Campaign) -> str:
    lines = [campaign.reason, f"q-value {probability(campaign.q_value)}"]
    lines += [f"source {source.source}: {whole(source.rows)} rows" for source in campaign.sources[:10]]
    lines += [f"example: row {example.row}, label {example.label}" for example in campaign.examples]
    return "\n".join(line for line in lines if line)


def _source_cases(report: Report) -> list[ET.Element]:
    cases = []
    for source in report.sources[:SOURCES]:
        case = _case("FT401", f"Bad source: {source.source}")
        if source.flagged:
            message = (
                f"{share(source.excess_share)} of its rows are suspicious beyond what its content predicts"
            )
            failure = ET.SubElement(case, "failure", type="FT401", message=message)
            failure.text = f"{whole(source.flagged_rows)} of {whole(source.rows)} rows flagged, p-value "
            failure.text += probability(source.p_value)
        elif not source.judged:
            ET.SubElement(case, "skipped", message=source.note or "not judged")
        cases.append(case)
    return cases


def _label_cases(report: Report) -> list[ET.Element]:
    case = _case("FT101", "Probably wrong labels")
    found = report.mislabels
    if found and found.abstained:
        ET.SubElement(case, "skipped", message=found.reason or "not counted")
    elif found:
        out = ET.SubElement(case, "system-out")
        interval = f"{whole(found.low)} to {whole(found.high)}"
        listed = plural(report.counts.mislabel_rows, "row")
        out.text = f"about {whole(found.estimate)} ({interval}) labels probably wrong; {listed} listed"
    review = _case("review", "Review list")
    if report.review:
        out = ET.SubElement(review, "system-out")
        out.text = "\n".join(f"{item.code} {item.name}: {item.reason}" for item in report.review[:100])
    return [case, review]


def _coverage_cases(report: Report) -> list[ET.Element]:
    finished = _case("scan", "The scan finished")
    if report.verdict == "incomplete":
        ET.SubElement(finished, "error", type="incomplete", message=report.headline)
    cases = [finished]
    for item in report.plan:
        case = _case("plan", item.name)
        if not item.ran:
            ET.SubElement(case, "skipped", message=item.reason or "not run")
        elif item.seconds is not None:
            case.set("time", f"{item.seconds:.3f}")
        cases.append(case)
    for gap in report.gaps:
        case = _case(gap.code or "gap", gap.title or "Not testable")
        ET.SubElement(case, "skipped", message=gap.reason or "not testable on these data")
        cases.append(case)
    return cases
