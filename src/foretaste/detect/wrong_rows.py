"""Which rows of a bad group are the wrong ones: a posterior with the group's own share, cut at a false-
discovery rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.stats.calibration import fit_line
from foretaste.stats.mixture import natural_share, share_posterior, surest

DOMINANT = 0.8
"""Share of the wrong rows that must have the same label for it to be called the target."""


_STRONGEST = 8.0


@dataclass(frozen=True)
class WrongRows:
    """Rows that probably have a wrong label.

    Attributes
    ----------
    rows : int64 ndarray
        Positions, ascending.
    posterior : float64 ndarray
        Probability of each to be wrong.
    target : int or None
        The label most of them have, where one dominates.
    """

    rows: NDArray[np.int64]
    posterior: NDArray[np.float64]
    target: int | None


def wrong_rows(
    log_probability: NDArray[np.float64],
    y: NDArray[np.integer],
    rows: NDArray[np.int64],
    reference: NDArray[np.int64],
    fdr: float,
) -> WrongRows:
    """The rows of a group that their content contradicts, by label, with the share of wrong rows each label
    has in it.

    Parameters
    ----------
    log_probability : float64 ndarray of shape (n, n_classes)
    y : int ndarray of shape (n,)
    rows : int64 ndarray
        The group, all with a label.
    reference : int64 ndarray
        Rows with labels to trust more than the group's; they say what the opinions are worth.
    fdr : float
        Expected share of right labels among the rows returned.
    """
    posterior = np.zeros(len(rows))
    for label in np.unique(y[rows]):
        own = np.flatnonzero(y[rows] == label)
        right = y[reference] == label
        share = np.clip(np.exp(log_probability[:, label]), 1e-9, 1 - 1e-9)
        score = np.log(share) - np.log1p(-share)
        line = fit_line(score[reference], right)
        prior = np.log(right.sum() + 0.5) - np.log((~right).sum() + 0.5)
        log_ratio = np.clip(prior - line.log_odds(score[rows[own]]), -_STRONGEST, _STRONGEST)
        posterior[own] = share_posterior(log_ratio, natural_share(log_ratio))
    chosen = np.sort(surest(posterior, fdr))
    return WrongRows(rows[chosen], posterior[chosen], _dominant(y[rows[chosen]], posterior[chosen]))


def _dominant(labels: NDArray[np.integer], weight: NDArray[np.float64]) -> int | None:
    if not len(labels):
        return None
    total = np.bincount(labels, weight)
    top = int(total.argmax())
    return top if total[top] >= DOMINANT * total.sum() else None
