"""Membership inference with and without Truth Serum, by LiRA over models of random halves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from benchmarks.detection.data import load_split
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

from foretaste.attacks import TruthSerum
from foretaste.attacks.containers import pack
from foretaste.features.table import TableFeatures
from foretaste.learners.membership import label_margin, likelihood_ratio, true_positive_rate

ASKED, OTHERS, MODELS = 100, 1000, 16


def lines(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Area under the curve and true-positive rate at 1 % false positives; copies of each row, not rates."""
    copies = [0, 1, 4, 8][: len(rates) + 1]
    for name in ("adult",):
        data, _ = load_split(name, seeds[0], rows=ASKED + OTHERS)
        X, y = TableFeatures.from_dataset(data).standard.astype(np.float64), data.labels.codes.astype(int)
        for title, model in (("logistic", LogisticRegression(C=10, max_iter=100)),
                             ("network", MLPClassifier((64,), max_iter=40, random_state=0))):  # fmt: skip
            entries = [inferred(X, y, model, number, seeds[0]) for number in copies]
            shown = "; ".join(
                f"{number} copies {entry}" for number, entry in zip(copies, entries, strict=True)
            )
            yield f"| {name}, {title}: AUC, true positives in % at 1 % false ones | truth-serum | {shown} |"


def inferred(X: Any, y: Any, model: Any, copies: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    asked, known = X[:ASKED], y[:ASKED]
    poison_X, poison_y = asked[:0], known[:0]
    if copies:
        dataset, _, _ = pack(asked, known)
        rate = copies / (1 + copies)
        after = TruthSerum(rate=rate, rows=range(ASKED), copies=copies, random_state=seed).poison(dataset)
        places = after.mask
        poison_X = np.column_stack([after.data.column(f"x{j}").to_numpy() for j in range(X.shape[1])])[places]
        poison_y = after.data.column("label").to_numpy()[places]
    margins, members = [], []
    for _ in range(MODELS):
        inside = rng.random(ASKED) < 0.5
        rows = np.vstack([X[ASKED:], asked[inside], poison_X])
        labels = np.concatenate([y[ASKED:], known[inside], poison_y])
        margins.append(label_margin(model.fit(rows, labels).predict_proba(asked), known))
        members.append(inside)
    ratios, truth = likelihood_ratio(np.array(margins), np.array(members)), np.array(members)
    area = roc_auc_score(truth.ravel(), ratios.ravel())
    return f"{area:.2f}, {100 * true_positive_rate(ratios, truth, 0.01):.0f}"
