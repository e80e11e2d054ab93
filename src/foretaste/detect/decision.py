"""From the detectors' evidence to one verdict per row, per campaign and per source."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Mislabels, Skipped, SourceVerdict
from foretaste.detect.sources.tied import Tie, tie_to_sources
from foretaste.stats.scan_statistic import burst_of

ORDER = (
    "FT201",
    "FT202",
    "FT203",
    "FT204",
    "FT207",
    "FT208",
    "FT209",
    "FT210",
    "FT301",
    "FT303",
    "FT502",
    "FT501",
    "FT503",
    "FT504",
    "FT505",
    "FT401",
    "FT304",
    "FT104",
    "FT105",
    "FT103",
    "FT102",
)
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
    ties : list of list of Tie
        The sources of each group, most rows first; empty without a source column.
    """

    groups: list[Group]
    review: list[Campaign]
    mislabels: Mislabels | None
    sources: list[SourceVerdict] | None
    skipped: list[Skipped]
    group_of: NDArray[np.int64]
    posterior: NDArray[np.float64]
    mislabelled: NDArray[np.bool_]
    reviewed: NDArray[np.int64]
    ties: list[list[Tie]]

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Rows not to train on as they stand."""
        return (self.group_of >= 0) | self.mislabelled


def decide(context: Context, found: list[Evidence], *, alpha: float = 0.01) -> Decision:
    """Join the evidence of all detectors: one set of rows, one campaign.

    Parameters
    ----------
    context : Context
    found : list of Evidence
    alpha : float
        Family-wise error rate of what is said about where and when a campaign came from.
    """
    n = len(context)
    campaigns = [campaign for evidence in found for campaign in evidence.campaigns]
    groups, ties = _where_and_when(context, _separate(campaigns, n), alpha)
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
        sources=_sources(found, group_of, mislabelled, ties, context),
        skipped=[skip for evidence in found for skip in evidence.skipped],
        group_of=group_of,
        posterior=posterior,
        mislabelled=mislabelled,
        reviewed=reviewed,
        ties=ties,
    )


def _where_and_when(
    context: Context, groups: list[Group], alpha: float
) -> tuple[list[Group], list[list[Tie]]]:
    """Sources (FT402) and moments (FT304) that the rows of a campaign share, as corroboration."""
    own = [replace(group.campaign, rows=group.rows, posterior=None) for group in groups]
    ties = tie_to_sources(context, own, alpha=alpha) if context.source is not None and groups else []
    times = context.dataset.times
    for position, group in enumerate(groups):
        rules = list(group.corroborated_by)
        if ties and any(tie.tied for tie in ties[position]):
            rules.append("FT402")
        burst = None if times is None else burst_of(times, group.rows)
        if burst is not None and burst[2] <= alpha / len(groups) and group.campaign.rule != "FT304":
            rules.append("FT304")
        groups[position] = replace(group, corroborated_by=tuple(dict.fromkeys(rules)))
    return groups, ties


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
    found: list[Evidence],
    group_of: NDArray[np.int64],
    mislabelled: NDArray[np.bool_],
    ties: list[list[Tie]],
    context: Context,
) -> list[SourceVerdict] | None:
    """The sources table with the rows that ended up flagged, worst source first.

    A source that a campaign is tied to is flagged whether or not its other rows look wrong.
    """
    verdicts = next((e.sources for e in found if e.sources is not None), None)
    names = context.dataset.sources
    if verdicts is None or names is None or context.source is None:
        return verdicts
    flagged = (group_of >= 0) | mislabelled
    count = np.bincount(context.source[(context.source >= 0) & flagged], minlength=len(names))
    rows = dict(zip(names.names, count.tolist(), strict=True))
    tied: dict[str, Tie] = {}
    for tie in (tie for of_group in ties for tie in of_group if tie.tied):
        if tie.source not in tied or tie.p_value < tied[tie.source].p_value:
            tied[tie.source] = tie
    listed = []
    for verdict in verdicts:
        verdict = replace(verdict, flagged_rows=rows.get(verdict.source, 0))
        if verdict.source in tied and not verdict.flagged:
            tie = tied[verdict.source]
            note = "; ".join(filter(None, [f"{tie.rows} rows of one campaign come from it", verdict.note]))
            excess = max(verdict.excess, float(tie.rows))
            verdict = replace(
                verdict, flagged=True, p_value=min(verdict.p_value, tie.p_value), excess=excess, note=note
            )
            verdict = replace(verdict, low=min(max(verdict.low, 0.0), excess), high=max(verdict.high, excess))
        listed.append(verdict)
    return sorted(listed, key=lambda v: (not v.flagged, not v.judged, v.p_value, -v.excess))
