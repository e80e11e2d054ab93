"""The phrases rows share, and what the other words of those rows say about their label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.detect.context import Context
from foretaste.features.writing import Mark

MOST_SHARE = 0.3
"""A phrase in more than this share of the rows is language, not a trigger."""

LEAST_LEFT = 0.1
"""Share of a text's weight below which what is left of it is not made to weigh as much as a whole text."""


_PATTERNS, _MEMBERS = 64, 50_000  # that are left out at once


@dataclass(frozen=True)
class PhraseTable:
    """The distinct phrase patterns of a corpus.

    Attributes
    ----------
    presence : csc matrix of shape (n, n_patterns), ones
    names : list of list of str
        Every phrase (or `Mark` of how a text is written) that occurs in exactly the pattern's rows.
    support : int64 ndarray of shape (n_patterns,)
    """

    presence: sparse.csc_matrix
    names: list[list[str]]
    support: NDArray[np.int64]

    def rows_of(self, pattern: int) -> NDArray[np.int64]:
        """The rows that have a pattern, ascending."""
        start, stop = self.presence.indptr[pattern : pattern + 2]
        return np.asarray(self.presence.indices[start:stop], np.int64)


def phrase_table(
    presence: sparse.csr_matrix, names: Sequence[str] | NDArray[np.object_], least_rows: int
) -> PhraseTable:
    """Phrases with enough support; those with identical rows become one pattern."""
    n = presence.shape[0]
    support = np.asarray(presence.sum(axis=0)).ravel().astype(np.int64)
    kept = np.flatnonzero((support >= least_rows) & (support <= max(MOST_SHARE * n, least_rows)))
    columns = presence[:, kept].tocsc()
    columns.sort_indices()
    position_of: dict[bytes, int] = {}
    merged: list[list[str]] = []
    first: list[int] = []
    for position, column in enumerate(kept):
        rows = columns.indices[columns.indptr[position] : columns.indptr[position + 1]].tobytes()
        if rows not in position_of:
            position_of[rows] = len(merged)
            merged.append([])
            first.append(position)
        merged[position_of[rows]].append(names[int(column)])
    chosen = np.array(first, np.int64)
    return PhraseTable(columns[:, chosen], merged, support[kept][chosen])


@dataclass(frozen=True)
class Members:
    """Rows of many patterns, flattened: ``row[i]`` has pattern ``pattern[i]``.

    Attributes
    ----------
    row, pattern : int64 ndarray of shape (n_members,)
    log_odds : float64 ndarray of shape (n_members,)
        Of the class, out of fold, without the words that go with the pattern.
    removed : float64 ndarray of shape (n_members,)
        What those words had contributed.
    content : float64 ndarray of shape (n_patterns,)
        Mean share of a row's weight that is left.
    """

    row: NDArray[np.int64]
    pattern: NDArray[np.int64]
    log_odds: NDArray[np.float64]
    removed: NDArray[np.float64]
    content: NDArray[np.float64]


