"""Copies around a row of another class: noise spreads them about the row they were taken from.

Rows of a natural group that have another label than the rest are any of them; the row in the middle is one no
more often than chance has it. The row that copies were made from sits in the middle always, and has kept its
label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.duplicates.groups import LEAST_COPIES, CopyGroups

_MOST = 200
"""Rows of a group that are compared, and rows of other classes that are compared with them."""

_SAME = 1e-6


@dataclass(frozen=True)
class Middles:
    """Of every group of copies: whether no row of its own is more in the middle than one of another class.

    Attributes
    ----------
    row : int64 ndarray of shape (g,)
        That row of another class, -1 where there is none.
    chance : float64 ndarray of shape (g,)
        How likely that is where labels have nothing to do with the middle; 1 for groups below `LEAST_COPIES`,
        where it is not looked at.
    leads : bool ndarray of shape (g,)
        Whether most rows in the middle of the group have its label, if not most of its component.
    """

    row: NDArray[np.int64]
    chance: NDArray[np.float64]
    leads: NDArray[np.bool_]


def middles(context: Context, groups: CopyGroups) -> Middles:
    """Who sits in the middle of the groups of copies of texts or images: the row most like their rows.

    In nature each row of a component is as likely to sit there. Where other labels outvote the group in its
    component, only those rows count that are more in the middle than half of the group: copies of one row
    are but a small part of what is like that row.

    Parameters
    ----------
    context : Context
        With texts or images.
    groups : CopyGroups
    """
    total = np.bincount(groups.component, groups.size).astype(np.int64)[groups.component]
    row, leads = np.full(len(total), -1), np.zeros(len(total), bool)
    chance = np.where(groups.size >= LEAST_COPIES, 1 / (groups.size + 1), 1.0)
    component = np.append(groups.component, -1)[groups.of_row]
    for group, own in groups.members():
        if total[group] == groups.size[group]:
            continue
        others = np.flatnonzero((component == groups.component[group]) & (groups.of_row != group))
        own = own[:: -(-len(own) // _MOST)]
        others = _nearest(context, own, others)
        alike = _alike(context, np.append(own, others))
        place = Place.of(alike[: len(own), : len(own)], alike[len(own) :, : len(own)])
        leads[group] = place.inner_own > place.inner_others
        if place.other:
            row[group] = others[place.first]
        chance[group] = place.chance(whole=bool(groups.leads[group]))
    return Middles(row, chance, leads)


@dataclass(frozen=True)
class Place:
    """Where the rows of other classes are that are beside a group of copies.

    Attributes
    ----------
    own, others : int
        Rows of the group, and of other classes.
    inner_own, inner_others : int
        Those at least as much in the middle as half of the group.
    first : int
        Position of the row of another class that is most in the middle.
    other : bool
        Whether no row of the group is more in the middle than that.
    ties : int
        Rows of the group that are as much in the middle.

    Examples
    --------
    Four copies that share half of each other, and three quarters of the row they were made from:

    >>> place = Place.of(0.5 + 0.5 * np.eye(4), np.full((1, 4), 0.75))
    >>> place.other, round(place.chance(whole=True), 3)
    (True, 0.2)
    """

    own: int
    others: int
    inner_own: int
    inner_others: int
    first: int
    other: bool
    ties: int

    @classmethod
    def of(cls, own: NDArray[np.float64], others: NDArray[np.float64]) -> Place:
        """Of how alike the rows of the group are, shape (m, m), and those of other classes to them (t, m)."""
        least = max(len(own) - 1, 1)
        middle = (own.sum(axis=1) - np.diag(own)) / least
        beside = others.mean(axis=1)
        first = int(beside.argmax())
        # a row of the group is compared neither with itself nor, here, with the row it is measured against
        ahead = middle - (others[first].sum() - others[first]) / least
        half = np.median(middle)
        return cls(
            len(own),
            len(others),
            int((middle >= half).sum()),
            int((beside >= half).sum()),
            first,
            not (ahead > _SAME).any(),
            int((np.abs(ahead) <= _SAME).sum()),
        )

    def chance(self, *, whole: bool) -> float:
        """How likely one of the other classes, or of those in the inner half, is in the middle by chance."""
        own = self.own if whole else self.inner_own
        others = max(self.others if whole else self.inner_others, 1)
        first = min(self.ties + 1, own + others)
        missed = (own + others - first - np.arange(others)) / (own + others - np.arange(others))
        return float(1 - np.prod(np.maximum(missed, 0)))


def _nearest(context: Context, own: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(others) <= _MOST:
        return others
    units = _units(context) if context.text is None else context.text.template_tfidf
    near = units[others] @ np.asarray(units[own].sum(axis=0)).ravel()
    return np.sort(others[np.argsort(-near, kind="stable")[:_MOST]])


def _alike(context: Context, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    if context.text is not None:
        return context.text.shared(rows)
    units = _units(context)[rows]
    return np.asarray(units @ units.T, np.float64)


def _units(context: Context) -> NDArray[np.float32]:
    return context.embedding if context.image is None else context.image.detail


__all__ = ["Middles", "Place", "middles"]
