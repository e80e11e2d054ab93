"""The label audit recalibrated: trusted rows say how contradicted right labels are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.context import Context
from foretaste.detect.evidence import Mislabels
from foretaste.detect.reference.vouching import contradiction

FEWEST_TRUSTED = 50


def conformal_p_values(doubt: NDArray[np.float64], trusted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Chance of a right label to be contradicted at least as much, by the (other) trusted rows, shape (n,).

    Examples
    --------
    >>> doubt = np.array([0.9, 0.1, 0.2, 0.3, 0.4])
    >>> conformal_p_values(doubt, np.array([False, True, True, True, True])).round(2).tolist()
    [0.2, 1.0, 0.75, 0.5, 0.25]
    """
    pool = np.sort(doubt[trusted])
    above = len(pool) - np.searchsorted(pool, doubt, side="left")
    return np.asarray((1 + above - trusted) / (1 + len(pool) - trusted), np.float64)


def recalibrate(context: Context, mislabels: Mislabels | None, fdr: float) -> Mislabels | None:
    """What the label audit may flag once trusted rows say how contradicted right labels are.

    A flagged list is cut where the trusted rows that look as wrong say that more than ``fdr`` of it is right.
    Where the audit abstained, rows are flagged whose conformal p-values pass Benjamini and Hochberg's
    procedure at ``fdr``: valid however hard the labels are, but few trusted rows reach few.

    References
    ----------
    Bates, Candès, Lei, Romano and Sesia, "Testing for outliers with conformal p-values", Annals of Statistics
    51, 2023.
    """
    trusted = context.trusted
    if trusted is None or trusted.sum() < FEWEST_TRUSTED or context.n_classes < 2:
        return mislabels
    doubt = contradiction(context)
    judged = np.flatnonzero((context.label_index >= 0) & ~trusted)
    p_value = conformal_p_values(doubt, trusted)
    if mislabels is None or not len(mislabels.rows):
        return _anew(context, mislabels, judged, p_value, fdr)
    rows = mislabels.rows
    order = np.argsort(-doubt[rows], kind="stable")
    tail = np.array([(doubt[trusted] >= value).mean() for value in doubt[rows[order]]])
    right = tail * len(judged) / np.arange(1, len(rows) + 1)
    within = np.flatnonzero(right <= fdr)
    kept = np.sort(order[: within[-1] + 1]) if len(within) else order[:0]
    return replace(
        mislabels,
        rows=rows[kept],
        posterior=mislabels.posterior[kept],
        expected=mislabels.expected[kept],
        reason="; ".join(filter(None, [mislabels.reason, "recalibrated by trusted rows"])),
    )


def _anew(
    context: Context,
    mislabels: Mislabels | None,
    judged: NDArray[np.int64],
    p_value: NDArray[np.float64],
    fdr: float,
) -> Mislabels | None:
    order = judged[np.argsort(p_value[judged], kind="stable")]
    passed = np.flatnonzero(p_value[order] <= fdr * np.arange(1, len(order) + 1) / max(len(order), 1))
    if not len(passed):
        return mislabels
    rows = np.sort(order[: passed[-1] + 1])
    log_p = context.log_probability
    other = log_p.copy()
    other[rows, context.label_index[rows]] = -np.inf
    posterior = np.clip(1 - p_value, 0, 1) * np.isin(np.arange(len(context)), rows)
    right = fdr * len(rows)
    return Mislabels(
        rows=rows,
        posterior=posterior[rows],
        expected=other[rows].argmax(axis=1),
        all_posterior=posterior,
        estimate=len(rows) - right,
        low=max(len(rows) - 3 * right, 0.0),
        high=float(len(rows)),
        accuracy=float((log_p[judged].argmax(axis=1) == context.label_index[judged]).mean()),
        doubt=float(1 - np.exp(log_p[judged].max(axis=1)).mean()),
        reason="judged by trusted rows alone: as many wrong labels as can be told from right ones",
    )
