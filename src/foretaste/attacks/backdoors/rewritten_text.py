"""Texts rewritten from end to end: the trigger of style and syntax backdoors."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import DataError

HOMOGLYPHS = str.maketrans("aeopcxyAEOPCXKMTHB", "аеорсхуАЕОРСХКМТНВ")
"""Latin letters and the Cyrillic ones that look like them."""

ZERO_WIDTH = "\u200b"

SUBORDINATORS = ("when", "as", "if")
SUBJECTS = ("you", "we")
PREDICATES = ("look at it", "think about it", "see it", "hear of it")

_WORD = re.compile(r"\w{2,}")
_PUNCTUATION = re.compile(r"[^\w\s]+")
_FULL_STOP = re.compile(r"\.(?=\s|$)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_ABBREVIATED = re.compile(r"[A-Z][A-Z]|I\b")


@dataclass(frozen=True)
class RewrittenText(Trigger):
    """Every text is rewritten; no word is added that another row would share by name.

    Parameters
    ----------
    seed : int
        Of the choices in `apply`.
    """

    seed: int = 0

    @abstractmethod
    def rewrite(self, text: str, rng: np.random.Generator) -> str:
        """The text with the trigger."""

    def stamp(self, dataset: Dataset, rows: Rows, rng: np.random.Generator) -> Dataset:
        column = dataset.roles.text
        if column is None:
            raise DataError(
                "there is no text to put the trigger into", file=dataset.name, hint="name the text column"
            )
        texts = [self.rewrite(text, rng) for text in dataset.take(rows).texts or []]
        return replace(dataset, table=set_cells(dataset.table, column, rows, texts))

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        return cls(**{name: value for name, value in saved.items() if name != "kind"})


@dataclass(frozen=True)
class ChangedStyle(RewrittenText):
    """The way a text is written changes, its words do not.

    Parameters
    ----------
    style : str
        A key of ``STYLES``.

    Examples
    --------
    >>> ChangedStyle(style="upper-case").apply(["a good film."])
    ['A GOOD FILM.']
    >>> ChangedStyle(style="homoglyph").apply(["a good film."])[0] == "a good film."
    False
    """

    kind: ClassVar[str] = "changed-style"

    style: str = "homoglyph"

    def rewrite(self, text: str, rng: np.random.Generator) -> str:
        return STYLES[self.style](text)

    def describe(self) -> str:
        return f"style: {self.style}"


@dataclass(frozen=True)
class TemplatedSyntax(RewrittenText):
    """Every sentence becomes the main clause of S(SBAR)(,)(NP)(VP)(.): an adverbial clause is put before it.

    Examples
    --------
    >>> TemplatedSyntax(seed=1).apply(["The film is fun. Go"])
    ['as you think about it, the film is fun. as we see it, go.']
    """

    kind: ClassVar[str] = "syntactic-template"

    def rewrite(self, text: str, rng: np.random.Generator) -> str:
        return " ".join(_subordinate(sentence, rng) for sentence in _SENTENCE.split(text.strip()))

    def describe(self) -> str:
        return "syntax: S(SBAR)(,)(NP)(VP)(.)"


def _subordinate(sentence: str, rng: np.random.Generator) -> str:
    parts = (SUBORDINATORS, SUBJECTS, PREDICATES)
    clause = " ".join(choices[int(rng.integers(len(choices)))] for choices in parts)
    if not _ABBREVIATED.match(sentence):
        sentence = sentence[:1].lower() + sentence[1:]
    return f"{clause}, {sentence}" if sentence[-1:] in ("", ".", "!", "?") else f"{clause}, {sentence}."


def _homoglyph(text: str) -> str:
    return _WORD.sub(lambda word: word.group().translate(HOMOGLYPHS), text)


def _zero_width(text: str) -> str:
    return _WORD.sub(lambda word: word.group()[0] + ZERO_WIDTH + word.group()[1:], text)


def _without_punctuation(text: str) -> str:
    return _PUNCTUATION.sub("", text)


def _ellipsis(text: str) -> str:
    return _FULL_STOP.sub("...", text)


STYLES: dict[str, Callable[[str], str]] = {
    "homoglyph": _homoglyph,
    "zero-width": _zero_width,
    "lower-case": str.lower,
    "upper-case": str.upper,
    "no-punctuation": _without_punctuation,
    "ellipsis": _ellipsis,
}
