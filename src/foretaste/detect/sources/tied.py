"""Does one source, or do a few, supply the rows of a campaign? (FT402)

A campaign that was found by what its rows look like is compared with who sent them. If senders played no
part, the campaign's rows would be a random draw from all rows, or from all rows with its label, whichever
explains more. Sources that supply more than such a draw would (hypergeometric, Bonferroni) are named where,
together, they supply most of the campaign and clearly more than their size explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign

MOST_SOURCES = 20

LEAST_SHARE = 0.5
"""Share of a campaign's rows that the sources it is tied to must supply, all of them together."""

LEAST_ODDS = 4.0
"""How much larger the odds of coming from those sources must be in the campaign than elsewhere."""


@dataclass(frozen=True)
class Tie:
    """One source of a campaign.

    Attributes
    ----------
    source : str
    rows : int
        Rows of the campaign that it supplies.
    p_value : float
        Of that many rows or more in a random draw, after Bonferroni over all sources and campaigns.
    tied : bool
        Whether the campaign is its doing.
    """

    source: str
    rows: int
    p_value: float
    tied: bool


def tie_to_sources(
    context: Context, campaigns: Sequence[Campaign], *, alpha: float = 0.01
) -> list[list[Tie]]:
    """The sources of each campaign's rows, at most `MOST_SOURCES`, most rows first.

    Parameters
    ----------
    context : Context
    campaigns : sequence of Campaign
    alpha : float
        Family-wise error rate over all sources and campaigns.

    Returns
    -------
    list of list of Tie
        One list per campaign, in their order; empty lists where no source is known.

    References
    ----------
    Fisher, "On the interpretation of chi-squared from contingency tables, and the calculation of P", Journal
    of the Royal Statistical Society 85 (1922).
    """
    source, names = context.source, context.dataset.sources
    if source is None or names is None:
        return [[] for _ in campaigns]
    tests = max(len(names) * len(campaigns), 1)
    labels = context.dataset.labels
    everywhere = np.bincount(source[source >= 0], minlength=len(names))
    ties = []
    for campaign in campaigns:
        draws = [_Draw(source[campaign.rows], everywhere, len(source))]
        if campaign.target in labels.names:
            of_label = labels.codes == labels.names.index(campaign.target)
            own = campaign.rows[of_label[campaign.rows]]
            if 2 * len(own) > len(campaign.rows):
                sizes = np.bincount(source[of_label & (source >= 0)], minlength=len(names))
                draws.append(_Draw(source[own], sizes, int(of_label.sum())))
        ties.append(_ties(draws, names.names, tests, alpha))
    return ties


class _Draw:
    """A campaign's rows as a draw from a population of rows.

    Parameters
    ----------
    drawn : int ndarray of shape (n_drawn,)
        Source of each row of the campaign, negative where unknown.
    sizes : int64 ndarray of shape (n_sources,)
        Rows of each source in the population.
    population : int
        Rows in the population, those of unknown source included.
    """

    def __init__(self, drawn: NDArray[np.integer], sizes: NDArray[np.int64], population: int) -> None:
        self.total, self.sizes, self.population = len(drawn), sizes, population
        self.count = np.bincount(drawn[drawn >= 0], minlength=len(sizes))

    def p_value(self, sources: NDArray[np.int64]) -> NDArray[np.float64]:
        tail = hypergeom.sf(self.count[sources] - 1, self.population, self.sizes[sources], self.total)
        return np.clip(np.asarray(tail, np.float64), 1e-300, 1)

    def stands_out(self, sources: NDArray[np.int64]) -> bool:
        """Whether these sources together supply most of the campaign, and far more than of the rest."""
        inside = float(self.count[sources].sum())
        others = self.population - self.total
        rest = float(self.sizes[sources].sum()) - inside
        odds = (inside + 0.5) / (self.total - inside + 0.5)
        odds_rest = (rest + 0.5) / (others - rest + 0.5)
        return inside >= LEAST_SHARE * self.total and odds >= LEAST_ODDS * odds_rest


def _ties(draws: list[_Draw], names: Sequence[str], tests: int, alpha: float) -> list[Tie]:
    count = draws[0].count
    shown = np.argsort(-count, kind="stable")[:MOST_SOURCES]
    shown = shown[count[shown] > 0]
    p_value = np.minimum(np.max([draw.p_value(shown) for draw in draws], axis=0) * tests, 1.0)
    suspects = shown[p_value <= alpha]
    tied = len(suspects) > 0 and all(draw.stands_out(suspects) for draw in draws)
    return [
        Tie(names[code], int(count[code]), float(p), bool(tied and p <= alpha))
        for code, p in zip(shown.tolist(), p_value, strict=True)
    ]
