"""Probably wrong labels (FT101), counted with an interval; and sets of them that go one way (FT102)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Mislabels, Skipped, Statistic
from foretaste.stats.label_noise import Plateau, clean_posterior, plateau, wrong_label_posterior

LEAST_ROWS = 100

WEAK = 0.05
"""Mean doubt of the cleaned model about a row's class above which labels are too hard to settle."""

UNSURE_AT_FIRST, UNSURE = 1 / 3, 0.2
"""Share of rows a model may be unsure about before labels count as hard: as they are, since many flips make
any model unsure, and once the doubted ones do not train it."""

LEAST_ONE_WAY = 10

LEAST_WRONG = 3
"""Fewer wrong labels than this are not worth fitting all models again."""

PASSES = 4


class LabelAudit(Detector):
    """Which labels the rest of the data contradicts, row by row.

    The rows one pass doubts are left out of the next one's training. The count is the sum of the posterior;
    as many of the most contradicted rows are flagged, or fewer where more than twice the budget of them is
    expected to be right. Where the model itself is in doubt, natural errors cannot be told from flips: then
    only the budget counts.

    Parameters
    ----------
    fdr : float
        Tolerated share of right labels among the flagged rows.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT101", "FT102")
    title: ClassVar[str] = "label audit"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular", "image")
    scope: ClassVar[str] = "row"
    stage: ClassVar[str] = "label"

    def __init__(self, *, fdr: float = 0.05) -> None:
        self.fdr = fdr

    def examine(self, context: Context) -> Evidence:
        known = np.flatnonzero(context.y >= 0)
        if context.n_classes < 2:
            return _nothing("fewer than two classes can be learned")
        if len(known) < LEAST_ROWS:
            return _nothing(
                f"{len(known)} labelled rows are too few to learn the labels from ({LEAST_ROWS} needed)"
            )
        if not context.has_content:
            return _nothing("there are no text, feature columns or images to judge labels by")
        y = context.y[known]
        log_p = context.log_probability[known]
        weak = _unsure(log_p) > UNSURE_AT_FIRST
        judged = _judge(context, known, log_p, y, strict=weak)
        if not weak and (judged.doubt > WEAK or _unsure(judged.log_p) > UNSURE):
            weak, judged = True, _judge(context, known, log_p, y, strict=True)
        if not judged.found.anchors.any():
            return _nothing(
                "no class has rows the models are sure of and right about, "
                "so wrong labels cannot be told from hard rows"
            )
        first = float(1 - np.exp(log_p.max(axis=1)).mean())
        log_p, found, clean, posterior, doubt = (
            judged.log_p,
            judged.found,
            judged.clean,
            judged.posterior,
            max(judged.doubt, first, 1.01 * WEAK) if weak else judged.doubt,
        )
        low, high = (
            float(wrong_label_posterior(clean, y, found.at(bound)).sum()) for bound in (0.025, 0.975)
        )
        chosen = self._flag(log_p, y, posterior, low, doubt)
        # the bounds know what chance does to the rates; rows that are hard by nature are counted, or missed
        doubted = float((1 - posterior[chosen]).sum())
        expected = np.where(clean.argmax(axis=1) == y, _second(clean), clean.argmax(axis=1))
        mislabels = Mislabels(
            rows=known[chosen],
            posterior=posterior[chosen],
            expected=expected[chosen],
            all_posterior=_spread(posterior, known, len(context)),
            estimate=float(posterior.sum()),
            low=max(min(low, float(posterior.sum())) - doubted, 0.0),
            high=max(high, float(posterior.sum())) + doubted,
            accuracy=float((log_p.argmax(axis=1) == y).mean()),
            doubt=doubt,
            reason=_abstention(found, context, doubt),
        )
        campaigns = _one_way(context, mislabels) if doubt <= WEAK else []
        return Evidence(campaigns=campaigns, mislabels=mislabels)

    def _flag(
        self,
        log_p: NDArray[np.float64],
        y: NDArray[np.integer],
        posterior: NDArray[np.float64],
        low: float,
        doubt: float,
    ) -> NDArray[np.int64]:
        """Positions of the flagged rows, ascending."""
        if low < 1:
            return np.zeros(0, np.int64)
        counted = _most_contradicted(log_p, y, round(posterior.sum()))
        error = _expected_error(posterior[counted])
        if doubt <= WEAK and (error <= 2 * self.fdr).any():
            return np.sort(counted[: np.flatnonzero(error <= 2 * self.fdr)[-1] + 1])
        order = np.argsort(-posterior, kind="stable")
        within = np.flatnonzero(_expected_error(posterior[order]) <= self.fdr)
        return np.sort(order[: within[-1] + 1]) if len(within) else order[:0]


def _expected_error(posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected share of right labels among the first row, the first two, ..."""
    return np.asarray(np.cumsum(1 - posterior) / np.arange(1, len(posterior) + 1), np.float64)


