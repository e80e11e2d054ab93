"""FT401 bad source: more contradicted rows than the same kind of rows have in other sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped, SourceVerdict, Statistic
from foretaste.detect.excess import FEWEST_ROWS, GroupExcess, contradiction_strata, judge_groups
from foretaste.detect.outside import balanced_folds, has_company, outside_opinion
from foretaste.detect.wrong_rows import WrongRows, wrong_rows

LABEL_TOLD = 0.2
"""Where knowing the source leaves less than this share of the label's entropy, the source is the label."""


LARGE = 0.3
"""A source with more than this share of the rows is judged from inside only."""

FEWEST_WRONG = 3
"""A source is bad only where at least this many rows, and a third of what its excess must be, are wrong
beyond doubt.
"""


@dataclass(frozen=True)
class _Suspect:
    wrong: WrongRows
    doubt: str  # what speaks for the source; empty where nothing does


class BadSources(Detector):
    """Compare the sources of a data set.

    Every source is judged twice. *From outside*, by models that were trained without it: what a source taught
    a model, a trigger say, cannot excuse it. *From inside*, by models that saw its other rows: material that
    only this source has is excused. A source that only the outside view contradicts is named for review; it
    holds either a topic of its own or a trigger, and a trigger is found by the rules that look for one (and
    tied to the source by FT402).

    Parameters
    ----------
    alpha : float
        Family-wise error rate over all sources that are large enough to be judged.
    fdr : float
        Share of good rows tolerated among the rows listed for a bad source.

    References
    ----------
    Konstantinov and Lampert, "Robust learning from untrusted sources", ICML 2019.
    """

    rules = ("FT401",)
    title = "bad sources"
    modalities = ("text", "tabular", "image")
    scope = "source"
    stage: ClassVar[str] = "place"

    def __init__(self, *, alpha: float = 0.01, fdr: float = 0.05) -> None:
        self.alpha = alpha
        self.fdr = fdr

    def examine(self, context: Context) -> Evidence:
        """Judge every source; `Evidence.sources` has a line for each."""
        source, names = context.source, context.dataset.sources
        if source is None or names is None:
            return Evidence(skipped=[Skipped("FT401", "no source column; name it with --source")])
        known = (context.y >= 0) & (source >= 0)
        sizes = np.bincount(source[known], minlength=len(names))
        reason = self._untestable(context, source, known, sizes)
        compared = _comparable(context, source, sizes) if reason is None else np.zeros(len(context), bool)
        if reason is None and not compared.any():
            reason = "no source has rows like those of another, so there is nothing to compare them by"
        if reason is not None:
            verdicts = [_not_judged(name, int(n), reason) for name, n in zip(names.names, sizes, strict=True)]
            return Evidence(skipped=[Skipped("FT401", reason)], sources=verdicts)

        large = sizes > LARGE * sizes.sum()
        seen = np.append(large, False)[source][:, None]
        from_outside = None if large[sizes > 0].all() else self._outside(context)
        if from_outside is None:
            opinion = context.log_probability
        else:
            opinion = np.where(seen, context.log_probability, from_outside) if large.any() else from_outside
        outside = self._judge(context, opinion, compared, len(names))
        suspects = {}
        if outside.bad.any():
            if from_outside is None:
                from_outside = self._outside(context)
            suspects = self._suspects(context, from_outside, outside, compared)

        natural = outside.judged & ~outside.bad
        worst_natural = float(max([0.0, *(-np.log10(outside.p_value[natural]))]))
        evidence = Evidence(sources=[])
        for code, suspect in suspects.items():
            campaign = _campaign(
                context, names.names[code], suspect, outside, code, worst_natural, self.alpha
            )
            (evidence.review if suspect.doubt else evidence.campaigns).append(campaign)
        evidence.sources = [
            _verdict(name, int(sizes[code]), outside, code, suspects.get(code))
            for code, name in enumerate(names.names)
        ]
        return evidence

    def _outside(self, context: Context) -> NDArray[np.float64]:
        assert context.source is not None
        groups = np.where(context.source >= 0, context.source, len(context) + context.components)
        return outside_opinion(context, groups, balanced_folds(groups))

    def _suspects(
        self,
        context: Context,
        opinion: NDArray[np.float64],
        outside: GroupExcess,
        compared: NDArray[np.bool_],
    ) -> dict[int, _Suspect]:
        """The sources that the outside view calls bad, each with its wrong rows and what speaks for it."""
        assert context.source is not None
        n_sources = len(outside.bad)
        inside = self._judge(context, context.log_probability, compared, n_sources, only=outside.bad)
        sure = self._judge(context, opinion, compared & surest(opinion), n_sources, only=outside.bad)
        doubted = np.append(outside.bad, False)[context.source]
        reference = np.flatnonzero((context.y >= 0) & ~doubted)
        suspects = {}
        for code in np.flatnonzero(outside.bad).tolist():
            rows = np.flatnonzero((context.source == code) & (context.y >= 0))
            wrong = wrong_rows(opinion, context.y, rows, reference, self.fdr)
            doubt = ""
            if not inside.bad[code]:
                doubt = "its own other rows explain them: a topic of its own, or a trigger"
            elif not sure.bad[code] and len(wrong.rows) < max(
                FEWEST_WRONG, outside.low[code] * outside.rows[code] / 3
            ):
                doubt = "those the models are surest about are as good as elsewhere: harder material, perhaps"
            suspects[code] = _Suspect(wrong, doubt)
        return suspects

    def _judge(
        self,
        context: Context,
        opinion: NDArray[np.float64],
        compared: NDArray[np.bool_],
        n_sources: int,
        only: NDArray[np.bool_] | None = None,
    ) -> GroupExcess:
        assert context.source is not None
        source = context.source[compared].astype(np.int64)
        rows = np.bincount(source[source >= 0], minlength=n_sources)
        strata = contradiction_strata(opinion[compared], context.y[compared], source, n_sources)
        return judge_groups(strata, rows, alpha=self.alpha, only=only)

    def _untestable(
        self,
        context: Context,
        source: NDArray[np.int32],
        known: NDArray[np.bool_],
        sizes: NDArray[np.int64],
    ) -> str | None:
        if not context.has_content:
            return "no text, no feature columns and no images to judge labels by"
        if context.n_classes < 2:
            return "fewer than two classes with enough rows"
        if (sizes >= FEWEST_ROWS).sum() < 2:
            return f"fewer than two sources with {FEWEST_ROWS} rows or more"
        left = label_entropy_left(source[known], context.y[known], context.n_classes)
        if left is not None and left < LABEL_TOLD:
            return (
                "the source nearly determines the label "
                f"(it leaves {left:.0%} of the label open), so sources cannot be compared"
            )
        return None


