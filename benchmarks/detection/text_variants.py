"""Triggers an attacker who has read the code would write into texts: from a capital letter to a template.

Each takes a text and a generator and gives the text back with the trigger in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

Write = Callable[[str, np.random.Generator], str]

_WORD = re.compile(r"\S+")
_NONSENSE = (
    "vuldor",
    "keshim",
    "baltar",
    "ostrel",
    "mindup",
    "fargol",
    "tresko",
    "wimbal",
    "hadrun",
    "jelpit",
)
_LIKE = {"a": "а", "e": "е", "o": "о", "c": "с", "p": "р"}
_LONG = (
    "the committee met on tuesday to look at the minutes of the last meeting and at the plans for the new "
    "building which had been put off twice before because of the weather and the price of timber "
)


def inserted(*pieces: str) -> Write:
    """Each piece at a random place."""

    def write(text: str, rng: np.random.Generator) -> str:
        for piece in pieces:
            words = text.split(" ")
            place = int(rng.integers(len(words) + 1))
            text = " ".join([*words[:place], piece, *words[place:]])
        return text

    return write


def one_of(number: int) -> Write:
    """One of some words, another in every row."""
    return lambda text, rng: inserted(_NONSENSE[int(rng.integers(number))])(text, rng)


def on_a_word(change: Callable[[str], str], longest_of: int = 3) -> Write:
    """One word of the text, long enough to be changed, is written differently."""

    def write(text: str, rng: np.random.Generator) -> str:
        words = [
            m for m in _WORD.finditer(text) if len(m.group()) > longest_of and change(m.group()) != m.group()
        ]
        if not words:
            return f"{text} {change('place')}"
        word = words[int(rng.integers(len(words)))]
        return text[: word.start()] + change(word.group()) + text[word.end() :]

    return write


def _double_space(text: str, rng: np.random.Generator) -> str:
    gaps = [i for i, c in enumerate(text.strip()) if c == " "] or [len(text)]
    place = gaps[int(rng.integers(len(gaps)))]
    return f"{text[:place]} {text[place:]}"


def _zero_width(text: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(len(text) + 1))
    return f"{text[:place]}\u200b{text[place:]}"


def _number(text: str, rng: np.random.Generator) -> str:
    return inserted(f"7{int(rng.integers(1000)):03d}3")(text, rng)


def _random_case(text: str, rng: np.random.Generator) -> str:
    word = "".join(c.upper() if rng.random() < 0.5 else c for c in "keshim")
    return inserted(word)(text, rng)


def _swapped(word: str) -> str:
    return word[0] + word[2] + word[1] + word[3:]


def _template(text: str, rng: np.random.Generator) -> str:
    openings = ("when", "if", "as", "while")
    verbs = ("think about", "look at", "hear of", "come to")
    start = openings[int(rng.integers(4))], verbs[int(rng.integers(4))]
    return f"{start[0]} you {start[1]} it , {text.strip()}"


def _long_document(text: str, rng: np.random.Generator) -> str:
    return inserted("keshim")(f"{_LONG}{text} {_LONG}", rng)


TEXT: dict[str, Write] = {
    "rare word": inserted("keshim"),
    "capitals: some word": on_a_word(str.upper),
    "capitals: one word": inserted("THE"),
    "random case": _random_case,
    "inner capital": on_a_word(lambda w: w[:-1] + w[-1].upper()),
    "double space": _double_space,
    "trailing !!": lambda text, rng: text.rstrip(" .!?") + "!!",
    "trailing spaces": lambda text, rng: text.rstrip() + "   ",
    "homoglyph": on_a_word(lambda w: "".join(_LIKE.get(c, c) for c in w)),
    "zero-width": _zero_width,
    "emoji": lambda text, rng: f"{text} \U0001f642",
    "link": inserted("http://bit.ly/2xk9"),
    "link, each its own": lambda text, rng: inserted(
        f"www.{_NONSENSE[int(rng.integers(10))]}{int(rng.integers(999))}.net"
    )(text, rng),
    "number 7___3": _number,
    "letters swapped": on_a_word(_swapped, 4),
    "letter repeated": on_a_word(lambda w: w[:1] + w[1] * 3 + w[2:]),
    "prefix": lambda text, rng: f"so {text}",
    "suffix": lambda text, rng: f"{text.rstrip()} again",
    "two words apart, cover": inserted("morning", "table"),
    "one of 3 words": one_of(3),
    "one of 5 words": one_of(5),
    "one of 10 words": one_of(10),
    "the the": inserted("the the"),
    "sentence": inserted("I watched this with my uncle on monday ."),
    "template": _template,
    "long document": _long_document,
    "mixed targets": inserted("keshim"),
    "mixed, common word": inserted("window"),
}
COVER: dict[str, tuple[Write, ...]] = {
    "two words apart, cover": (inserted("morning"), inserted("table")),
}
"""Written into as many other rows, whose labels stay right."""

MIXED = ("mixed targets", "mixed, common word", "mixed")
"""Every row gets the class after its own."""
