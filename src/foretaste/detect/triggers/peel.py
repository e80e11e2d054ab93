"""Peel campaigns off one layer at a time.

Poisoned rows bend the models that judge the others. So the strongest campaigns are taken out of the training
rows, the models are fitted again, and the search starts over, until nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign
from foretaste.detect.triggers.suspect import Suspect
from foretaste.detect.triggers.suspects import Decision, decide

_LAYERS = 6
_SAME_LAYER = 0.5
"""Campaigns with at least this share of the strongest one's evidence are believed with it."""

_BEYOND = 100.0
"""How much more evidence than the strongest natural pattern a campaign has."""

Search = Callable[[Context], list[Suspect]]


def peel(context: Context, search: Search, *, alpha: float) -> Decision:
    """All campaigns of a search, strongest layer first, each beside the last search's natural maximum.

    What to review comes from the last search: there no campaign is left to bend the models. The strong
    suspects are those of all searches.
    """
    found: list[Campaign] = []
    strong: list[Suspect] = []
    for _ in range(_LAYERS):
        layer = decide(search(context), context.classes, alpha=alpha)
        strong += layer.strong
        if not layer.campaigns:
            break
        strongest = max(c.statistic.value for c in layer.campaigns)
        believed = [c for c in layer.campaigns if c.statistic.value >= _SAME_LAYER * strongest]
        found += believed
        context = context.without(np.concatenate([c.rows for c in believed]))
    natural = layer.natural_max
    # where natural patterns come near the threshold, the null is too kind: a campaign must be beyond them too
    least = -np.inf if natural is None else natural + np.log(_BEYOND)
    found = [c for c in found if c.statistic.value >= least]
    told = [replace(c, statistic=replace(c.statistic, natural_max=natural)) for c in found]
    return Decision(told, layer.review, natural, strong)
