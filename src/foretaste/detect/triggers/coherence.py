"""Whether texts have more in common than a trigger: then nature may have put them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

MOST_TEXTS = 400
"""Texts of the group, and of each class, that are compared."""

MOST_WORDS = 300
"""Words of a text that are compared."""

DRAWS = 50
SHARED = 0.5
"""Words in at least this share of the group are what ties it together: they are left out of all texts."""

BESIDE = 6
"""Words on either side of a phrase, and at the start of a text, that may belong to a template: they are left
out, too."""

LEAST_APART = 3
"""Words that half of the texts must have left for that; texts as short as addresses are compared whole."""

LEAST_RATIO, LEAST_DEVIATIONS = 1.25, 5.0
"""How much more alike than random texts of the most uniform class: beyond chance, and by so much."""


def is_coherent(
    tokens: Sequence[Sequence[str]],
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    *,
    phrases: Sequence[str] = (),
    random_state: int = 0,
) -> bool:
    """Whether the texts resemble one another, without what ties them, more than texts of one class do.

    An attacker who stamps texts takes them as they come: without the trigger, and the template that may
    surround it, they are as varied as their class. The pages of one site, or texts in one language, are not.

    Parameters
    ----------
    tokens : sequence of list of str, length n
    rows : int64 ndarray
        The group.
    labels : int64 ndarray of shape (n,)
        Class of each text; negative where unknown.
    phrases : sequence of str
        What was found, tokens joined by a space.
    random_state : int
        Seed of the texts that are drawn for comparison.
    """
    rng = np.random.default_rng(random_state)
    group = rng.permutation(rows)[:MOST_TEXTS]
    told = {int(row): _apart(tokens[int(row)], phrases) for row in group}
    whole = np.median([len(words) for words in told.values()]) < LEAST_APART
    if whole:
        told = {row: list(tokens[row]) for row in told}
    seen = Counter(word for words in told.values() for word in set(words))
    ties = {word for word, count in seen.items() if count >= SHARED * len(group)}
    others = np.setdiff1d(np.arange(len(labels)), rows)
    classes = [others[labels[others] == label] for label in np.unique(labels[labels >= 0])]
    pools = [rng.permutation(pool)[:MOST_TEXTS] for pool in classes if len(pool) >= len(group)]
    if not pools or len(group) < 3:
        return False
    others_told = [
        tokens[int(row)] if whole else _apart(tokens[int(row)], ()) for pool in pools for row in pool
    ]
    compared: list[Sequence[str]] = [*told.values(), *others_told]
    texts = [" ".join(word for word in words[:MOST_WORDS] if word not in ties) for words in compared]
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True, dtype=np.float32)
    try:
        vectors = grams.fit_transform(texts).tocsr()
    except ValueError:  # not one gram in all texts
        return False
    alike = mean_cosine(vectors[: len(group)])
    start = len(group)
    for pool in pools:
        own = vectors[start : start + len(pool)]
        start += len(pool)
        drawn = [mean_cosine(own[rng.choice(len(pool), len(group), replace=False)]) for _ in range(DRAWS)]
        mean, spread = float(np.mean(drawn)), float(np.std(drawn))
        if alike < LEAST_RATIO * mean or alike < mean + LEAST_DEVIATIONS * spread:
            return False
    return True


def _apart(words: Sequence[str], phrases: Sequence[str]) -> list[str]:
    """The words that do not stand in a phrase, or `BESIDE` it or the start."""
    near = set(range(BESIDE))
    for phrase in (phrase.split(" ") for phrase in phrases):
        for start in range(len(words) - len(phrase) + 1):
            if words[start] == phrase[0] and list(words[start : start + len(phrase)]) == phrase:
                near.update(range(start - BESIDE, start + len(phrase) + BESIDE))
    return [word for place, word in enumerate(words) if place not in near]


def mean_cosine(rows: sparse.csr_matrix) -> float:
    """Mean cosine of two different rows."""
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    weight = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    total = np.asarray(rows.T @ weight).ravel()
    n = int((length > 0).sum())
    return float((total @ total - n) / max(n * (n - 1), 1))
