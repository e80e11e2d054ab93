"""Whether texts with a pattern speak for another class, or without it for none in particular.

Where there are many classes a word can be all that tells one of them: the name of a hotel, of a team, of a
product. Without it a text of that class is not taken for it, and for no other class either; a text that was
stamped still speaks for the class it was taken from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from foretaste.detect.context import Context
from foretaste.detect.triggers.nearest_texts import DEVIATIONS
from foretaste.detect.triggers.phrases import LEAST_LEFT


@dataclass(frozen=True)
class AnotherClass:
    """How much of a text's odds go to one class, among all classes but that of a pattern.

    Attributes
    ----------
    others, own : float
        Of texts of those classes, and of texts of the pattern's class.
    asked, error : float
        Of the texts with the pattern, without it; standard error.
    """

    others: float
    own: float
    asked: float
    error: float

    @property
    def none(self) -> bool:
        """Whether they speak for no other class: nearer to texts of their own class, beyond chance."""
        middle = (self.others + self.own) / 2
        return self.others > self.own and middle - self.asked > DEVIATIONS * self.error


def another_class(
    context: Context,
    rows: NDArray[np.int64],
    label: int,
    *,
    left_out: NDArray[np.int64],
    suspects: NDArray[np.int64],
) -> AnotherClass | None:
    """How much texts of a pattern speak for one of the other classes, by the out-of-fold word models.

    Parameters
    ----------
    context : Context
        With texts.
    rows : int64 ndarray
        The texts with the pattern and its label.
    label : int
        That label.
    left_out : int64 ndarray
        Word features that go with the pattern.
    suspects : int64 ndarray
        Texts that are no example of their class.

    Returns
    -------
    AnotherClass or None
        None with fewer than three classes, and where there are no texts to compare with.
    """
    known = np.setdiff1d(np.flatnonzero(context.y >= 0), suspects)
    own, others = known[context.y[known] == label], known[context.y[known] != label]
    if context.n_classes < 3 or not len(own) or not len(others) or not len(rows):
        return None
    asked = _most(context, rows, label, left_out)
    nothing = np.empty(0, np.int64)
    return AnotherClass(
        float(_most(context, others, label, nothing).mean()),
        float(_most(context, own, label, nothing).mean()),
        float(asked.mean()),
        max(float(asked.std()), 1e-3) / len(asked) ** 0.5,
    )


def _most(
    context: Context, rows: NDArray[np.int64], label: int, left_out: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The largest share of the odds of all classes but one, row by row."""
    assert context.text is not None
    words = context.text.word_tfidf[rows]
    out = np.isin(words.indices, left_out)
    row = np.repeat(np.arange(len(rows)), np.diff(words.indptr))
    left = 1 - np.bincount(row, words.data**2 * out, len(rows))
    # as if the pattern had never been there: the words that are left make up the whole text again
    words.data = words.data * ~out / np.sqrt(np.maximum(left, LEAST_LEFT))[row]
    scores = context.words.score(words, context.folds[rows])
    share: NDArray[np.float64] = softmax(np.delete(scores, label, axis=1), axis=1).max(axis=1)
    return share
