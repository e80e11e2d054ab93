"""Wrong labels in one group (FT105): rows with one value, in one range, or with one word in their text.

Labels that are wrong at random in one group only are learned by the models as what the group is like: they
are no longer sure of it, and nothing contradicts anything. But a group that is hard, or has classes in other
proportions, looks different from one with wrong labels where models are surest
(`foretaste.stats.group_noise`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic
from foretaste.detect.rows.groups import FEWEST_ROWS, Group, groups_of
from foretaste.stats.group_noise import Explained, Fit, View, evidence, wrong_shares
from foretaste.stats.mixture import surest

MOST_ROWS = 20_000
"""Labelled rows that groups are compared in; drawn evenly where there are more."""

MOST_CLASSES = 10
"""Classes that are asked about, the most frequent ones."""

CANDIDATES = 20
"""Groups, and classes, that are looked at closely."""

WORTH_A_LOOK = -1.0
"""Evidence, while a group's own rows are part of what it is compared with, from which it is a candidate."""

MOST_FOUND = 5

REVIEW = 0.2
"""Chance that a scan lists a group for review where there is none."""

LEAST_ROWS = 10
"""Wrong rows that can be named, at least, for an alarm."""

NAMED = 1 / 3
"""Share of the wrong rows that can be named, at least, for an alarm: where content tells the class of fewer,
it may as well not tell it in this group.
"""

LIKELY = 0.5
"""No row is named that models which saw the group's other labels take for right: they know its rules."""

AS_GOOD = 3.0
"""Models that never saw the group's labels name its wrong rows if they explain its labels about as well as
the best model does: by so much, in log likelihood, may they fall short.
"""


class WrongInOneGroup(Detector):
    """Find groups in which labels are wrong, at random or in one direction, far more often than elsewhere.

    Every value of a category, range of a number, word and pair of words makes a group. Its labels are
    explained twice, by all models: as those of a group that only differs in nature, and as those of one in
    which a tenth to a half of the labels are wrong. The likelihood ratio, divided by the design effect of
    near-duplicates, must outweigh the number of groups and classes that were looked at.

    Parameters
    ----------
    alpha : float
        Family-wise error rate of an alarm over all groups.
    fdr : float
        Share of good rows tolerated among the rows listed.

    References
    ----------
    Jagielski et al., "Subpopulation data poisoning attacks", ACM CCS 2021. Barton and Lord, "An upper
    asymptote for the three-parameter logistic item-response model", ETS RR-81-20 (1981): floor and ceiling.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT105",)
    title: ClassVar[str] = "wrong labels in one group"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular")
    scope: ClassVar[str] = "group"
    stage: ClassVar[str] = "label"

    def __init__(self, *, alpha: float = 0.01, fdr: float = 0.05) -> None:
        self.alpha = alpha
        self.fdr = fdr

    def examine(self, context: Context) -> Evidence:
        if context.n_classes < 2 or (context.table is None and context.text is None):
            return _nothing("there are no columns or texts to divide the rows by")
        groups = groups_of(context)
        if not groups:
            return _nothing(f"no value and no word is shared by {FEWEST_ROWS} rows that have a label")
        search = _Search(context, groups)
        least, alarm = (float(np.log(search.tested / level)) for level in (REVIEW, self.alpha))
        found: list[Campaign] = []
        review: list[Campaign] = []
        taken = np.zeros(len(context), bool)
        for _ in range(MOST_FOUND):
            judged = [search.closely(candidate, taken) for candidate in search.candidates]
            judged.sort(key=lambda one: -one.evidence)
            if not judged or judged[0].evidence < least:
                break
            natural = max((one.evidence for one in judged[1:]), default=0.0)
            one = search.narrowed(judged, taken, least)
            campaign, named = self._judge(search, one, Statistic(_NAME, 0.0, max(natural, 0.0), alarm))
            taken[one.group.rows] = True
            if campaign.statistic.value >= least:
                (found if named and campaign.statistic.value >= alarm else review).append(campaign)
        return Evidence(campaigns=found, review=review)

    def _judge(self, search: _Search, one: _Close, statistic: Statistic) -> tuple[Campaign, bool]:
        """What is said of one group, once models that never saw its labels have been asked as well; and
        whether enough of its wrong rows can be named.
        """
        context, rows = search.context, one.rows.astype(np.int64)
        inside = one.fit(one.best, context.components)
        one = one.beside(search.view(np.exp(context.without(rows).log_probability), one.label))
        fit = one.fit(one.namer, context.components)
        shares = wrong_shares([one.explained[one.namer]])
        value = one.evidence / fit.design_effect
        wrong = float(fit.posterior.sum())
        named = np.sort(surest(fit.posterior, self.fdr))
        named = named[inside.posterior[named] >= LIKELY]
        enough = len(named) >= max(LEAST_ROWS, NAMED * wrong)
        if not enough:  # nothing to take out, but something to look at
            named = np.sort(np.argsort(-fit.posterior, kind="stable")[: max(round(wrong), 1)])
        pushed = _pushed(context, one.label, shares)
        name = one.group.in_words
        p_value = float(np.exp(-np.clip(value, 0, 690)))
        campaign = Campaign(
            rule="FT105",
            rows=rows[named],
            target=pushed,
            pattern=one.group.shape.describe(),
            kind="rows",
            p_value=p_value,
            q_value=min(1.0, search.tested * p_value),
            effect=float(np.clip(fit.posterior[named].mean(), 0, 1)),
            support=len(rows),
            statistic=replace(statistic, value=value),
            reason=f"about {wrong:.0f} of the {len(rows)} rows with {name} seem to have a wrong label"
            + (f" ({pushed})" if pushed is not None else "")
            + ": their content contradicts it even where models are surest, as hardly any other row's does; "
            "ask whether these labels come from one annotator or one import",
            posterior=fit.posterior[named],
            unnamed=max(wrong - len(named), 0.0) if enough else wrong,
        )
        return campaign, enough


_NAME = "log evidence for wrong labels"


def _pushed(context: Context, label: int, shares: tuple[float, float]) -> str | None:
    """The label that the wrong rows have, where it is one."""
    wrong, other = shares
    if not wrong:
        return str(context.classes[label])
    only = not other and context.n_classes == 2
    return str(context.classes[1 - label]) if only else None


@dataclass(frozen=True)
class _Close:
    """One group and one class, looked at closely; ``rows`` are those of no group that was found before."""

    group: Group
    rows: NDArray[np.int32]
    label: int
    views: list[View]
    explained: list[Explained]

    @property
    def evidence(self) -> float:
        return float(evidence(self.explained)[0])

    def beside(self, outside: View) -> _Close:
        """The same with one more view, by models that never saw the group's labels."""
        told = Explained.of_group(outside, self.rows)
        return replace(self, views=[*self.views, outside], explained=[*self.explained, told])

    @property
    def best(self) -> int:
        """The view that wrong labels explain best."""
        return int(np.argmax([each.wrong.max() for each in self.explained]))

    @property
    def namer(self) -> int:
        """The view that names the wrong rows: the last, unless another explains the labels much better."""
        wrong = [each.wrong.max() for each in self.explained]
        return len(wrong) - 1 if wrong[-1] >= max(wrong) - AS_GOOD else self.best

    def fit(self, view: int, copies: NDArray[np.int64]) -> Fit:
        """The group's labels as explained by one view."""
        return Fit.of(self.views[view], self.rows, wrong_shares([self.explained[view]]), copies[self.rows])


