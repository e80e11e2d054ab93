"""How much groups differ by nature in their share of wrong rows: not a number, but what is known of one.

With few groups, each of them uncertain, an estimate of the spread between them is mostly noise: it makes a
bad group unsurprising in one draw and a good one surprising in the next. So the spread keeps its whole
distribution: a prior that is worth a few groups, and what every group adds to it. Where groups say little,
the prior stays; where they say much, it is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import norm

PRIOR_SPREAD = 0.005
"""How much groups are taken to differ in their share of wrong rows before any was seen (standard deviation).
"""

PRIOR_GROUPS = 4
"""How many groups that assumption is worth."""

BAD_GROUPS = 0.1
"""Share of groups that may be bad, so that their shares say nothing about nature."""

WORST = 0.5
"""A bad group has any share of wrong rows up to this."""

_SPREADS = np.geomspace(PRIOR_SPREAD / 10, 0.4, 64)


@dataclass(frozen=True)
class NaturalSpread:
    """Distribution of the standard deviation between groups, given what the groups show.

    The natural share of wrong rows of a group is normal around that of the others. The spread's prior is the
    scaled inverse chi-square of `PRIOR_GROUPS` groups; before any group was seen a group's share therefore
    has Student's t distribution.

    Parameters
    ----------
    spread : float64 ndarray of shape (n,)
        Standard deviations, as shares of rows.
    probability : float64 ndarray of shape (n,)
        Of each; sums to 1.

    References
    ----------
    Gelman, "Prior distributions for variance parameters in hierarchical models", Bayesian Analysis 1 (2006).
    Box and Tiao, "A Bayesian approach to some outlier problems", Biometrika 55 (1968).
    """

    spread: NDArray[np.float64]
    probability: NDArray[np.float64]

    @classmethod
    def exactly(cls, spread: float) -> NaturalSpread:
        """A spread that is known.

        Examples
        --------
        >>> NaturalSpread.exactly(0.01).typical
        0.01
        """
        return cls(np.array([spread]), np.ones(1))

    @classmethod
    def of(cls, z: NDArray[np.float64], error: NDArray[np.float64]) -> NaturalSpread:
        """What groups say that are compared with the rest.

        Parameters
        ----------
        z : float64 ndarray of shape (n_groups,)
            Normal score of each group's excess, were there no natural spread.
        error : float64 ndarray of shape (n_groups,)
            Standard error of its share of wrong rows.

        Examples
        --------
        >>> few = NaturalSpread.of(np.array([0.3, -1.0, 0.5, -0.2]), np.full(4, 0.01))
        >>> wide = NaturalSpread.of(np.array([9.0, -11.0, 5.0, -4.0]), np.full(4, 0.01))
        >>> few.typical < 0.01 < wide.typical
        True
        """
        log_prior = -PRIOR_GROUPS * (np.log(_SPREADS) + PRIOR_SPREAD**2 / (2 * _SPREADS**2))
        reach = np.sqrt(1 + (_SPREADS[:, None] / error) ** 2)
        good = norm.logpdf(z / reach) - np.log(reach) + np.log1p(-BAD_GROUPS)
        with np.errstate(divide="ignore"):
            bad = np.log(np.where(z > 0, BAD_GROUPS * np.minimum(error / WORST, 1), 0))
        log_posterior = log_prior + np.logaddexp(good, bad).sum(axis=1)
        return cls(_SPREADS, np.exp(log_posterior - logsumexp(log_posterior)))

    @property
    def typical(self) -> float:
        """Root of the expected variance between groups."""
        return float(np.sqrt((self.probability * self.spread**2).sum()))

    def widened(self, error: float) -> NaturalSpread:
        """The same after an independent error was added."""
        return NaturalSpread(np.hypot(self.spread, error), self.probability)

    def log_beyond(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log probability that a good group's natural share of wrong rows is higher than each of these."""
        with np.errstate(divide="ignore"):
            each = norm.logsf(share[:, None] / self.spread) + np.log(self.probability)
        return np.asarray(logsumexp(each, axis=1), np.float64)
