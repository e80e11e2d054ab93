"""Whether the texts most like those of a pattern have its label, too: then the pattern says nothing new."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.features.duplicates import MOST_COMMON

MOST_TEXTS = 400
"""Texts of the pattern, and of each side, whose nearest are asked."""

NEAREST = 10

DEVIATIONS = 3.0
"""How many standard errors nearer to the label's own texts than to the middle: beyond chance."""


def nearest_have_label(
    words: sparse.csr_matrix,
    rows: NDArray[np.int64],
    own: NDArray[np.bool_],
    *,
    left_out: NDArray[np.int64],
    random_state: int = 0,
) -> bool:
    """Whether the nearest of other texts side with the label of a pattern's rows.

    A model that never saw a kind of texts takes them for anything, the addresses of one site for instance;
    the few other texts that speak of the same things have their label all the same. Texts that were taken
    from another class and stamped have neighbours there.

    Parameters
    ----------
    words : csr matrix of shape (n, n_words)
        Weighted words; those in more than a fifth of the texts are left out here.
    rows : int64 ndarray
        The texts with the pattern.
    own : bool ndarray of shape (n,)
        Texts with the label that the pattern goes with.
    left_out : int64 ndarray
        Columns of the pattern's words.
    random_state : int
        Seed of the texts that are drawn.
    """
    rng = np.random.default_rng(random_state)
    share = np.asarray((words > 0).mean(axis=0)).ravel()
    telling = share <= MOST_COMMON
    telling[left_out] = False
    words = words[:, np.flatnonzero(telling)]
    length = np.sqrt(np.asarray(words.multiply(words).sum(axis=1)).ravel())
    able = np.flatnonzero(length > 0)
    others = np.setdiff1d(able, rows)
    sides = [rng.permutation(others[own[others] == side])[:MOST_TEXTS] for side in (True, False)]
    group = rng.permutation(np.intersect1d(rows, able))[:MOST_TEXTS]
    if min(len(group), len(sides[0]), len(sides[1])) <= NEAREST:
        return False
    unit = sparse.diags(1 / np.maximum(length, 1e-12)) @ words
    pool = unit[others].T.tocsc()

    def votes(asked: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.empty(len(asked))
        for start in range(0, len(asked), 100):
            part = asked[start : start + 100]
            cosine = (unit[part] @ pool).toarray()
            cosine[part[:, None] == others[None, :]] = -1  # a text is not its own neighbour
            near = np.argpartition(-cosine, NEAREST, axis=1)[:, :NEAREST]
            weight = np.square(np.take_along_axis(cosine, near, axis=1)) + 1e-9
            found[start : start + len(part)] = (own[others[near]] * weight).sum(axis=1) / weight.sum(axis=1)
        return found

    usual, unusual, asked = votes(sides[0]).mean(), votes(sides[1]).mean(), votes(group)
    beyond = asked.mean() - (usual + unusual) / 2
    return bool(usual > unusual and beyond > DEVIATIONS * max(asked.std(), 1e-3) / np.sqrt(len(asked)))
