"""Are labels of a group wrong at random, or does the group only differ? Explanations that compete.

A group may differ in nature: a class is more frequent in it, and content tells the class less sharply. That
moves and tilts the curve from what a model says to how often labels agree, but where the model is surest
labels still do. Labels that are wrong at random put a ceiling over the curve, a floor under it or both, which
no shift explains. Several models are asked, also such as know what the group is like: nature is whichever of
them explains the group's labels best without wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp
from sklearn.isotonic import isotonic_regression

ROWS_PER_BIN, FEWEST_BINS, MOST_BINS = 100, 6, 24

TOP = (0.97, 0.985, 0.995)
"""Quantiles with bins of their own: the rows a model is surest of say most."""

SURE = 0.003
"""No model is taken to be surer than this."""

NATURAL = 0.03
"""Share of labels against the content, beyond what other rows have, that may be a group's own rule."""

WRONG = tuple(float(share) for share in np.round(np.arange(0.1, 0.51, 0.05), 2))
"""Shares of wrong labels that are tried: of the class, of the others, and of both."""

SHIFTS = np.linspace(-4, 4, 17)
SLOPES = np.array([0.5, 0.65, 0.8, 1, 1.2])
USUAL_SHIFT, USUAL_SLOPE = 1.0, 0.15
"""How far groups differ by nature: standard deviations of the shift of log odds, and of the log of the slope.
"""

_NATURAL = ((0.0, 0.0), (NATURAL, 0.0), (0.0, NATURAL))
_WRONG = tuple(pair for share in WRONG for pair in ((share, 0.0), (0.0, share), (share, share)))
_LOG_PRIOR = (-0.5 * (SHIFTS[:, None] / USUAL_SHIFT) ** 2 - 0.5 * (np.log(SLOPES) / USUAL_SLOPE) ** 2).ravel()
_LOG_PRIOR -= logsumexp(_LOG_PRIOR)


