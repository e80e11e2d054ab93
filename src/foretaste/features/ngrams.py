"""Counting n-grams by number: every distinct token is looked at once, the rest is integer arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

Counts = tuple[sparse.csr_matrix, NDArray[np.object_]]
"""Float32 counts of shape (n, n_terms) and the term of each column, in order of text."""


class TokenNumbers:
    """The tokens of a corpus as numbers into the list of its distinct tokens.

    Parameters
    ----------
    tokens : sequence of sequences of str, length n

    Attributes
    ----------
    words : list of str
        Distinct tokens in order of text.
    number, row : int64 ndarray of shape (n_tokens,)
        Of every occurrence: position in ``words`` and position of its text.
    """

    def __init__(self, tokens: Sequence[Sequence[str]]) -> None:
        self.n = len(tokens)
        self.words = sorted(set(chain.from_iterable(tokens)))
        number_of = {word: number for number, word in enumerate(self.words)}
        lengths = np.array([len(some) for some in tokens], np.int64)
        self.row = np.repeat(np.arange(self.n), lengths)
        self.number = np.fromiter(
            map(number_of.__getitem__, chain.from_iterable(tokens)), np.int64, len(self.row)
        )

    def phrases(self, longest: int, min_df: int) -> Counts:
        """Counts of runs of up to ``longest`` tokens, joined by a space, that are in ``min_df`` texts or
        more.
        """
        counts, names = self._frequent(self.row, self.number, self.words.__getitem__, min_df)
        parts, terms = [counts], names
        numbers = self.number
        before: Callable[[int], str] = self.words.__getitem__
        for size in range(2, longest + 1):
            inside = self.row[: len(self.row) - size + 1] == self.row[size - 1 :]
            keys = numbers[: len(inside)] * len(self.words) + self.number[size - 1 :]
            distinct, run = np.unique(keys[inside], return_inverse=True)
            row = self.row[: len(inside)][inside]

            def name(
                number: int, distinct: NDArray[np.int64] = distinct, before: Callable[[int], str] = before
            ) -> str:
                first, last = divmod(int(distinct[number]), len(self.words))
                return f"{before(first)} {self.words[last]}"

            counts, names = self._frequent(row, run, name, min_df)
            parts.append(counts)
            terms = terms + names
            numbers = np.zeros(len(inside), np.int64)
            numbers[inside] = run
            before = name
        return _in_order(parts, terms, self.n)

    def mapped(self, rename: Callable[[str], str], min_df: int) -> Counts:
        """Counts of single tokens after renaming them; those with the same new name are one."""
        renamed = [rename(word) for word in self.words]
        names = sorted(set(renamed))
        number_of = {name: number for number, name in enumerate(names)}
        number = np.array([number_of[name] for name in renamed], np.int64)[self.number]
        counts, terms = self._frequent(self.row, number, names.__getitem__, min_df)
        return _in_order([counts], terms, self.n)

    def characters(self, sizes: tuple[int, int], min_df: int, most: int) -> Counts:
        """Counts of runs of characters within tokens, a space before and after each; the most frequent
        ``most`` of those in ``min_df`` texts or more.
        """
        if not self.words:
            return _in_order([], [], self.n)
        of_word = CountVectorizer(analyzer="char_wb", ngram_range=sizes, lowercase=False, dtype=np.float32)
        try:
            grams = of_word.fit_transform(self.words).tocsr()
        except ValueError:  # nothing but spaces
            return _in_order([], [], self.n)
        ones = np.ones(len(self.row), np.float32)
        texts = sparse.csr_matrix((ones, (self.row, self.number)), shape=(self.n, len(self.words)))
        counts = (texts @ grams).tocsr()
        frequent = np.flatnonzero(np.bincount(counts.indices, minlength=counts.shape[1]) >= min_df)
        if len(frequent) > most:
            total = np.asarray(counts[:, frequent].sum(axis=0)).ravel()
            frequent = np.sort(frequent[np.argsort(-total, kind="stable")[:most]])
        names = of_word.get_feature_names_out()[frequent]
        return _in_order([counts[:, frequent]], names.tolist(), self.n)

    def _frequent(
        self, row: NDArray[np.int64], term: NDArray[np.int64], name: Callable[[int], str], min_df: int
    ) -> tuple[sparse.csr_matrix, list[str]]:
        """Counts of the terms that are in enough texts, and their names."""
        width = int(term.max(initial=-1)) + 1
        counts = sparse.csr_matrix((np.ones(len(row), np.float32), (row, term)), shape=(self.n, width))
        counts.sum_duplicates()
        kept = np.flatnonzero(np.bincount(counts.indices, minlength=width) >= min_df)
        return counts[:, kept], [name(number) for number in kept.tolist()]


def _in_order(parts: list[sparse.csr_matrix], terms: list[str], n: int) -> Counts:
    """The columns side by side, in order of their terms; one empty column where there are none."""
    if not terms:
        return sparse.csr_matrix((n, 1), dtype=np.float32), np.array([""], object)
    names = np.array(terms, object)
    order = np.argsort(names, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    counts = parts[0] if len(parts) == 1 else sparse.hstack(parts, format="csr", dtype=np.float32)
    found = sparse.csr_matrix((counts.data, place[counts.indices], counts.indptr), shape=counts.shape)
    found.sort_indices()
    return found, names[order]
