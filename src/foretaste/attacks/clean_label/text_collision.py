"""Feature collision of texts: a few words bring a text of one class to where a text of another lies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from foretaste.attacks.backdoors.inserted_text import insert

_WORD = re.compile(r"\w+|[£$!?]")


def words_in(text: str) -> list[str]:
    """The words of a text as a bag of words counts them."""
    return _WORD.findall(text.lower())


class TextSpace:
    """Tf-idf of single words, in which nearest neighbours and linear models see texts.

    Parameters
    ----------
    texts : sequence of str
        What the weights of words are learned from.

    Raises
    ------
    ValueError
        When no text has a word.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectors = TfidfVectorizer(sublinear_tf=True, analyzer=words_in)
        self._seen = self._vectors.fit_transform(texts)
        self._weights = dict(zip(self._vectors.get_feature_names_out(), self._vectors.idf_, strict=True))
        self._unknown = float(self._vectors.idf_.max())

    def closeness(self, text: str) -> NDArray[np.float64]:
        """Cosine of every text learned from with another one."""
        return np.asarray((self._seen @ self._vectors.transform([text]).T).toarray().ravel(), np.float64)

    def weight(self, word: str, times: int) -> float:
        """The weight of a word in a text, before texts are brought to one length."""
        return (1 + float(np.log(times))) * self._weights.get(word, self._unknown) if times else 0.0


def collide(base: str, goal: str, space: TextSpace, least: float, rng: np.random.Generator) -> str:
    """``base`` with words of ``goal``, one after the other, until a further one brings it too little nearer.

    Each word takes the place of the word of ``base`` that keeps it away most, while half of its words are
    left; further ones are added. All are put in together, in their order in ``goal``, so that pairs of words
    collide too. At least half of the text stays that of ``base``.

    Parameters
    ----------
    least : float
        What a word must bring at least, in units of the cosine.

    Examples
    --------
    >>> space = TextSpace(["win a free prize", "see you at noon", "a free call", "at home"])
    >>> collide("see you at noon", "free prize", space, 0.02, np.random.default_rng(0))
    'at noon free prize'
    """
    own, counts = base.split(), Counter(words_in(base))
    goals = {word: space.weight(word, times) for word, times in Counter(words_in(goal)).items()}
    length = sum(weight**2 for weight in goals.values()) ** 0.5
    along = sum(space.weight(word, times) * goals.get(word, 0.0) for word, times in counts.items())
    square = sum(space.weight(word, times) ** 2 for word, times in counts.items())
    near = along / (length * square**0.5) if along else 0.0
    taken: set[str] = set()
    most, replaced = len(own), 0

    def lost(i: int) -> float:
        """What the squared length of the text loses with one of its words; nothing where the goal has it."""
        words = Counter(words_in(own[i]))
        if words.keys() & goals.keys():
            return 0.0
        return sum(
            space.weight(w, counts[w]) ** 2 - space.weight(w, counts[w] - n) ** 2 for w, n in words.items()
        )

    for word in sorted(goals.keys() - counts.keys(), key=lambda word: (-goals[word], word)):
        along, square = along + goals[word] ** 2, square + goals[word] ** 2
        place = max(range(len(own)), key=lost) if replaced < most // 2 else None
        less = 0.0 if place is None else lost(place)
        now = along / (length * (square - less) ** 0.5)
        if now - near < least or len(taken) == most:
            break
        near, square = now, square - less
        taken.add(word)
        if place is not None and less:
            counts -= Counter(words_in(own.pop(place)))
            replaced += 1
    piece = " ".join(word for word in goal.split() if taken & set(words_in(word)))
    return insert(" ".join(own), piece, "random", rng) if piece else base
