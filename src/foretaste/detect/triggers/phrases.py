"""Which phrases the rows of a corpus share, and what the words say about the rows that share them without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.detect.context import Context
from foretaste.detect.contradiction import BareReference, one_vote_each
from foretaste.stats.mixture import mixture_evidence

LEAST_ROWS = 6
"""Fewest rows labelled with the target that a pattern needs."""

MOST_SHARE = 0.3
"""A phrase in more than this share of the rows is language, not a trigger."""

LEAST_CONTENT = 0.3
"""Share of a row's weight that must be left once the pattern is taken away; else there is nothing to judge by."""

_CANDIDATES = 2000


@dataclass(frozen=True)
class PhraseTable:
    """The distinct phrase patterns of a corpus.

    Attributes
    ----------
    presence : csc matrix of shape (n, n_patterns)
    names : list of list of str
        Every phrase that occurs in exactly the pattern's rows.
    support : int64 ndarray of shape (n_patterns,)
    """

    presence: sparse.csc_matrix
    names: list[list[str]]
    support: NDArray[np.int64]


def phrase_table(presence: sparse.csr_matrix, names: NDArray[np.object_]) -> PhraseTable:
    """Phrases with enough support, those with identical rows merged into one pattern."""
    n = presence.shape[0]
    support = np.asarray(presence.sum(axis=0)).ravel().astype(np.int64)
    kept = np.flatnonzero((support >= max(LEAST_ROWS, 0.001 * n)) & (support <= MOST_SHARE * n))
    columns = presence[:, kept].tocsc()
    columns.sort_indices()
    first: dict[bytes, int] = {}
    merged: list[list[str]] = []
    for position, column in enumerate(kept):
        rows = columns.indices[columns.indptr[position] : columns.indptr[position + 1]].tobytes()
        if rows in first:
            merged[first[rows]].append(str(names[column]))
        else:
            first[rows] = len(merged)
            merged.append([str(names[column])])
    representatives = np.array([i for i in _first_positions(columns, first)], np.int64)
    return PhraseTable(columns[:, representatives], merged, support[kept][representatives])


def _first_positions(columns: sparse.csc_matrix, first: dict[bytes, int]) -> list[int]:
    positions = [-1] * len(first)
    for position in range(columns.shape[1]):
        slot = first[columns.indices[columns.indptr[position] : columns.indptr[position + 1]].tobytes()]
        if positions[slot] < 0:
            positions[slot] = position
    return positions


