"""How a text is written, whatever it says: capitals, spaces, marks, scripts, the shape of its numbers."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_RUN_OF_SPACES = re.compile(r"(?<=\S) {2,}(?=\S)")
_MARKS = re.compile(r"[^\w\s]{2,}")
_NUMBER = re.compile(r"\d+")
_DIGIT = re.compile(r"\d")
_COMPOSED = re.compile(r"(?<!\d)\d++(?:[.,:/-]\d++)+")
_TOKEN = re.compile(r"\w+|[^\w\s]+")
_WORD = re.compile(r"[^\W\d_]+")
_LINK = re.compile(r"https?:|www\.|\w\.[a-z]{2,}/", re.IGNORECASE)
_LONGEST = 12

_KINDS = (
    ("a link", _LINK),
    ("a mail address", re.compile(r"\w@\w")),
    ("an @name", re.compile(r"(?<!\w)@\w")),
    ("a #tag", re.compile(r"(?<!\w)#\w")),
    ("one letter three times in a row", re.compile(r"([^\W\d_])\1\1", re.IGNORECASE)),
    ("a digit within a word", re.compile(r"[^\W\d_]\d+[^\W\d_]")),
    ("a mark within a word", re.compile(r"[^\W\d_][^\w\s'’.@/-]+[^\W\d_]")),
    ("an underscore", re.compile("_")),
    ("a space before a mark", re.compile(r"\w [.,;:!?]")),
    ("no space after a mark", re.compile(r"\w[,;!?][^\W\d_]")),
    ("an empty line", re.compile(r"\n\s*\n")),
)


class Mark(str):
    """One thing about how a text is written, in words; a phrase of the text is plain ``str``."""

    __slots__ = ()


def writing_of(text: str) -> set[Mark]:
    """Everything about how one text is written that a trigger could be made of.

    Parameters
    ----------
    text : str
        In full or, of a very long one, its ends.

    Examples
    --------
    >>> sorted(writing_of("so,  YES"))
    ['2 spaces in a row', 'a word in capitals', 'begins with so', 'ends with yes', 'written YES']
    """
    found = {name for name, pattern in _KINDS if pattern.search(text)}
    found |= {f"{len(run)} spaces in a row" for run in _RUN_OF_SPACES.findall(text)}
    inner = text.strip()
    found |= {f"{size} characters of space at the start" for size in [len(text) - len(text.lstrip())] if size}
    found |= {f"{size} characters of space at the end" for size in [len(text) - len(text.rstrip())] if size}
    found |= {f"the marks {run[:_LONGEST]}" for run in _MARKS.findall(text)}
    found |= _ends(inner)
    found |= _numbers(text)
    found |= _letters(text)
    for character in set(text):
        if not character.isascii() or (character < " " and character != "\n"):
            found.add(_kind(character))
    found.discard("")
    return {Mark(name) for name in found}


def _ends(text: str) -> set[str]:
    found = set()
    first, last = (
        _TOKEN.match(text),
        _TOKEN.match(text[::-1]),
    )  # backwards: to search for an end takes n^2 steps
    if first:
        found.add(f"begins with {first[0][:_LONGEST].lower()}")
    if last:
        found.add(f"ends with {last[0][::-1][:_LONGEST].lower()}")
    return found


def _numbers(text: str) -> set[str]:
    found = set()
    for number in set(_NUMBER.findall(text)):
        size = len(number)
        if size > 1:
            found.add(f"a number of {min(size, _LONGEST)} digits")
            found.add(f"a number like {number[0]}{'_' * min(size - 1, _LONGEST)}")
            found.add(f"a number like {'_' * min(size - 1, _LONGEST)}{number[-1]}")
    return found | {f"a number like {_DIGIT.sub('0', n)[:_LONGEST]}" for n in _COMPOSED.findall(text)}


def _letters(text: str) -> set[str]:
    """Capitals and scripts, word by word."""
    found = set()
    for word in set(_WORD.findall(text)):
        if not word.islower():
            found.add(f"written {word[: 2 * _LONGEST]}")
            if len(word) > 1 and word.isupper():
                found.add("a word in capitals")
            elif not word[1:].islower() and len(word) > 1:
                found.add("a capital within a word")
        if not word.isascii():
            scripts = sorted({_script(c) for c in word})
            if len(scripts) > 1:
                found.add(f"{' and '.join(scripts)} letters in one word")
    return found


@cache
def _script(character: str) -> str:
    return "Latin" if character.isascii() else unicodedata.name(character, "unknown").split()[0].title()


@cache
def _kind(character: str) -> str:
    """What kind of character it is; empty where that says nothing a token would not say."""
    category = unicodedata.category(character)
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    if category == "Cf" or "VARIATION SELECTOR" in name:
        return "an invisible character"
    if category in ("Zs", "Cc"):
        return f"the space U+{ord(character):04X}"
    if category in ("So", "Sk"):
        return "a symbol"
    if category.startswith("L"):
        if unicodedata.normalize("NFKC", character) != character:
            return "letters of another form"
        return "letters with accents" if name.startswith("LATIN") else f"{_script(character)} letters"
    return ""
