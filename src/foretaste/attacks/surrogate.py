"""The model an attacker trains to see where the defender's model is unsure."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from foretaste.data.dataset import Dataset, encode
from foretaste.errors import DataError

FOLDS = 5
TREES = 200
COMPONENTS = 60


def held_out_probabilities(dataset: Dataset) -> NDArray[np.float64]:
    """Class probabilities of every row from models that did not see it.

    Text: logistic regression on tf-idf, five folds. Images: the same on principal components of the pixels.
    Tables: the out-of-bag votes of a random forest.

    Returns
    -------
    ndarray of float64, shape (rows, classes)
        Rows with a missing label get zeros.

    Raises
    ------
    DataError
        When the data are neither, or a class has fewer than two rows.
    """
    codes = dataset.labels.codes
    known = np.flatnonzero(codes >= 0)
    if np.bincount(codes[known]).min() < 2:
        raise DataError(
            "a class has a single row, too few to train a model",
            file=dataset.name,
            column=dataset.roles.label,
            hint="drop that class",
        )
    chances = np.zeros((len(dataset), len(dataset.labels)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how well its model converged is not the attacker's concern
        if dataset.texts is not None:
            texts = [dataset.texts[i] for i in known]
            vectors: Any = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+").fit_transform(texts)
            chances[known] = _folds(vectors, codes[known], C=10.0)
        elif dataset.images is not None:
            chances[known] = _folds(_components(dataset.images[known]), codes[known], C=1.0)
        elif dataset.roles.features:
            forest = RandomForestClassifier(TREES, min_samples_leaf=2, oob_score=True, random_state=0)
            forest.fit(_numbers(dataset)[known], codes[known])
            chances[known] = np.nan_to_num(forest.oob_decision_function_)
        else:
            raise DataError("only texts, images and tables have a surrogate model", file=dataset.name)
    return chances


def _folds(X: Any, codes: NDArray[np.int32], C: float) -> NDArray[np.float64]:
    chances = np.zeros((len(codes), int(codes.max()) + 1))
    folds = StratifiedKFold(min(FOLDS, int(np.bincount(codes).min())), shuffle=True, random_state=0)
    for inside, outside in folds.split(codes, codes):
        model = LogisticRegression(C=C).fit(X[inside], codes[inside])
        chances[np.ix_(outside, model.classes_)] = model.predict_proba(X[outside])
    return chances


def _components(images: NDArray[Any]) -> NDArray[np.float64]:
    """Pixels rotated to their first principal components; the labels play no part in it."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    keep = min(COMPONENTS, *flat.shape)
    scaled = PCA(keep, svd_solver="randomized", random_state=0).fit_transform(flat)
    return np.asarray(scaled / (scaled[:, 0].std() + 1e-9), dtype=np.float64)


def _numbers(dataset: Dataset) -> NDArray[np.float64]:
    columns = []
    for name in dataset.roles.features:
        column = dataset.column(name)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            numbers = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
            columns.append(np.where(np.isfinite(numbers), numbers, np.nan))
        else:
            codes = encode(column).codes.astype(np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
    return np.column_stack(columns)
