"""SARIF 2.1.0: valid, bounded, and the same finding has the same fingerprint."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_hostile import hostile, tiny
from made_up_more import EVERY
from made_up_text import poisoned_text
from reading import hostile_text, patient

from foretaste.findings import Findings
from foretaste.report import render

ALL = {**EVERY, "hostile": hostile}
SCHEMA = os.environ.get("FORETASTE_SARIF_SCHEMA", "")


def log(findings: Findings) -> dict[str, Any]:
    """The rendered log."""
    found: dict[str, Any] = json.loads(render(findings, "sarif"))
    return found


def is_valid(found: dict[str, Any]) -> None:
    """The demands of SARIF 2.1.0 on what we write (sections 3.13, 3.14, 3.19, 3.27, 3.28, 3.49, 3.58)."""
    assert set(found) == {"$schema", "version", "runs"}
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "foretaste"
    codes = [rule["id"] for rule in driver["rules"]]
    assert len(codes) == len(set(codes))
    for rule in driver["rules"]:
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
        assert rule["help"]["markdown"].startswith(f"# {rule['id']}")
        assert rule["shortDescription"]["text"]
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["level"] in {"error", "warning", "note"}
        assert len(result.get("locations", [])) <= 100
        if "ruleIndex" in result:
            assert codes[result["ruleIndex"]] == result["ruleId"]
        assert all(len(digest) == 64 for digest in result["partialFingerprints"].values())
        for location in result.get("locations", []):
            artifact = location["physicalLocation"]["artifactLocation"]
            assert artifact["index"] == 0
            assert artifact["uri"].isascii()
            assert not set(artifact["uri"]) & set(' <>"{}|\\^`')
            assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1
            assert location["logicalLocations"][0]["name"].startswith("row ")
    assert isinstance(run["invocations"][0]["executionSuccessful"], bool)
    for notification in run["invocations"][0]["toolExecutionNotifications"]:
        assert notification["message"]["text"]


@pytest.mark.parametrize("name", ALL)
def test_every_log_is_valid(name: str) -> None:
    is_valid(log(ALL[name]()))


@settings(patient, max_examples=40)
@given(st.data())
def test_hostile_text_leaves_the_log_valid(data: st.DataObject) -> None:
    texts = data.draw(st.lists(hostile_text, min_size=1, max_size=4))
    turn = iter(range(10**9))
    is_valid(log(tiny(lambda: texts[next(turn) % len(texts)])))


@pytest.mark.skipif(
    not Path(SCHEMA).is_file(), reason="FORETASTE_SARIF_SCHEMA does not name the OASIS schema"
)
@pytest.mark.parametrize("name", ALL)
def test_every_log_follows_the_official_schema(name: str) -> None:
    import jsonschema

    schema = json.loads(Path(SCHEMA).read_text("utf-8"))
    checker = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in checker.iter_errors(log(ALL[name]()))] == []


def test_a_campaign_is_one_error_with_its_rows_as_lines_of_the_file() -> None:
    results = log(poisoned_text())["runs"][0]["results"]
    trigger = next(result for result in results if result["ruleId"] == "FT201")
    assert trigger["level"] == "error"
    assert trigger["occurrenceCount"] == 52
    assert len(trigger["locations"]) == 52
    first = trigger["locations"][0]
    assert first["logicalLocations"] == [{"name": "row 100", "kind": "row"}]
    # Row 0 is the second line of a CSV file, after the header.
    assert first["physicalLocation"]["region"] == {"startLine": 102}
    assert first["physicalLocation"]["artifactLocation"]["uri"] == "data/sms.csv"
    assert "cf tq" in trigger["message"]["text"]


def test_a_campaign_of_more_than_a_hundred_rows_has_a_hundred_locations() -> None:
    results = log(poisoned_text())["runs"][0]["results"]
    copies = next(result for result in results if result["ruleId"] == "FT301")
    assert len(copies["locations"]) == 100
    assert copies["occurrenceCount"] == 103


def test_families_have_their_levels_and_the_bad_source_is_a_result() -> None:
    results = log(poisoned_text())["runs"][0]["results"]
    assert {result["ruleId"]: result["level"] for result in results} == {
        "FT201": "error", "FT301": "error", "FT401": "error", "FT101": "warning", "FT205": "note",
    }  # fmt: skip


def test_a_clean_scan_has_no_result_and_an_unfinished_one_was_not_successful() -> None:
    assert log(ALL["clean"]())["runs"][0]["results"] == []
    assert log(ALL["clean"]())["runs"][0]["invocations"][0]["executionSuccessful"]
    assert not log(ALL["incomplete"]())["runs"][0]["invocations"][0]["executionSuccessful"]


def test_a_fingerprint_survives_more_rows_and_changes_with_the_pattern() -> None:
    def fingerprint(**changed: Any) -> str:
        findings = poisoned_text()
        campaign = {**findings.evidence["campaigns"][0], **changed}
        told = Findings(
            findings.rows, findings.groups.slice(0, 0), None, findings.summary, {"campaigns": [campaign]}
        )
        found: str = log(told)["runs"][0]["results"][0]["partialFingerprints"]["foretaste/finding/v1"]
        return found

    assert fingerprint() == fingerprint(size=99, examples=[], q_value=0.01)
    assert fingerprint() != fingerprint(pattern="mn bb")
    assert fingerprint() != fingerprint(target="spam")


def test_an_absolute_path_is_a_file_uri() -> None:
    location = log(ALL["poisoned_table"]())["runs"][0]["artifacts"][0]["location"]
    assert location == {"uri": "file:///srv/data/2024%20census/census.parquet"}
