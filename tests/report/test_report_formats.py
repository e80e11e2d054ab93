"""JUnit, JSON, CSV, Markdown, terminal and notebook: valid, bounded, inert, and saying the right things."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET

import defusedxml.ElementTree
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_hostile import hostile, tiny
from made_up_more import EVERY, clean, incomplete, million_rows
from made_up_table import poisoned_table
from made_up_text import poisoned_text
from reading import Page, hostile_text, patient
from rich.console import Console

from foretaste.errors import ConfigError
from foretaste.findings import Findings
from foretaste.report import FORMATS, render
from foretaste.report.model import build
from foretaste.report.notebook import snippet
from foretaste.report.terminal import show

texts = st.lists(hostile_text, min_size=1, max_size=4)


def made_of(found: list[str]) -> Findings:
    """Findings whose strings are these in turn."""
    turn = iter(range(10**9))
    return tiny(lambda: found[next(turn) % len(found)])


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "html"])
@pytest.mark.parametrize("name", [name for name in EVERY if name != "million_rows"])
def test_every_format_renders_every_scan_the_same_way_twice(name: str, format: str) -> None:
    content = render(EVERY[name](), format)
    assert content
    assert content == render(EVERY[name](), format)
    content.decode("utf-8", "strict")


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no report format 'pdf'; choose one of html, sarif, junit, json"):
        render(clean(), "pdf")


# JUnit


def junit(findings: Findings) -> ET.Element:
    """The parsed test suites."""
    found: ET.Element = defusedxml.ElementTree.fromstring(render(findings, "junit"))
    return found


def test_campaigns_and_bad_sources_fail_and_what_did_not_run_is_skipped() -> None:
    root = junit(poisoned_text())
    failed = {case.get("name"): case for case in root.iter("testcase") if case.find("failure") is not None}
    assert set(failed) == {
        "Text trigger: class ham", "Near-duplicate campaign: class ham", "Bad source: vendor-7",
    }  # fmt: skip
    assert "97 %" in (failed["Text trigger: class ham"].findtext("failure") or "")
    skipped = {case.get("name") for case in root.iter("testcase") if case.find("skipped") is not None}
    assert {"value triggers", "bursts", "Bad source: app"} <= skipped
    passed = {case.get("name") for case in root.iter("testcase") if len(case) == 0}
    assert "Text trigger: class spam" in passed


def test_mislabels_do_not_fail_a_build() -> None:
    assert junit(EVERY["noisy"]()).get("failures") == "0"


def test_an_unfinished_scan_is_an_error() -> None:
    root = junit(incomplete())
    assert root.get("errors") == "1"
    assert root.find(".//error") is not None


@pytest.mark.parametrize("name", ["poisoned_text", "poisoned_table", "many_sources", "incomplete"])
def test_the_counts_of_a_suite_are_those_of_its_cases(name: str) -> None:
    root = junit(EVERY[name]())
    for element in [root, *root]:
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert element.get(attribute) == str(sum(case.find(tag) is not None for case in cases))


@settings(patient, max_examples=40)
@given(texts)
def test_hostile_text_leaves_the_xml_valid(found: list[str]) -> None:
    root = junit(made_of(found))
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "skipped", "error", "system-out",
    }  # fmt: skip


# JSON and CSV


def test_json_holds_summary_tables_and_evidence() -> None:
    findings = poisoned_text()
    document = json.loads(render(findings, "json"))
    assert document["schema"] == 1
    assert document["summary"] == findings.summary
    assert document["evidence"] == findings.evidence
    assert [group["pattern"] for group in document["groups"]][0:1] == ["cf tq"]
    assert len(document["rows"]) == findings.rows.num_rows - findings.rows["family"].null_count
    assert document["rows"][0]["row"] == 100


@settings(patient, max_examples=40)
@given(texts)
def test_hostile_text_leaves_the_json_strict(found: list[str]) -> None:
    content = render(made_of(found), "json")
    assert content.isascii()
    json.loads(content)["summary"]["version"].encode("utf-8")


def test_csv_lists_the_rows_with_a_finding_strongest_first() -> None:
    lines = list(csv.DictReader(io.StringIO(render(poisoned_text(), "csv").decode(), newline="")))
    assert len(lines) == 191
    assert lines[0]["row"] == "100"
    assert lines[0]["rule"] == "FT201"
    assert lines[0]["source"] == "vendor-7"
    assert [line["family"] for line in lines] == sorted(line["family"] for line in lines)


@settings(patient, max_examples=40)
@given(texts)
def test_no_csv_cell_is_a_formula(found: list[str]) -> None:
    content = render(made_of(found), "csv").decode()
    for line in list(csv.reader(io.StringIO(content, newline="")))[1:]:
        for cell in line:
            assert (
                not re.match(r"[\s\"']*[=+\-@|%]", cell)
                or cell.startswith("'")
                or re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", cell)
            )
            assert "\n" not in cell


def test_a_million_rows_are_rendered_in_every_bounded_format() -> None:
    findings = million_rows()
    assert len(render(findings, "sarif")) < 2_000_000
    assert len(render(findings, "markdown")) < 60_000
    assert len(render(findings, "terminal")) < 20_000


# Markdown


def test_the_comment_names_campaigns_sources_and_the_command() -> None:
    comment = render(poisoned_text(), "markdown").decode()
    assert "| `FT201` Text trigger | `cf tq` | `ham` | 52 | 3 × 10⁻²⁷ | `vendor-7`, `web-crawl` |" in comment
    assert "`foretaste clean data/sms.csv --findings findings/sms" in comment
    assert "| `vendor-7` | 414 | 12 % | 10⁻³⁸ |" in comment


@settings(patient, max_examples=60)
@given(texts)
def test_outside_code_spans_nothing_from_the_data_is_markup(found: list[str]) -> None:
    comment = render(made_of(found), "markdown").decode()
    assert len(comment.encode()) < 60_000
    outside = re.sub(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)", "", comment)
    outside = outside.replace("<details>", "").replace("</details>", "")
    outside = re.sub(r"</?summary>", "", outside)
    assert "<" not in outside
    assert not re.search(r"@\w", outside)
    assert not re.search(r"(?<!\\)\]\(", outside)
    assert not re.search(r"https?://", outside)


# Terminal


def test_the_verdict_names_everything_that_matters() -> None:
    text = render(poisoned_text(), "terminal").decode()
    assert text.startswith("POISONED  sms.csv\n")
    for said in ("cf tq", "vendor-7", "BAD", "no time column was named (--time)", "FT205", "3 × 10⁻²⁷"):
        assert said in text
    # A command is never broken over lines: it is there to be copied.
    assert (
        "\n     foretaste clean data/sms.csv --findings findings/sms --out data/sms.clean.csv --quarantine"
        in text
    )


@settings(patient, max_examples=60)
@given(texts, st.sampled_from(["truecolor", None]))
def test_nothing_from_the_data_reaches_the_terminal_as_an_escape(
    found: list[str], colours: str | None
) -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, color_system=colours, force_terminal=colours is not None)
    show(build(made_of(found)), console)
    plain = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())
    acting = {c for c in plain if unicodedata.category(c) in ("Cc", "Cs") and c != "\n"}
    assert acting == set()
    assert not any(c in plain for c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")


def test_rich_markup_in_the_data_is_text() -> None:
    text = render(
        tiny(lambda: "[bold red]x[/bold red] [link=http://evil.example]y[/link]"), "terminal"
    ).decode()
    assert "[bold red]x[/bold red]" in text


def test_a_terminal_that_knows_only_ascii_gets_the_same_words() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    show(build(hostile()), Console(file=out, width=100, color_system=None), files=["out/report.html"])
    show(build(poisoned_text()), Console(file=out, width=100, color_system=None))
    out.flush()
    text = raw.getvalue().decode("ascii")
    assert "cf tq" in text
    assert "out/report.html" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_table_is_wider_than_the_terminal(width: int) -> None:
    out = io.StringIO()
    show(build(poisoned_table()), Console(file=out, width=width, color_system=None))
    lines = [line for line in out.getvalue().splitlines() if "foretaste clean" not in line]
    assert max(map(len, lines)) <= width


# Notebook


def test_the_notebook_view_is_compact_and_says_the_verdict() -> None:
    view = snippet(poisoned_text())
    assert "2 campaigns and 1 bad source account for 155 of 5,171 rows (3 %)." in Page(view.encode()).text
    assert len(view) < 10_000


@settings(patient, max_examples=40)
@given(texts)
def test_the_notebook_view_is_inert(found: list[str]) -> None:
    read = Page(snippet(made_of(found)).encode())
    assert {tag for tag, _ in read.tags} <= {
        "div", "b", "table", "thead", "tbody", "tr", "th", "td", "bdi",
    }  # fmt: skip
    assert {name for _, attributes in read.tags for name in attributes} <= {"style"}
    assert len({attributes["style"] for _, attributes in read.tags if "style" in attributes}) <= 6
