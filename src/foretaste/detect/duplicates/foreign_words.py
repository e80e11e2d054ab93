"""Texts with one label that share the words of another: what they have in common speaks against them.

Words of one text, put into texts of another class, bring these near it (feature collision). The rest of each
text deserves its label, so that no row is doubted much; but all of them have the same words, foreign to their
class. Copies have one vote: what the rows of a group share is one text, however many they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.detect.context import Context
from foretaste.detect.duplicates.groups import CopyGroups

SHARED = 0.5
"""Share of the rows of a group that must have a word for it to be one of those they share."""

LEAST_WORDS = 5
"""Shared words that other texts have as well; fewer say too little."""

LEAST_OWN = 3
"""Words that half of the rows must have beside those they share: without any they are one text, written often
in the words of another class, as addresses and names of files are by nature."""

FEWEST_TEXTS, MOST_TEXTS = 200, 20_000
"""Other texts of the class that a group is compared with."""

TAIL = 0.05
"""Share of them that show how much more foreign texts become how much rarer."""


@dataclass(frozen=True)
class ForeignWords:
    """A group of texts whose shared words speak for another class.

    Attributes
    ----------
    group : int
        Position among the groups.
    p_value : float
        Of a text of the class that speaks as much for another one, times the groups that were asked.
    log_odds : float
        Of its class against the best other one, by the shared words; below 0.
    texts : int
        Texts of the class it was compared with.
    """

    group: int
    p_value: float
    log_odds: float
    texts: int


def foreign_words(
    context: Context, groups: CopyGroups, label: int, *, random_state: int = 0
) -> list[ForeignWords]:
    """The groups with one label whose shared words speak for another, the most foreign first.

    Groups are asked that have `LEAST_COPIES` rows, lead their component and have words of their own
    (`LEAST_OWN`). Words speak, numbers apart, as in
    naive Bayes that saw neither the text they stand in nor its copies. What a group shares is compared with
    as many words, at random, of other texts of the class; beyond the most foreign of these, texts become
    rarer as the last of them do.

    Parameters
    ----------
    context : Context
        With texts and two classes or more.
    groups : CopyGroups
        Of ``context.components``.
    label : int
    random_state : int
        Seed of the words that stand for a text.

    References
    ----------
    Shafahi et al., "Poison Frogs! Targeted clean-label poisoning attacks on neural networks", NeurIPS 2018.
    Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3 (1975).
    """
    assert context.text is not None
    leading = [(g, rows) for g, rows in groups.members() if groups.label[g] == label and groups.leads[g]]
    if not leading:
        return []
    has = (context.text.template_tfidf > 0).astype(np.float64).tocsr()
    known = np.flatnonzero(groups.of_row >= 0)
    first = known[np.unique(groups.of_row[known], return_index=True)[1]]  # of each group, who votes for it
    votes = _Votes.of_groups(has[first], groups.label, context.n_classes)
    rng = np.random.default_rng(random_state)
    compared = np.sort(rng.permutation(np.flatnonzero(groups.label == label))[:MOST_TEXTS])
    texts = has[first[compared]]
    place = _places_at_random(texts, rng)
    weights = votes.log_odds(label, np.ones(has.shape[1]))
    found = []
    for group, rows in leading:
        if _words_apart([set(context.text.tokens[row]) for row in rows.tolist()]) < LEAST_OWN:
            continue
        shared = np.flatnonzero(np.asarray(has[rows].mean(axis=0)).ravel() >= SHARED)
        own = np.zeros(has.shape[1])
        own[has[first[group]].indices] = 1
        spoken = votes.log_odds(label, own)[shared]
        log_odds = float(spoken.sum(axis=0).min())
        if (spoken != 0).any(axis=1).sum() < LEAST_WORDS or log_odds >= 0:
            continue
        drawn = sparse.csr_matrix(
            ((place < len(shared)).astype(np.float64), texts.indices, texts.indptr), texts.shape
        )
        natural = np.asarray(drawn @ weights).min(axis=1)
        others = compared != group
        as_long = others & (np.diff(texts.indptr) >= len(shared))
        natural = natural[as_long if as_long.sum() >= FEWEST_TEXTS else others]
        if len(natural) >= FEWEST_TEXTS:
            p_value = min(_rarity(log_odds, natural) * len(leading), 1.0)
            found.append(ForeignWords(group, max(p_value, 1e-300), log_odds, len(natural)))
    return sorted(found, key=lambda one: (one.p_value, one.log_odds))


def _words_apart(texts: list[set[str]]) -> float:
    """Number of words that the middle one of these texts does not share with most of them."""
    having = Counter(word for words in texts for word in words)
    return float(np.median([sum(having[word] < SHARED * len(texts) for word in words) for words in texts]))


@dataclass(frozen=True)
class _Votes:
    """How many groups of each class have each word, shape (n_classes, n_words), and how many there are."""

    having: NDArray[np.float64]
    of: NDArray[np.int64]

    @classmethod
    def of_groups(cls, has: sparse.csr_matrix, label: NDArray[np.int64], n_classes: int) -> _Votes:
        having = [np.asarray(has[label == c].sum(axis=0)).ravel() for c in range(n_classes)]
        return cls(np.stack(having), np.bincount(label, minlength=n_classes))

    def log_odds(self, label: int, own: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log odds of a class against each other one, shape (n_words, n_classes - 1), without one text of it.

        ``own`` is 1 for the words of that text. Words that no other text has say nothing.
        """
        having, total = self.having.copy(), self.of.astype(np.float64)
        having[label] = np.maximum(having[label] - own, 0)
        total[label] -= 1
        log_share = np.log(having + 0.5) - np.log(total + 1)[:, None]
        odds = log_share[label] - np.delete(log_share, label, axis=0)
        return np.asarray(np.where(having.sum(axis=0) > 0, odds, 0.0).T, np.float64)


def _rarity(log_odds: float, natural: NDArray[np.float64]) -> float:
    """Probability of a text that speaks as much for another class, with an exponential tail."""
    start = float(np.quantile(natural, TAIL))
    if log_odds >= start:
        return float((natural <= log_odds).mean())
    excess = float((start - natural[natural < start]).mean())
    beyond = TAIL * np.exp(-(start - log_odds) / max(excess, 1e-9))
    return float(max(beyond, (natural <= log_odds).mean()))


def _places_at_random(texts: sparse.csr_matrix, rng: np.random.Generator) -> NDArray[np.int64]:
    """Of every stored word its place in its row, were these in random order."""
    row = np.repeat(np.arange(texts.shape[0]), np.diff(texts.indptr))
    order = np.lexsort((rng.random(len(row)), row))
    place = np.empty(len(row), np.int64)
    place[order] = np.arange(len(row)) - texts.indptr[row]
    return place


__all__ = ["LEAST_WORDS", "ForeignWords", "foreign_words"]
