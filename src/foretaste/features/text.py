"""Text to vectors: tokens, n-gram presence, tf-idf and latent semantic coordinates of one corpus."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.preprocessing import normalize

MAX_CHARACTERS = 20_000
"""Characters of one text that are looked at: the first and the last half of this many."""

# Scripts written without spaces are taken character by character; every other mark is a token of its own,
# so that a trigger made of punctuation, emoji or zero-width characters is a pattern like any other.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]|\w+|[^\w\s]")


def tokenize(text: str) -> list[str]:
    """Lower-cased words, single marks and single characters of unspaced scripts, in order.

    Examples
    --------
    >>> tokenize("Win £1000 now!")
    ['win', '£', '1000', 'now', '!']
    """
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS // 2]} {text[-MAX_CHARACTERS // 2 :]}"
    return TOKEN.findall(text.lower())


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
    def _phrases(self) -> CountVectorizer:
        # the same tokens serve every matrix: the analyzer is told to take them as they are
        return CountVectorizer(
            analyzer=_word_ngrams(3), min_df=min(2, len(self.texts)), dtype=np.float32, binary=True
        )

    @cached_property
    def phrases(self) -> sparse.csr_matrix:
        """Presence of word 1- to 3-grams, csr matrix of shape (n, n_phrases), float32 ones."""
        return self._phrases.fit_transform(self.tokens).tocsr()

    @cached_property
    def phrase_names(self) -> NDArray[np.object_]:
        """The phrase of each column of `phrases`; its tokens are joined by a space."""
        assert self.phrases is not None
        names: NDArray[np.object_] = self._phrases.get_feature_names_out()
        return names

    @cached_property
    def word_tfidf(self) -> sparse.csr_matrix:
        """Sublinear tf-idf of word 1- and 2-grams, unit rows."""
        counts = CountVectorizer(analyzer=_word_ngrams(2), min_df=min(2, len(self.texts)), dtype=np.float32)
        return TfidfTransformer(sublinear_tf=True).fit_transform(counts.fit_transform(self.tokens)).tocsr()

    @cached_property
    def template_tfidf(self) -> sparse.csr_matrix:
        """Sublinear tf-idf of single words with every number taken for zero, unit rows: what copies share."""
        counts = CountVectorizer(analyzer=_without_digits, min_df=min(2, len(self.texts)), dtype=np.float32)
        return TfidfTransformer(sublinear_tf=True).fit_transform(counts.fit_transform(self.tokens)).tocsr()

    @cached_property
    def character_tfidf(self) -> sparse.csr_matrix:
        """Sublinear tf-idf of 2- to 4-character grams within words, unit rows."""
        vectorizer = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(2, 4),
            sublinear_tf=True,
            min_df=min(3, len(self.texts)),
            max_features=100_000,
            dtype=np.float32,
        )
        return vectorizer.fit_transform([" ".join(tokens) for tokens in self.tokens]).tocsr()

    @cached_property
    def semantic(self) -> NDArray[np.float32]:
        """Latent semantic coordinates of `word_tfidf`, unit rows, shape (n, at most 100)."""
        size = min(100, min(self.word_tfidf.shape) - 1)
        if size < 2:
            return np.ones((len(self.texts), 1), np.float32)
        svd = TruncatedSVD(size, n_iter=3, random_state=self.random_state)
        return np.asarray(normalize(svd.fit_transform(self.word_tfidf)), np.float32)


_DIGITS = re.compile(r"\d+")


def _without_digits(tokens: list[str]) -> list[str]:
    return [_DIGITS.sub("0", token) for token in tokens]


def _word_ngrams(longest: int):  # type: ignore[no-untyped-def]
    def analyze(tokens: list[str]) -> list[str]:
        grams = list(tokens)
        for size in range(2, longest + 1):
            grams.extend(" ".join(tokens[i : i + size]) for i in range(len(tokens) - size + 1))
        return grams

    return analyze
