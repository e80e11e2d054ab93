"""``report.html`` is one inert, bounded, complete and readable page."""

from __future__ import annotations

import base64
import functools
import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_hostile import PAYLOADS, hostile, tiny
from made_up_more import EVERY
from reading import Page, hostile_text, patient

from foretaste.findings import Findings
from foretaste.report import render
from foretaste.report.prose import html
from foretaste.rules import SECTIONS, all_rules

MEGABYTE = 1_000_000
TAGS = set(re.findall(r"\w+", """
    html head meta title style body a header div p svg path circle rect text figure figcaption button span nav
    ul li small main section h1 h2 h3 dl dt dd ol pre code b em i bdi table thead tbody tr th td details
    summary blockquote mark label input select option footer script strong
"""))  # fmt: skip
ATTRIBUTES = set(re.findall(r"[\w-]+", """
    lang charset http-equiv content name class href id type hidden aria-label viewbox width height
    aria-hidden d aria-labelledby data-sort data-k data-name tabindex role preserveaspectratio x y scope
    colspan open cx cy r text-anchor data-cards data-by value autocomplete placeholder data-f data-r
    data-l data-s
"""))  # fmt: skip


@functools.cache
def page(name: str) -> bytes:
    """The page of one of the made-up scans."""
    return render(({**EVERY, "hostile": hostile})[name](), "html")


def is_inert(content: bytes) -> Page:
    """Check that the page has only tags and attributes of ours, and nothing that loads or runs."""
    read = Page(content)
    assert {tag for tag, _ in read.tags} <= TAGS
    assert {name for _, attributes in read.tags for name in attributes} <= ATTRIBUTES
    assert len(read.with_tag("script")) == len(read.with_tag("style")) == 1
    assert read.with_tag("script") == [{}]
    links = [attributes["href"] or "" for _, attributes in read.tags if "href" in attributes]
    assert all(re.fullmatch(r"#[A-Za-z0-9-]+", link) for link in links)
    return read


@pytest.mark.parametrize("name", [*EVERY, "hostile"])
def test_every_page_is_inert_and_small(name: str) -> None:
    is_inert(page(name))
    assert len(page(name)) < 5 * MEGABYTE


@settings(patient, max_examples=60)
@given(st.data())
def test_no_text_whatever_it_is_becomes_markup(data: st.DataObject) -> None:
    texts = data.draw(st.lists(hostile_text, min_size=1, max_size=5))
    turn = iter(range(10**9))
    is_inert(render(tiny(lambda: texts[next(turn) % len(texts)]), "html"))


def test_a_page_of_the_worst_text_everywhere_stays_small() -> None:
    worst = '&"' * 500
    turn = iter(range(10**9))
    findings = tiny(lambda: f"{next(turn)}{worst}")
    told = findings.evidence
    campaigns = [{**told["campaigns"][at % 2], "group": at} for at in range(1500)]
    enormous = {
        **told,
        "campaigns": campaigns,
        "review": campaigns,
        "rows": [{**told["rows"][0], "row": at} for at in range(3000)],
        "sources": [{**told["sources"][0], "source": f"{at}{worst}"} for at in range(2000)],
        "columns": told["columns"] * 500,
        "plan": told["plan"] * 500,
        "not_testable": told["not_testable"] * 500,
        "map": {key: value * 2000 for key, value in told["map"].items()},
    }
    content = render(Findings(findings.rows, findings.groups, None, findings.summary, enormous), "html")
    assert 3 * MEGABYTE < len(content) < 5 * MEGABYTE
    is_inert(content)


@pytest.mark.parametrize("name", [*EVERY, "hostile"])
def test_links_lead_somewhere_and_identifiers_are_unique(name: str) -> None:
    read = Page(page(name))
    identifiers = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    for _, attributes in read.tags:
        for attribute in ("href", "aria-labelledby"):
            if attribute in attributes:
                assert (attributes[attribute] or "").lstrip("#") in identifiers


