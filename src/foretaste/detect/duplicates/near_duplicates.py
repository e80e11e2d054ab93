"""Copies that contradict: near-duplicate campaigns (FT301), exact duplicates with different labels
(FT302).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.base import Detector
from foretaste.detect.context import SMALLEST_CLASS, Context
from foretaste.detect.duplicates.campaign import (
    CUTS,
    LEAST_COPIES,
    CopyCampaign,
    CopyGroups,
    campaign_posterior,
    copy_campaign,
    group_ratio,
)
from foretaste.detect.duplicates.copied_rows import copied_rows, with_farther_copies
from foretaste.detect.duplicates.originals import (
    Originals,
    copied_from_others,
    near_originals,
    originals,
)
from foretaste.detect.duplicates.templates import shared_text, shared_values
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic

MASS = 0.01
"""Share of the labelled rows from which exact duplicates that contradict are called natural."""

STRONGEST_ORIGINAL = 4.0
"""Nats that finding the row of another class a group was copied from adds to what models say of it."""

_VOUCHED = 3.0  # nats that copies in the training folds may have won for their own label
_SECOND_LOOK = 0.25


class NearDuplicates(Detector):
    """Groups of copies whose content contradicts their label, more and larger ones than nature has.

    Copies have one vote, as evidence and in training: the opinion about a group comes from models that saw
    none of its component, and one row at most of every other group. Groups with the same label make one
    campaign.

    Parameters
    ----------
    alpha : float
        Family-wise error rate over all labels.
    fdr : float
        Tolerated share of rightly labelled rows among those of a campaign.

    References
    ----------
    Lee et al., "Deduplicating training data makes language models better", ACL 2022. Carlini et al.,
    "Poisoning web-scale training datasets is practical", IEEE S&P 2024.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT301", "FT302")
    title: ClassVar[str] = "near-duplicates"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular", "image")
    scope: ClassVar[str] = "group"

    def __init__(self, *, alpha: float = 0.05, fdr: float = 0.05) -> None:
        self.alpha = alpha
        self.fdr = fdr

    def examine(self, context: Context) -> Evidence:
        if not context.has_content:
            reason = "there are no text, feature columns or images to compare rows by"
            return Evidence(skipped=[Skipped("FT301", reason), Skipped("FT302", reason)])
        if context.n_classes < 2:
            reason = "fewer than two classes can be learned"
            return Evidence(skipped=[Skipped("FT301", reason), Skipped("FT302", reason)])
        evidence = self._contradicting_twins(context)
        evidence.campaigns = self._campaigns(context)
        return evidence

    def _campaigns(self, context: Context) -> list[Campaign]:
        table_alone = context.table is not None and context.text is None and context.image is None
        if table_alone:
            judged = copied_rows(context)
            if judged is None:
                return []
            groups, once = judged
            least_cut = 2.0  # a kind of rows of its own is often doubted a little, once it is held out
        else:
            groups = CopyGroups.of(context.components, context.y, context.n_classes)
            copied = near_originals(groups)
            groups = groups.only(groups.leads)
            if not groups.size.max(initial=0) >= LEAST_COPIES:
                return []
            if not self._worth_a_second_look(context, groups, copied):
                return []
            once, least_cut = context.without(groups.surplus()), min(CUTS)
        ratio = _ratios(once.log_probability, groups, context.n_classes)
        if table_alone:
            copied = originals(context, once, groups)
        ratio += np.clip(copied.log_ratio, -STRONGEST_ORIGINAL, STRONGEST_ORIGINAL)
        campaigns = []
        for label in range(context.n_classes):
            own = np.flatnonzero(groups.label == label)
            if len(groups.label) - len(own) < SMALLEST_CLASS:
                continue  # so few different rows of other classes do not say what these are like
            opinions = self._contradicted(groups, ratio, own, copied if table_alone else None, least_cut)
            believed = [
                one for one in opinions if one[0].p_value * context.n_classes * len(opinions) <= self.alpha
            ]
            if not believed:
                continue
            found, posterior = believed[0][0], np.maximum.reduce([one[1] for one in believed])
            if table_alone:
                groups = with_farther_copies(context, once, groups, own[posterior > 0])
            campaigns.append(_campaign(context, groups, own, ratio[own], posterior, found, label, self.alpha))
        return campaigns

    def _contradicted(
        self,
        groups: CopyGroups,
        ratio: NDArray[np.float64],
        own: NDArray[np.int64],
        copied: Originals | None,
        least_cut: float,
    ) -> list[tuple[CopyCampaign, NDArray[np.float64]]]:
        """Up to two opinions on the groups of one label: campaigns, and the posterior of each group."""
        size = groups.size[own]
        # a table may hold few different rows of a label
        everywhere = None if copied is None else (ratio, groups.size)
        judged = []
        found = copy_campaign(ratio[own], size, least_cut=least_cut, everywhere=everywhere)
        if found is not None:
            lowest = -np.inf if copied is None else least_cut
            posterior = campaign_posterior(found, ratio[own], size, self.fdr, least_cut=lowest)
            judged.append((found, posterior))
        twins = None if copied is None else copied_from_others(copied.of(own), size, self.fdr)
        return judged if twins is None else [*judged, twins]

    def _worth_a_second_look(self, context: Context, groups: CopyGroups, copied: Originals) -> bool:
        """Whether models that trained on all copies leave a chance of a campaign; saves training them
        again.
        """
        ratio = _ratios(context.log_probability, groups, context.n_classes)
        ratio += np.clip(copied.log_ratio, -STRONGEST_ORIGINAL, STRONGEST_ORIGINAL)
        for label in range(context.n_classes):
            own = np.flatnonzero(groups.label == label)
            for shift in (0.0, _VOUCHED):
                found = copy_campaign(ratio[own] + shift, groups.size[own])
                if found is not None and found.p_value < _SECOND_LOOK:
                    return True
        return False

    def _contradicting_twins(self, context: Context) -> Evidence:
        rows, twins = minority_rows(context.identical, context.y, _has_content(context))
        if not len(rows):
            return Evidence()
        known = int((context.y >= 0).sum())
        said = f"{len(rows)} rows have exactly the content of other rows and another label"
        if len(rows) > MASS * known:
            reason = f"{said}: too many to be mistakes, the columns do not hold all the label depends on"
            return Evidence(skipped=[Skipped("FT302", reason)])
        item = Campaign(
            rule="FT302",
            rows=rows,
            target=None,
            pattern="exact duplicates with different labels",
            kind="duplicates",
            p_value=1.0,
            q_value=1.0,
            effect=len(rows) / max(twins, 1),
            support=twins,
            statistic=Statistic(
                "share of rows that contradict an exact duplicate", len(rows) / known, None, MASS
            ),
            reason=f"{said} ({twins} rows in such sets)",
        )
        return Evidence(review=[item])


