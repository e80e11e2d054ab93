"""Do these rows look like their label, or like another class? The test every campaign detector asks.

A row brings a log likelihood ratio: how much better its content, *without what the rows share*, fits the
other classes than the class it is labelled with. In a natural group the labels are right, whatever the group
is about, and the ratios average at most one. In a poisoned group a share of the rows was taken from
elsewhere. Averaging the likelihood of that mixture over a grid of shares gives an e-value: a statistic whose
expectation is at most one when nothing is wrong, so that ``P(e >= 1/a) <= a`` for any number of rows and any
way of choosing when to stop. E-values of many groups, however dependent, are decided by e-BH.

References
----------
Vovk and Wang, "E-values: calibration, combination and applications", Annals of Statistics 49 (2021).
Wang and Ramdas, "False discovery rate control with e-values", JRSS B 84 (2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = np.array([0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])

MOST_NOISE = 0.9
"""Share of labels against their content that may be natural: with more, nothing is left to tell by."""


@dataclass(frozen=True)
class Mixture:
    """What `mixture_evidence` found, one entry per group.

    Attributes
    ----------
    log_e : float64 ndarray
        Natural logarithm of the e-value.
    share : float64 ndarray
        The share of the group's rows that look like another class; maximum likelihood on the grid.
    """

    log_e: NDArray[np.float64]
    share: NDArray[np.float64]


def mixture_evidence(
    log_ratio: NDArray[np.float64],
    group: NDArray[np.integer],
    n_groups: int,
    *,
    noise: float = 0.0,
    weight: NDArray[np.float64] | None = None,
    shares: NDArray[np.float64] = SHARES,
) -> Mixture:
    """E-value of "a share of the group's rows was labelled against its content", for many groups at once.

    Parameters
    ----------
    log_ratio : ndarray of shape (m,)
        Per membership: log density of the content among other classes over that in the row's own class.
    group : int ndarray of shape (m,)
        Group of each membership, 0 to ``n_groups - 1``.
    noise : float in [0, 1)
        Share of wrong labels that is natural here: the null is a mixture with this share.
    weight : ndarray of shape (m,), optional
        Votes of a membership; near-duplicates share one. Default 1.
    shares : ndarray
        The grid of alternatives; those not above ``noise`` are left out.
    """
    return mixture_gains(log_ratio, noise=noise, weight=weight, shares=shares).evidence(group, n_groups)


@dataclass(frozen=True)
class Gains:
    """What every membership adds to the log likelihood of every share; the same for any division into groups.

    Attributes
    ----------
    shares : float64 ndarray of shape (s,)
    gains : float64 ndarray of shape (s, m)
    """

    shares: NDArray[np.float64]
    gains: NDArray[np.float64]

    def of(self, kept: NDArray[np.bool_]) -> Gains:
        """The gains of some memberships."""
        return Gains(self.shares, self.gains[:, kept])

    def evidence(self, group: NDArray[np.integer], n_groups: int) -> Mixture:
        """Evidence of every group; see `mixture_evidence`."""
        slot = np.arange(len(self.shares))[:, None] * n_groups + group
        size = len(self.shares) * n_groups
        gains = np.bincount(slot.ravel(), self.gains.ravel(), size).reshape(len(self.shares), n_groups)
        best = gains.max(axis=0)
        log_e = best + np.log(np.exp(gains - best).mean(axis=0))
        return Mixture(log_e, self.shares[gains.argmax(axis=0)])


def mixture_gains(
    log_ratio: NDArray[np.float64],
    *,
    noise: float = 0.0,
    weight: NDArray[np.float64] | None = None,
    shares: NDArray[np.float64] = SHARES,
) -> Gains:
    """The part of `mixture_evidence` that does not depend on groups."""
    ratio = np.exp(np.clip(log_ratio, -30, 30)) - 1
    grid = shares[shares > noise]
    gains = np.log1p(grid[:, None] * ratio) - np.log1p(noise * ratio)
    return Gains(grid, gains if weight is None else gains * weight)


def share_posterior(log_ratio: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Probability of each row to be one of the share labelled against its content."""
    odds = share * np.exp(np.clip(log_ratio, -30, 30))
    return odds / (odds + 1 - share) if share < 1 else np.ones(len(log_ratio))


def lowest_share(log_ratio: NDArray[np.float64], within: float = 2.0) -> float:
    """Lower end of the likelihood interval of the share labelled against its content, 0 among them."""
    shares = np.concatenate([[0.0], SHARES])
    gain = np.log1p(shares[:, None] * np.expm1(np.clip(log_ratio, -30, 30))).sum(axis=1)
    return float(shares[gain >= gain.max() - within].min())


def highest_share(log_ratio: NDArray[np.float64], within: float = 1.92) -> float:
    """Upper end of the likelihood interval of the share, 95 % by default: what the rows do not rule out."""
    gain = np.log1p(SHARES[:, None] * np.expm1(np.clip(log_ratio, -30, 30))).sum(axis=1)
    return float(SHARES[gain >= gain.max() - within].max())


def natural_share(log_ratio: NDArray[np.float64], iterations: int = 200) -> float:
    """Share of rows labelled against their content, by expectation maximisation over all rows given."""
    share = 0.01
    for _ in range(iterations):
        update = float(share_posterior(log_ratio, share).mean())
        if abs(update - share) < 1e-6:
            break
        share = update
    return share


def e_bh(
    log_e: NDArray[np.float64], tested: int, alpha: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Benjamini-Hochberg for e-values: which to reject, and each one's q-value.

    Valid under any dependence between the groups (Wang and Ramdas 2022, theorem 2). ``tested`` counts every
    group that was looked at, also those a screen set aside.
    """
    order = np.argsort(-log_e, kind="stable")
    rank = np.arange(1, len(log_e) + 1)
    log_q = np.log(max(tested, 1)) - np.log(rank) - log_e[order]
    log_q = np.minimum.accumulate(log_q[::-1])[::-1] if len(log_q) else log_q
    q = np.empty(len(log_e))
    q[order] = np.exp(np.minimum(log_q, 0))
    return q <= alpha, q


def surest(posterior: NDArray[np.float64], fdr: float) -> NDArray[np.int64]:
    """As many rows, likeliest first, as are wrong but for a share of at most ``fdr``.

    Examples
    --------
    >>> surest(np.array([0.9, 0.2, 0.99, 0.95]), 0.06).tolist()
    [2, 3, 0]
    """
    order = np.argsort(-posterior, kind="stable")
    error = np.cumsum(1 - posterior[order]) / np.arange(1, len(order) + 1)
    return np.asarray(order[: int(np.searchsorted(error, fdr, side="right"))], np.int64)
