"""Copies that contradict: near-duplicate campaigns (FT301), exact duplicates with different labels
(FT302).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.base import Detector
from foretaste.detect.context import SMALLEST_CLASS, Context
from foretaste.detect.duplicates.copied_rows import copied_rows, with_farther_copies
from foretaste.detect.duplicates.evidence import CopyEvidence, Opinion
from foretaste.detect.duplicates.foreign_words import ForeignWords, foreign_words
from foretaste.detect.duplicates.groups import LEAST_COPIES, CopyGroups
from foretaste.detect.duplicates.middle import middles
from foretaste.detect.duplicates.originals import near_originals, originals
from foretaste.detect.duplicates.templates import shared_text, shared_values
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic

MASS = 0.01
"""Share of the labelled rows from which exact duplicates that contradict are called natural."""

FOREIGN = 0.001
"""Family-wise error rate of groups of texts whose shared words speak for another label; less than of others:
words are compared as if drawn one by one, but those of a form letter come together by nature."""


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
        if context.text is not None:
            evidence.campaigns += self._foreign(context, evidence.campaigns)
        return evidence

    def _campaigns(self, context: Context) -> list[Campaign]:
        copies = self._judged_table(context) if _is_table(context) else self._judged_content(context)
        if copies is None:
            return []
        campaigns = []
        for label in range(context.n_classes):
            if len(copies.groups.label) - len(copies.of_label(label)) < SMALLEST_CLASS:
                continue  # so few different rows of other classes do not say what these are like
            found = copies.campaign(label, self.alpha / context.n_classes, self.fdr)
            if found is None:
                continue
            if _is_table(context):
                chosen = np.flatnonzero(found.posterior > 0)
                copies = replace(copies, groups=with_farther_copies(context, copies.groups, chosen))
            campaigns.append(_campaign(context, copies, found, label, self.alpha))
        return campaigns

    def _foreign(self, context: Context, found: list[Campaign]) -> list[Campaign]:
        """Of every label, the groups whose shared words speak for another, but for rows found already."""
        groups = CopyGroups.of(context.components, context.y, context.n_classes)
        taken = np.zeros(len(context), bool)
        for campaign in found:
            taken[campaign.rows] = True
        campaigns = []
        for label, name in enumerate(context.classes):
            level = FOREIGN / context.n_classes
            asked = foreign_words(context, groups, label, random_state=context.random_state)
            foreign = [one for one in asked if one.p_value <= level]
            rows = np.flatnonzero(np.isin(groups.of_row, [one.group for one in foreign]) & ~taken)
            if len(rows) >= LEAST_COPIES:
                campaigns.append(_foreign_campaign(context, groups, foreign, rows, name))
        return campaigns

    def _judged_table(self, context: Context) -> CopyEvidence | None:
        judged = copied_rows(context)
        if judged is None:
            return None
        groups, once = judged
        copied = originals(context, once, groups)
        return CopyEvidence.of(once.log_probability, context.n_classes, groups, copied)

    def _judged_content(self, context: Context) -> CopyEvidence | None:
        groups = CopyGroups.of(context.components, context.y, context.n_classes)
        exact = CopyGroups.of(_equal_but_for_numbers(context), context.y, context.n_classes)
        middle = middles(context, groups)
        evident = groups.leads | middle.leads
        kept = evident | (middle.row >= 0)
        aside = ~evident[kept]
        copied = near_originals(groups, middle, exact).of(kept)
        groups = groups.only(kept)
        if not groups.size.max(initial=0) >= LEAST_COPIES:
            return None
        equal = groups.largest(exact)
        copies = CopyEvidence.of(context.log_probability, context.n_classes, groups, copied, equal, aside)
        if not copies.worth_a_second_look(self.fdr):
            return None  # models that trained on all copies leave no chance of a campaign
        once = context.without(groups.surplus())
        return CopyEvidence.of(once.log_probability, context.n_classes, groups, copied, equal, aside)

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


def _is_table(context: Context) -> bool:
    return context.table is not None and context.text is None and context.image is None


def _equal_but_for_numbers(context: Context) -> NDArray[np.int64]:
    """The same number for equal rows; texts may differ in their numbers."""
    return context.identical if context.text is None else context.text.templates


def _campaign(context: Context, copies: CopyEvidence, found: Opinion, label: int, alpha: float) -> Campaign:
    groups, weight = copies.groups, found.posterior
    chosen = np.flatnonzero(weight > 0)
    size = groups.size[chosen]
    rows = np.flatnonzero((groups.of_row >= 0) & (weight[groups.of_row] > 0))
    largest = np.flatnonzero(groups.of_row == chosen[size.argmax()])
    pattern, parts = _template(context, largest)
    more = len(chosen) - 1
    if more:
        pattern += f" (and {more} other template{'s' if more > 1 else ''})"
    name, told = context.classes[label], found.campaign
    return Campaign(
        rule="FT301",
        rows=rows,
        target=name,
        pattern=pattern,
        kind="duplicates",
        p_value=told.p_value,
        q_value=min(1.0, told.p_value * context.n_classes),
        effect=float((size * (copies.ratio[chosen] > 0)).sum() / size.sum()),
        support=len(rows),
        statistic=Statistic(
            "copies in a contradicted group", float(size.max()), float(told.natural), float(told.least)
        ),
        reason=(
            f"{len(rows)} rows in {len(chosen)} group{'s' if more else ''} of near-copies are labelled "
            f"{name!r}, but {told.why}; "
            f"{told.expected:.2g} such groups of {told.least} copies or more would be natural here "
            f"(p = {told.p_value:.1g})"
        ),
        posterior=weight[groups.of_row[rows]],
        parts=parts,
    )


def _foreign_campaign(
    context: Context, groups: CopyGroups, foreign: list[ForeignWords], rows: NDArray[np.int64], name: str
) -> Campaign:
    first = foreign[0]
    pattern, parts = _template(context, np.flatnonzero(groups.of_row == first.group))
    return Campaign(
        rule="FT301",
        rows=rows,
        target=name,
        pattern=pattern,
        kind="duplicates",
        p_value=first.p_value,
        q_value=min(1.0, first.p_value * context.n_classes),
        effect=1.0,
        support=len(rows),
        statistic=Statistic("log odds of the label by the words they share", first.log_odds, None, 0.0),
        reason=(
            f"{len(rows)} texts labelled {name!r} share words that speak for another label, more than "
            f"{first.texts} other texts with that label do (p = {first.p_value:.1g})"
        ),
        posterior=np.full(len(rows), 1 - max(one.p_value for one in foreign)),
        parts=parts,
    )


def _template(context: Context, rows: NDArray[np.int64]) -> tuple[str, list[dict[str, Any]]]:
    if context.text is not None:
        return shared_text([context.text.tokens[row] for row in rows])
    if context.table is None:
        return f"copies of one image (row {int(rows[0])})", []
    return shared_values(context.table, rows)


__all__ = ["NearDuplicates", "minority_rows"]
