"""Deep partition aggregation: models on disjoint parts of the data vote, so a bad row sways one vote."""

from __future__ import annotations

import hashlib
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from foretaste.errors import ConfigError


class PartitionEnsemble(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Train a classifier on each of several disjoint parts of the rows and let them vote.

    The part of a row follows from its content alone, so a row added or taken away changes one model.

    Parameters
    ----------
    estimator : classifier
        Trained once per part, as it is.
    n_partitions : int, from 1
        More parts withstand more rows, and each model learns from fewer.

    Raises
    ------
    ConfigError
        From ``fit``: without an estimator, or with fewer parts than one.

    References
    ----------
    Levine and Feizi, "Deep Partition Aggregation: provable defense against general poisoning attacks",
    ICLR 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_iris(return_X_y=True)
    >>> ensemble = PartitionEnsemble(GaussianNB(), n_partitions=5).fit(X, y)
    >>> ensemble.predict(X[:2]).tolist(), ensemble.certified_radius(X[:2]).tolist()
    ([0, 0], [2, 2])
    """

    def __init__(self, estimator: Any = None, *, n_partitions: int = 20) -> None:
        self.estimator = estimator
        self.n_partitions = n_partitions

    def fit(self, X: Any, y: Any) -> Self:
        """Train on ``X`` (a list, an array or an Arrow table of n rows) with classes ``y`` of shape (n,)."""
        if self.estimator is None or self.n_partitions < 1:
            raise ConfigError("a partition ensemble needs an estimator and at least one partition")
        y = np.asarray(y)
        self.classes_ = np.unique(y)
        part = np.array([_digest(row) % self.n_partitions for row in _rows(X)])
        self.models_: list[Any] = []
        for number in range(self.n_partitions):
            rows = np.flatnonzero(part == number)
            there = np.unique(y[rows])
            if len(there) > 1:
                self.models_.append(clone(self.estimator).fit(_take(X, rows), y[rows]))
            elif len(there):
                self.models_.append(_Constant(there[0]))  # most learners refuse a single class
        return self

    def votes(self, X: Any) -> NDArray[np.int64]:
        """Models that say each class of ``classes_``; shape (n, n_classes)."""
        said = np.stack([np.asarray(model.predict(X)) for model in self.models_])
        return np.asarray(np.stack([(said == name).sum(axis=0) for name in self.classes_], axis=1), np.int64)

    def predict(self, X: Any) -> NDArray[Any]:
        """The class with most votes, the first of equals; shape (n,)."""
        return np.asarray(self.classes_[self.votes(X).argmax(axis=1)])

    def certified_radius(self, X: Any) -> NDArray[np.int64]:
        """Rows that may be added or taken away without changing each prediction; one altered counts twice."""
        votes = self.votes(X)
        rows, first = np.arange(len(votes)), votes.argmax(axis=1)
        rivals = votes + (np.arange(votes.shape[1]) < first[:, None])  # equal votes go to the earlier class
        rivals[rows, first] = 0
        return np.asarray((votes[rows, first] - rivals.max(axis=1)) // 2, np.int64)


class _Constant:
    def __init__(self, said: Any) -> None:
        self.said = said

    def predict(self, X: Any) -> NDArray[Any]:
        return np.full(len(X), self.said)


def _rows(X: Any) -> Any:
    return X.to_pylist() if isinstance(X, pa.Table) else X


def _digest(row: Any) -> int:
    content = row.tobytes() if isinstance(row, np.ndarray) else repr(row).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())


def _take(X: Any, rows: NDArray[np.int64]) -> Any:
    if isinstance(X, pa.Table):
        return X.take(pa.array(rows))
    return [X[row] for row in rows] if isinstance(X, list) else X[rows]
