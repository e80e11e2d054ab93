"""From the detectors' evidence to one verdict per row, per campaign and per source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Mislabels, Skipped, SourceVerdict

ORDER = ("FT201", "FT202", "FT203", "FT204", "FT301", "FT303", "FT401", "FT304", "FT104", "FT103", "FT102")
"""Which rule speaks first where campaigns share rows: the one that says most about how they were made."""

_OWN = 0.3
"""Share of a campaign's rows that must be left to it, else it only corroborates the one that has them."""


@dataclass(frozen=True)
class Group:
    """One campaign as decided: its evidence, its own rows, and the rules that found the same rows."""

    campaign: Campaign
    rows: NDArray[np.int64]
    corroborated_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What a scan decided.

    Attributes
    ----------
    groups : list of Group
        Strongest first.
    review : list of Campaign
    mislabels : Mislabels or None
    sources : list of SourceVerdict or None
    skipped : list of Skipped
    group_of : int64 ndarray of shape (n,)
        Position in ``groups``; -1 for rows in none.
    posterior : float64 ndarray of shape (n,)
        Probability of a campaign row to be poisoned.
    mislabelled : bool ndarray of shape (n,)
        Flagged as a wrong label, and in no campaign.
    reviewed : int64 ndarray of shape (n,)
        Position in ``review`` of rows that are only worth a look; -1 for others.
    """

    groups: list[Group]
    review: list[Campaign]
    mislabels: Mislabels | None
    sources: list[SourceVerdict] | None
    skipped: list[Skipped]
    group_of: NDArray[np.int64]
    posterior: NDArray[np.float64]
    mislabelled: NDArray[np.bool_]
    reviewed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Rows not to train on as they stand."""
        return (self.group_of >= 0) | self.mislabelled


def decide(context: Context, found: list[Evidence]) -> Decision:
    """Join the evidence of all detectors: one set of rows, one campaign."""
    n = len(context)
    campaigns = [campaign for evidence in found for campaign in evidence.campaigns]
    groups = _separate(campaigns, n)
    group_of = np.full(n, -1, np.int64)
    posterior = np.zeros(n)
    for position, group in enumerate(groups):
        group_of[group.rows] = position
        weight = group.campaign.posterior
        if weight is None:
            posterior[group.rows] = 1.0
        else:
            posterior[group.rows] = weight[np.searchsorted(group.campaign.rows, group.rows)]
    mislabels = next((e.mislabels for e in found if e.mislabels is not None), None)
    mislabelled = np.zeros(n, bool)
    if mislabels is not None:
        mislabelled[mislabels.rows] = True
        mislabelled &= group_of < 0
    review = [item for evidence in found for item in evidence.review]
    reviewed = np.full(n, -1, np.int64)
    for position in reversed(range(len(review))):
        reviewed[review[position].rows] = position
    reviewed[(group_of >= 0) | mislabelled] = -1
    return Decision(
        groups=groups,
        review=review,
        mislabels=mislabels,
        sources=_sources(found, group_of, mislabelled, context),
        skipped=[skip for evidence in found for skip in evidence.skipped],
        group_of=group_of,
        posterior=posterior,
        mislabelled=mislabelled,
        reviewed=reviewed,
    )


def _separate(campaigns: list[Campaign], n: int) -> list[Group]:
    """Give every row to one campaign; a campaign with too few rows of its own corroborates instead."""
    rank = {rule: position for position, rule in enumerate(ORDER)}
    first = sorted(
        range(len(campaigns)),
        key=lambda i: (
            rank.get(campaigns[i].rule, len(ORDER)),
            campaigns[i].q_value,
            -campaigns[i].statistic.value,
            i,
        ),
    )
    owner = np.full(n, -1, np.int64)
    kept: list[Group] = []
    for i in first:
        campaign = campaigns[i]
        free = campaign.rows[owner[campaign.rows] < 0]
        if len(free) < max(1.0, _OWN * len(campaign.rows)):
            taken = owner[campaign.rows[owner[campaign.rows] >= 0]]
            if len(taken):
                witness = int(np.bincount(taken).argmax())
                rules = kept[witness].corroborated_by
                if campaign.rule not in (*rules, kept[witness].campaign.rule):
                    kept[witness] = replace(kept[witness], corroborated_by=(*rules, campaign.rule))
            continue
        owner[free] = len(kept)
        kept.append(Group(campaign, free))
    order = sorted(range(len(kept)), key=lambda i: (kept[i].campaign.p_value, -len(kept[i].rows), i))
    return [kept[i] for i in order]


def _sources(
    found: list[Evidence], group_of: NDArray[np.int64], mislabelled: NDArray[np.bool_], context: Context
) -> list[SourceVerdict] | None:
    """The sources table with the rows that ended up flagged, worst source first."""
    verdicts = next((e.sources for e in found if e.sources is not None), None)
    names = context.dataset.sources
    if verdicts is None or names is None or context.source is None:
        return verdicts
    flagged = np.bincount(
        context.source[(context.source >= 0) & ((group_of >= 0) | mislabelled)], minlength=len(names)
    )
    count = dict(zip(names.names, flagged, strict=True))
    listed = [replace(v, flagged_rows=int(count.get(v.source, 0))) for v in verdicts]
    return sorted(listed, key=lambda v: (not v.flagged, not v.judged, v.p_value, -v.excess))