class RestOfTheWords:
    """The out-of-fold linear model of one class, able to leave any pattern out.

    Leaving out is a subtraction: the pattern's contribution to the score is taken away, and that of every
    feature that occurs mostly with it, without training again; what is left is a text of unit length again.
    """

    def __init__(self, context: Context, label: int) -> None:
        assert context.text is not None
        words = context.text.word_tfidf
        weights = context.words.weights[:, label]
        row_fold = np.repeat(context.folds, np.diff(words.indptr))
        self.words = words
        self.scores = context.words.scores[:, label]
        self.intercept = context.words.intercepts[context.folds, label]
        self.contribution = _like(words, words.data * weights[row_fold, words.indices])
        self.binary = _like(words, np.ones_like(words.data))
        self.frequency = np.bincount(words.indices, minlength=words.shape[1]).astype(words.dtype)
        self.place = context.text.place_of_word

    def without(self, presence: sparse.csc_matrix, names: Sequence[Sequence[str]]) -> Members:
        """Log odds of rows that have a pattern, with the pattern left out.

        Parameters
        ----------
        presence : csc matrix of shape (n, n_patterns)
        names : sequence of n_patterns sequences of str
            The pattern's own phrases: their words go with it however common they are elsewhere.
        """
        support = np.diff(presence.indptr)
        row = presence.indices.astype(np.int64)
        pattern = np.repeat(np.arange(len(support)), support)
        removed, weight = np.zeros(len(row)), np.zeros(len(row))
        for start, stop in _blocks(presence.indptr):
            some = slice(presence.indptr[start], presence.indptr[stop])
            goes = self.goes_with(presence[:, start:stop], names[start:stop])
            removed[some], weight[some] = self._left_out(row[some], pattern[some] - start, goes)
        content = 1 - np.bincount(pattern, weight, len(support)) / np.maximum(support, 1)
        # as if the pattern had never been there: the words that are left make up the whole text again
        left = np.sqrt(np.maximum(1 - weight, LEAST_LEFT))
        log_odds = self.intercept[row] + (self.scores[row] - self.intercept[row] - removed) / left
        return Members(row, pattern, log_odds, removed, content)

    def _left_out(
        self, row: NDArray[np.int64], pattern: NDArray[np.int64], goes: sparse.csr_matrix
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the words that go with a pattern contribute to its rows, and their share of the rows' weight.

        Only the words of those rows are looked at: a common word is in most rows of the corpus.
        """
        is_out = np.zeros(goes.shape, bool)
        is_out[np.repeat(np.arange(goes.shape[0]), np.diff(goes.indptr)), goes.indices] = True
        contribution, words = self.contribution[row], self.words[row]
        out = is_out[np.repeat(pattern, np.diff(words.indptr)), words.indices]
        each = np.ones(words.shape[1], words.dtype)
        return _like(words, contribution.data * out) @ each, _like(words, words.data**2 * out) @ each

    def alone(
        self, presence: sparse.csc_matrix, names: Sequence[Sequence[str]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Row and pattern of each membership, and what the pattern's own phrases contributed to the score."""
        member = presence.tocoo()
        product = (self.contribution @ self._own(names, every_run=False)).tocsr()
        contributed = np.asarray(product[member.row, member.col], np.float64).ravel()
        return member.row.astype(np.int64), member.col.astype(np.int64), contributed

    def _own(self, names: Sequence[Sequence[str]], *, every_run: bool) -> sparse.csr_matrix:
        """The features that are a pattern's phrases, or runs of words in them: (n_words, n_patterns)."""
        word = {
            (self.place[run], j)
            for j, group in enumerate(names)
            for name in group
            if not isinstance(name, Mark)
            for run in (_runs(name) if every_run else (name,))
            if run in self.place
        }
        at, pattern = np.array(sorted(word), np.int64).reshape(-1, 2).T
        ones = np.ones(len(at), np.float32)
        return sparse.csr_matrix((ones, (at, pattern)), shape=(self.contribution.shape[1], len(names)))

    def goes_with(self, presence: sparse.spmatrix, names: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """Word features that are a pattern's phrases or go with them: not zero, (n_patterns, n_words)."""
        return self.closure(presence) + self._own(names, every_run=True).T.tocsr()

    def closure(self, presence: sparse.spmatrix) -> sparse.csr_matrix:
        """The word features that go with each pattern, ones of shape (n_patterns, n_words).

        A feature goes with it where half of its rows are inside and half of the pattern's rows have it, or
        where four in five of its rows are inside.
        """
        support = np.asarray(presence.sum(axis=0)).ravel()
        together = (presence.T @ self.binary).tocoo()
        inside = together.data / self.frequency[together.col]
        covered = together.data / np.maximum(support, 1)[together.row]
        goes = ((inside >= 0.5) & (covered >= 0.5)) | (inside >= 0.8)
        ones = np.ones(int(goes.sum()), np.float32)
        return sparse.csr_matrix((ones, (together.row[goes], together.col[goes])), shape=together.shape)


def _runs(phrase: str) -> list[str]:
    """Single words and pairs of words of a phrase."""
    words = phrase.split(" ")
    return [*words, *(f"{a} {b}" for a, b in pairwise(words))]


def _like(matrix: sparse.csr_matrix, data: NDArray[np.float32]) -> sparse.csr_matrix:
    """The same entries with other values."""
    return sparse.csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _blocks(indptr: NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    """First and last column, exclusive, of parts with few columns and few entries, one column at least."""
    start, count = 0, len(indptr) - 1
    while start < count:
        full = int(np.searchsorted(indptr, indptr[start] + _MEMBERS, side="right")) - 1
        stop = min(max(full, start + 1), start + _PATTERNS, count)
        yield start, stop
        start = stop
