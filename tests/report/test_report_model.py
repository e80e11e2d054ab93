"""The report says the right things, whatever the evidence lacks or holds."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import summary
from made_up_more import bare, clean, empty, incomplete, many_sources, million_rows, noisy
from made_up_table import poisoned_table
from made_up_text import poisoned_text
from reading import hostile_text, patient

from foretaste.findings import GROUP_SCHEMA, ROW_SCHEMA, Findings
from foretaste.report import FORMATS, render
from foretaste.report.model import build
from foretaste.report.wording import clean_command, findings_directory, next_steps


def test_a_poisoned_set_is_said_in_one_sentence() -> None:
    report = build(poisoned_text())
    assert report.headline == "2 campaigns and 1 bad source account for 155 of 5,171 rows (3 %)."
    assert "5 % is expected to be a false alarm" in report.explanation


def test_a_noisy_set_gives_the_estimate_and_not_the_rows_listed() -> None:
    report = build(noisy())
    assert report.headline.startswith("About 152 labels of 9,000 rows (1.7 %) are probably wrong")
    assert not any("compromised" in step.text for step in report.steps)


def test_a_clean_set_says_so_and_what_it_is_no_proof_of() -> None:
    report = build(clean())
    assert report.headline == "No campaign, no bad source and no row to take out among 5,171 rows."
    assert "not a proof" in report.explanation
    assert all("foretaste clean" not in step.command for step in report.steps)


@pytest.mark.parametrize(("low", "said"), [(100.0, True), (5.0, False)])
def test_many_wrong_labels_of_which_none_can_be_told_are_a_thing_to_do(low: float, said: bool) -> None:
    findings = clean()
    for place in (findings.summary, findings.evidence):
        place["mislabels"] = {"estimate": 250.0, "low": low, "high": 400.0, "status": "ok"}
    report = build(findings)
    first = report.steps[0].text
    assert ("About 250 labels seem wrong" in first) == said
    assert ("Nothing has to be done" in first) != said
    assert ("though about 250 labels seem wrong" in report.headline) == said


@pytest.mark.parametrize(("patterns", "first"), [(0, "Nothing has to be done."), (3, "No row has to go.")])
def test_nothing_has_to_be_done_only_where_nothing_is_to_be_looked_at(patterns: int, first: str) -> None:
    steps = next_steps("clean", [], [], patterns, "", "")
    assert steps[0].text.startswith(first)
    assert len(steps) == 1 + (patterns > 0)


def test_an_unfinished_scan_never_reads_as_clean() -> None:
    report = build(incomplete())
    assert report.verdict == "incomplete"
    assert "cannot say that these data are clean" in report.headline
    assert report.steps[0].command == "foretaste scan big.parquet --label y"


@pytest.mark.parametrize("verdict", ["", "CLEAN", "fine", None, 3, ["clean"]])
def test_an_unknown_verdict_is_an_unfinished_scan(verdict: object) -> None:
    findings = Findings(ROW_SCHEMA.empty_table(), GROUP_SCHEMA.empty_table(), None, {"verdict": verdict})
    assert build(findings).verdict == "incomplete"


def test_without_evidence_the_tables_still_tell_campaigns_sources_and_rows() -> None:
    report = build(bare())
    assert report.campaigns[0].pattern == "cf tq"
    assert [source.source for source in report.bad_sources] == ["vendor-7"]
    assert report.rows[0].code == "FT201"
    assert [row.family for row in report.rows] == sorted(row.family for row in report.rows)


def test_what_was_not_tested_counts_once() -> None:
    # The burst test did not run and FT304 could not be tested: that is one thing.
    assert "3 tests could not run" in build(poisoned_text()).explanation
    assert "1 test could not run" in build(poisoned_table()).explanation


def test_an_empty_scan_has_a_report() -> None:
    assert build(empty()).counts.rows == 0


def test_the_bad_source_comes_first_and_the_unjudged_last() -> None:
    sources = build(poisoned_text()).sources
    assert sources[0].source == "vendor-7"
    assert not sources[-1].judged
    shares = [source.excess_share for source in sources[1:-1]]
    assert shares == sorted(shares, reverse=True)


def test_every_source_is_in_the_report() -> None:
    assert len(build(many_sources(1000)).sources) == 1000


def test_rows_beyond_the_limit_are_counted() -> None:
    report = build(million_rows())
    assert len(report.rows) == 2000
    assert report.rows_with_findings == 23_000


def test_a_source_that_is_a_campaign_of_its_own_counts_once() -> None:
    findings = poisoned_text()
    campaigns = [*findings.evidence["campaigns"], {"rule": "FT401", "pattern": "vendor-7", "group": 2}]
    told = Findings(
        findings.rows, findings.groups, findings.sources, findings.summary,
        {**findings.evidence, "campaigns": campaigns},
    )  # fmt: skip
    assert build(told).headline.startswith("2 campaigns and 1 bad source account")


def test_near_duplicates_show_where_they_differ() -> None:
    copies = build(poisoned_text()).campaigns[1]
    assert copies.marks == "difference"
    marked = [piece.text for piece in copies.examples[1].pieces if piece.kind == "mark"]
    assert len(marked) == 2
    assert marked[0].isdigit()
    assert not any(piece.kind == "mark" for piece in copies.examples[0].pieces)


def test_trigger_columns_come_first_in_the_examples_of_a_table() -> None:
    campaign = build(poisoned_table()).campaigns[0]
    assert [(c.text, c.trigger) for c in campaign.columns[:3]] == [
        ("age", True), ("hours", True), ("workclass", False),
    ]  # fmt: skip
    assert [cell.text for cell in campaign.examples[0].cells[:2]] == ["31", "25"]
    assert [(part.column, part.condition) for part in campaign.parts] == [
        ("age", "= 31"), ("hours", "from 24.5 to 25.5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("data/sms.csv", "data/sms.clean.csv"),
        ("data/sms.csv.gz", "data/sms.clean.csv.gz"),
        ("/srv/a b/x.parquet", "/srv/a b/x.clean.parquet"),
        ("shards", "shards.clean"),
        ("it's; rm -rf $HOME.csv", "it's; rm -rf $HOME.clean.csv"),
        ("-rf.csv", "./-rf.csv"),
        (".", "data.clean"),
        ("", "DATA.clean"),
    ],
)
def test_the_clean_command_survives_a_shell(path: str, out: str) -> None:
    words = shlex.split(clean_command(path, "found"))
    assert words[:2] == ["foretaste", "clean"]
    assert words[3:5] == ["--findings", "found"]
    assert not words[2].startswith("-")
    if path.startswith("-"):
        assert words[2] == out
    else:
        assert words[2] == (path or "DATA")
        assert words[words.index("--out") + 1] == out


@pytest.mark.parametrize("path", ["digits.npz", "photos"])
def test_what_is_taken_out_of_images_is_a_table(path: str) -> None:
    words = shlex.split(clean_command(path, "found"))
    assert words[words.index("--quarantine") + 1] == f"{path.removesuffix('.npz')}.quarantine.parquet"


def test_the_findings_folder_is_the_one_the_scan_wrote() -> None:
    assert findings_directory("foretaste scan a.csv --label y --out 'my dir'") == "my dir"
    assert findings_directory("foretaste scan a.csv --label y --out=x") == "x"
    assert findings_directory("foretaste scan a.csv 'unclosed") == "foretaste-out"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
KEYS = [
    "data", "command", "environment", "settings", "campaigns", "review", "rows", "mislabels", "distribution",
    "map", "flips", "timeline", "sources", "plan", "columns", "not_testable", "would_have_found",
]  # fmt: skip
FIELDS = sorted(
    {key for item in poisoned_text().evidence["campaigns"] for key in item}
    | {"edges", "observed", "expected", "threshold", "x", "y", "matrix", "classes", "flagged", "low", "high"}
)
nonsense = st.dictionaries(
    st.sampled_from(KEYS),
    anything
    | st.dictionaries(st.sampled_from(FIELDS), anything, max_size=6)
    | st.lists(st.dictionaries(st.sampled_from(FIELDS), anything, max_size=6), max_size=3),
    max_size=6,
)


@patient
@given(nonsense)
def test_no_evidence_whatever_it_is_breaks_the_report(evidence: dict[str, object]) -> None:
    findings = Findings(
        ROW_SCHEMA.empty_table(), GROUP_SCHEMA.empty_table(), None, summary("poisoned", 10, 1), evidence
    )
    assert build(findings).verdict == "poisoned"


@patient
@given(nonsense)
def test_no_evidence_whatever_it_is_breaks_a_renderer(evidence: dict[str, object]) -> None:
    findings = Findings(
        ROW_SCHEMA.empty_table(), GROUP_SCHEMA.empty_table(), None, summary("noisy", 10, 1), evidence
    )
    for format in FORMATS:
        assert render(findings, format)


extreme = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, -0.0, 1e308, -1e308, 5e-324]
)


@patient
@given(st.lists(extreme, min_size=12, max_size=12))
def test_extreme_numbers_stay_inside_their_drawings(values: list[float]) -> None:
    source = {"source": "a", "rows": 3, "excess": values[0], "low": values[1], "high": values[2]}
    statistic = {"value": values[3], "natural_max": values[4], "threshold": values[5]}
    evidence = {
        "campaigns": [{"rule": "FT201", "group": 0, "statistic": statistic, "q_value": values[6]}],
        "sources": [source, {**source, "source": "b", "judged": False}],
        "distribution": {"edges": sorted(values[:4]), "observed": values[4:7], "expected": values[7:10]},
        "map": {"x": values, "y": values[::-1], "family": ["campaign", None, "mislabel", "review"]},
        "timeline": {"edges": ["a", "b", "c"], "rows": values[:2], "flagged": values[2:4]},
        "mislabels": {"estimate": values[10], "low": values[11], "high": values[0]},
        "flips": {"classes": ["a", "b"], "matrix": [[0, values[1]], [values[2], 0]]},
    }
    findings = Findings(
        ROW_SCHEMA.empty_table(), GROUP_SCHEMA.empty_table(), None, summary("poisoned", 3, 1), evidence
    )
    page = render(findings, "html").decode()
    drawn = " ".join(re.findall(r'<(?:path|rect|text)[^>]* (?:d|x|y|width|height)="[^"]*"', page))
    assert "nan" not in drawn
    assert "inf" not in drawn
    assert all(abs(float(found)) <= 1100 for found in re.findall(r'(?: x| width| height)="([^"]+)"', drawn))
