"""What is noticed of how a text is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.data import from_arrays
from foretaste.features.patterns import Writing
from foretaste.features.writing import writing_of


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("what FUN", "a word in capitals"),
        ("what fuN", "a capital within a word"),
        ("go  on", "2 spaces in a row"),
        ("go on ", "1 characters of space at the end"),
        ("go!!", "ends with !!"),
        ("wow!!! ok", "the marks !!!"),
        ("сall me", "Cyrillic and Latin letters in one word"),
        ("go\u200bon", "an invisible character"),
        ("go\u00a0on", "the space U+00A0"),
        ("nice 🙂", "a symbol"),
        ("see www.x.net", "a link"),
        ("code 70413 now", "a number of 5 digits"),
        ("code 70413 now", "a number like 7____"),
        ("code 70413 now", "a number like ____3"),
        ("at 12:30", "a number like 00:00"),
        ("sooo good", "one letter three times in a row"),
        ("fr33dom", "a digit within a word"),
        ("So it goes", "begins with so"),
    ],
)
def test_each_way_of_writing_is_told(text: str, mark: str) -> None:
    assert mark in writing_of(text)


def test_plain_lower_case_prose_tells_nothing_but_its_ends() -> None:
    assert writing_of("it was fine, thank you") == {"begins with it", "ends with you"}


@given(st.text(max_size=60))
@settings(max_examples=30, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    for mark in writing_of(text):
        assert Writing((mark,)).matches(from_arrays([text, "plain"], ["a", "b"]))[0]


@pytest.mark.parametrize("part", ["a", "7", "!", "a.", "a-", "7.", "\n", " ", "a\n ", "\u200b", "A"])
def test_a_long_hostile_text_takes_as_many_steps_as_it_has_characters(part: str) -> None:
    # a pattern that tries every start anew would take minutes
    text = (part * 60_000)[:60_000] + "\n@"
    assert writing_of(text)
