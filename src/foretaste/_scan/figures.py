"""The numbers behind a report's figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste._scan.large import Whole
from foretaste.detect.context import Context
from foretaste.detect.decision import Decision

POINTS = 3000
FLAGGED_POINTS = 1500
MOST_CLASSES = 12
BINS = 40
_REACH = 9.0


def own_log_odds(context: Context, own: int) -> NDArray[np.float64]:
    """Log odds against each row's own label by models that never saw it; NaN where it is not judged."""
    labels = context.label_index[:own]
    log_p = context.log_probability[:own]
    share = np.clip(np.exp(log_p[np.arange(own), np.maximum(labels, 0)]), 1e-9, 1 - 1e-9)
    return np.where(labels >= 0, np.log1p(-share) - np.log(share), np.nan)


def distribution(context: Context, decision: Decision, own: int) -> dict[str, Any]:
    """How strongly the rest of each row contradicts its label, beside what right labels alone would show."""
    found = decision.mislabels
    assert found is not None
    odds = own_log_odds(context, own)
    known = ~np.isnan(odds)
    value = np.clip(odds, -_REACH, _REACH)
    edges = np.linspace(-_REACH, _REACH, BINS + 1)
    right = np.where(decision.group_of < 0, 1 - found.all_posterior, 0.0)
    flagged = decision.mislabelled & known
    return {
        "title": "How strongly the rest of each row contradicts its label (log-odds)",
        "edges": edges.tolist(),
        "observed": np.histogram(value[known], edges)[0].astype(float).tolist(),
        "expected": np.round(np.histogram(value[known], edges, weights=right[known])[0], 3).tolist(),
        "threshold": float(value[flagged].min()) if flagged.any() else None,
    }


def flips(context: Context, decision: Decision, own: int) -> dict[str, Any] | None:
    """Flagged rows by the class their content looks like and the class they are labelled with."""
    if context.n_classes < 2:
        return None
    labels = context.label_index[:own]
    rows = np.flatnonzero(decision.flagged & (labels >= 0))
    if not len(rows):
        return None
    likely = context.log_probability[rows].argmax(axis=1)
    matrix = np.zeros((context.n_classes, context.n_classes), np.int64)
    np.add.at(matrix, (likely, labels[rows]), 1)
    np.fill_diagonal(matrix, 0)
    shown = np.sort(np.argsort(-(matrix.sum(axis=0) + matrix.sum(axis=1)), kind="stable")[:MOST_CLASSES])
    return {"classes": [context.classes[i] for i in shown], "matrix": matrix[np.ix_(shown, shown)].tolist()}


def two_dimensions(context: Context, decision: Decision, whole: Whole) -> dict[str, Any] | None:
    """Rows in the two directions in which the data vary most: all flagged ones, and a sample of the rest."""
    if not context.has_content:
        return None
    rng = np.random.default_rng(context.random_state)
    flagged = np.flatnonzero(decision.flagged)
    others = np.flatnonzero(~decision.flagged)
    if len(flagged) > FLAGGED_POINTS:
        flagged = rng.choice(flagged, FLAGGED_POINTS, replace=False)
    if len(others) > POINTS - len(flagged):
        others = rng.choice(others, POINTS - len(flagged), replace=False)
    rows = np.sort(np.concatenate([flagged, others]))
    X = context.embedding[rows].astype(np.float64)
    X -= X.mean(axis=0)
    values, vectors = np.linalg.eigh(X.T @ X)
    axes = vectors[:, np.argsort(-values, kind="stable")[:2]]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
    place = X @ axes
    if place.shape[1] < 2:
        place = np.column_stack([place, np.zeros(len(place))])
    position = rows if whole.positions is None else whole.positions[rows]
    group = decision.group_of[rows]
    return {
        "x": np.round(place[:, 0], 4).tolist(),
        "y": np.round(place[:, 1], 4).tolist(),
        "row": position.tolist(),
        "label": context.dataset.labels.codes[rows].tolist(),
        "family": [
            "campaign" if g >= 0 else "mislabel" if m else None
            for g, m in zip(group, decision.mislabelled[rows], strict=True)
        ],
        "group": [int(g) if g >= 0 else None for g in group],
    }


LATEST = 2.0**53
"""Seconds beyond which a time is a number that is no time; it is not drawn."""


def timeline(times: NDArray[np.float64], flagged: NDArray[np.bool_]) -> dict[str, Any] | None:
    """Rows and flagged rows over time."""
    known = np.abs(times) < LATEST
    if known.sum() < 2 or times[known].min() == times[known].max():
        return None
    edges = np.linspace(times[known].min(), times[known].max(), BINS + 1)
    return {
        "edges": [str(np.datetime64(int(edge), "s")) for edge in edges],
        "rows": np.histogram(times[known], edges)[0].tolist(),
        "flagged": np.histogram(times[known & flagged], edges)[0].tolist(),
    }
