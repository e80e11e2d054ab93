"""Trusted rows vouch for patterns, and say how contradicted a group of right labels can be by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence

CONTRADICTED = (
    *("FT102", "FT103", "FT104", "FT105", "FT201", "FT202", "FT203", "FT204", "FT301", "FT304", "FT401"),
)
"""Rules whose campaigns are rows with contradicted labels."""

DRAWS = 999
FEWEST_SHARED = 3
"""Trusted rows with a pattern from which on they can vouch for it."""

LEVEL = 0.05


def vouch(context: Context, evidence: Evidence, seed: int = 0) -> Evidence:
    """Move campaigns that trusted rows explain to the review list; tell the others' conformal p-value.

    A campaign is explained where trusted rows carry its pattern with its label about as often as the rows of
    the campaign do, or where as many random trusted rows are contradicted as much: the p-value of the latter
    is that of a conformal test, ``(1 + number of draws at least as contradicted) / (draws + 1)``, valid
    whatever the model because trusted rows and rightly labelled rows are exchangeable.

    Parameters
    ----------
    context : Context
        With trusted rows; models should not have learned from the campaigns' rows.
    evidence : Evidence
    seed : int

    References
    ----------
    Vovk, Gammerman and Shafer, "Algorithmic learning in a random world", 2005.
    """
    trusted = context.trusted
    if trusted is None or not trusted.any():
        return evidence
    doubt = contradiction(context)
    kept, explained = [], []
    for campaign in evidence.campaigns:
        if campaign.rule not in CONTRADICTED:
            kept.append(campaign)
            continue
        shared = _shared(context, campaign, trusted)
        p_value = _conformal(doubt, campaign.rows[~trusted[campaign.rows]], trusted, seed)
        if shared:
            explained.append(replace(campaign, reason=f"{campaign.reason}; but {shared}"))
        elif p_value > LEVEL:
            why = f"trusted rows are contradicted as much (conformal p = {p_value:.2g})"
            explained.append(replace(campaign, reason=f"{campaign.reason}; but {why}"))
        else:
            told = f"{campaign.reason}; against trusted rows: conformal p = {p_value:.2g}"
            kept.append(replace(campaign, reason=told))
    return replace(evidence, campaigns=kept, review=[*evidence.review, *explained])


def contradiction(context: Context) -> NDArray[np.float64]:
    """Probability that models which never saw a row give to other labels than its own, shape (n,)."""
    label = context.label_index
    own = np.exp(context.log_probability[np.arange(len(label)), np.maximum(label, 0)])
    return np.where(label >= 0, 1 - own, 0.0)


def _shared(context: Context, campaign: Campaign, trusted: NDArray[np.bool_]) -> str:
    """In words, where trusted rows with the pattern have its label as often as the campaign's rows."""
    if campaign.shape is None or campaign.target is None:
        return ""
    sample = np.flatnonzero(trusted)
    rows = sample[campaign.shape.matches(context.dataset.take(sample))]
    if len(rows) < FEWEST_SHARED or campaign.target not in context.classes:
        return ""
    agree = int((context.label_index[rows] == context.classes.index(campaign.target)).sum())
    share = len(campaign.rows) / max(campaign.support, len(campaign.rows))
    if binom.cdf(agree, len(rows), share) <= LEVEL:
        return ""
    return f"{agree} of the {len(rows)} trusted rows with it have this label too"


def _conformal(
    doubt: NDArray[np.float64], rows: NDArray[np.int64], trusted: NDArray[np.bool_], seed: int
) -> float:
    pool = doubt[trusted]
    size = min(len(rows), len(pool))
    if not size:
        return 1.0
    rng = np.random.default_rng([seed, len(rows)])
    draws = pool[rng.integers(0, len(pool), (DRAWS, size))].mean(axis=1)
    return float((1 + (draws >= doubt[rows].mean()).sum()) / (DRAWS + 1))
