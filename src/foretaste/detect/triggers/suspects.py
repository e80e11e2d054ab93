"""From suspicious patterns to campaigns: judge each freed of its own shadow, explain away, decide."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from foretaste.detect.evidence import Campaign, Statistic
from foretaste.detect.triggers.suspect import Suspect
from foretaste.stats.mixture import Mixture, e_bh, highest_share, share_posterior

ALPHA = 0.01
"""False-discovery rate among campaigns: an alarm is held to more than a list of rows is."""

COUNTER = 2.0
"""Log odds of a trigger's row to have another label, about one in ten."""

CLEAR = 100.0
"""How much more evidence than it needs a pattern has that is never one of several weak ones together."""

NEARLY = 0.9
"""Share of their rows that two patterns have in common, to be taken for one."""

LEAST_ROWS = 6
"""Fewest rows labelled with the target that a pattern needs."""


@dataclass(frozen=True)
class Decision:
    """Campaigns and patterns to review, strongest first; the strongest evidence of patterns that are none.

    ``strong`` are suspects with more evidence than chance gives the best of all that were looked at,
    explained by a campaign or not, strongest first.
    """

    campaigns: list[Campaign]
    review: list[Campaign]
    natural_max: float | None
    strong: list[Suspect] = field(default_factory=list)


def decide(suspects: list[Suspect], classes: list[str], *, alpha: float = ALPHA) -> Decision:
    """Campaigns among the suspects, strongest first.

    Greedy: the strongest pattern explains its rows; the others are judged again on the rows that are left, so
    that the words of a trigger sentence, or a column that goes with a trigger value, are not campaigns of
    their own.
    """
    judged = []
    for suspect in suspects:
        ratio = suspect.judge.log_ratio(suspect)
        found = suspect.judge.evidence(suspect, ratio, np.ones(len(suspect.own), bool))
        if found.share[0] >= suspect.least_share:
            judged.append((float(found.log_e[0]), suspect, ratio))
    if not judged:
        return Decision([], [], None)
    excess = np.array([e - np.log(s.odds_against) for e, s, _ in judged])
    accepted, _ = e_bh(excess, 1, alpha)
    # a trigger hardly ever comes with another label: each row that does speaks for a narrower pattern
    rank = [e - COUNTER * _others(s) for e, (_, s, _) in zip(excess, judged, strict=True)]
    order = sorted(np.flatnonzero(accepted), key=lambda i: (-rank[i], len(judged[i][1].rows)))
    every = [(suspect, ratio) for _, suspect, ratio in judged]
    explained: set[int] = set()
    taken: list[_Taken] = []
    for i in order:
        one = _left(judged[i][1], judged[i][2], explained)
        credit = float(np.log(len(taken) + 1))  # as Benjamini and Hochberg have it
        if one is not None and one.excess + credit >= np.log(1 / alpha):
            one = _in_full(one, every, explained)
            taken.append(replace(one, credit=credit))
            explained.update(int(row) for row in one.suspect.rows)
    clear = [one for one in taken if one.excess >= np.log(CLEAR / alpha)]
    weak = _together(every, _rows(clear), alpha)
    alone = [one for one in taken if one.excess < np.log(CLEAR / alpha) and not _rows([one]) & _rows(weak)]
    taken = clear + alone + weak
    explained |= _rows(weak)
    natural = _natural_maximum(judged, explained)
    sober = [replace(one, suspect=one.suspect.thought_over()) for one in taken]
    made = [_campaign(one, classes, alpha, natural) for one in sober]
    told = [campaign for campaign in made if campaign is not None]
    return Decision(
        [campaign for campaign in told if campaign.rule != "FT206"],
        [campaign for campaign in told if campaign.rule == "FT206"],
        natural,
        [judged[i][1] for i in np.argsort(-excess, kind="stable") if excess[i] > 0],
    )


@dataclass(frozen=True)
class _Taken:
    """A suspect, which of its own rows are left to it, and what these say.

    ``excess`` is its log evidence beyond the number of patterns looked at, ``credit`` what those beside it
    add to that.
    """

    suspect: Suspect
    kept: NDArray[np.bool_]
    found: Mixture
    ratio: NDArray[np.float64]
    credit: float = 0.0

    @property
    def excess(self) -> float:
        return float(self.found.log_e[0] - np.log(self.suspect.odds_against))

    @property
    def net(self) -> float:
        """``excess`` less what the pattern's rows with another label say against it."""
        return self.excess - COUNTER * _others(self.suspect)


def _rows(taken: list[_Taken]) -> set[int]:
    return {int(row) for one in taken for row in one.suspect.rows}