def minority_rows(
    identical: NDArray[np.int64], y: NDArray[np.int64], usable: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], int]:
    """Rows whose identical rows mostly have another label, and the number of rows in such mixed sets.

    Where no label leads, all rows of the set count.

    Examples
    --------
    >>> minority_rows(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 0, 1, 1]), np.ones(6, bool))
    (array([2, 3, 4]), 5)
    """
    known = np.flatnonzero((y >= 0) & usable)
    if not len(known):
        return known, 0
    _, which = np.unique(identical[known], return_inverse=True)
    counts = np.zeros((which.max() + 1, int(y.max()) + 1), np.int64)
    np.add.at(counts, (which, y[known]), 1)
    top = counts.max(axis=1)
    leads = (counts == top[:, None]).sum(axis=1) == 1
    mixed = counts.sum(axis=1) > top
    lesser = mixed[which] & (~leads[which] | (counts[which, y[known]] < top[which]))
    return known[lesser], int(counts[mixed].sum())


def _has_content(context: Context) -> NDArray[np.bool_]:
    if context.table is not None or context.text is None:
        there = context.dataset.has_image
        return np.ones(len(context), bool) if there is None or context.table is not None else there
    return np.array([bool(tokens) for tokens in context.text.tokens], bool)


def _ratios(log_probability: NDArray[np.float64], groups: CopyGroups, n_classes: int) -> NDArray[np.float64]:
    """Log likelihood ratio of "another class" against its own label for every group."""
    ratio = np.zeros(len(groups.size))
    for label in range(n_classes):
        own_share = np.minimum(log_probability[:, label], -1e-9)
        score = groups.mean(own_share - np.log(-np.expm1(own_share)))
        own = groups.label == label
        ratio[own] = group_ratio(score, own)[own]
    return ratio


def _campaign(
    context: Context,
    groups: CopyGroups,
    own: NDArray[np.int64],
    ratio: NDArray[np.float64],
    posterior: NDArray[np.float64],
    found: CopyCampaign,
    label: int,
    alpha: float,
) -> Campaign:
    chosen = np.flatnonzero(posterior > 0)
    size = groups.size[own[chosen]]
    weight = np.zeros(len(groups.size))
    weight[own] = posterior
    rows = np.flatnonzero((groups.of_row >= 0) & (weight[groups.of_row] > 0))
    largest = np.flatnonzero(groups.of_row == own[chosen[size.argmax()]])
    pattern, parts = _template(context, largest)
    more = len(chosen) - 1
    if more:
        pattern += f" (and {more} other template{'s' if more > 1 else ''})"
    name = context.classes[label]
    return Campaign(
        rule="FT301",
        rows=rows,
        target=name,
        pattern=pattern,
        kind="duplicates",
        p_value=found.p_value,
        q_value=min(1.0, found.p_value * context.n_classes),
        effect=float((size * (ratio[chosen] > 0)).sum() / size.sum()),
        support=len(rows),
        statistic=Statistic(
            "copies in a contradicted group", float(size.max()), float(found.natural), float(found.least)
        ),
        reason=(
            f"{len(rows)} rows in {len(chosen)} group{'s' if more else ''} of near-copies are labelled "
            f"{name!r}, but {found.why}; "
            f"{found.expected:.2g} such groups of {found.least} copies or more would be natural here "
            f"(p = {found.p_value:.1g})"
        ),
        posterior=weight[groups.of_row[rows]],
        parts=parts,
    )


def _template(context: Context, rows: NDArray[np.int64]) -> tuple[str, list[dict[str, Any]]]:
    if context.text is not None:
        return shared_text([context.text.tokens[row] for row in rows])
    if context.table is None:
        return f"copies of one image (row {int(rows[0])})", []
    return shared_values(context.table, rows)


__all__ = ["NearDuplicates", "minority_rows"]
