"""One representation of all rows beside what their content says about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foretaste.learners.class_means import class_mean_opinions
from foretaste.stats.calibration import pool_opinions
from foretaste.stats.spectral import whitener


@dataclass(frozen=True)
class Space:
    """The rows with a label, as points.

    Parameters
    ----------
    name : str
        What a report calls it: ``block 1 of the net``.
    positions : int64 ndarray of shape (m,)
        Where the rows are in the data.
    y : int64 ndarray of shape (m,)
        Their labels, none missing.
    n_classes : int
    rows : float64 ndarray of shape (m, d)
        The representation.
    content : float32 ndarray of shape (m, e)
        What labels can be judged by; the same as ``rows``, or something that was not learned from the labels.
    likeness : float32 ndarray of shape (m, f)
        Coordinates in which rows with the same content are near, whatever fine detail they share.
    """

    name: str
    positions: NDArray[np.int64]
    y: NDArray[np.int64]
    n_classes: int
    rows: NDArray[np.float64]
    content: NDArray[np.float32]
    likeness: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def least(self) -> int:
        """Fewest rows that a campaign in here has."""
        return max(12, -(-3 * len(self) // 1000))

    def opinions(self, suspects: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Log probabilities that the content of every row gives to the classes, shape (m, n_classes).

        By class means, learned and calibrated without the suspects: a model that saw what they share would
        explain them away.
        """
        kept = np.ones(len(self), bool) if suspects is None else ~suspects
        if (np.bincount(self.y[kept], minlength=self.n_classes) == 0).any():
            kept[:] = True
        log_p = class_mean_opinions(self.content, self.y, self.n_classes, kept)
        return pool_opinions([log_p], np.where(kept, self.y, -1))[0]

    @cached_property
    def log_p(self) -> NDArray[np.float64]:
        """`opinions` with no row under suspicion."""
        return self.opinions()

    @cached_property
    def said(self) -> NDArray[np.int64]:
        """The class that the content of each row speaks for, shape (m,)."""
        return np.asarray(self.log_p.argmax(axis=1), np.int64)

    @cached_property
    def residual(self) -> NDArray[np.float64]:
        """Rows less the mean of the class *their content* speaks for, shape (m, d).

        A wrong label leaves nothing here, nor does a trigger's target; the trigger does.
        """
        means = np.zeros((self.n_classes, self.rows.shape[1]))
        for k in range(self.n_classes):
            right = (self.y == k) & (self.said == k)
            means[k] = self.rows[right if right.any() else self.y == k].mean(axis=0)
        return np.asarray(self.rows - means[self.said], np.float64)

    @cached_property
    def whitened(self) -> NDArray[np.float64]:
        """`residual` with unit variance in every direction of the rows whose label agrees with their content;
        no row is longer than half of them, so that none decides a direction alone.
        """
        agree = self.said == self.y
        reference = self.residual[agree] if agree.sum() > 2 else self.residual
        white = self.residual @ whitener(reference - reference.mean(axis=0))
        length = np.sqrt(np.square(white).sum(axis=1, keepdims=True))
        return np.asarray(white * np.minimum(1, np.median(length) / np.maximum(length, 1e-12)), np.float64)
