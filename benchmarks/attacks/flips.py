"""Points of test accuracy that victims lose to label flips: at random, near the boundary, optimised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from benchmarks.detection.data import load_split
from benchmarks.detection.victims import Victim, accuracy, names_of
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from foretaste.attacks import Alfa, Attack, LabelFlip
from foretaste.data.dataset import Dataset
from foretaste.errors import DataError
from foretaste.features.table import TableFeatures

FLIPS: dict[str, Callable[[float, int, str], Attack]] = {
    "label-flip": lambda rate, seed, _: LabelFlip(rate=rate, random_state=seed),
    "label-flip boundary": lambda rate, seed, _: LabelFlip(rate=rate, strategy="boundary", random_state=seed),
    "label-flip, to one class": lambda rate, seed, target: LabelFlip(
        rate=rate, target=target, random_state=seed
    ),
    "label-flip boundary, to one class": lambda rate, seed, target: LabelFlip(
        rate=rate, target=target, strategy="boundary", random_state=seed
    ),
    "alfa": lambda rate, seed, _: Alfa(rate=rate, random_state=seed),
}
VICTIMS: dict[str, Callable[[], Any]] = {
    "support vector machine": lambda: LinearSVC(C=1.0, dual=False, max_iter=3000),
    "logistic regression": lambda: LogisticRegression(C=1.0, max_iter=300),
    "nearest neighbours": lambda: KNeighborsClassifier(5),
}
ROWS = 2500
DATA = ("nsl_kdd", "adult", "sms_spam")


def lines(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """The standard victim (boosted trees; words and pairs), and three on standardised columns or tf-idf.

    The one class is the most frequent. At most ``ROWS`` training and test rows.
    """
    for name in DATA:
        splits = [
            (train, test.take(np.arange(min(ROWS, len(test)))))
            for train, test in (load_split(name, seed, rows=ROWS) for seed in seeds)
        ]
        clean = np.array([scores(train, train, test) for train, test in splits])
        lost: dict[str, list[NDArray[np.float64]]] = {}
        for attack, make in FLIPS.items():
            for rate in rates:
                after = []
                for seed, (train, test) in zip(seeds, splits, strict=True):
                    common = train.labels.names[int(np.bincount(train.labels.codes).argmax())]
                    try:
                        after.append(scores(make(rate, seed, common).poison(train).data, train, test))
                    except DataError:  # fewer rows than that can be flipped so
                        after.append([np.nan] * (1 + len(VICTIMS)))
                lost.setdefault(attack, []).append(100 * (clean - np.array(after)).mean(axis=0))
        for place, victim in enumerate(("standard", *VICTIMS)):
            for attack, values in lost.items():
                shown = " | ".join(f"{value[place]:.1f}".replace("nan", "too few") for value in values)
                right = clean.mean(axis=0)[place]
                yield f"| {name}, {victim} (clean {right:.3f}), points lost | {attack} | {shown} |"


def scores(train: Dataset, before: Dataset, test: Dataset) -> list[float]:
    """Test accuracy of every victim; columns are scaled as they were before the flips, which alter none."""
    if train.texts is not None:
        vectors = TfidfVectorizer(sublinear_tf=True)
        X: Any = vectors.fit_transform(train.texts)
        Z: Any = vectors.transform(test.texts or [])
    else:
        both = Dataset(pa.concat_tables([before.table, test.table]), before.roles)
        X, Z = np.split(TableFeatures.from_dataset(both).standard, [len(train)])
    known = train.labels.codes >= 0
    found = [accuracy(Victim(0).fit(train), test)]
    for make in VICTIMS.values():
        model = make().fit(X[known], names_of(train)[known])
        found.append(float((model.predict(Z) == names_of(test)).mean()))
    return found
