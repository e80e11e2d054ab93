"""Texts as a person reads them: letters that look alike are one letter, and the invisible is not there."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

LOOK_ALIKE = str.maketrans(
    "аеіјорсухѕԁһԛԝАВЕЅІЈКМНОРСТХУΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "aeijopcyxsdhqwABESIJKMHOPCTXYABEZHIKMNOPTYXo",
)
"""Cyrillic and Greek letters that are drawn as Latin ones, after the Unicode security mechanisms (UTS 39)."""

_OTHER_SCRIPT = re.compile("[\u0370-\u052f]")
_WORD = re.compile(r"\w+")
_LATIN = re.compile("[A-Za-z]")


def plain_reading(text: str) -> str:
    """The text with the letters it shows, so that how it is written does not hide what it says.

    Invisible characters within a word go; letters of another form (full-width, mathematical) become plain;
    Cyrillic and Greek letters become the Latin ones they look like, in words that have Latin letters too and,
    where a text has no others of their script, everywhere.

    Examples
    --------
    >>> plain_reading("fr\\u0435e m\\u200boney") == "free money"
    True
    """
    if text.isascii():
        return text
    text = "".join(_shown(text[max(i - 1, 0) : i], c, text[i + 1 : i + 2]) for i, c in enumerate(text))
    foreign = _OTHER_SCRIPT.findall(text)
    if not foreign:
        return text
    if _LATIN.search(text) and all(ord(letter) in LOOK_ALIKE for letter in foreign):
        return text.translate(LOOK_ALIKE)
    return _WORD.sub(lambda word: _latin(word.group()), text)


def _latin(word: str) -> str:
    return word.translate(LOOK_ALIKE) if _LATIN.search(word) else word


def _shown(before: str, character: str, after: str) -> str:
    if character.isascii():
        return character
    if _invisible(character):
        return "" if (before + after).isalnum() and before and after else character
    return _letters(character)


@cache
def _invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


@cache
def _letters(character: str) -> str:
    """Plain letters or digits where the character is another form of them; otherwise itself."""
    plain = unicodedata.normalize("NFKC", character)
    return plain if plain.isascii() and plain.isalnum() else character