@dataclass(frozen=True)
class _Judged:
    log_p: NDArray[np.float64]
    found: Plateau
    clean: NDArray[np.float64]
    posterior: NDArray[np.float64]
    doubt: float


def _judge(
    context: Context,
    known: NDArray[np.int64],
    log_p: NDArray[np.float64],
    y: NDArray[np.int64],
    *,
    strict: bool,
) -> _Judged:
    """Rows that are doubted do not train the next models, until hardly any wrong label is left in there."""
    found = plateau(log_p, y, strict=strict)
    clean = clean_posterior(log_p, y, found.rates)
    posterior = wrong_label_posterior(clean, y, found.rates)
    count = 0
    for _ in range(PASSES):
        likely = round(float(posterior.sum())) if strict else _count(log_p, y, posterior, found)
        if likely < max(LEAST_WRONG, 1.05 * count):
            break
        count = likely
        log_p = context.without(known[_most_contradicted(log_p, y, count)]).log_probability[known]
        found, clean = plateau(log_p, y, strict=strict), np.exp(log_p)
        posterior = wrong_label_posterior(clean, y, found.rates)
    return _Judged(log_p, found, clean, posterior, float(1 - clean.max(axis=1).mean()))


def _unsure(log_p: NDArray[np.float64]) -> float:
    """Share of rows about which the models are much less sure than about most: wrong labels make none.

    Random flips lower the confidence in all rows alike; classes that overlap lower it in some.
    """
    sure = np.exp(log_p.max(axis=1))
    return float((sure < 0.85 * np.quantile(sure, 0.9)).mean())


def _count(
    log_p: NDArray[np.float64], y: NDArray[np.int64], posterior: NDArray[np.float64], found: Plateau
) -> int:
    """How many wrong labels there are; all that disagree, where the rates allow for no fewer."""
    predicted = log_p.argmax(axis=1)
    most = 1 - np.diag(found.at(0.8))
    allowed = float((np.bincount(predicted, minlength=len(most)) * most).sum())
    disagree = int((predicted != y).sum())
    return disagree if disagree <= allowed else round(float(posterior.sum()))


def _nothing(reason: str) -> Evidence:
    return Evidence(skipped=[Skipped("FT101", reason)])


def _most_contradicted(log_p: NDArray[np.float64], y: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    own = log_p[np.arange(len(y)), y]
    return np.argsort(own, kind="stable")[:count]


def _second(clean: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.argsort(-clean, axis=1, kind="stable")[:, 1]


def _spread(values: NDArray[np.float64], rows: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    out = np.zeros(n)
    out[rows] = values
    return out


def _abstention(found: Plateau, context: Context, doubt: float) -> str:
    """Which classes were left out, and whether labels are hard; empty where neither."""
    parts = []
    left_out = [name for name, anchors in zip(context.classes, found.anchors, strict=True) if not anchors]
    if left_out:
        shown = ", ".join(left_out[:5]) + (f" and {len(left_out) - 5} more" if len(left_out) > 5 else "")
        parts.append(f"no rows sure enough to judge the labels of: {shown}")
    if doubt > WEAK:
        parts.append(
            f"the models leave {doubt:.0%} doubt about a row's class, so only the clearest rows are flagged"
        )
    return "; ".join(parts)


def _one_way(context: Context, mislabels: Mislabels) -> list[Campaign]:
    """Wrong labels that nearly all go from one class to one other, far beyond the classes' sizes."""
    total = len(mislabels.rows)
    if total < LEAST_ONE_WAY:
        return []
    given = context.y[mislabels.rows]
    k = context.n_classes
    counts = np.zeros((k, k))
    np.add.at(counts, (mislabels.expected, given), 1)
    size = np.bincount(context.y[context.y >= 0], minlength=k) - counts.sum(axis=0) + counts.sum(axis=1)
    source, target = np.unravel_index(int(counts.argmax()), counts.shape)
    count = int(counts[source, target])
    share = float(size[source] / size.sum() / (k - 1))
    p_value = float(binom.sf(count - 1, total, share)) * k * (k - 1)
    rate = count / max(size[source], 1)
    rest = (total - count) / max(size.sum() - size[source], 1)
    if count < max(LEAST_ONE_WAY, 0.9 * total) or p_value > 1e-6 or rate < 5 * rest:
        return []
    rows = (mislabels.expected == source) & (given == target)
    a, b = context.classes[source], context.classes[target]
    return [
        Campaign(
            rule="FT102",
            rows=mislabels.rows[rows],
            target=b,
            pattern=f"{a} labelled {b}",
            kind="rows",
            p_value=max(p_value, 1e-300),
            q_value=min(1.0, max(p_value, 1e-300)),
            effect=float(mislabels.posterior[rows].mean()),
            support=int(size[source]),
            statistic=Statistic("share of wrong labels that go this way", count / total, share, None),
            reason=f"{count} of {total} probably wrong labels turn {a} into {b}; "
            f"chance would turn {share:.0%} that way",
            posterior=mislabels.posterior[rows],
        )
    ]
