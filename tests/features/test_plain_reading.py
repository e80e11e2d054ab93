"""What a person reads does not depend on how it is spelt in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.attacks.backdoors.rewritten_text import ChangedStyle
from foretaste.features.plain_reading import LOOK_ALIKE, plain_reading
from foretaste.features.text import tokenize

SAID = "A very good film, except for the ending. Pay 10 pounds!"


@pytest.mark.parametrize("style", ["homoglyph", "zero-width"])
def test_undoes_what_style_triggers_hide(style):
    written = ChangedStyle(style=style).apply([SAID])[0]
    assert written != SAID
    assert tokenize(written) == tokenize(SAID)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ｆｒｅｅ", "free"),
        ("𝐟𝐫𝐞𝐞", "free"),
        ("soft\u00adware", "software"),
        ("a\u200b b", "a\u200b b"),
        ("dо it", "do it"),
        ("Привет, cоusin", "Привет, cousin"),
        ("£5 café naïve", "£5 café naïve"),
        ("это все", "это все"),
        ("सत्य 日本", "सत्य 日本"),
    ],
)
def test_reads(written, read):
    assert plain_reading(written) == read


@given(st.text())
def test_reading_twice_changes_nothing(text):
    once = plain_reading(text)
    assert plain_reading(once) == once
    assert len(once) <= 4 * len(text)


def test_letters_that_look_alike_are_pairs():
    assert all(chr(latin).isascii() and not chr(other).isascii() for other, latin in LOOK_ALIKE.items())