@dataclass(frozen=True)
class Candidates:
    """Patterns that lean to one class, with what the rest of their rows says.

    Attributes
    ----------
    label : int
        The class.
    pattern : list
        Per candidate: its position in the `PhraseTable`.
    presence : csc matrix of shape (n, n_candidates)
    log_odds : csc matrix of the same pattern of non-zeros as ``presence``
        Log odds of the class for each member row without the pattern (stored plus `OFFSET`, so that no entry is zero).
    content : float64 ndarray of shape (n_candidates,)
        Mean share of a row's weight left without the pattern.
    reference : BareReference
    own : int64 ndarray
        Rows of the class, in the order of ``reference.bare``.
    log_e, share : float64 ndarray of shape (n_candidates,)
        First judgement, the reference not yet freed of the pattern's own rows.
    """

    label: int
    pattern: NDArray[np.int64]
    presence: sparse.csc_matrix
    log_odds: sparse.csc_matrix
    content: NDArray[np.float64]
    reference: BareReference
    own: NDArray[np.int64]
    log_e: NDArray[np.float64]
    share: NDArray[np.float64]

    def rows(self, candidate: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rows that have the candidate, and their log odds without it."""
        span = slice(self.presence.indptr[candidate], self.presence.indptr[candidate + 1])
        return self.presence.indices[span].astype(np.int64), self.log_odds.data[span] - OFFSET


OFFSET = 1e4


def judge_phrases(context: Context, table: PhraseTable, label: int) -> Candidates:
    """Judge the phrases that lean most to one class."""
    assert context.text is not None
    words = context.text.word_tfidf
    own_rows = context.y == label
    known = context.y >= 0
    prior = own_rows.sum() / max(known.sum(), 1)
    of_class = np.asarray(table.presence.T @ own_rows.astype(np.float32)).ravel()
    lean = (of_class - table.support * prior) / np.sqrt(np.maximum(table.support, 1) * prior * (1 - prior))
    enough = (of_class >= LEAST_ROWS) & (of_class >= min(0.5, 1.5 * prior) * table.support)
    chosen = np.flatnonzero(enough)
    chosen = np.sort(chosen[np.argsort(-lean[chosen], kind="stable")][:_CANDIDATES])
    presence = table.presence[:, chosen].tocsr()

    fold_weights = context.words.weights[:, label]
    contribution = words.copy()
    row_fold = np.repeat(context.folds, np.diff(words.indptr))
    contribution.data = words.data * fold_weights[row_fold, words.indices]
    closure = closures(presence, words, table.support[chosen])
    member = presence.tocoo()
    removed = pick(contribution @ closure, member)
    removed_weight = pick(words.multiply(words) @ closure, member)

    scores = context.words.scores[:, label]
    log_odds = scores[member.row] - removed
    content = 1 - np.bincount(member.col, removed_weight, len(chosen)) / np.maximum(table.support[chosen], 1)
    strongest = np.zeros(len(own_rows))
    readable = content[member.col] >= LEAST_CONTENT
    np.maximum.at(strongest, member.row[readable], removed[readable])
    own = np.flatnonzero(own_rows)
    reference = BareReference((scores - strongest)[own], scores[known & ~own_rows])

    of_own = own_rows[member.row]
    group = member.col[of_own].astype(np.int64)
    votes = one_vote_each(group, context.components[member.row[of_own]])
    found = mixture_evidence(reference.log_ratio(log_odds[of_own]), group, len(chosen), weight=votes)
    kept = sparse.csc_matrix((log_odds + OFFSET, (member.row, member.col)), shape=presence.shape)
    kept.sort_indices()
    by_column = presence.tocsc()
    by_column.sort_indices()
    return Candidates(label, chosen, by_column, kept, content, reference, own, found.log_e, found.share)


def closures(
    presence: sparse.csr_matrix, words: sparse.csr_matrix, support: NDArray[np.int64]
) -> sparse.csr_matrix:
    """Which word features go with each pattern: most of their rows are the pattern's.

    A feature belongs where half of its rows are inside and half of the pattern's rows have it, or where four in five
    of its rows are inside. Shape (n_words, n_patterns), ones.
    """
    binary = words.copy()
    binary.data = np.ones_like(binary.data)
    frequency = np.asarray(binary.sum(axis=0)).ravel()
    together = (presence.T @ binary).tocoo()
    inside = together.data / frequency[together.col]
    covered = together.data / np.maximum(support, 1)[together.row]
    belongs = ((inside >= 0.5) & (covered >= 0.5)) | (inside >= 0.8)
    ones = np.ones(int(belongs.sum()), np.float32)
    shape = (words.shape[1], presence.shape[1])
    return sparse.csr_matrix((ones, (together.col[belongs], together.row[belongs])), shape=shape)


def pick(product: sparse.csr_matrix, member: sparse.coo_matrix) -> NDArray[np.float64]:
    """Entries of a sparse product at the members' positions."""
    found = product.tocsr()
    found.sort_indices()
    values = np.zeros(len(member.row))
    width = product.shape[1]
    product_key = (
        np.repeat(np.arange(product.shape[0], dtype=np.int64), np.diff(found.indptr)) * width + found.indices
    )
    member_key = member.row.astype(np.int64) * width + member.col
    at = np.minimum(np.searchsorted(product_key, member_key), max(len(product_key) - 1, 0))
    if len(product_key):
        hit = product_key[at] == member_key
        values[hit] = found.data[at[hit]]
    return values
