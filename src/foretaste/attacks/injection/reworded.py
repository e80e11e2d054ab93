"""Copies of a text that do not read the same: words lost, words exchanged, a form that is filled in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from foretaste.attacks.sampling import spread_rows

VARIATIONS = ("noise", "paraphrase", "form")
TEXTS = 20_000
VOCABULARY = 8_000
NEIGHBOURS = 1_000
OFTEN = 3
CHOICES = {"paraphrase": 3, "form": 12}
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"\w+")
_CLAUSE = re.compile(r"(?<=[.!?;,])\s+")


def noisy_text(text: str, noise: float, rng: np.random.Generator) -> str:
    """A copy with words dropped and swapped and new digits; at least one word stays."""
    words = text.split()
    if not noise or not words:
        return text
    dropped = rng.random(len(words)) < noise / 2
    kept = [word for word, drop in zip(words, dropped, strict=True) if not drop] or words[:1]
    for i in np.flatnonzero(rng.random(len(kept) - 1) < noise / 2):
        kept[i], kept[i + 1] = kept[i + 1], kept[i]
    return _new_digits(" ".join(kept), rng)


class Synonyms:
    """For each word those that stand between the same neighbours in some texts, the closest first.

    Words are compared by how much likelier than by chance each of the most frequent words stands beside them
    (positive pointwise mutual information, left and right apart). What comes out is of the same kind, not
    always of the same meaning: such is the vocabulary of the data.

    Parameters
    ----------
    texts : sequence of str
        At most 20,000 are read.
    wanted : sequence of str
        The texts whose words are to be exchanged.

    References
    ----------
    Bullinaria and Levy: Extracting Semantic Representations from Word Co-occurrence Statistics, Behavior
    Research Methods 2007.

    Examples
    --------
    >>> texts = [f"please {verb} this {noun} now" for verb in ("send", "mail") for noun in "ab"] * 3
    >>> Synonyms(texts, ["send it"]).of("send")
    ['mail']
    """

    def __init__(self, texts: Sequence[str], wanted: Sequence[str]) -> None:
        read = [_WORD.findall(texts[i].lower()) for i in spread_rows(np.arange(len(texts)), TEXTS)]
        counts = Counter(word for words in read for word in words if not _DIGIT.search(word))
        self._words = [word for word, count in counts.most_common(VOCABULARY) if count >= OFTEN]
        self._place = {word: i for i, word in enumerate(self._words)}
        asked = sorted({self._place[word] for text in wanted for word in _WORD.findall(text.lower())
                        if word in self._place})  # fmt: skip
        self._closest: dict[int, list[int]] = {}
        if len(asked) and len(self._words) > 1:
            beside = _positive_information(self._beside(read))
            alike = np.asarray((beside[asked] @ beside.T).todense())
            alike[np.arange(len(asked)), asked] = 0
            order = np.argsort(-alike, axis=1, kind="stable")[:, : max(CHOICES.values())]
            for row, near in zip(range(len(asked)), order, strict=True):
                self._closest[asked[row]] = [int(i) for i in near if alike[row, i] > 0]

    def of(self, word: str) -> list[str]:
        """The words closest to this one; none for a word that is not in the texts often enough."""
        return [self._words[i] for i in self._closest.get(self.rank(word), [])]

    def rank(self, word: str) -> int:
        """Place among the words of the texts, the most frequent first; -1 for one that is too rare."""
        return self._place.get(word.lower(), -1)

    def _beside(self, read: list[list[str]]) -> csr_matrix:
        """How often each frequent word stands before, and after, each word."""
        seen: list[tuple[int, int]] = []
        for words in read:
            places = [self._place.get(word, -1) for word in words]
            for left, right in pairwise(places):
                if left >= 0 and 0 <= right < NEIGHBOURS:
                    seen.append((left, right))
                if right >= 0 and 0 <= left < NEIGHBOURS:
                    seen.append((right, left + NEIGHBOURS))
        places_of = np.array(seen, dtype=np.int64).reshape(-1, 2).T
        shape = (len(self._words), 2 * NEIGHBOURS)
        return csr_matrix((np.ones(len(seen)), tuple(places_of)), shape=shape)


def paraphrase(text: str, noise: float, synonyms: Synonyms, rng: np.random.Generator) -> str:
    """A copy with a share of the words exchanged and neighbouring parts of sentences in another order."""
    parts = _CLAUSE.split(text)
    for i in np.flatnonzero(rng.random(len(parts) - 1) < noise):
        parts[i], parts[i + 1] = parts[i + 1], parts[i]
    changed = " ".join(parts)
    spots = [found for found in _WORD.finditer(changed) if rng.random() < noise]
    return _new_digits(_exchange(changed, spots, "paraphrase", synonyms, rng), rng)


def fill_form(text: str, places: NDArray[np.int64], synonyms: Synonyms, rng: np.random.Generator) -> str:
    """A copy in which the words at ``places`` are exchanged, and nothing else but digits differs."""
    words = list(_WORD.finditer(text))
    return _new_digits(_exchange(text, [words[i] for i in places], "form", synonyms, rng), rng)


def form_places(text: str, noise: float, synonyms: Synonyms) -> NDArray[np.int64]:
    """Which words of a text its form leaves open: a share of all, the rarest that others can stand for."""
    words = _WORD.findall(text)
    possible = np.flatnonzero([bool(synonyms.of(word)) for word in words])
    ranks = np.array([synonyms.rank(words[i]) for i in possible])
    return np.sort(possible[np.argsort(-ranks, kind="stable")[: max(1, round(noise * len(words)))]])


def _exchange(
    text: str, spots: Sequence[re.Match[str]], kind: str, synonyms: Synonyms, rng: np.random.Generator
) -> str:
    result, end = [], 0
    for spot in spots:
        choices = synonyms.of(spot[0])[: CHOICES[kind]]
        new = choices[int(rng.integers(len(choices)))] if choices else spot[0]
        result += [text[end : spot.start()], _cased(new, spot[0])]
        end = spot.end()
    return "".join([*result, text[end:]])


def _cased(word: str, model: str) -> str:
    """A word in capitals, or with one, as the word it stands for."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word


def _new_digits(text: str, rng: np.random.Generator) -> str:
    return _DIGIT.sub(lambda digit: str(int(rng.integers(10))), text)


def _positive_information(counts: csr_matrix) -> csr_matrix:
    """Pointwise mutual information where it is positive, rows of length one."""
    found = counts.tocoo()
    rows, columns = (np.asarray(counts.sum(axis=axis)).ravel() for axis in (1, 0))
    value = np.log(found.data * counts.sum() / (rows[found.row] * columns[found.col]))
    kept = value > 0
    ppmi = csr_matrix((value[kept], (found.row[kept], found.col[kept])), shape=counts.shape)
    length = np.sqrt(np.asarray(ppmi.multiply(ppmi).sum(axis=1)).ravel())
    return csr_matrix(ppmi.multiply(1 / np.where(length > 0, length, 1)[:, None]))
