"""Exact copies that carry different labels: wrong labels, or content that does not tell the class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logit, logsumexp

MOST_ROUNDS, SETTLED = 100, 1e-5

FIRST = 0.01
"""Share of ambiguous groups to begin from."""

BESIDE = 10
"""Groups that tell the class, counted in addition: a few groups do not show that many are ambiguous."""


def ambiguous_copies(
    y: NDArray[np.integer], groups: NDArray[np.integer], rates: NDArray[np.floating], *, most: float
) -> NDArray[np.float64]:
    """Probability of each row that its exact copies have no class in common.

    Rows with the same content either share one class, and the labels that differ are wrong at the given
    rates, each by itself; or content does not tell the class there, and any shares of labels are as likely.
    What share of the groups is of the second kind is fitted to all of them. One label of ten that differs is
    a wrong label; five of ten are not.

    Parameters
    ----------
    y : int ndarray of shape (n,)
        Labels, all known.
    groups : int ndarray of shape (n,)
        The same number for exact copies; a row without any is never ambiguous.
    rates : float ndarray of shape (n_classes, n_classes)
        ``rates[c, k]``: share of rows of class c labelled k.
    most : float
        In no class more labels than this are taken to be wrong, whatever the rates say.

    Returns
    -------
    float64 ndarray of shape (n,), in [0, 1]

    References
    ----------
    Minka, "Estimating a Dirichlet distribution" (2000): the Dirichlet-multinomial of the second kind.

    Examples
    --------
    >>> y = np.array([0] * 9 + [1] + [0, 1] * 5 + [0] * 10)
    >>> rates = np.array([[0.95, 0.05], [0.05, 0.95]])
    >>> ambiguous_copies(y, np.repeat([0, 1, 2], 10), rates, most=0.25)[[0, 10, 20]].round(1)
    array([0., 1., 0.])
    """
    k = len(rates)
    group, counts = _counted(y, groups, k)
    size = counts.sum(axis=1)
    several = size > 1
    # no class is likelier than another in either case: how the labels of a group differ decides, not which
    told = logsumexp(counts @ np.log(_at_most(rates, most)).T, axis=1) - np.log(k)
    spread = 2 / k  # of two labels, any share is as likely
    untold = gammaln(2) - gammaln(2 + size) + (gammaln(spread + counts) - gammaln(spread)).sum(axis=1)
    part, likely = FIRST, np.zeros(len(counts))
    for _ in range(MOST_ROUNDS if several.any() else 0):
        likely = np.where(several, expit(logit(part) + untold - told), 0.0)
        before, part = part, max(float(likely.sum() / (several.sum() + BESIDE)), 1e-9)
        if abs(part - before) < SETTLED:
            break
    return np.asarray(likely[group], np.float64)


def most_common_share(y: NDArray[np.integer], groups: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of the commonest label among each row's exact copies: no model can be right more often.

    Examples
    --------
    >>> most_common_share(np.array([0, 0, 1, 1]), np.array([5, 5, 5, 7])).round(2)
    array([0.67, 0.67, 0.67, 1.  ])
    """
    group, counts = _counted(y, groups, int(y.max(initial=0)) + 1)
    return np.asarray((counts.max(axis=1) / counts.sum(axis=1))[group], np.float64)


def _counted(
    y: NDArray[np.integer], groups: NDArray[np.integer], n_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each row's group, numbered from 0, and how often each group has each label."""
    names, group = np.unique(groups, return_inverse=True)
    counts = np.bincount(group * n_classes + y, minlength=len(names) * n_classes)
    return group, counts.reshape(len(names), n_classes)


def _at_most(rates: NDArray[np.floating], most: float) -> NDArray[np.float64]:
    """The rates, none zero, with no more than ``most`` of a class's labels wrong."""
    off = np.maximum(rates * (1 - np.eye(len(rates))), 1e-9)
    np.fill_diagonal(off, 0)
    off *= np.minimum(1, most / off.sum(axis=1, keepdims=True))
    return np.asarray(off + np.diag(1 - off.sum(axis=1)), np.float64)
