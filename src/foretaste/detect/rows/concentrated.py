"""Wrong labels that sit in one region (FT103), and topics whose labels were all turned (FT104).

Rows are divided into clusters of like content, coarse and fine. A cluster is treated as a source is (see
`foretaste.detect.excess`): do labels contradict the content of its rows more often than in other clusters,
given how sure the models are, by more than clusters differ in nature? Random flips hit all clusters alike
and so never make one stand out, however many there are. A *region* stands out to models that saw its other
rows. A *topic* that was turned as a whole has taught those models its new label; it stands out only to
models that were trained without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Mislabels, Skipped, Statistic
from foretaste.detect.excess import GroupExcess, contradiction_strata, judge_groups
from foretaste.detect.outside import balanced_folds, outside_opinion
from foretaste.detect.wrong_rows import wrong_rows

ROWS_PER_CLUSTER = (250, 80)
"""Mean size of the clusters, coarse and fine."""

FEWEST_CLUSTERS, MOST_CLUSTERS = 10, 100

TOLERANCE = 0.1
"""A region has at least this share of wrong labels beyond what others have, and at least twice theirs."""

LEAST_ROWS = 10
"""Wrong rows of a region."""

CONFIRMED = 0.5
"""How probably wrong the audit must hold the rows of a region, on average, with the noise of all the data as
prior: a region that only its own neighbours speak against may as well follow a rule of its own."""

LEAST_TOPIC = 20
"""Rows of a topic."""

TOPIC_TURNED = 2 / 3
"""Share of a topic's rows whose label must be contradicted by models that were trained without it."""

TOPIC_SHARE = 0.25
"""Share of its cluster that a topic makes up; fewer are exceptions within a topic, not the topic."""


@dataclass(frozen=True)
class _Division:
    """Clusters of the labelled rows; ``cluster`` is -1 for rows without a label."""

    cluster: NDArray[np.int64]
    count: int


