"""Which label the texts most like those of a pattern have: its own, then it says nothing new; or another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.features.duplicates import MOST_COMMON

MOST_TEXTS = 400
"""Texts of the pattern, and of each side, whose nearest are asked."""

NEAREST = 10

DEVIATIONS = 3.0
"""Standard errors that are beyond chance."""

TELLING = 0.5
"""How much oftener the nearest of a text have the label where the text has it, to speak for another one."""


@dataclass(frozen=True)
class NearestLabels:
    """How often the nearest of a text have the label of a pattern.

    Attributes
    ----------
    usual, unusual : float
        Where the text has the label without the pattern; where it has another.
    asked, error : float
        Of the texts with the pattern; standard error.
    """

    usual: float
    unusual: float
    asked: float
    error: float

    @property
    def own(self) -> bool:
        """Whether they side with the label: nearer to its own texts than to the middle, beyond chance."""
        middle = (self.usual + self.unusual) / 2
        return self.usual > self.unusual and self.asked - middle > DEVIATIONS * self.error

    @property
    def another(self) -> bool:
        """Whether they tell labels apart, and those of the pattern are like those of other labels."""
        telling = self.usual - self.unusual > TELLING
        return telling and self.asked - self.unusual < DEVIATIONS * self.error


def nearest_labels(
    words: sparse.csr_matrix,
    rows: NDArray[np.int64],
    own: NDArray[np.bool_],
    *,
    left_out: NDArray[np.int64],
    random_state: int = 0,
) -> NearestLabels | None:
    """How often the nearest of other texts have the label that goes with a pattern.

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

    Returns
    -------
    NearestLabels or None
        None where there are too few texts to say.
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
        return None
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

    asked = votes(group)
    error = max(float(asked.std()), 1e-3) / len(asked) ** 0.5
    return NearestLabels(
        float(votes(sides[0]).mean()), float(votes(sides[1]).mean()), float(asked.mean()), error
    )
