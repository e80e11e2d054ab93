"""Whether rows that stand out along one direction are a campaign, or a kind of rows.

Nature makes small bunches of unusual rows too. Four things together it does not make:

- *A second bunch*: the rows are cut off from the others along the direction by an empty valley.
- *One label against the content*: nearly all rows with the trait have one label, though the content of many
  of them speaks for another. Were labels drawn as the content says, so many would be a wonder; that is the
  p-value.
- *Diverse content*: with what they share taken away, the rows are no nearer to one another than to any
  others. A kind of rows (white cars, one topic) is still alike without it.
- *Size*: at least 12 rows and 0.3 % of the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Statistic
from foretaste.detect.representations.space import Space
from foretaste.stats.bimodality import split_line
from foretaste.stats.poisson_binomial import tail_probability

SEPARATION = 5.0
"""Least *d prime* of a second bunch; cut anywhere, normal, uniform and exponential lines stay below."""

PURITY = 0.8
"""Least share of the rows beyond the cut that have the campaign's label."""

CONTRADICTED = 1 / 3
"""Least share of the bunch's rows with contradicted labels beyond what the class has, of what is possible."""

ALIKE = 0.1
"""Most of a row's nearest in content that may be of its own bunch, beyond twice their share in the data."""

NATURAL_ERROR = 0.01
"""No content makes a label less likely than this: one wrong label in a hundred is nature."""

_NEIGHBOURS = 10


@dataclass(frozen=True)
class Bunch:
    """Rows beyond a cut of one direction.

    Attributes
    ----------
    space : Space
    label : int
    rows : int64 ndarray
        Positions in the space of those with the label.
    separation : float
    purity : float
        Share of all rows beyond the cut that have the label.
    contradicted, usual : float
        Share of its rows whose content speaks for another class; the same for the rest of the class.
    alike : float
        Share of its own among the nearest in content; 0 where it was not asked.
    p_value : float
        Of so many rows with the label, were labels drawn as the content says.
    """

    space: Space
    label: int
    rows: NDArray[np.int64]
    separation: float
    purity: float
    contradicted: float
    usual: float
    alike: float
    p_value: float

    def is_campaign(self, level: float) -> bool:
        """Whether all four things are there."""
        chance = len(self.rows) / len(self.space)
        return (
            self.separation >= SEPARATION
            and self.purity >= PURITY
            and self.excess >= CONTRADICTED
            and self.alike <= ALIKE + 2 * chance
            and self.p_value <= level
        )

    @property
    def excess(self) -> float:
        return (self.contradicted - self.usual) / max(1 - self.usual, 1e-9)


def bunch_along(
    space: Space, label: int, line: NDArray[np.floating], among: NDArray[np.bool_] | None = None
) -> Bunch | None:
    """The second bunch that rows with this label form on a line, and what it is like.

    Parameters
    ----------
    space : Space
    label : int
    line : ndarray of shape (m,)
        Where each row of the space lies.
    among : bool ndarray of shape (m,), optional
        Compare only these rows, whose content speaks against their labels, and look at the high end only.

    Returns
    -------
    Bunch or None
        None where there is no second bunch, or where it is plainly no campaign: its labels are mixed, or the
        content supports them.
    """
    y = space.y
    able = np.ones(len(y), bool) if among is None else among
    own = np.flatnonzero(able & (y == label))
    split = split_line(line[own], space.least)
    if split.separation < SEPARATION:
        return None
    small = own[split.small]
    rest = own[~split.small]
    high = line[small].mean() > line[rest].mean()
    if among is not None and not high:
        return None
    beyond = able & ((line >= line[small].min()) if high else (line <= line[small].max()))
    purity = float((y[beyond] == label).mean())
    log_p = space.opinions(beyond)
    against = log_p.argmax(axis=1) != label
    bunch = Bunch(
        space,
        label,
        small,
        split.separation,
        purity,
        float(against[small].mean()),
        float(against[(y == label) & ~beyond].mean()) if among is None else 0.0,
        0.0,
        1.0,
    )
    if purity < PURITY or bunch.excess < CONTRADICTED:
        return None
    said = log_p.argmax(axis=1)
    chance = np.exp(log_p[beyond, label])
    if among is not None:  # of the labels that contradict the content
        chance = np.where(said[beyond] == label, 1, chance / -np.expm1(log_p[beyond].max(axis=1) - 1e-9))
    chance = np.clip(chance, NATURAL_ERROR, 1)
    p_value = max(tail_probability(chance, int((y[beyond] == label).sum())), 1e-300)
    return Bunch(**{**bunch.__dict__, "alike": _alike(space, small, said), "p_value": p_value})


def _alike(space: Space, rows: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Share of the bunch among the nearest in content of its rows, what they share taken away from them."""
    content = np.asarray(space.likeness, np.float32)
    inside = np.zeros(len(space), bool)
    inside[rows] = True
    means = np.tile(content.mean(axis=0), (space.n_classes, 1))
    for k in np.unique(said[~inside]):
        means[k] = content[~inside & (said == k)].mean(axis=0)
    own = content[rows] - (content[rows] - means[said[rows]]).mean(axis=0)
    pool = np.concatenate([content[~inside], own])
    first = len(pool) - len(own)
    length = np.square(pool).sum(axis=1)
    found = 0
    for start in range(0, len(own), 512):
        part = own[start : start + 512]
        distance = length[None] - 2 * part @ pool.T
        distance[np.arange(len(part)), first + start + np.arange(len(part))] = np.inf
        near = np.argpartition(distance, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        found += int((near >= first).sum())
    return found / (len(own) * _NEIGHBOURS)


def campaigns_of(
    context: Context, rule: str, bunches: list[Bunch], *, tests: int, alpha: float, how: str
) -> list[Campaign]:
    """The bunches that are campaigns, clearest first; one that shares rows with a clearer one is left out.

    Parameters
    ----------
    bunches : list of Bunch
    tests : int
        Directions that were tried, for multiplicity (Bonferroni).
    how : str
        A clause on what was looked at, for the reason.
    """
    level = alpha / max(tests, 1)
    good = [b for b in bunches if b.is_campaign(level)]
    natural = max((b.separation for b in bunches if not b.is_campaign(level)), default=None)
    taken = np.zeros(len(context), bool)
    found = []
    for bunch in sorted(good, key=lambda b: (-b.separation, b.p_value, b.label)):
        rows = np.sort(bunch.space.positions[bunch.rows])
        if taken[rows].mean() > 0.5:
            continue
        rows = rows[~taken[rows]]
        taken[rows] = True
        name = context.classes[bunch.label]
        found.append(
            Campaign(
                rule=rule,
                rows=rows,
                target=name,
                pattern=f"one direction in {bunch.space.name}",
                kind="rows",
                p_value=bunch.p_value,
                q_value=min(1.0, bunch.p_value * tests),
                effect=bunch.contradicted,
                support=len(rows),
                statistic=Statistic("separation along the direction", bunch.separation, natural, SEPARATION),
                reason=f"{len(rows)} rows labelled {name} stand apart {how}, "
                f"{bunch.separation:.1f} standard deviations from the rest; the content of "
                f"{bunch.contradicted:.0%} of them speaks for another class ({bunch.usual:.0%} in the rest "
                "of the class), and it is as diverse as that of any rows",
            )
        )
    return found
