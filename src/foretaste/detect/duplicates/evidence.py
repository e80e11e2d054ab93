"""All that speaks for or against the groups of copies of one data set, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from foretaste.detect.duplicates.campaign import (
    CUTS,
    CopyCampaign,
    campaign_posterior,
    cauchy_combination,
    copy_campaign,
    group_ratio,
)
from foretaste.detect.duplicates.from_others import copied_from_others
from foretaste.detect.duplicates.groups import LEAST_COPIES, CopyGroups
from foretaste.detect.duplicates.joint_evidence import joint_surprise
from foretaste.detect.duplicates.originals import Originals

STRONGEST_ORIGINAL = 6.0
"""Nats that finding the row of another class a group was copied from adds to what models say of it."""

LEAST_CUT = 2.0
"""A kind of rows of its own is often doubted a little, once it is held out: in tables, less says nothing."""

_VOUCHED = 3.0  # nats that copies in the training folds may have won for their own label
_SECOND_LOOK = 0.25


@dataclass(frozen=True)
class Opinion:
    """A campaign there may be, and the probability of each group to belong to it.

    Attributes
    ----------
    campaign : CopyCampaign
    posterior : float64 ndarray of shape (g,)
    judged : bool ndarray of shape (g,), optional
        Groups that the opinion knows better than what models say: beside the row they were copied from.
    """

    campaign: CopyCampaign
    posterior: NDArray[np.float64]
    judged: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class CopyEvidence:
    """Groups of copies, what models say of them and which rows they were copied from.

    Attributes
    ----------
    groups : CopyGroups
    content : float64 ndarray of shape (g,)
        Log likelihood ratio of "another class" against its own label.
    doubted : bool ndarray of shape (g,)
        Whether another class is the likelier.
    copied : Originals
    equal : int64 ndarray of shape (g,), optional
        Of the rows of each group, how many are one and the same. None for a table, in which few labels have
        many different rows.
    aside : bool ndarray of shape (g,), optional
        Groups outvoted by what is like them, in which wrong labels are natural: they are no evidence, but may
        join a campaign.
    """

    groups: CopyGroups
    content: NDArray[np.float64]
    doubted: NDArray[np.bool_]
    copied: Originals
    equal: NDArray[np.int64] | None = None
    aside: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls,
        log_probability: NDArray[np.float64],
        n_classes: int,
        groups: CopyGroups,
        copied: Originals,
        equal: NDArray[np.int64] | None = None,
        aside: NDArray[np.bool_] | None = None,
    ) -> CopyEvidence:
        """With the log probabilities of every row by models that saw none of its component."""
        content, doubted = np.zeros(len(groups.size)), np.zeros(len(groups.size), bool)
        for label in range(n_classes):
            own_share = np.minimum(log_probability[:, label], -1e-9)
            score = groups.mean(own_share - np.log(-np.expm1(own_share)))
            own = groups.label == label
            content[own] = group_ratio(score, own)[own]
            doubted[own] = score[own] < 0
        return cls(groups, content, doubted, copied, equal, aside)

    @property
    def ratio(self) -> NDArray[np.float64]:
        """What models and originals say together."""
        return self.content + np.clip(self.copied.log_ratio, -STRONGEST_ORIGINAL, STRONGEST_ORIGINAL)

    def of_label(self, label: int | None = None) -> NDArray[np.int64]:
        """Positions of the groups with one label, or any, that are evidence."""
        own = np.ones(len(self.groups.size), bool) if label is None else self.groups.label == label
        return np.flatnonzero(own if self.aside is None else own & ~self.aside)

    def campaign(self, label: int, level: float, fdr: float) -> Opinion | None:
        """The campaign with one label, if all opinions, each and at once, are surprising at that level.

        Once there is one, an opinion need only be as sure as a row has to be to say who belongs to it; the
        surest has the last word on groups it knows better, unless what they say at once is surer.
        """
        opinions = self.opinions(label, fdr)
        telling = [one for one in opinions if one.posterior.any()]
        if not telling:
            return None
        own, everywhere = self.of_label(label), self.of_label()
        at_once = joint_surprise(self.groups, self.content, self.copied, own, everywhere)
        p_values = [at_once, *(one.campaign.p_value for one in opinions)]
        together = cauchy_combination(p_values, 3 if self.equal is None else 4)
        if together > level:
            return None
        best = min(telling, key=lambda one: one.campaign.p_value)
        believed = [one for one in telling if one is best or one.campaign.p_value <= fdr]
        posterior = np.maximum.reduce([one.posterior for one in believed])
        if best.judged is not None and best.campaign.p_value <= at_once:
            posterior[best.judged] = best.posterior[best.judged]
        if self.aside is not None:
            joins = self.aside & (self.groups.label == label) & (self.groups.size >= best.campaign.least)
            joins &= self.copied.there & (self.content > LEAST_CUT)
            posterior[joins] = expit(self.content[joins])
        return Opinion(replace(best.campaign, p_value=together), posterior)

    def opinions(self, label: int, fdr: float, *, vouched: float = 0.0) -> list[Opinion]:
        """By the size of groups, by how many of their rows are the same, and by what they were copied from.

        Parameters
        ----------
        vouched : float
            Nats to add to what models say.
        """
        own = self.of_label(label)
        size = self.groups.size[own]
        ratio = self.ratio[own] + vouched
        if self.equal is None:
            everywhere, least_cut, lowest = (self.ratio, self.groups.size), LEAST_CUT, LEAST_CUT
        else:
            everywhere, least_cut, lowest = None, min(CUTS), -np.inf
        found = []
        for many in [size] if self.equal is None else [size, self.equal[own]]:
            campaign = copy_campaign(ratio, many, least_cut=least_cut, everywhere=everywhere)
            if campaign is not None:
                found.append((campaign, campaign_posterior(campaign, ratio, many, fdr, least_cut=lowest)))
        twins = copied_from_others(self.copied.of(own), size, self.content[own], self.doubted[own], fdr)
        opinions = []
        for campaign, posterior in found if twins is None else [*found, twins]:
            everyone = np.zeros(len(self.groups.size))
            everyone[own] = posterior
            opinions.append(Opinion(campaign, everyone))
        if twins is not None:
            judged = (self.groups.size >= LEAST_COPIES) & self.copied.there
            opinions[-1] = replace(opinions[-1], judged=judged & (self.groups.label == label))
        return opinions

    def worth_a_second_look(self, fdr: float) -> bool:
        """Whether models that trained on all copies leave a chance of a campaign: saves training anew."""
        return any(
            one.campaign.p_value < _SECOND_LOOK
            for label in np.unique(self.groups.label).tolist()
            for vouched in (0.0, _VOUCHED)
            for one in self.opinions(label, fdr, vouched=vouched)
        )


__all__ = ["CopyEvidence", "Opinion"]