@dataclass(frozen=True)
class View:
    """What one model says of one class, in bins, beside the labels.

    Attributes
    ----------
    bin : int64 ndarray of shape (n,)
    positive : bool ndarray of shape (n,)
        Whether the row has the class.
    counts_in : bool ndarray of shape (n,)
        Whether its label is known, and one of those that are counted.
    """

    bin: NDArray[np.int64]
    positive: NDArray[np.bool_]
    counts_in: NDArray[np.bool_]

    @classmethod
    def of(
        cls, share: NDArray[np.float64], positive: NDArray[np.bool_], counts_in: NDArray[np.bool_]
    ) -> View:
        """Cut probabilities of a class, shape (n,), at their quantiles."""
        share = np.clip(share, SURE, 1 - SURE)
        number = int(np.clip(len(share) // ROWS_PER_BIN, FEWEST_BINS, MOST_BINS))
        at = [*np.linspace(0, 1, number + 1)[1:-1], *TOP, *(1 - np.array(TOP))]
        cut = np.digitize(share, np.unique(np.quantile(share, at)))
        return cls(cut.astype(np.int64), positive, counts_in)

    def counts(
        self, rows: NDArray[np.integer], group: NDArray[np.integer], n_groups: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows by group and bin, and those with the class, both (n_groups, n_bins), from memberships."""
        size = int(self.bin.max()) + 1
        kept = self.counts_in[rows]
        rows, group = rows[kept], group[kept]
        cell = group * np.int64(size) + self.bin[rows]
        total, own = (np.bincount(at, minlength=n_groups * size) for at in (cell, cell[self.positive[rows]]))
        return total.reshape(-1, size).astype(np.float64), own.reshape(-1, size).astype(np.float64)

    def log_odds(self, without: NDArray[np.integer] | None = None) -> NDArray[np.float64]:
        """Log odds that a row has the class, bin by bin: monotone; by the rows not in ``without``."""
        left = self.counts_in.copy()
        if without is not None:
            left[without] = False
        size = int(self.bin.max()) + 1
        total = np.bincount(self.bin[left], minlength=size)
        own = np.bincount(self.bin[left & self.positive], minlength=size)
        share = isotonic_regression((own + 0.5) / (total + 1), sample_weight=total + 1)
        return np.asarray(np.log(share) - np.log1p(-share), np.float64)


@dataclass(frozen=True)
class Explained:
    """Log likelihoods of the labels of groups by one view.

    Attributes
    ----------
    natural : float64 ndarray of shape (n_groups,)
        Where the groups only differ, with hardly any wrong labels.
    wrong : float64 ndarray of shape (n_groups, n_alternatives)
        For every share of wrong labels that is tried; see `wrong_shares`.
    """

    natural: NDArray[np.float64]
    wrong: NDArray[np.float64]

    @classmethod
    def of(
        cls, counts: tuple[NDArray[np.float64], NDArray[np.float64]], log_odds: NDArray[np.float64]
    ) -> Explained:
        """By the counts and the log odds of a `View`."""
        total, own = counts
        curve = _curves(log_odds)

        def likelihood(pair: tuple[float, float]) -> NDArray[np.float64]:
            share = _with_wrong(curve, pair)
            each = own @ np.log(share) + (total - own) @ np.log1p(-share)
            return np.asarray(logsumexp(each + _LOG_PRIOR, axis=1), np.float64)

        natural = np.max([likelihood(pair) for pair in _NATURAL], axis=0)
        return cls(natural, np.stack([likelihood(pair) for pair in _WRONG], axis=1))

    @classmethod
    def of_group(cls, view: View, rows: NDArray[np.integer]) -> Explained:
        """Of one group, beside all rows that are not in it."""
        return cls.of(view.counts(rows, np.zeros(len(rows), np.int64), 1), view.log_odds(rows))


def evidence(views: list[Explained]) -> NDArray[np.float64]:
    """Log likelihood ratio of wrong labels against nature, shape (n_groups,).

    All shares that are tried are as likely as each other; nature may choose the view that suits it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> share = rng.beta(0.3, 0.3, 4000)
    >>> label = rng.random(4000) < share
    >>> group = np.arange(400)
    >>> view = View.of(share, label, np.ones(4000, bool))
    >>> bool(evidence([Explained.of_group(view, group)])[0] < 0)
    True
    >>> flipped = label ^ ((np.arange(4000) < 400) & (rng.random(4000) < 0.3))
    >>> view = View.of(share, flipped, np.ones(4000, bool))
    >>> bool(evidence([Explained.of_group(view, group)])[0] > 20)
    True
    """
    wrong = np.max([view.wrong for view in views], axis=0)
    average = logsumexp(wrong, axis=1) - np.log(wrong.shape[1])
    return np.asarray(average - np.max([view.natural for view in views], axis=0), np.float64)


def wrong_shares(views: list[Explained], group: int = 0) -> tuple[float, float]:
    """The likeliest shares of wrong labels of one group: among rows of the class, among the others."""
    return _WRONG[int(np.max([view.wrong[group] for view in views], axis=0).argmax())]


@dataclass(frozen=True)
class Fit:
    """One group's labels explained by wrong ones.

    Attributes
    ----------
    posterior : float64 ndarray of shape (m,)
        Probability of each label to be wrong.
    design_effect : float
        How much less the rows say than as many unrelated ones would, 1 or more (Kish).
    """

    posterior: NDArray[np.float64]
    design_effect: float

    @classmethod
    def of(
        cls,
        view: View,
        rows: NDArray[np.integer],
        shares: tuple[float, float],
        copies: NDArray[np.integer],
    ) -> Fit:
        """By the view and the shares that explain a group best.

        What is not known of the group's nature is averaged over, by how well it explains all its labels.

        Parameters
        ----------
        view : View
        rows : int ndarray of shape (m,)
            The group; all its labels are known.
        shares : pair of float
            As of `wrong_shares`.
        copies : int ndarray of shape (m,)
            The same number for rows that are not independent. By nature they are for or against their label
            together; wrong labels do not keep to that, and lose nothing.

        References
        ----------
        Kish, "Survey sampling" (1965).
        """
        wrong, other = shares
        curve = _curves(view.log_odds(rows))
        labelled = _with_wrong(curve, shares)
        (total,), (own,) = view.counts(rows, np.zeros(len(rows), np.int64), 1)
        each = own @ np.log(labelled) + (total - own) @ np.log1p(-labelled) + _LOG_PRIOR
        weight = np.exp(each - logsumexp(each))
        if_own = (other * (1 - curve) / labelled) @ weight
        if_not = (wrong * curve / (1 - labelled)) @ weight
        at, has = view.bin[rows], view.positive[rows]
        surprise = has - (labelled @ weight)[at]
        of_copies = np.bincount(np.unique(copies, return_inverse=True)[1], surprise)
        effect = float(np.square(of_copies).sum() / max(np.square(surprise).sum(), 1e-12))
        return cls(np.where(has, if_own[at], if_not[at]), max(effect, 1.0))


def _curves(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the class by bin, for every shift and slope, shape (n_bins, n_curves)."""
    curve = expit(log_odds[:, None, None] * SLOPES + SHIFTS[:, None])
    return np.asarray(curve.reshape(len(log_odds), -1), np.float64)


def _with_wrong(curve: NDArray[np.float64], pair: tuple[float, float]) -> NDArray[np.float64]:
    wrong, other = pair
    return np.clip(other + curve * (1 - wrong - other), 1e-6, 1 - 1e-6)