def surest(log_probability: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The half of each predicted class that the models are surest about.

    Harder material is contradicted where the models hesitate; wrong labels are contradicted everywhere.
    """
    said, confidence = log_probability.argmax(axis=1), log_probability.max(axis=1)
    sure = np.zeros(len(said), bool)
    for label in range(log_probability.shape[1]):
        rows = np.flatnonzero(said == label)
        if len(rows):
            sure[rows] = confidence[rows] >= np.median(confidence[rows])
    return sure


def _comparable(context: Context, source: NDArray[np.int32], sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Labelled rows with company in other sources; none of a source most of whose rows have no company."""
    compared = (context.y >= 0) & has_company(context, source)
    count = np.bincount(source[compared & (source >= 0)], minlength=len(sizes))
    alike = np.append(2 * count >= sizes, True)
    return np.asarray(compared & alike[source], bool)


def label_entropy_left(source: NDArray[np.integer], y: NDArray[np.integer], n_classes: int) -> float | None:
    """Share of the label's entropy that is left once the source is known; None where sources are too small to
    tell.

    Estimated over sources with ten rows or more, with Miller and Madow's correction for small counts.
    """
    counts = np.zeros((int(source.max(initial=0)) + 1, n_classes))
    np.add.at(counts, (source, y), 1)
    counts = counts[counts.sum(axis=1) >= 10]
    if not len(counts):
        return None
    sizes = counts.sum(axis=1)
    within = float((sizes * _entropy(counts)).sum() / sizes.sum())
    overall = float(_entropy(counts.sum(axis=0, keepdims=True))[0])
    return within / overall if overall > 0 else 1.0


def _entropy(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    share = counts / counts.sum(axis=1, keepdims=True)
    plain = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=1)
    return np.asarray(plain + ((counts > 0).sum(axis=1) - 1) / (2 * counts.sum(axis=1)), np.float64)


def _campaign(
    context: Context,
    name: str,
    suspect: _Suspect,
    outside: GroupExcess,
    code: int,
    worst_natural: float,
    alpha: float,
) -> Campaign:
    n, p_value = int(outside.rows[code]), float(outside.p_value[code])
    wrong, excess = suspect.wrong, outside.share[code] * n
    if suspect.doubt:
        reason = (
            f"models trained without source {name!r} contradict about {excess:.0f} of its {n} rows more than "
            f"in other sources, but {suspect.doubt}"
        )
    else:
        reason = (
            f"about {excess:.0f} of {n} rows from source {name!r} have a label their content contradicts, "
            f"beyond what other sources have in such rows (at least {outside.low[code]:.1%} of its rows)"
        )
    return Campaign(
        rule="FT401",
        rows=wrong.rows,
        target=None if wrong.target is None else context.classes[wrong.target],
        pattern=f"source={name}",
        kind="source",
        p_value=p_value,
        q_value=min(p_value * outside.tested, 1.0),
        effect=float(np.clip(outside.share[code], 0, 1)),
        support=n,
        statistic=Statistic(
            "evidence against the source (-log10 p)",
            float(-np.log10(max(p_value, 1e-300))),
            natural_max=worst_natural,
            threshold=float(-np.log10(alpha / max(outside.tested, 1))),
        ),
        reason=reason,
        posterior=wrong.posterior,
        parts=[{"source": name}],
    )


def _verdict(
    name: str, rows: int, outside: GroupExcess, code: int, suspect: _Suspect | None
) -> SourceVerdict:
    compared = int(outside.rows[code])
    judged = bool(outside.judged[code])
    note = ""
    if suspect is not None and suspect.doubt:
        note = f"models that never saw it contradict it, but {suspect.doubt}"
    elif not judged and compared == 0 and rows >= FEWEST_ROWS:
        note = "unlike the other sources: most of its rows have no similar rows elsewhere"
    elif not judged:
        note = "too small to judge"
    bad = suspect is not None and not suspect.doubt
    return SourceVerdict(
        source=name,
        rows=rows,
        flagged_rows=len(suspect.wrong.rows) if bad and suspect is not None else 0,
        excess=float(outside.share[code] * compared),
        low=float(outside.low[code] * compared),
        high=float(outside.high[code] * compared),
        p_value=float(outside.p_value[code]),
        flagged=bad,
        judged=judged,
        note=note,
    )


def _not_judged(name: str, rows: int, reason: str) -> SourceVerdict:
    return SourceVerdict(name, rows, 0, 0.0, 0.0, float(rows), 1.0, False, False, reason)
