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
_BEGINS, _ENDS = "begins with ", "ends with "

_KINDS = (
    ("a link", ":.", _LINK),
    ("a mail address", "@", re.compile(r"\w@\w")),
    ("an @name", "@", re.compile(r"(?<!\w)@\w")),
    ("a #tag", "#", re.compile(r"(?<!\w)#\w")),
    ("one letter three times in a row", "", re.compile(r"([^\W\d_])\1\1", re.IGNORECASE)),
    ("a digit within a word", "", re.compile(r"[^\W\d_]\d+[^\W\d_]")),
    ("a mark within a word", "", re.compile(r"[^\W\d_][^\w\s'’.@/-]+[^\W\d_]")),
    ("an underscore", "_", re.compile("_")),
    ("a space before a mark", ".,;:!?", re.compile(r"\w [.,;:!?]")),
    ("no space after a mark", ",;!?", re.compile(r"\w[,;!?][^\W\d_]")),
    ("an empty line", "\n", re.compile(r"\n\s*\n")),
)
"""What may be in a text, the characters one of which it then has (empty: any), and where it is."""


class Mark(str):
    """One thing about how a text is written, in words; a phrase of the text is plain ``str``."""

    __slots__ = ()

    @property
    def is_a_word(self) -> bool:
        """Whether it is a word at the beginning or the end of a text.

        Examples
        --------
        >>> Mark("begins with so").is_a_word, Mark("ends with .").is_a_word, Mark("written YES").is_a_word
        (True, False, False)
        """
        return self.startswith((_BEGINS, _ENDS)) and self.rsplit(" ", 1)[-1].isalpha()


def writing_of(text: str) -> set[str]:
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
    characters = set(text)
    found = {
        name
        for name, needs, pattern in _KINDS
        if not (needs and characters.isdisjoint(needs)) and pattern.search(text)
    }
    if "  " in text:
        found.update(f"{len(run)} spaces in a row" for run in _RUN_OF_SPACES.findall(text))
    start, end = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
    if start:
        found.add(f"{start} characters of space at the start")
    if end:
        found.add(f"{end} characters of space at the end")
    found.update(f"the marks {run[:_LONGEST]}" for run in _MARKS.findall(text))
    found |= _ends(text.strip())
    found |= _numbers(text)
    found |= _letters(text)
    if not text.isascii() or any(character < " " for character in characters):
        found.update(_kind(c) for c in characters if not c.isascii() or (c < " " and c != "\n"))
        found.discard("")
    return found


def _ends(text: str) -> set[str]:
    found = set()
    first, last = (
        _TOKEN.match(text),
        _TOKEN.match(text[::-1]),
    )  # backwards: to search for an end takes n^2 steps
    if first:
        found.add(f"{_BEGINS}{first[0][:_LONGEST].lower()}")
    if last:
        found.add(f"{_ENDS}{last[0][::-1][:_LONGEST].lower()}")
    return found


def _numbers(text: str) -> set[str]:
    found: set[str] = set()
    numbers = set(_NUMBER.findall(text))
    for number in numbers:
        if len(number) > 1:
            found.update(_shapes(min(len(number), _LONGEST + 1), number[0], number[-1]))
    if numbers:
        found.update(f"a number like {_DIGIT.sub('0', n)[:_LONGEST]}" for n in _COMPOSED.findall(text))
    return found


@cache
def _shapes(size: int, first: str, last: str) -> tuple[str, str, str]:
    """Length, beginning and end of a number; none of more digits than are told apart."""
    rest = "_" * (size - 1)
    return (
        f"a number of {min(size, _LONGEST)} digits",
        f"a number like {first}{rest}",
        f"a number like {rest}{last}",
    )


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
