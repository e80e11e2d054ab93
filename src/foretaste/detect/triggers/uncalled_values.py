"""Two values that meet in rows of one class in which nothing calls for either, however right their labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from foretaste.detect.evidence import Campaign, Statistic
from foretaste.detect.triggers.cells import shape_of
from foretaste.detect.triggers.meetings import Meeting, Meetings
from foretaste.detect.triggers.own_kind import AGREE, are_of_a_kind
from foretaste.detect.triggers.rest_of_row import Called, RestOfRow
from foretaste.detect.triggers.screen import Screen

TIMES, TIMES_FOR_REVIEW = 10.0, 3.0
"""How many times more rows must have both values than their rest calls for, whichever of them is given; for
review one of these numbers may be smaller."""

MOST_REVIEWED = 2

MOSTLY = 0.5
"""Rows that have mostly one another for their nearest are a kind of rows."""

KIN = 0.2
"""Share of the rows that other pairs of the same columns, as little called for, have: so the columns are."""

MOST_KIN = 8
"""Such pairs that are looked at."""


def uncalled_values(screen: Screen, *, alpha: float) -> list[Campaign]:
    """Pairs of exact values that rows of one class have though nothing else in them calls for either.

    Where an attacker keeps the right labels, no row contradicts its own. But he overwrites columns, and the
    rest of each row still calls for what was there before. So these are reported: two values that meet in one
    class beyond chance, and more purely than either without the other; many times more often than in rows
    that are like theirs in all other columns, whichever of the two is given; in rows that are no kind of
    their own; while other values of the two columns do not do the same. What is less clear, as where one of
    the values is common, or may be a kind of rows after all, is for review (FT206).

    Parameters
    ----------
    screen : Screen
        Of the rows that are in no campaign.
    alpha : float
        Level, over all pairs that could meet, and of labels and meetings over all that do (Bonferroni).
    """
    search = _Search(screen, alpha)
    told: list[Campaign] = []
    explained = np.zeros(len(screen.known), bool)
    for meeting, called in search.found():
        cut, cell = search.meetings.values.cell(*meeting.values, screen.items)
        inside = cut.inside(cell)
        own = np.flatnonzero(inside & (screen.y == meeting.label))
        if not explained[own].any() and not search.has_kin(meeting, called):
            explained[own] = True
            told.append(search.campaign(meeting, called, own, int(inside.sum())))
    review = [item for item in told if item.rule == "FT206"]
    return [item for item in told if item.rule != "FT206"] + review[:MOST_REVIEWED]


class _Search:
    """Asks of every pair that meets what the rest of the rows calls for."""

    def __init__(self, screen: Screen, alpha: float) -> None:
        self.screen, self.alpha = screen, alpha
        self.meetings = Meetings(screen.some, alpha=alpha, random_state=screen.context.random_state)
        self._rest: dict[int, RestOfRow] = {}

    def found(self) -> list[tuple[Meeting, Called]]:
        """Pairs that the rest of their rows does not call for, least called for first."""
        found = []
        for meeting in self.meetings.found():
            called = self._called(meeting)
            if called is None or called.together > MOSTLY or called.times[1] < TIMES:
                continue
            if _log_p(meeting, called) < np.log(self.alpha / self.meetings.tested):
                found.append((meeting, called))
        return sorted(found, key=lambda one: one[1].times, reverse=True)

    def has_kin(self, meeting: Meeting, called: Called) -> bool:
        """Whether other values of the two columns meet as uncalled for: then it is what these are like."""
        rows = 0
        for other in self.meetings.of_the_same_columns(meeting)[:MOST_KIN]:
            alike = self._called(other)
            if alike is not None and alike.times[0] >= min(called.times[0], TIMES):
                rows += other.rows
        return rows >= KIN * meeting.rows

    def _called(self, meeting: Meeting) -> Called | None:
        table, labelled = self.screen.context.table, self.meetings.labelled
        assert table is not None
        if meeting.label not in self._rest:
            self._rest[meeting.label] = RestOfRow(table, labelled, meeting.label)
        cut, cell = self.meetings.values.cell(*meeting.values, labelled.items)
        return self._rest[meeting.label].called(cut, cell, TIMES_FOR_REVIEW)

    def campaign(self, meeting: Meeting, called: Called, own: NDArray[np.int64], support: int) -> Campaign:
        screen = self.screen
        cut, cell = self.meetings.values.cell(*meeting.values, screen.items)
        seed, doubt = screen.context.random_state, ""
        if called.times[0] < TIMES:
            doubt = "; but that is not clear enough for an alarm"
        elif are_of_a_kind(screen.items, own, screen.y, left_out=cut.columns, random_state=seed):
            doubt = AGREE
        shape = shape_of(cut, cell)(screen.known[own])
        target = screen.context.classes[meeting.label]
        p_value = float(np.exp(max(_log_p(meeting, called), -690.0)))
        put_there = 1 - 1 / called.times[0]
        return Campaign(
            rule="FT206" if doubt else "FT204",
            rows=screen.known[own],
            target=target,
            pattern=shape.describe(),
            kind="values",
            p_value=p_value,
            q_value=min(1.0, p_value * self.meetings.tested),
            effect=put_there,
            support=support,
            statistic=Statistic("times as many rows as their rest calls for", called.times[0], None, TIMES),
            reason=f"{shape.describe()}: {len(own)} of the {support} rows with both values are labelled "
            f"{target}, more of them than with either alone, and these values meet "
            f"{called.times[0]:.0f} times as often as in rows that are like these in all other columns"
            + doubt,
            posterior=np.full(len(own), put_there),
            shape=shape,
            parts=shape.parts(),
        )


def _log_p(meeting: Meeting, called: Called) -> float:
    """Both the labels and the meeting must be beyond nature: the larger of their chances."""
    return max(meeting.log_p, *(float(poisson.logsf(meeting.rows - 1, e)) for e in called.expected))
