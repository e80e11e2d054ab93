"""Text triggers: phrases that decide the label against what the rest of the text says (FT201, FT202)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped
from foretaste.detect.triggers.another_class import another_class
from foretaste.detect.triggers.coherence import is_coherent
from foretaste.detect.triggers.nearest_texts import NearestLabels, nearest_labels
from foretaste.detect.triggers.peel import peel
from foretaste.detect.triggers.phrases import RestOfTheWords
from foretaste.detect.triggers.suspected_phrases import phrases_of, suspected_phrases
from foretaste.features.writing import Mark

LEAST_LEFT_TO_READ = 5
"""Known words that half of the texts of a campaign have left beside its pattern: fewer say too little, unless
the texts most like them say that they are of another class."""

FEW, FEW_SHARE = 10, 0.002
"""Fewer rows than the first, and a smaller share of all than the second, are as few as one kind of texts that
is an exception by nature: advertisements someone asked for, among the unasked."""

DEFINES = 0.9
"""Share of its class that has a pattern which is what the class is: its format, the site it comes from."""


class TextTriggers(Detector):
    """Phrases, and pairs of phrases, that carry a label their texts do not deserve.

    For every class, the phrases that lean to it are taken out of the rows that have them, and the rows are
    asked again; so are the rows that are written alike: in capitals, with an odd space, sign, number or
    beginning. Rows of a natural phrase still look like their class, at worst like rows of that class
    without their strongest phrase; rows that share a trigger look like the class they were taken from. See
    `foretaste.stats.mixture` for the evidence and `foretaste.detect.contradiction` for the null.

    Parameters
    ----------
    alpha : float
        False-discovery rate among campaigns.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT201", "FT202")
    title: ClassVar[str] = "text triggers"
    modalities: ClassVar[tuple[str, ...]] = ("text",)
    scope: ClassVar[str] = "group"

    def __init__(self, *, alpha: float = 0.01) -> None:
        self.alpha = alpha

    def examine(self, context: Context) -> Evidence:
        if context.text is None:
            return Evidence(skipped=[Skipped(rule, "there is no text column") for rule in self.rules])
        if context.n_classes < 2:
            return Evidence(
                skipped=[Skipped(rule, "fewer than two classes can be learned") for rule in self.rules]
            )
        found = peel(context, partial(suspected_phrases, phrases_of(context)), alpha=self.alpha).campaigns
        doubts = [_doubt(context, campaign, found) for campaign in found]
        return Evidence(
            campaigns=[campaign for campaign, doubt in zip(found, doubts, strict=True) if not doubt],
            review=[
                replace(campaign, reason=campaign.reason + doubt)
                for campaign, doubt in zip(found, doubts, strict=True)
                if doubt
            ],
        )


def _doubt(context: Context, campaign: Campaign, found: Sequence[Campaign]) -> str:
    """Why nature may have tied the texts of one of those found together; empty where nothing says so."""
    assert context.text is not None
    label = context.classes.index(str(campaign.target))
    phrases = [part["token"] for part in campaign.parts if not isinstance(part["token"], Mark)]
    words = {word for phrase in phrases for word in phrase.split(" ")}
    rest = context.text.known_without(words, campaign.rows)
    # numbers and signs, as of an address, are no words
    left = np.median([sum(any(map(str.isalpha, word)) for word in known) for known in rest])
    goes = _goes_with(context, campaign, label, phrases)
    suspects = np.concatenate([other.rows for other in found])
    nearest = _nearest(context, campaign, label, suspects, goes)
    if left < LEAST_LEFT_TO_READ and not (nearest and nearest.another):
        return f"; yet hardly more than {left:.0f} known words are left of such a text"
    if len(campaign.rows) < min(FEW, FEW_SHARE * len(context)):
        return (
            f"; yet {len(campaign.rows)} such texts in {len(context):,} may be an exception of nature's own"
        )
    mine = campaign.rows[context.y[campaign.rows] == label]
    if len(mine) >= DEFINES * (context.y == label).sum():
        return f"; yet nearly every text labelled {campaign.target} has it, so that it is what that class is"
    if is_coherent(context.text.tokens, campaign.rows, context.y, phrases=phrases):
        return "; yet these texts resemble one another in other ways too, as those of one site or one kind do"
    if nearest and nearest.own:
        return f"; yet the other texts most like them are labelled {campaign.target}, too"
    speaks = another_class(context, mine, label, left_out=goes, suspects=suspects)
    if speaks is not None and speaks.none:
        return "; yet without it such texts speak for no other class, as where it is all that tells one"
    return ""


def _goes_with(context: Context, campaign: Campaign, label: int, phrases: list[str]) -> NDArray[np.int64]:
    """The word features that are the phrases of a campaign or go with its rows."""
    inside = np.zeros((len(context), 1), np.float32)
    inside[campaign.rows] = 1
    goes = RestOfTheWords(context, label).goes_with(sparse.csc_matrix(inside), [phrases])
    return np.unique(goes.indices).astype(np.int64)


def _nearest(
    context: Context,
    campaign: Campaign,
    label: int,
    suspects: NDArray[np.int64],
    goes: NDArray[np.int64],
) -> NearestLabels | None:
    """What the texts most like those of a campaign are labelled, those of all campaigns left out."""
    assert context.text is not None
    judged = np.append(np.setdiff1d(np.arange(len(context)), suspects), campaign.rows)
    return nearest_labels(
        context.text.word_tfidf[judged],
        np.arange(len(judged) - len(campaign.rows), len(judged)),
        context.y[judged] == label,
        left_out=goes,
        random_state=context.random_state,
    )
