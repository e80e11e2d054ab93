"""How strongly the rest of a row contradicts its label, once the pattern it shares is left out.

The null is the hardest natural case. A natural keyword or value also leaves its rows bare when it is taken
away; so the content of a pattern's rows is compared not with typical rows of their class but with rows of
that class *whose own strongest evidence was taken away*. Only rows that look worse than those, like rows of
another class with all their content, speak for a trigger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.stats.calibration import LogisticLine, fit_line


@dataclass(frozen=True)
class BareReference:
    """Rows of one class without their strongest evidence, against rows of the others with all of theirs.

    Parameters
    ----------
    bare : float64 ndarray of shape (n_own,)
        Log odds of the class for its own rows, strongest evidence left out.
    others : float64 ndarray of shape (n_other,)
        Log odds of the class for the rows of the other classes.
    bare_votes, other_votes : float64 ndarray of shape (n_own,) and (n_other,), optional
        Weight of each row, so that near-duplicates count once; all the same by default.
    """

    bare: NDArray[np.float64]
    others: NDArray[np.float64]
    bare_votes: NDArray[np.float64] | None = None
    other_votes: NDArray[np.float64] | None = None

    def line(self, left_out: NDArray[np.bool_] | None = None) -> LogisticLine:
        """Calibration of the log odds; ``left_out`` marks own rows that are under suspicion themselves."""
        return self._calibrate(left_out)[0]

    def log_ratio(
        self, log_odds: NDArray[np.float64], left_out: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Log likelihood ratio of "another class" against "this class, bare" for rows with these log odds."""
        line, prior = self._calibrate(left_out)
        return np.asarray(np.clip(prior - line.log_odds(log_odds), -7, 7), np.float64)

    def _calibrate(self, left_out: NDArray[np.bool_] | None) -> tuple[LogisticLine, float]:
        """The calibration, and the log of how many own rows it saw for each of the others."""
        kept = np.ones(len(self.bare), bool) if left_out is None or left_out.all() else ~left_out
        own = np.arange(kept.sum() + len(self.others)) < kept.sum()
        mine = np.ones(len(kept)) if self.bare_votes is None else self.bare_votes
        theirs = np.ones(len(self.others)) if self.other_votes is None else self.other_votes
        votes = np.concatenate([mine[kept], theirs])
        line = fit_line(np.concatenate([self.bare[kept], self.others]), own, votes)
        # as the calibration sees them: where it learned nothing, the ratio is exactly one
        n_own, n_other = votes[own].sum(), votes[~own].sum()
        seen = n_own * (n_own + 1) / (n_own + 2) + n_other / (n_other + 2)
        prior = np.log(seen) - np.log(n_own + n_other - seen)
        return line, float(prior)


def one_vote_each(group: NDArray[np.int64], component: NDArray[np.int64]) -> NDArray[np.float64]:
    """Votes of memberships so that the near-duplicates within a group have one in all.

    Examples
    --------
    >>> one_vote_each(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 5])).tolist()
    [0.5, 0.5, 1.0, 1.0]
    """
    width = int(component.max(initial=0)) + 1
    _, inverse, counts = np.unique(group * width + component, return_inverse=True, return_counts=True)
    votes: NDArray[np.float64] = 1.0 / counts[inverse]
    return votes
