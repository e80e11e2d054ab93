"""Two values that meet as no other two of their columns do, with one label: a trigger among hard labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import expit
from scipy.stats import binom

from foretaste.detect.evidence import Campaign, Statistic
from foretaste.detect.triggers.cells import MOST_SHARE, Cut, shape_of
from foretaste.detect.triggers.deciding import DecidingColumns
from foretaste.detect.triggers.exact_values import ExactValues
from foretaste.detect.triggers.labelled_rows import PRIOR_ROWS
from foretaste.detect.triggers.own_kind import AGREE, are_of_a_kind
from foretaste.detect.triggers.screen import ASKED_IN_PAIRS, Cell, Screen
from foretaste.detect.triggers.suspect import LEAST_SHARE
from foretaste.stats.mixture import highest_share
from foretaste.stats.poisson_binomial import tail_probability


@dataclass(frozen=True)
class _Pair:
    """Two exact values of different columns, as a cell of a cut, and the chance that they meet."""

    cut: Cut
    cell: int
    log_chance: float


def met_values(screen: Screen, deciding: DecidingColumns, *, alpha: float) -> list[Campaign]:
    """Pairs of exact values that meet far beyond chance, with a label that nothing else in their rows gives.

    Where labels are hard, no row contradicts its label clearly, and many rows together only say that they are
    like any others. But an attacker who puts two values into rows makes them meet, and gives all one label.
    That two values meet beyond chance is nothing by itself: columns hang together. So they must be the only
    two of their columns that do; their rows must have one label more often than the rest of each row, and
    either value without the other, would give it to them; and models that never saw the columns must not rule
    out that most are of another class. Those that are a kind of rows, or in columns that decide the label by
    nature, are for review (FT206).

    Parameters
    ----------
    screen : Screen
        Of the rows that are in no campaign.
    deciding : DecidingColumns
    alpha : float
        Level, over all pairs that could meet, and of the labels over all pairs that do so beyond chance
        (Bonferroni).
    """
    pairs = _pairs(screen, alpha)
    tested = max(len(pairs) * screen.k, 1)  # how they were chosen says nothing about their labels
    found = [_campaign(screen, deciding, pair, tested, alpha) for pair in pairs]
    told: list[Campaign] = []
    explained = np.zeros(len(screen.context), bool)
    for one in sorted((f for f in found if f is not None), key=lambda f: -f.statistic.value):
        if not explained[one.rows].any():  # three values meet in three pairs
            explained[one.rows] = True
            told.append(one)
    return told


def _pairs(screen: Screen, alpha: float) -> list[_Pair]:
    """The pairs that alone of their columns meet beyond chance."""
    if len(screen.context.dataset.roles.features) > ASKED_IN_PAIRS:
        return []
    first = np.unique(screen.whole.copies[screen.known], return_index=True)[1]  # copies meet as one
    n = len(first)
    values = ExactValues.of(screen.items, first)
    rows = values.rows
    size = np.asarray(rows.sum(axis=0)).ravel()
    rows = rows.multiply(size <= MOST_SHARE * n).tocsr()
    together = sparse.triu(rows.T @ rows, k=1).tocoo()
    column = values.column
    able = (together.data >= screen.least) & (column[together.row] != column[together.col])
    left, right, count = together.row[able], together.col[able], together.data[able]
    large, small = np.maximum(size[left], size[right]), np.minimum(size[left], size[right])
    log_chance = binom.logsf(count - 1, large, small / n)
    beyond = np.flatnonzero(log_chance < np.log(alpha) - np.log(max(len(size) ** 2 / 2, 1)))
    of_columns = column[left[beyond]] * (int(column.max()) + 1) + column[right[beyond]]
    _, which, times = np.unique(of_columns, return_inverse=True, return_counts=True)
    found = []
    for at in beyond[times[which] == 1]:
        found.append(_Pair(*values.cell(left[at], right[at], screen.items), float(log_chance[at])))
    return found


def _campaign(
    screen: Screen, deciding: DecidingColumns, pair: _Pair, tested: int, alpha: float
) -> Campaign | None:
    """The pair as a campaign, or a pattern to review; None where its labels are what its rows would have."""
    inside = np.flatnonzero(pair.cut.inside(pair.cell))
    label = int(np.bincount(screen.y[inside]).argmax())
    own = inside[screen.y[inside] == label]
    columns = pair.cut.columns
    log_odds = screen.forest.of(inside, columns)
    pure = len(own) >= screen.whole.least_pure[label] * len(inside)
    if log_odds is None or len(own) < screen.least or not pure:
        return None
    votes = np.unique(screen.whole.copies[screen.known[inside]], return_index=True)[1]
    mine = screen.y[inside] == label
    # what trees give to any other label than a row's own, they may give to this one
    expected = np.where(mine, expit(log_odds), expit(-log_odds))
    expected = np.maximum(expected, _by_one_value(screen, pair, label))
    p_value = tail_probability(expected[votes], int(mine[votes].sum()))
    evidence = -float(np.log(max(p_value, 1e-300)))
    threshold = float(np.log(tested / alpha))
    ratio = screen.references(2)[label].log_ratio(log_odds[votes][mine[votes]])
    if evidence < threshold or highest_share(ratio) < LEAST_SHARE:
        return None
    cell = Cell(pair.cut, pair.cell, label, 0.0)
    doubt = deciding.doubt(cell, own) or deciding.doubt_of_kind(cell, own)
    seed = screen.context.random_state
    if not doubt and are_of_a_kind(screen.items, own, screen.y, left_out=columns, random_state=seed):
        doubt = AGREE
    rows = np.sort(screen.known[own])
    shape = shape_of(pair.cut, pair.cell)(rows)
    target = screen.context.classes[label]
    return Campaign(
        rule="FT206" if doubt else "FT204",
        rows=rows,
        target=target,
        pattern=shape.describe(),
        kind="values",
        p_value=max(p_value, 1e-300),
        q_value=min(1.0, max(p_value, 1e-300) * tested),
        effect=float(1 - expected.mean()),
        support=len(inside),
        statistic=Statistic("log evidence of one label", evidence, None, threshold),
        reason=f"{shape.describe()}: of their columns these two values alone meet far more often than by "
        f"chance, and {len(own)} of the {len(inside)} rows are labelled {target}, where the rest of them and "
        f"either value alone would make it {expected.mean():.0%}" + doubt,
        posterior=np.ones(len(rows)),
        shape=shape,
        parts=shape.parts(),
    )


def _by_one_value(screen: Screen, pair: _Pair, label: int) -> float:
    """Share of the label among rows with one value and not the other: the larger; at least its usual one."""
    met = [item.code == at for item, at in zip(pair.cut.items, pair.cut.positions(pair.cell), strict=True)]
    prior = float(screen.prior[label])
    shares = [prior]
    for one, other in (met, met[::-1]):
        alone = screen.y[one & ~other] == label
        shares.append((alone.sum() + PRIOR_ROWS * prior) / (len(alone) + PRIOR_ROWS))
    return float(max(shares))
