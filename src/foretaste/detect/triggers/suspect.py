"""One pattern under suspicion, and the judge of what its rows look like without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.contradiction import BareReference, one_vote_each
from foretaste.features.patterns import Pattern
from foretaste.stats.mixture import Mixture, mixture_evidence

LEAST_SHARE = 0.6
"""Share of a pattern's rows that must look like another class: a trigger turns most of its rows."""


@dataclass(frozen=True)
class Suspect:
    """One pattern and one class it may push.

    Attributes
    ----------
    label : int
        The class.
    rows : int64 ndarray
        Every row that has the pattern.
    own : int64 ndarray
        Those of them labelled with the class.
    log_odds : float64 ndarray
        Of the class for ``own``, the pattern left out.
    shape : callable
        Makes the `Pattern`; only asked for what is reported.
    rule : str
    odds_against : float
        Number of patterns of this kind that were looked at, over the share of the error budget the kind has.
    judge : Judge
    doubt : str
        Why the pattern is only worth a look, however strong; empty where it is not.
    noise : float
        Share of contradicted rows that parts of the pattern have without it; a pattern must have more.
    copies : int64 ndarray, optional
        The same number for rows of ``own`` that are near-duplicates without the pattern; those of the judge
        by default.
    others : int, optional
        Rows with the pattern and another label that counts; all other rows by default.
    length : int
        Of patterns in nearly the same rows the longest is told: the sentence, not a word of it.
    least_share : float
        Share of ``own`` that must look like another class.
    second_thought : callable
        The same as ``doubt``, of what only those are asked that would be campaigns.
    """

    label: int
    rows: NDArray[np.int64]
    own: NDArray[np.int64]
    log_odds: NDArray[np.float64]
    shape: Callable[[NDArray[np.int64]], Pattern]
    rule: str
    odds_against: float
    judge: Judge
    doubt: str = ""
    noise: float = 0.0
    copies: NDArray[np.int64] | None = None
    others: int | None = None
    length: int = 0
    least_share: float = LEAST_SHARE
    second_thought: Callable[[], str] = str

    def thought_over(self) -> Suspect:
        """The suspect, or the same as a pattern to review."""
        doubt = self.doubt or self.second_thought()
        return replace(self, rule="FT206", doubt=doubt) if doubt else self


@dataclass
class Judge:
    """Judges suspects of one class.

    Parameters
    ----------
    reference : BareReference
        Of the class; its ``bare`` in the order of ``own_rows``.
    own_rows : int64 ndarray
        All rows of the class.
    component : int64 ndarray of shape (n,)
        Near-duplicates have one vote.
    """

    reference: BareReference
    own_rows: NDArray[np.int64]
    component: NDArray[np.int64]

    def log_ratio(self, suspect: Suspect) -> NDArray[np.float64]:
        """Per row of ``suspect.own``, against a reference that does not hold those rows."""
        left_out = np.isin(self.own_rows, suspect.own, assume_unique=True)
        return self.reference.log_ratio(suspect.log_odds, left_out)

    def evidence(self, suspect: Suspect, ratio: NDArray[np.float64], kept: NDArray[np.bool_]) -> Mixture:
        group = np.zeros(int(kept.sum()), np.int64)
        copies = self.component[suspect.own] if suspect.copies is None else suspect.copies
        votes = one_vote_each(group, copies[kept])
        return mixture_evidence(ratio[kept], group, 1, weight=votes, noise=suspect.noise)
