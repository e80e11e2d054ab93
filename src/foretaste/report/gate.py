"""What a gate decided: for a terminal, as JSON, SARIF 2.1.0 and JUnit XML."""

from __future__ import annotations

import json
import re
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from foretaste import __version__
from foretaste.provenance.gate import GateReport
from foretaste.report.safe import sarif, visible

_MARKS = {"pass": "pass ", "block": "BLOCK", "skip": "skip "}


def terminal(report: GateReport) -> bytes:
    """Lines for a person."""
    lines = []
    for one in report.subjects:
        lines.append(
            f"{'passed' if one.passed else 'BLOCKED'}: {visible(one.path)} (sha256:{one.sha256[:12]})"
        )
        lines += [f"  {_MARKS[c.status]}  {c.name:<18}{visible(c.reason, 400)}" for c in one.checks]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def as_json(report: GateReport) -> bytes:
    """One JSON object."""
    return json.dumps(report.as_json(), indent=1).encode() + b"\n"


def as_sarif(report: GateReport) -> bytes:
    """One result per check that blocks."""
    from foretaste.report.sarif import SCHEMA_URI  # brings the pages of a scan along

    results: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    for one in report.subjects:
        for check in one.checks:
            names[check.name] = None
            if check.status == "block":
                results.append(
                    {
                        "ruleId": f"gate/{check.name}",
                        "level": "error",
                        "message": {"text": sarif(check.reason, 500)},
                        "locations": [{"physicalLocation": {"artifactLocation": _location(one.path)}}],
                        "partialFingerprints": {"foretaste/gate/v1": f"{check.name}:{one.sha256}"},
                    }
                )
    rules = [{"id": f"gate/{name}", "shortDescription": {"text": f"Gate: {name}"}} for name in names]
    driver = {"name": "foretaste gate", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "results": results,
    }
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1).encode() + b"\n"


def junit(report: GateReport) -> bytes:
    """One test suite per file, one test case per check."""
    root = ET.Element("testsuites", name="foretaste gate")
    for one in report.subjects:
        suite = ET.SubElement(root, "testsuite", name=visible(one.path))
        for check in one.checks:
            case = ET.SubElement(suite, "testcase", classname="foretaste.gate", name=check.name, time="0")
            if check.status == "block":
                ET.SubElement(case, "failure", type=check.name, message=visible(check.reason, 400))
            elif check.status == "skip":
                ET.SubElement(case, "skipped", message=visible(check.reason, 400))
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", "0")
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ET.indent(root, " ")
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _location(path: str) -> dict[str, str]:
    text = path.replace("\\", "/")
    quoted = urllib.parse.quote(text.encode("utf-8", "surrogateescape"), safe="/")
    if re.match(r"[A-Za-z]:/|/", text):
        return {"uri": f"file:///{quoted.lstrip('/')}"}
    return {"uri": quoted, "uriBaseId": "%SRCROOT%"}


FORMATS: dict[str, Callable[[GateReport], bytes]] = {
    "terminal": terminal,
    "json": as_json,
    "sarif": as_sarif,
    "junit": junit,
}

__all__ = ["FORMATS"]
