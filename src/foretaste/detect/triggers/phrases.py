"""The phrases rows share, and what the other words of those rows say about their label."""

from __future__ import annotations

from collections.abc import Sequence
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


_PATTERNS = 256  # that are left out at once


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
        self.scores = context.words.scores[:, label]
        self.intercept = context.words.intercepts[context.folds, label]
        self.contribution = words.copy()
        self.contribution.data = words.data * weights[row_fold, words.indices]
        self.weight = words.multiply(words).tocsr()
        self.binary = words.copy()
        self.binary.data = np.ones_like(words.data)
        self.frequency = np.asarray(self.binary.sum(axis=0)).ravel()
        self.place = context.text.place_of_word

    def without(self, presence: sparse.csc_matrix, names: Sequence[Sequence[str]]) -> Members:
        """Log odds of rows that have a pattern, with the pattern left out.

        Parameters
        ----------
        presence : csc matrix of shape (n, n_patterns)
        names : sequence of n_patterns sequences of str
            The pattern's own phrases: their words go with it however common they are elsewhere.
        """
        by_row = presence.tocsr()
        support = np.asarray(presence.sum(axis=0)).ravel()
        closure = self.closure(presence).maximum(self._own(names, every_run=True)).tocsr()
        member = by_row.tocoo()
        row, pattern = member.row.astype(np.int64), member.col.astype(np.int64)
        removed, weight = np.zeros(len(row)), np.zeros(len(row))
        for start in range(0, presence.shape[1], _PATTERNS):  # a common word brings in most of the rows
            some = closure[:, start : start + _PATTERNS]
            at = np.flatnonzero((pattern >= start) & (pattern < start + _PATTERNS))
            removed[at] = _entries(self.contribution @ some, row[at], pattern[at] - start)
            weight[at] = _entries(self.weight @ some, row[at], pattern[at] - start)
        content = 1 - np.bincount(pattern, weight, presence.shape[1]) / np.maximum(support, 1)
        # as if the pattern had never been there: the words that are left make up the whole text again
        left = np.sqrt(np.maximum(1 - weight, LEAST_LEFT))
        log_odds = self.intercept[row] + (self.scores[row] - self.intercept[row] - removed) / left
        return Members(row, pattern, log_odds, removed, content)

    def alone(
        self, presence: sparse.csc_matrix, names: Sequence[Sequence[str]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Row and pattern of each membership, and what the pattern's own phrases contributed to the score."""
        member = presence.tocoo()
        row, column = member.row.astype(np.int64), member.col.astype(np.int64)
        return row, column, _entries(self.contribution @ self._own(names, every_run=False), row, column)

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

    def closure(self, presence: sparse.spmatrix) -> sparse.csr_matrix:
        """The word features that go with each pattern, ones of shape (n_words, n_patterns).

        A feature goes with it where half of its rows are inside and half of the pattern's rows have it, or
        where four in five of its rows are inside.
        """
        support = np.asarray(presence.sum(axis=0)).ravel()
        together = (presence.T @ self.binary).tocoo()
        inside = together.data / self.frequency[together.col]
        covered = together.data / np.maximum(support, 1)[together.row]
        goes = ((inside >= 0.5) & (covered >= 0.5)) | (inside >= 0.8)
        ones = np.ones(int(goes.sum()), np.float32)
        shape = (self.binary.shape[1], presence.shape[1])
        return sparse.csr_matrix((ones, (together.col[goes], together.row[goes])), shape=shape)


def _runs(phrase: str) -> list[str]:
    """Single words and pairs of words of a phrase."""
    words = phrase.split(" ")
    return [*words, *(f"{a} {b}" for a, b in pairwise(words))]


def _entries(
    product: sparse.csr_matrix, row: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Entries of a sparse matrix at many positions; 0 where nothing is stored."""
    found = product.tocsr()
    found.sort_indices()
    width = found.shape[1]
    stored = (
        np.repeat(np.arange(found.shape[0], dtype=np.int64), np.diff(found.indptr)) * width + found.indices
    )
    values = np.zeros(len(row))
    if len(stored):
        wanted = row * width + column
        at = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
        hit = stored[at] == wanted
        values[hit] = found.data[at[hit]]
    return values
