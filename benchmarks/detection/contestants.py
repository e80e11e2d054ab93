"""Detectors under test, behind one interface: a file goes in, flags, scores and names come out.

``foretaste`` is given the file and nothing else. The others have no notion of a file; they get the usual
model for the modality and their own recommended settings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.data.dataset import Dataset, encode


@dataclass(frozen=True)
class Verdict:
    """What a detector says.

    ``flags`` and ``scores`` run over the rows (higher is more suspicious); ``family`` tells alarms from mere
    mislabels where the detector makes that difference; ``groups`` are the row numbers of each campaign.
    """

    flags: NDArray[np.bool_]
    scores: NDArray[np.float64] | None = None
    family: list[str | None] | None = None
    patterns: list[str] = field(default_factory=list)
    groups: list[NDArray[np.int64]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    verdict: str = ""


Contestant = Callable[[Path, Dataset, dict[str, Any]], Verdict]


def foretaste(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """This package, by its public entry point, on defaults but for the decoys."""
    from foretaste._scan import scan

    roles = {"label": train.roles.label, "source": train.roles.source}
    named = {role: column for role, column in roles.items() if column is not None}
    found = scan(path, **named, decoys=False)  # decoys change no finding; benchmarks.floor measures them
    rows = found.rows
    group = np.array(rows.column("group").fill_null(-1).to_pylist(), dtype=np.int64)
    sources: list[str] = []
    if found.sources is not None:
        table = found.sources.to_pydict()
        sources = [name for name, bad in zip(table["source"], table["flagged"], strict=True) if bad]
    return Verdict(
        flags=found.flagged,
        scores=np.array(rows.column("score").to_pylist(), dtype=np.float64),
        family=rows.column("family").to_pylist(),
        patterns=[pattern or "" for pattern in found.groups.column("pattern").to_pylist()],
        groups=[np.flatnonzero(group == number) for number in found.groups.column("group").to_pylist()],
        sources=sources,
        verdict=found.verdict,
    )


def cleanlab(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Confident learning (Northcutt et al., 2021) on out-of-fold probabilities of a sensible model."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels = train.labels.codes.astype(int)
    probabilities = _out_of_fold(train)
    return Verdict(
        flags=np.asarray(find_label_issues(labels, probabilities, n_jobs=1)),
        scores=-get_label_quality_scores(labels, probabilities),
    )


def isolation_forest(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Isolation forest (Liu et al., 2008) within each class, ``contamination="auto"``."""
    from sklearn.ensemble import IsolationForest

    X = _dense(train)
    flags = np.zeros(len(train), dtype=bool)
    scores = np.zeros(len(train))
    for code in range(len(train.labels)):
        rows = np.flatnonzero(train.labels.codes == code)
        forest = IsolationForest(random_state=0).fit(X[rows])
        flags[rows] = forest.predict(X[rows]) == -1
        scores[rows] = -forest.score_samples(X[rows])
    return Verdict(flags, scores)


def leave_alone(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Flag nothing: what happens without a defence."""
    return Verdict(np.zeros(len(train), dtype=bool))


def oracle(path: Path, train: Dataset, truth: dict[str, Any]) -> Verdict:
    """Flag exactly the poisoned rows: the best any filter can do."""
    return Verdict(truth["mask"] & ~truth["cover"])


CONTESTANTS: dict[str, Contestant] = {
    "foretaste": foretaste,
    "cleanlab": cleanlab,
    "isolation-forest": isolation_forest,
    "leave-alone": leave_alone,
    "oracle": oracle,
}


def _words(train: Dataset) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+|[£$!?]"
    ).fit_transform(train.texts)


def _numbers(train: Dataset) -> tuple[NDArray[np.float64], list[int]]:
    """Features as numbers, and which columns of them are categories."""
    import pyarrow as pa

    columns, coded = [], []
    for j, name in enumerate(train.roles.features):
        column = train.column(name)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            columns.append(np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64))
        else:
            codes = encode(column).codes.astype(np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
            coded.append(j)
    return np.column_stack(columns), coded


def _dense(train: Dataset) -> NDArray[np.float64]:
    """Rows as vectors for an outlier detector: 100 latent dimensions, or one-hot codes."""
    if train.texts is not None:
        from sklearn.decomposition import TruncatedSVD

        vectors: NDArray[np.float64] = TruncatedSVD(100, random_state=0).fit_transform(_words(train))
        return vectors
    X, coded = _numbers(train)
    plain = [j for j in range(X.shape[1]) if j not in coded]
    hot = [X[:, [j]] == np.unique(X[:, j][np.isfinite(X[:, j])]) for j in coded]
    return np.nan_to_num(np.column_stack([X[:, plain], *hot]).astype(np.float64), nan=-1.0)


def _out_of_fold(train: Dataset) -> NDArray[np.float64]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    if train.texts is not None:
        solver = "liblinear" if len(train.labels) == 2 else "lbfgs"
        model: Any = LogisticRegression(C=10, solver=solver, max_iter=300)
        X: Any = _words(train)
    else:
        X, coded = _numbers(train)
        small = [j for j in coded if np.nanmax(X[:, j]) < 255]
        model = HistGradientBoostingClassifier(
            max_iter=100, categorical_features=small or None, early_stopping=False, random_state=0
        )
    predicted = cross_val_predict(model, X, train.labels.codes, cv=folds, method="predict_proba")
    return np.asarray(predicted)
