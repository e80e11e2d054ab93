"""Hostile text is visible, bounded, and inert in every medium."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import hostile_text, patient

from foretaste.report import safe

INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def hidden(text: str) -> list[str]:
    """Characters that act or hide: the invisible categories, except the joiners of emoji and scripts."""
    return [c for c in text if unicodedata.category(c) in INVISIBLE and c not in "\u200c\u200d"]


@patient
@given(st.text(st.characters()) | hostile_text)
def test_nothing_in_a_visible_text_acts_or_hides(text: str) -> None:
    shown = safe.visible(text)
    arabic_number_signs = (
        "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    )
    assert [
        c for c in hidden(shown) if c not in arabic_number_signs and not 0x13430 <= ord(c) <= 0x1345F
    ] == []
    shown.encode("utf-8")


@patient
@given(hostile_text, st.integers(0, 50))
def test_visible_text_is_bounded(text: str, limit: int) -> None:
    assert len(safe.visible(text * 50, limit)) <= 2 * limit + 40


@patient
@given(hostile_text)
def test_making_visible_twice_changes_nothing(text: str) -> None:
    assert safe.visible(safe.visible(text, 10**6), 10**6) == safe.visible(text, 10**6)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcödé, 日本語, مرحبا", "plain text, ünïcödé, 日本語, مرحبا"),
        ("\x1b]0;title\x07", "⟨ESC⟩]0;title⟨BEL⟩"),
        ("a\x00b\x9bc\x7f", "a⟨NUL⟩b⟨U+009B⟩c⟨DEL⟩"),
        ("one\r\ntwo\tthree", "one⏎two⇥three"),
        ("\u202eexe.fdp", "⟨RLO⟩exe.fdp"),
        ("cf\u200btq", "cf⟨ZWSP⟩tq"),
        ("a\u200db", "a⟨ZWJ⟩b"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("e" + "\u0301" * 10, "e" + "\u0301" * 4 + "⟨+6 marks⟩"),
        (None, ""),
        (3.0, "3"),
        (float("nan"), "NaN"),
    ],
)
def test_known_texts_look_as_they_should(text: object, shown: str) -> None:
    assert safe.visible(text) == shown


def test_a_huge_integer_is_described() -> None:
    assert safe.visible(10**5000) == "an integer of 16610 bits"


def test_a_megabyte_is_cut_and_its_length_told() -> None:
    assert safe.visible("w" * 1_000_000, 3) == "www… (1,000,000 characters)"


def test_an_excerpt_shows_the_marked_part_of_a_long_text() -> None:
    text = "a " * 5000 + "cf tq" + " b" * 5000
    pieces = safe.excerpt(text, [[10000, 10005]], limit=100)
    assert [piece.text for piece in pieces if piece.kind == "mark"] == ["cf tq"]
    assert sum(len(piece.text) for piece in pieces) < 160
    assert pieces[0].kind == pieces[-1].kind == "gap"


def test_an_excerpt_of_a_short_text_is_the_whole_text_in_order() -> None:
    pieces = safe.excerpt("buy cf now tq!", [[4, 6], [11, 13]])
    assert [(piece.text, piece.kind) for piece in pieces] == [
        ("buy ", "plain"),
        ("cf", "mark"),
        (" now ", "plain"),
        ("tq", "mark"),
        ("!", "plain"),
    ]


def test_overlapping_marks_are_one_mark() -> None:
    pieces = safe.excerpt("abcdef", [[1, 3], [2, 5]])
    assert [piece.text for piece in pieces] == ["a", "bcde", "f"]


@patient
@given(hostile_text, st.lists(st.lists(st.integers(-5, 80) | st.text(max_size=2) | st.none(), max_size=3)))
def test_an_excerpt_survives_any_marks_and_loses_nothing_of_a_short_text(
    text: str, marks: list[object]
) -> None:
    pieces = safe.excerpt(text, marks, limit=1000)
    assert hidden("".join(piece.text for piece in pieces if piece.text)) == hidden(safe.visible(text, 1000))
    if text.isascii() and text.isprintable():
        assert "".join(piece.text for piece in pieces) == text


@patient
@given(hostile_text)
def test_no_spreadsheet_cell_starts_a_formula(text: str) -> None:
    cell = safe.spreadsheet(text)
    first = cell.strip(" \"'")[:1]
    assert (
        cell.startswith("'") or first not in set("=+-@|%") or re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", cell)
    )


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("  @x", "'  @x"),
        ('"=1+1"', '\'"=1+1"'),
        ("-5", "-5"),
        ("+1e3", "+1e3"),
        ("-cmd", "'-cmd"),
        ("\t=1", "⇥=1"),
        ("＝1", "'＝1"),
        ("a=b", "a=b"),
    ],
)
def test_known_cells(text: str, cell: str) -> None:
    assert safe.spreadsheet(text) == cell


@patient
@given(hostile_text)
def test_a_code_span_cannot_be_closed_from_within(text: str) -> None:
    span = safe.code_span(text, 10**6)
    fence = re.match("`*", span)[0]
    if fence:
        inner = span[len(fence) : -len(fence)]
        assert all(run != fence for run in re.findall("`+", inner))
        assert "\n" not in inner


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("[x](http://evil.example)", r"\[x\](http\://evil.example)"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("@admin", "@\u2060admin"),
        ("1. item", r"1\. item"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("www.evil.example", r"www\.evil.example"),
        ("a*b_c`d`", r"a\*b\_c\`d\`"),
        ("plain words, 52 of them (100 %)", "plain words, 52 of them (100 %)"),
    ],
)
def test_markdown_stands_for_itself(text: str, escaped: str) -> None:
    assert safe.markdown(text) == escaped


def test_a_sarif_message_has_neither_links_nor_placeholders() -> None:
    assert safe.sarif("[x](http://evil.example) {0}") == "[x] (http://evil.example) {{0}}"


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_text, inner, max_size=3),
    max_leaves=10,
)


@patient
@given(nested)
def test_any_value_becomes_strict_json(value: object) -> None:
    text = json.dumps(safe.json_value(value), allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")


def test_bottomless_nesting_is_cut() -> None:
    value: object = "x"
    for _ in range(500):
        value = [value]
    assert len(json.dumps(safe.json_value(value))) < 200


def test_look_alike_letters_and_hidden_characters_are_remarked_on() -> None:
    assert safe.remarks("p\u0430ypal") == ["letters that only look Latin: а (CYRILLIC SMALL LETTER A)"]
    assert safe.remarks("cf\u200b\u200b") == ["2 invisible characters: ⟨ZWSP⟩"]
    assert safe.remarks("привет мир, hello, 日本語, two\nlines") == []
