"""Drift against trusted rows, column by column (FT601) and jointly (FT602)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp, mannwhitneyu

from foretaste.data import in_words
from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic
from foretaste.features.table import Column
from foretaste.learners.linear import logistic_folds
from foretaste.learners.trees import boosting_folds
from foretaste.stats.folds import grouped_folds

FEWEST_TRUSTED = 50
LISTED = 10
"""Columns, and words, that are listed: those that drifted most."""

EXAMPLES = 20
"""Rows kept to show what drifted."""

LEAST_GAP = 0.1
"""Largest difference of distribution functions (total variation for categories) worth a person's time."""

LEAST_AUC = 0.6
FEWEST_EXPECTED = 5


@dataclass(frozen=True)
class _Shift:
    name: str
    gap: float
    p_value: float
    more: NDArray[np.bool_]  # untrusted rows of the kind there are more of
    words: str


class Drift(Detector):
    """Compare the data with trusted rows: every column, the label and the words, then everything at once.

    Drift is no proof of poison, and poison need not drift: what is found is for a person to look at. Columns
    are compared by the two-sample Kolmogorov-Smirnov test, categories and words by chi-square, all at one
    false-discovery rate (Benjamini and Yekutieli, 2001, since columns depend on one another) and to a gap
    worth looking at. Jointly, a classifier that never saw a row says whether it is a trusted one; the area
    under its ROC curve is tested against one half.

    Parameters
    ----------
    alpha : float
        False-discovery rate over columns and words; level of the joint test.

    References
    ----------
    Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017. Rabanser, Günnemann and Lipton,
    "Failing loudly: an empirical study of methods for detecting dataset shift", NeurIPS 2019.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT601", "FT602")
    title: ClassVar[str] = "drift from trusted rows"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular", "image")
    scope: ClassVar[str] = "dataset"

    def __init__(self, *, alpha: float = 0.01) -> None:
        self.alpha = alpha

    def examine(self, context: Context) -> Evidence:
        trusted = context.trusted
        if trusted is None:
            return _nothing("no trusted rows to compare with; name them with --trusted")
        if trusted.sum() < FEWEST_TRUSTED or (~trusted).sum() < FEWEST_TRUSTED:
            return _nothing(f"fewer than {FEWEST_TRUSTED} rows, or trusted rows, to compare")
        shifts = [*_columns(context, trusted), *_words(context, trusted)]
        review = self._worth_a_look(shifts)
        joint = self._jointly(context, trusted)
        return Evidence(review=[*review, *([joint] if joint is not None else [])])

    def _worth_a_look(self, shifts: list[_Shift]) -> list[Campaign]:
        m = len(shifts)
        if not m:
            return []
        shifts = sorted(shifts, key=lambda shift: (shift.p_value, -shift.gap))
        steps = self.alpha * np.arange(1, m + 1) / (m * (1 / np.arange(1, m + 1)).sum())
        accepted = np.flatnonzero(np.array([shift.p_value for shift in shifts]) <= steps)
        shifts = shifts[: accepted[-1] + 1] if len(accepted) else []
        told = [shift for shift in shifts if shift.gap >= LEAST_GAP and shift.more.any()]
        told = sorted(told, key=lambda shift: -shift.gap)[:LISTED]
        return [_review("FT601", shift, m) for shift in told]

    def _jointly(self, context: Context, trusted: NDArray[np.bool_]) -> Campaign | None:
        folds = grouped_folds(context.identical, trusted.astype(np.int64), 5, context.random_state)
        which = trusted.astype(np.int64)
        if context.table is not None:
            log_p = boosting_folds(context.table.matrix, which, 2, folds, random_state=0, jobs=context.jobs)
        else:
            log_p = logistic_folds(context.embedding, which, 2, folds, C=0.1)
        strange = log_p[:, 0] - log_p[:, 1]
        test = mannwhitneyu(strange[~trusted], strange[trusted], alternative="greater")
        area = float(test.statistic / (trusted.sum() * (~trusted).sum()))
        if test.pvalue > self.alpha or area < LEAST_AUC:
            return None
        most = np.zeros(len(trusted), bool)
        rows = np.flatnonzero(~trusted)
        most[rows[np.argsort(-strange[rows], kind="stable")[:EXAMPLES]]] = True
        words = f"a classifier that never saw them tells the rows from trusted ones (AUC {area:.2f})"
        return _review("FT602", _Shift("all features together", area, float(test.pvalue), most, words), 1)


def _columns(context: Context, trusted: NDArray[np.bool_]) -> list[_Shift]:
    columns = [] if context.table is None else list(context.table.columns)
    label = context.label_index.astype(np.float64)
    columns.append(Column("label", False, np.where(label < 0, np.nan, label), context.classes))
    return [shift for column in columns if (shift := _shift(column, trusted)) is not None]


def _shift(column: Column, trusted: NDArray[np.bool_]) -> _Shift | None:
    values = column.values
    known = ~np.isnan(values)
    mine, theirs = known & ~trusted, known & trusted
    if mine.sum() < FEWEST_TRUSTED or theirs.sum() < FEWEST_TRUSTED:
        return None
    if column.numeric:
        test = ks_2samp(values[mine], values[theirs], method="asymp")
        cut, above = float(test.statistic_location), test.statistic_sign < 0
        side = known & ((values > cut) if above else (values <= cut))
        where = f"{'above' if above else 'up to'} {in_words(cut, column.moment)}"
        words = f"{where} are {_shares(side, mine, theirs)}"
        return _Shift(column.name, float(test.statistic), float(test.pvalue), side & mine, words)
    codes = values[known].astype(np.int64)
    table = np.stack([np.bincount(codes[~trusted[known]], minlength=len(column.levels)),
                      np.bincount(codes[trusted[known]], minlength=len(column.levels))])  # fmt: skip
    shares = table / table.sum(axis=1, keepdims=True)
    difference = shares[0] - shares[1]
    rare = table.sum(axis=0) * table.sum(axis=1).min() / table.sum() < FEWEST_EXPECTED
    pooled = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    if pooled.shape[1] < 2:
        return None
    level = int(difference.argmax())
    has = known & (np.where(known, values, -1) == level)
    words = f"{column.levels[level]} is {_shares(has, mine, theirs)}"
    p_value = float(chi2_contingency(pooled).pvalue)
    return _Shift(column.name, float(np.abs(difference).sum() / 2), p_value, has & mine, words)


def _words(context: Context, trusted: NDArray[np.bool_]) -> list[_Shift]:
    """Words that come more often than in trusted texts."""
    if context.text is None:
        return []
    presence, names = context.text.phrases.tocsc(), context.text.phrase_names
    n_mine, n_theirs = int((~trusted).sum()), int(trusted.sum())
    mine = np.asarray(presence[~trusted].sum(axis=0)).ravel()
    theirs = np.asarray(presence[trusted].sum(axis=0)).ravel()
    expected = (mine + theirs) * n_theirs / (n_mine + n_theirs)
    single = np.array([" " not in name for name in names], bool)
    found = []
    for j in np.flatnonzero(single & (expected >= FEWEST_EXPECTED)):
        gap = mine[j] / n_mine - theirs[j] / n_theirs
        table = np.array([[mine[j], n_mine - mine[j]], [theirs[j], n_theirs - theirs[j]]])
        p_value = 1.0 if gap <= 0 else float(chi2_contingency(table).pvalue)
        has = np.zeros(len(trusted), bool)
        if gap >= LEAST_GAP:
            has[presence.indices[presence.indptr[j] : presence.indptr[j + 1]]] = True
        share = f"{mine[j] / n_mine:.1%} of the texts, {theirs[j] / n_theirs:.1%} of trusted ones"
        found.append(_Shift(f"word {names[j]}", float(gap), p_value, has & ~trusted, f"it is in {share}"))
    return found


def _shares(has: NDArray[np.bool_], mine: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> str:
    return f"{has[mine].mean():.1%} of the rows, {has[theirs].mean():.1%} of trusted ones"


def _review(rule: str, shift: _Shift, looked_at: int) -> Campaign:
    rows = np.flatnonzero(shift.more)[:EXAMPLES]
    return Campaign(
        rule=rule,
        rows=rows,
        target=None,
        pattern=shift.name,
        kind="rows",
        p_value=max(shift.p_value, 1e-300),
        q_value=min(shift.p_value * looked_at, 1.0),
        effect=float(np.clip(shift.gap, 0, 1)),
        support=int(shift.more.sum()),
        statistic=Statistic("gap to trusted rows" if rule == "FT601" else "AUC", shift.gap),
        reason=f"{shift.name} drifted from the trusted rows: {shift.words}",
    )


def _nothing(reason: str) -> Evidence:
    return Evidence(skipped=[Skipped(rule, reason) for rule in ("FT601", "FT602")])
