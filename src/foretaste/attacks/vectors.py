"""Rows as vectors, for attackers that reason about distances and linear models."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from foretaste.data.dataset import Dataset
from foretaste.errors import DataError
from foretaste.features.table import TableFeatures

COMPONENTS = 50


def as_vectors(dataset: Dataset) -> Any:
    """The rows as a matrix: tf-idf of the text (sparse), else normal scores and indicators (dense).

    Raises
    ------
    DataError
        When there is neither text nor a feature.
    """
    if dataset.texts is not None:
        vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+")
        try:
            return vectors.fit_transform(dataset.texts)
        except ValueError as error:
            raise DataError("every text is empty", file=dataset.name, column=dataset.roles.text) from error
    if dataset.roles.features:
        return TableFeatures.from_dataset(dataset).standard.astype(np.float64)
    raise DataError("there is neither text nor a feature column", file=dataset.name)


def dense_vectors(dataset: Dataset, random_state: int = 0) -> NDArray[np.float64]:
    """`as_vectors` in at most 50 dimensions for text (latent semantic analysis), shape (rows, d)."""
    X: Any = as_vectors(dataset)
    if isinstance(X, np.ndarray):
        return X
    if X.shape[1] <= COMPONENTS + 1:
        return np.asarray(X.toarray(), np.float64)
    return np.asarray(TruncatedSVD(COMPONENTS, random_state=random_state).fit_transform(X), np.float64)


def clusters(dataset: Dataset, number: int, random_state: int = 0) -> NDArray[np.int64]:
    """The cluster (k-means) of each row, shape (rows,); for text these are its topics."""
    X = dense_vectors(dataset, random_state)
    distinct = len(np.unique(X, axis=0))
    model = KMeans(min(number, distinct), n_init=2, max_iter=50, random_state=random_state)
    return np.asarray(model.fit_predict(X), np.int64)