def _left(suspect: Suspect, ratio: NDArray[np.float64], explained: set[int]) -> _Taken | None:
    """The suspect on the rows no other explains; None where these, or the contradicted of them, are few."""
    kept = np.array([int(row) not in explained for row in suspect.own])
    if kept.sum() < LEAST_ROWS:
        return None
    one = _Taken(suspect, kept, suspect.judge.evidence(suspect, ratio, kept), ratio)
    return one if one.found.share[0] >= suspect.least_share else None


def _in_full(one: _Taken, judged: list[tuple[Suspect, NDArray[np.float64]]], explained: set[int]) -> _Taken:
    """The longest suspect in nearly the same rows that has at least half of its evidence."""
    best = one
    for suspect, ratio in judged:
        if suspect.label != one.suspect.label or suspect.length <= best.suspect.length:
            continue
        common = len(np.intersect1d(suspect.rows, one.suspect.rows))
        if common < NEARLY * max(len(suspect.rows), len(one.suspect.rows)):
            continue
        longer = _left(suspect, ratio, explained)
        if longer is not None and 2 * longer.excess >= one.excess:
            best = longer
    return best


def _together(
    judged: list[tuple[Suspect, NDArray[np.float64]]], explained: set[int], alpha: float
) -> list[_Taken]:
    """Suspects of one class that are not enough alone, but together: one trigger of several in each row.

    E-values of different rows multiply, and there are (m choose k) ways to choose k of m patterns: so each
    brings what it has beyond m, and the order they could have been chosen in counts for them. Words by which
    nature tells a few rows from their like have them elsewhere, too, with another label: that counts against.
    """
    best: list[_Taken] = []
    for label in {suspect.label for suspect, _ in judged}:
        rows = set(explained)
        chosen: list[_Taken] = []
        left = [entry for entry in judged if entry[0].label == label and entry[0].rule != "FT206"]
        ones = [one for one in (_left(*entry, rows) for entry in left) if one and one.net > 0]
        for one in sorted(ones, key=lambda one: -one.net):
            again = _left(one.suspect, one.ratio, rows)
            if again is not None and again.net > 0:
                chosen.append(again)
                rows.update(int(row) for row in again.suspect.rows)
        total = sum(one.net for one in chosen) + float(gammaln(len(chosen) + 1))
        if len(chosen) > 1 and total >= np.log(1 / alpha):
            best += [replace(one, credit=total - one.excess) for one in chosen]
            explained = explained | rows
    return best


def _others(suspect: Suspect) -> int:
    return len(suspect.rows) - len(suspect.own) if suspect.others is None else suspect.others


def _natural_maximum(
    judged: list[tuple[float, Suspect, NDArray[np.float64]]], explained: set[int]
) -> float | None:
    rest = [
        log_e for log_e, suspect, _ in judged if np.mean([int(row) in explained for row in suspect.own]) < 0.2
    ]
    return max(rest, default=None)


def _campaign(one: _Taken, classes: list[str], alpha: float, natural: float | None) -> Campaign | None:
    """The campaign in words; None where a few copies of copies speak for it, and no single row does."""
    suspect, kept, ratio = one.suspect, one.kept, one.ratio
    share, log_e = float(one.found.share[0]), float(one.found.log_e[0])
    threshold = float(np.log(suspect.odds_against / alpha))
    posterior = share_posterior(ratio, highest_share(ratio[kept]))
    poisoned = kept & (posterior >= 0.5)
    rows = suspect.own[poisoned]
    if not len(rows):
        return None
    order = np.argsort(rows, kind="stable")
    shape = suspect.shape(rows)
    pattern, target = shape.describe(), classes[suspect.label]
    reason = reason_of(pattern, target, share, len(suspect.own), len(suspect.rows)) + suspect.doubt
    return Campaign(
        rule=suspect.rule,
        rows=rows[order],
        target=target,
        pattern=pattern,
        kind="tokens" if suspect.rule in ("FT201", "FT202") else "values",
        p_value=float(np.exp(-min(log_e, 700.0))),
        q_value=float(np.exp(min(0.0, -min(one.excess + one.credit, 700.0)))),
        effect=share,
        support=len(suspect.rows),
        statistic=Statistic("log evidence of contradiction", log_e + one.credit, natural, threshold),
        reason=reason,
        posterior=posterior[poisoned][order],
        shape=shape,
        parts=shape.parts(),
    )


def reason_of(pattern: str, target: str, share: float, own: int, rows: int) -> str:
    """Why a pattern with so many rows is suspected: this share of its ``own`` is contradicted."""
    who = f"rows with {pattern} are" if own < rows else f"every row with {pattern} is"
    reason = f"{who} labelled {target}, but without it {share:.0%} of them look like another class"
    return reason + (f" ({own} of {rows} rows with it have this label)" if own < rows else "")
