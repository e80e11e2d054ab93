"""What a detector hands to the decision: campaigns, things to review, and what it could not test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.features.patterns import Pattern


@dataclass(frozen=True)
class Statistic:
    """One number beside what nature reaches in the same data and beside what would have been an alarm."""

    name: str
    value: float
    natural_max: float | None = None
    threshold: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "natural_max": self.natural_max,
            "threshold": self.threshold,
        }


@dataclass(frozen=True)
class Campaign:
    """Rows tied together by their own evidence.

    Attributes
    ----------
    rule : str
        Code of the rule, ``FT201``.
    rows : int64 ndarray
        Positions of the rows, ascending.
    target : str or None
        The label the campaign pushes.
    pattern : str
        The trigger or shared trait in words.
    kind : str
        ``tokens``, ``values``, ``image``, ``sound``, ``duplicates``, ``rows``, ``source`` or ``time``.
    p_value, q_value : float
        Against the detector's null; after multiplicity.
    effect : float
        Share of the campaign's rows whose content contradicts their label, or, where labels are right, does
        not call for what the rows share; in [0, 1].
    support : int
        Rows that have the pattern, flagged or not.
    statistic : Statistic
    reason : str
        One sentence for a person.
    posterior : float64 ndarray or None
        Probability of each row to be poisoned, in the order of ``rows``.
    shape : Pattern or None
        The pattern as an object that finds it in other data.
    parts : list of dict
        What a report highlights (``docs/formats.md``).
    unnamed : float
        Wrong labels that belong to it beside those of ``rows``, expected: known to be there, not which.
    """

    rule: str
    rows: NDArray[np.int64]
    target: str | None
    pattern: str
    kind: str
    p_value: float
    q_value: float
    effect: float
    support: int
    statistic: Statistic
    reason: str
    posterior: NDArray[np.float64] | None = None
    shape: Pattern | None = None
    parts: list[dict[str, Any]] = field(default_factory=list)
    unnamed: float = 0.0


@dataclass(frozen=True)
class Skipped:
    """A rule that could not be tested here, and why."""

    rule: str
    reason: str


@dataclass(frozen=True)
class SourceVerdict:
    """One line of the sources table.

    Attributes
    ----------
    source : str
    rows : int
        Rows of the source that have a label.
    flagged_rows : int
    excess, low, high : float
        Wrong rows beyond what other sources have in such rows, with one-sided 95 % bounds.
    p_value : float
        1 where the source was not judged.
    flagged, judged : bool
    note : str
        Why it was not judged, or what else to know; empty where there is nothing to say.
    """

    source: str
    rows: int
    flagged_rows: int
    excess: float
    low: float
    high: float
    p_value: float
    flagged: bool
    judged: bool
    note: str = ""


@dataclass(frozen=True)
class Mislabels:
    """What the label audit found.

    Attributes
    ----------
    rows : int64 ndarray
        Flagged rows, ascending.
    posterior : float64 ndarray
        Probability of each flagged row's label to be wrong.
    expected : int64 ndarray
        The class each flagged row looks like.
    all_posterior : float64 ndarray of shape (n,)
        The same probability for every row; 0 where it was not judged.
    estimate, low, high : float
        Number of wrong labels, with a 95 % interval.
    accuracy : float
        Share of rows whose label the models predict without having seen it.
    doubt : float
        Mean probability that the cleaned models leave to other classes than their best.
    reason : str
        What was left out and why; empty where nothing was.
    """

    rows: NDArray[np.int64]
    posterior: NDArray[np.float64]
    expected: NDArray[np.int64]
    all_posterior: NDArray[np.float64]
    estimate: float
    low: float
    high: float
    accuracy: float
    doubt: float
    reason: str

    def of_first(self, n: int) -> Mislabels:
        """What it says about the first ``n`` rows."""
        mine = self.rows < n
        others = float(self.all_posterior[n:].sum())
        return replace(
            self,
            rows=self.rows[mine],
            posterior=self.posterior[mine],
            expected=self.expected[mine],
            all_posterior=self.all_posterior[:n],
            estimate=max(self.estimate - others, 0.0),
            low=max(self.low - others, 0.0),
            high=max(self.high - others, 0.0),
        )


@dataclass
class Evidence:
    """Everything one detector found; ``sources`` and ``mislabels`` are None where it is silent."""

    campaigns: list[Campaign] = field(default_factory=list)
    review: list[Campaign] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    sources: list[SourceVerdict] | None = None
    mislabels: Mislabels | None = None
