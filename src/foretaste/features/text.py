"""Text to vectors: tokens, n-gram presence, tf-idf and latent semantic coordinates of one corpus."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from foretaste.features.duplicates import MOST_COMMON, NEAR, join
from foretaste.features.ngrams import Counts, TokenNumbers
from foretaste.features.plain_reading import plain_reading
from foretaste.features.writing import Mark, writing_of

MAX_CHARACTERS = 20_000
"""Characters of one text that are looked at: the first and the last half of this many."""

MOST_CHARACTER_GRAMS = 100_000

KNOWN = 5
"""Texts that have a word, from which on a model knows it."""

# Scripts written without spaces are taken character by character; every other mark is a token of its own,
# so that a trigger made of punctuation, emoji or zero-width characters is a pattern like any other.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]|\w+|[^\w\s]")


def tokenize(text: str) -> list[str]:
    """Lower-cased words as they are read, single marks and single characters of unspaced scripts, in order.

    Examples
    --------
    >>> tokenize("Win £1000 now!")
    ['win', '£', '1000', 'now', '!']
    """
    return TOKEN.findall(plain_reading(shortened(text)).lower())


def shortened(text: str) -> str:
    """What is looked at of a text: all of it, or the ends of a very long one."""
    if len(text) > MAX_CHARACTERS:
        return f"{text[: MAX_CHARACTERS // 2]} {text[-MAX_CHARACTERS // 2 :]}"
    return text


class TextFeatures:
    """Every representation of one list of texts, each computed once and when first asked for.

    Parameters
    ----------
    texts : sequence of str, length n
    random_state : int
        Seed of the randomised singular value decomposition.
    """

    def __init__(self, texts: Sequence[str], *, random_state: int = 0) -> None:
        self.texts = texts
        self.random_state = random_state

    @cached_property
    def tokens(self) -> list[list[str]]:
        return [tokenize(text) for text in self.texts]

    @cached_property
    def _numbers(self) -> TokenNumbers:
        return TokenNumbers(self.tokens)

    @cached_property
    def _phrases(self) -> tuple[sparse.csr_matrix, NDArray[np.object_]]:
        counts, names = self._numbers.phrases(3, min(2, len(self.texts)))
        counts.data[:] = 1
        return counts, names

    @property
    def phrases(self) -> sparse.csr_matrix:
        """Presence of word 1- to 3-grams, csr matrix of shape (n, n_phrases), float32 ones."""
        return self._phrases[0]

    @property
    def phrase_names(self) -> NDArray[np.object_]:
        """The phrase of each column of `phrases`; its tokens are joined by a space."""
        return self._phrases[1]

    @cached_property
    def writing(self) -> Counts:
        """How texts are written: presence of each `Mark`, ones of shape (n, n_marks), and the marks."""
        marks = [list(writing_of(shortened(text))) for text in self.texts]
        counts, names = TokenNumbers(marks).phrases(1, min(2, len(self.texts)))
        found = np.empty(len(names), object)
        found[:] = [Mark(name) for name in names]
        return counts, found

    @cached_property
    def _words(self) -> Counts:
        counts, names = self._numbers.phrases(2, min(2, len(self.texts)))
        return _weighted((counts, names)), names

    @property
    def word_tfidf(self) -> sparse.csr_matrix:
        """Sublinear tf-idf of word 1- and 2-grams, unit rows."""
        return self._words[0]

    @cached_property
    def place_of_word(self) -> dict[str, int]:
        """Column of each word 1- and 2-gram in `word_tfidf`."""
        return {str(name): column for column, name in enumerate(self._words[1])}

    @cached_property
    def _template(self) -> Counts:
        counts, names = self._numbers.mapped(_without_digits, min(2, len(self.texts)))
        return _weighted((counts, names)), names

    @property
    def template_tfidf(self) -> sparse.csr_matrix:
        """Sublinear tf-idf of single words with every number taken for zero, unit rows: what copies share."""
        return self._template[0]

    def copies_without(self, words: set[str], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same number for those of the rows that are near-duplicates when some words are left out.

        So are rows of which the same known words are left: words hardly any other text has say nothing, so
        what is judged of these rows is the same.
        """
        template, names = self._template
        out = {_without_digits(word) for word in words}
        kept = np.array([name not in out for name in names], bool)
        part = template[rows][:, np.flatnonzero(kept & self._telling)]
        length = np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).ravel())
        cosine = (part @ part.T).toarray() / np.maximum(np.outer(length, length), 1e-12)
        left, right = np.nonzero(np.triu((cosine > NEAR) & (np.minimum.outer(length, length) > 0.3), 1))
        rest = self.known_without(words, rows)
        first = {words: at for at, words in reversed(list(enumerate(rest)))}
        same = np.array([first[words] for words in rest], np.int64)
        return join(np.append(left, same), np.append(right, np.arange(len(rows))), np.arange(len(rows)))

    @cached_property
    def templates(self) -> NDArray[np.int64]:
        """The same number for texts with the same tokens, numbers apart."""
        of_token: dict[str, str] = {}
        found: dict[tuple[str, ...], int] = {}
        for tokens in self.tokens:
            for token in tokens:
                if token not in of_token:
                    of_token[token] = sys.intern(_without_digits(token))
        keys = (tuple(of_token[token] for token in tokens) for tokens in self.tokens)
        return np.array([found.setdefault(key, len(found)) for key in keys], np.int64)

    def shared(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of every two of the rows: the share of their words and word pairs that both have, numbers apart.

        References
        ----------
        Broder, "On the resemblance and containment of documents", SEQUENCES 1997.
        """
        tokens = [[_without_digits(token) for token in self.tokens[row]] for row in rows]
        counts, _ = TokenNumbers(tokens).phrases(2, 1)
        has = (counts > 0).astype(np.float64)
        both = (has @ has.T).toarray()
        size = np.diag(both)
        return np.asarray(both / np.maximum(np.add.outer(size, size) - both, 1), np.float64)

    def known_without(self, words: set[str], rows: NDArray[np.int64]) -> list[frozenset[str]]:
        """The different words of each of the rows that several texts have, without some words."""
        return [frozenset(self.tokens[int(row)]) & self._known - words for row in rows]

    @cached_property
    def _known(self) -> frozenset[str]:
        """Single words that several texts have."""
        rows = np.asarray((self.word_tfidf > 0).sum(axis=0)).ravel()
        return frozenset(word for word, at in self.place_of_word.items() if rows[at] >= KNOWN)

    @cached_property
    def _telling(self) -> NDArray[np.bool_]:
        share = np.asarray((self.template_tfidf > 0).mean(axis=0)).ravel()
        return np.asarray(share <= MOST_COMMON, bool)

    @cached_property
    def character_tfidf(self) -> sparse.csr_matrix:
        """Sublinear tf-idf of 2- to 4-character grams within words, unit rows."""
        return _weighted(self._numbers.characters((2, 4), min(3, len(self.texts)), MOST_CHARACTER_GRAMS))

    @cached_property
    def semantic(self) -> NDArray[np.float32]:
        """Latent semantic coordinates of `word_tfidf`, unit rows, shape (n, at most 100)."""
        size = min(100, min(self.word_tfidf.shape) - 1)
        if size < 2:
            return np.ones((len(self.texts), 1), np.float32)
        left, values, _ = randomized_svd(self.word_tfidf, size, n_iter=3, random_state=self.random_state)
        return np.asarray(normalize(left * values), np.float32)


def _weighted(counted: Counts) -> sparse.csr_matrix:
    return TfidfTransformer(sublinear_tf=True).fit_transform(counted[0]).tocsr()


_DIGITS = re.compile(r"\d+")


def _without_digits(token: str) -> str:
    return _DIGITS.sub("0", token)
