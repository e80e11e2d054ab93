"""Campaigns by a column that decides with other values too: what the column means, not what was put there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from foretaste.detect.evidence import Campaign
from foretaste.detect.triggers.deciding import apart
from foretaste.detect.triggers.suspect import Suspect
from foretaste.features.patterns import Condition, Pattern, Values


def of_a_kind(
    campaigns: list[Campaign],
    strong: list[Suspect],
    excused: Callable[[Condition, Campaign], bool],
) -> list[Campaign]:
    """The campaigns; for review those with a column of which two other values are strong with other rows.

    Such a column says something about the label whatever it is combined with, such as how hard a row is.

    Parameters
    ----------
    campaigns : list of Campaign
    strong : list of Suspect
        Of values, strongest first.
    excused : callable
        Tells of a part of a campaign that its column did not give the label by what it means.
    """
    said = [(suspect, suspect.shape(suspect.own)) for suspect in strong] if campaigns else []
    return [_of_a_kind(campaign, said, excused) for campaign in campaigns]


def _of_a_kind(
    campaign: Campaign,
    strong: list[tuple[Suspect, Pattern]],
    excused: Callable[[Condition, Campaign], bool],
) -> Campaign:
    for condition in campaign.shape.conditions if isinstance(campaign.shape, Values) else ():
        had, others = [campaign.rows], dict[str, None]()
        for suspect, shape in strong:
            same = [c for c in getattr(shape, "conditions", ()) if c.column == condition.column]
            if same and same[0] != condition and all(apart(suspect.own, rows) for rows in had):
                had.append(suspect.own)
                others[same[0].describe()] = None
        if len(others) > 1 and not excused(condition, campaign):
            named = ", ".join(list(others)[:3])
            why = f"; but {named} with other columns decide too, so this may be what the column means"
            return replace(campaign, rule="FT206", reason=campaign.reason + why)
    return campaign
