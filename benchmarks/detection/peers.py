"""Other people's detectors, on the usual features and at their best reasonable settings.

Those that cannot do without a poison rate are told the true one, which nobody has in practice: they flag as
many rows as there are poisoned ones and, by that alone, nothing in clean data.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.detection.vectors import dense, out_of_fold, representations, standardised
from benchmarks.detection.verdict import Contestant, Verdict
from numpy.typing import NDArray

from foretaste.data.dataset import Dataset

SMALLER = 0.35
"""Share of its class below which activation clustering calls a cluster poison (Chen et al., 2018)."""

TOLD = ("lof", "ecod", "copod", "art-spectral")
"""Contestants that are given the true poison rate."""

_NEEDS = {
    "cleanlab": ("cleanlab", "cleanlab==2.9.0"),
    "ecod": ("pyod", "pyod==3.6.7"),
    "copod": ("pyod", "pyod==3.6.7"),
    "art-spectral": ("art", "adversarial-robustness-toolbox==1.20.1 torch"),
    "art-activations": ("art", "adversarial-robustness-toolbox==1.20.1 torch"),
}


def missing(name: str) -> str | None:
    """Why a contestant cannot take part here, or None.

    Examples
    --------
    >>> missing("lof") is None
    True
    """
    module, install = _NEEDS.get(name, ("sklearn", "scikit-learn"))
    return (
        None
        if find_spec(module)
        else f"{name} is left out: {module} is not installed (pip install {install})"
    )


def cleanlab(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Confident learning (Northcutt et al., 2021) on out-of-fold probabilities of a sensible model."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels = train.labels.codes.astype(int)
    probabilities = out_of_fold(train)
    return Verdict(
        flags=np.asarray(find_label_issues(labels, probabilities, n_jobs=1)),
        scores=-get_label_quality_scores(labels, probabilities),
    )


def isolation_forest(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Isolation forest (Liu et al., 2008) within each class, ``contamination="auto"``."""
    from sklearn.ensemble import IsolationForest

    X = dense(train)
    flags = np.zeros(len(train), dtype=bool)
    scores = np.zeros(len(train))
    for rows in _classes(train):
        forest = IsolationForest(random_state=0).fit(X[rows])
        flags[rows] = forest.predict(X[rows]) == -1
        scores[rows] = -forest.score_samples(X[rows])
    return Verdict(flags, scores)


def lof(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Local outlier factor (Breunig et al., 2000) within each class, told how many rows are poisoned."""
    from sklearn.neighbors import LocalOutlierFactor

    X = standardised(train)
    scores = np.ones(len(train))
    for rows in _classes(train):
        if len(rows) > 2:
            near = LocalOutlierFactor(min(20, len(rows) - 1)).fit(X[rows])
            scores[rows] = -near.negative_outlier_factor_
    return _most_suspicious(scores, truth)


def _pyod(name: str) -> Contestant:
    def contestant(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
        from importlib import import_module

        kind = getattr(import_module(f"pyod.models.{name}"), name.upper())
        X = dense(train)
        scores = np.zeros(len(train))
        for rows in _classes(train):
            varied = X[rows][:, X[rows].std(axis=0) > 0]
            scores[rows] = kind().fit(varied).decision_scores_
        return _most_suspicious(scores, truth)

    return contestant


def art_spectral(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Spectral signatures (Tran et al., 2018) as in ART 1.20.1, told the poison rate, times its usual 1.5."""
    from art.defences.detector.poison import SpectralSignatureDefense

    X, y = representations(train), train.labels.codes.astype(int)
    rate = float((truth["mask"] & ~truth["cover"]).mean())
    defence = SpectralSignatureDefense(
        _identity(X, len(train.labels)), X, y, expected_pp_poison=min(rate, 0.66), eps_multiplier=1.5
    )
    _, is_clean = defence.detect_poison()
    scores = np.zeros(len(train))
    for rows in _classes(train):
        scores[rows] = defence.spectral_signature_scores(X[rows])[:, 0]
    return Verdict(~np.array(is_clean, dtype=bool) & (rate > 0), scores)


def art_activations(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Activation clustering (Chen et al., 2018) as in ART 1.20.1, clusters below 35 % of a class.

    ART clusters; the size rule is the paper's, which ART has too but which fails under NumPy 2. ART's default
    ("smaller") flags a cluster of every class, poisoned or not.
    """
    from art.defences.detector.poison import ActivationDefence

    X, y = representations(train), train.labels.codes.astype(int)
    defence = ActivationDefence(_identity(X, len(train.labels)), X, y)
    np.random.seed(0)  # noqa: NPY002  (ART's clustering reads the global one)
    defence.detect_poison(
        nb_clusters=2, nb_dims=min(10, X.shape[1]), reduce="PCA", cluster_analysis="smaller"
    )
    share = np.zeros(len(train))
    for rows, clusters in zip(_classes(train), defence.clusters_by_class, strict=True):
        share[rows] = (np.bincount(clusters, minlength=2) / len(rows))[clusters]
    return Verdict(share < SMALLER, 1 - share)


PEERS: dict[str, Contestant] = {
    "cleanlab": cleanlab,
    "isolation-forest": isolation_forest,
    "lof": lof,
    "ecod": _pyod("ecod"),
    "copod": _pyod("copod"),
    "art-spectral": art_spectral,
    "art-activations": art_activations,
}


def _classes(train: Dataset) -> list[NDArray[np.int64]]:
    return [np.flatnonzero(train.labels.codes == code) for code in range(len(train.labels))]


def _most_suspicious(scores: NDArray[np.float64], truth: dict[str, Any]) -> Verdict:
    """Flag the highest scores, as many as there are poisoned rows."""
    wanted = int((truth["mask"] & ~truth["cover"]).sum())
    flags = np.zeros(len(scores), dtype=bool)
    flags[np.argsort(-scores, kind="stable")[:wanted]] = True
    return Verdict(flags, scores)


def _identity(X: NDArray[np.float32], classes: int) -> Any:
    """A classifier for ART whose last declared module, the one it looks at, hands the representations on."""
    import torch
    from art.estimators.classification import PyTorchClassifier

    class Given(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.head = torch.nn.Linear(X.shape[1], classes)
            self.body = torch.nn.Identity()

        def forward(self, rows: Any) -> Any:
            return self.head(self.body(rows))

    return PyTorchClassifier(Given(), torch.nn.CrossEntropyLoss(), (X.shape[1],), classes, device_type="cpu")