class _Search:
    """All groups of one context; ``candidates`` are those worth a closer look, with a class."""

    def __init__(self, context: Context, groups: list[Group]) -> None:
        self.context, self.groups = context, groups
        known = np.flatnonzero(context.y >= 0)
        if len(known) > MOST_ROWS:
            known = np.random.default_rng(context.random_state).choice(known, MOST_ROWS, replace=False)
        self._counts_in = np.zeros(len(context), bool)
        self._counts_in[known] = True
        size = np.bincount(context.y[context.y >= 0], minlength=context.n_classes)
        labels = np.argsort(-size, kind="stable")[:MOST_CLASSES] if context.n_classes > 2 else np.array([0])
        self.tested = len(groups) * len(labels)
        shares = [context.log_probability, *(context.opinion(name) for name in _asked(context))]
        self._views = {
            label: [self.view(np.exp(share), label) for share in shares] for label in labels.tolist()
        }
        counted = [group.rows[self._counts_in[group.rows]] for group in groups]
        rows, member = np.concatenate(counted), np.repeat(np.arange(len(groups)), [len(c) for c in counted])
        first: list[tuple[float, Group, int]] = []
        for label, views in self._views.items():
            told = evidence([Explained.of(v.counts(rows, member, len(groups)), v.log_odds()) for v in views])
            first += [(float(told[at]), groups[at], label) for at in np.flatnonzero(told > WORTH_A_LOOK)]
        self.candidates = sorted(first, key=lambda one: -one[0])[:CANDIDATES]
        self._blind: dict[tuple[int, int], View] = {}

    def view(self, share: NDArray[np.float64], label: int) -> View:
        return View.of(share[:, label], self.context.y == label, self._counts_in)

    def narrowed(self, judged: list[_Close], taken: NDArray[np.bool_], least: float) -> _Close:
        """The group with most evidence; or a smaller one without whose rows nothing is left of that."""
        best = judged[0]
        for other in judged[1:]:
            if other.evidence >= least and len(other.rows) < len(best.rows):
                without = taken.copy()
                without[other.rows] = True
                if self.closely((0.0, best.group, best.label), without).evidence < 0:
                    best = other
        return best

    def closely(self, candidate: tuple[float, Group, int], taken: NDArray[np.bool_]) -> _Close:
        """Compared with the rows outside of it, and seen also by a forest that is blind to what makes it."""
        _, group, label = candidate
        views = list(self._views[label])
        if group.column is not None:
            views.append(self._without(group.column, label))
        rows = group.rows[~taken[group.rows]]
        return _Close(group, rows, label, views, [Explained.of_group(view, rows) for view in views])

    def _without(self, column: int, label: int) -> View:
        if (column, label) not in self._blind:
            share = self.context.forest.predict((column,))
            share = np.where(np.isnan(share), 1 / self.context.n_classes, share)
            self._blind[column, label] = self.view(share, label)
        return self._blind[column, label]


def _asked(context: Context) -> list[str]:
    return [name for name in context.models if name != "neighbours"]


def _nothing(reason: str) -> Evidence:
    return Evidence(skipped=[Skipped("FT105", reason)])