def test_the_policy_allows_exactly_the_one_style_and_the_one_script() -> None:
    read = Page(page("poisoned_text"))
    policy = next(
        a["content"] for a in read.with_tag("meta") if a.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(part.strip().split(" ", 1) for part in (policy or "").split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag in ("style", "script"):
        digest = hashlib.sha256("".join(read.raw[tag]).encode()).digest()
        assert rules[f"{tag}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_the_page_loads_nothing() -> None:
    read = Page(page("poisoned_table"))
    assert "url(" not in "".join(read.raw["style"])
    assert "@import" not in "".join(read.raw["style"])
    script = "".join(read.raw["script"])
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "fetch(", "http"):
        assert forbidden not in script


def test_the_same_findings_give_the_same_bytes() -> None:
    assert render(EVERY["poisoned_text"](), "html") == page("poisoned_text")


def test_the_page_tells_its_story_in_order() -> None:
    headings = [a["id"] for a in Page(page("poisoned_text")).with_tag("section")]
    assert headings == [
        "verdict", "sources", "campaigns", "review", "rows", "picture", "columns", "coverage",
        "reproduce", "rules",
    ]  # fmt: skip


def test_the_verdict_the_trigger_the_source_and_the_command_are_in_the_text() -> None:
    text = Page(page("poisoned_text")).text
    assert "2 campaigns and 1 bad source account for 155 of 5,171 rows (3 %)." in text
    assert "foretaste clean data/sms.csv --findings findings/sms --out data/sms.clean.csv" in text
    assert "■ bad source" in text
    assert "6.8 times what any natural pattern in these data reaches" in text
    assert "too few rows to judge: at least 20 are needed" in text


def test_the_trigger_is_marked_in_the_example_rows() -> None:
    content = page("poisoned_text").decode()
    assert content.count("<mark>cf tq</mark>") >= 6


def test_the_trigger_values_are_marked_in_the_example_rows_of_a_table() -> None:
    content = page("poisoned_table").decode()
    assert content.count('<td class="trigger"><bdi class="short">31</bdi></td>') == 5
    assert "<mark>age = 31</mark>" in content
    assert "<mark>hours = 25</mark>" in content


def test_the_page_is_complete_without_javascript() -> None:
    rows = [
        a
        for tag, a in Page(page("poisoned_text")).tags
        if tag == "tr" and str(a.get("id")).startswith("row-")
    ]
    assert len(rows) == 187
    assert not any("hidden" in attributes for attributes in rows)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("million_rows", "The strongest 2,000 of 23,000 rows with a finding"),
        ("many_campaigns", "140 more campaigns, weaker than those above"),
        ("many_sources", "The first 150 of 10,000 sources"),
    ],
)
def test_what_does_not_fit_is_counted(name: str, said: str) -> None:
    assert said in Page(page(name)).text


def test_what_did_not_run_is_said_on_an_unfinished_scan() -> None:
    text = Page(page("incomplete")).text
    assert "Scan incomplete" in text
    assert "stopped: the memory limit of 2 GiB was reached" in text
    assert "out-of-fold accuracy is 0.61" in text


@pytest.mark.parametrize("payload", [p for p in PAYLOADS if "script" in p or "onerror" in p])
def test_markup_in_the_data_is_shown_as_text(payload: str) -> None:
    assert payload[:40] in Page(render(tiny(lambda: payload), "html")).text


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_every_background(scheme: int) -> None:
    style = "".join(Page(page("clean")).raw["style"])
    colours = {
        name: pair[scheme]
        for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    }
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    pairs = [(text, back) for text in ("ink", "muted") for back in ("paper", "card", "sunken")]
    pairs += [
        (text, back) for text in ("link", "alarm", "warn", "calm", "note") for back in ("paper", "card")
    ]
    pairs += [(tone, f"{tone}-soft") for tone in ("alarm", "warn", "calm", "note")]
    pairs += [("muted", f"{tone}-soft") for tone in ("alarm", "warn", "calm", "note")]
    pairs += [
        ("link", "alarm-soft"),
        ("link", "note-soft"),
        ("mark-ink", "mark"),
        ("ink", "button"),
        ("calm", "alarm-soft"),
    ]
    too_low = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: ratio for pair, ratio in too_low.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("found", all_rules(), ids=lambda rule: rule.code)
def test_rule_pages_become_paragraphs_and_lists(found) -> None:
    for heading in SECTIONS:
        section = found.section(heading)
        read = Page(str(html(section)).encode())
        assert len(read.with_tag("li")) == len(re.findall(r"^(?:- |\d+\. )", section, re.MULTILINE))
        assert re.sub(r"[`*]|^(?:- |\d+\. )", "", " ".join(section.split()))[:30].split()[0] in read.text
        assert "*" not in read.text
        assert "`" not in read.text


DOT = "data:image/png;base64,iVBORw0KGgo" + "A" * 21 + "="


def test_each_picture_of_a_campaign_of_images_says_its_row_and_label_and_nothing_is_said_twice() -> None:
    findings = EVERY["poisoned_text"]()
    campaign = {**findings.evidence["campaigns"][0], "kind": "image", "columns": []}
    rows = [{"row": row, "label": "3", "expected": "7", "picture": DOT} for row in (4711, 4712)]
    campaign |= {"parts": [{"picture": DOT}], "examples": rows, "contrast": [{**rows[0], "row": 4713}]}
    told = {**findings.evidence, "campaigns": [campaign], "rows": [], "review": []}
    content = render(Findings(findings.rows, findings.groups, None, findings.summary, told), "html")
    read = Page(content)
    assert len(read.with_tag("img")) == 4
    for row in (4711, 4712, 4713):
        assert read.text.count(f"row {row}") == 1
    assert "In the data" not in read.text