class ConcentratedMislabels(Detector):
    """Escalate wrong labels to a campaign where they are concentrated.

    Parameters
    ----------
    mislabels : Mislabels or None
        What `LabelAudit` found: its estimate says how many wrong labels are usual in these data.
    alpha : float
        Family-wise error rate over all clusters of all divisions, shared by the two rules.
    fdr : float
        Share of good rows tolerated among the rows listed.

    References
    ----------
    Jagielski et al., "Subpopulation data poisoning attacks", ACM CCS 2021.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT103", "FT104")
    title: ClassVar[str] = "concentrated wrong labels"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular", "image")
    scope: ClassVar[str] = "group"
    stage: ClassVar[str] = "label"

    def __init__(self, *, mislabels: Mislabels | None = None, alpha: float = 0.01, fdr: float = 0.05) -> None:
        self.mislabels = mislabels
        self.alpha = alpha
        self.fdr = fdr

    def examine(self, context: Context) -> Evidence:
        if context.n_classes < 2 or not context.has_content:
            return _nothing("there is nothing to judge labels by")
        divisions = _divisions(context)
        if not divisions:
            least = FEWEST_CLUSTERS * ROWS_PER_CLUSTER[-1]
            return _nothing(f"fewer than {least} labelled rows are too few to compare regions")
        usual = self.mislabels.estimate / max(len(context), 1) if self.mislabels is not None else 0.0
        search = _Search(context, self.alpha / 2, self.fdr, max(TOLERANCE, usual))
        campaigns: list[Campaign] = []
        taken = np.zeros(len(context), bool)
        # a cluster of a table may be a kind of rows of its own, about which no other row can say anything
        topics = [] if context.text is None else search.topics(divisions[0])
        regions = [region for division in divisions for region in search.regions(division, len(divisions))]
        for campaign in filter(self._is_alarm, [*topics, *regions]):
            if 2 * taken[campaign.rows].sum() < len(campaign.rows):
                taken[campaign.rows] = True
                campaigns.append(campaign)
        review = [item for item in (*topics, *regions) if not self._is_alarm(item)]
        return Evidence(
            campaigns=campaigns,
            review=[item for item in review if not taken[item.rows].any()],
            skipped=[Skipped("FT104", _NO_TOPICS)] if context.text is None else [],
        )

    def _is_alarm(self, found: Campaign) -> bool:
        if not _beyond_nature(found):
            return False
        if found.rule == "FT104" or self.mislabels is None:
            return True
        return float(self.mislabels.all_posterior[found.rows].mean()) >= CONFIRMED


_NO_TOPICS = "there is no text: a cluster of a table, or of images, may be a kind of rows of its own"


def _beyond_nature(found: Campaign) -> bool:
    """Regions are harder, topics exceptions by nature now and then: an alarm needs twice the evidence."""
    threshold = found.statistic.threshold
    return threshold is not None and found.statistic.value >= 2 * threshold


def _nothing(reason: str) -> Evidence:
    return Evidence(skipped=[Skipped(rule, reason) for rule in ConcentratedMislabels.rules])


def _divisions(context: Context) -> list[_Division]:
    known = np.flatnonzero(context.y >= 0)
    divisions: list[_Division] = []
    for rows in ROWS_PER_CLUSTER:
        count = min(len(known) // rows, MOST_CLUSTERS)
        if count < FEWEST_CLUSTERS or any(count == other.count for other in divisions):
            continue
        means = MiniBatchKMeans(count, random_state=context.random_state, n_init=3)
        cluster = np.full(len(context), -1, np.int64)
        cluster[known] = means.fit(context.embedding[known]).labels_
        divisions.append(_Division(cluster, count))
    return divisions


class _Search:
    """Clusters of one context that stand out."""

    def __init__(self, context: Context, alpha: float, fdr: float, tolerance: float) -> None:
        self.context, self.alpha, self.fdr, self.tolerance = context, alpha, fdr, tolerance
        self._outside: dict[int, NDArray[np.float64]] = {}

    def outside(self, division: _Division) -> NDArray[np.float64]:
        if division.count not in self._outside:
            cluster = division.cluster
            single = np.where(cluster >= 0, cluster, division.count + np.arange(len(cluster)))
            opinion = outside_opinion(self.context, single, balanced_folds(single))
            self._outside[division.count] = opinion
        return self._outside[division.count]

    def judge(
        self,
        opinion: NDArray[np.float64],
        division: _Division,
        alpha: float,
        only: NDArray[np.bool_] | None = None,
    ) -> GroupExcess:
        known = np.flatnonzero(division.cluster >= 0)
        cluster = division.cluster[known]
        strata = contradiction_strata(opinion[known], self.context.y[known], cluster, division.count)
        rows = np.bincount(cluster, minlength=division.count)
        return judge_groups(strata, rows, alpha=alpha, tolerance=self.tolerance, only=only)

    def regions(self, division: _Division, divisions: int) -> list[Campaign]:
        alpha = self.alpha / divisions
        inside = self.judge(self.context.log_probability, division, alpha)
        if not inside.bad.any():
            return []
        opinion = self.outside(division)
        outside = self.judge(opinion, division, alpha, only=inside.bad)
        reference = np.flatnonzero((division.cluster >= 0) & ~np.append(inside.bad, True)[division.cluster])
        campaigns = []
        for code in np.flatnonzero(inside.bad & outside.bad).tolist():
            rows = np.flatnonzero(division.cluster == code)
            wrong = wrong_rows(opinion, self.context.y, rows, reference, self.fdr)
            if len(wrong.rows) < LEAST_ROWS:
                continue
            share = float(min(inside.share[code], outside.share[code]))
            campaigns.append(
                _campaign(
                    self.context,
                    "FT103",
                    wrong.rows,
                    wrong.posterior,
                    wrong.target,
                    (inside, code, alpha),
                    divisions,
                    share,
                    f"about {share * len(rows):.0f} of {len(rows)} rows of like content have a label that "
                    f"their content contradicts, beyond what other regions have",
                )
            )
        return campaigns

    def topics(self, division: _Division) -> list[Campaign]:
        opinion, y = self.outside(division), self.context.y
        excess = self.judge(opinion, division, self.alpha)
        contradicted = opinion.argmax(axis=1) != y
        campaigns = []
        for code in np.flatnonzero(excess.bad).tolist():
            rows = np.flatnonzero(division.cluster == code)
            for label in np.unique(y[rows]).tolist():
                topic = rows[y[rows] == label]
                if len(topic) < max(LEAST_TOPIC, TOPIC_SHARE * len(rows)):
                    continue
                turned = topic[contradicted[topic]]
                if len(turned) < TOPIC_TURNED * len(topic):
                    continue
                share = len(turned) / len(topic)
                campaigns.append(
                    _campaign(
                        self.context,
                        "FT104",
                        turned,
                        1 - np.exp(opinion[turned, label]),
                        label,
                        (excess, code, self.alpha),
                        1,
                        share,
                        f"models that were trained without these rows of like content contradict {share:.0%} "
                        f"of the {len(topic)} that are labelled {self.context.classes[label]!r}",
                    )
                )
        return campaigns


def _campaign(
    context: Context,
    rule: str,
    rows: NDArray[np.int64],
    posterior: NDArray[np.float64],
    target: int | None,
    verdict: tuple[GroupExcess, int, float],
    divisions: int,
    effect: float,
    reason: str,
) -> Campaign:
    excess, code, alpha = verdict
    natural = excess.judged & ~excess.bad
    p_value = max(float(excess.p_value[code]), 1e-300)
    label = None if target is None else context.classes[target]
    return Campaign(
        rule=rule,
        rows=rows,
        target=label,
        pattern="a region" if rule == "FT103" else f"a topic labelled {label}",
        kind="rows",
        p_value=p_value,
        q_value=min(2 * p_value * excess.tested * divisions, 1.0),
        effect=float(np.clip(effect, 0, 1)),
        support=int(excess.rows[code]),
        statistic=Statistic(
            "evidence against the region (-log10 p)",
            float(-np.log10(p_value)),
            natural_max=float(max([0.0, *(-np.log10(excess.p_value[natural]))])),
            threshold=float(-np.log10(alpha / max(excess.tested, 1))),
        ),
        reason=reason,
        posterior=posterior,
    )
