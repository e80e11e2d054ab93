"""The model an attacker trains to see where the defender's model is unsure."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from foretaste.data.dataset import Dataset, encode
from foretaste.errors import DataError

FOLDS = 5


def out_of_fold_probabilities(dataset: Dataset) -> NDArray[np.float64]:
    """Class probabilities of every row from a model that did not see it.

    Tf-idf and logistic regression for text, gradient-boosted trees for tables.

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
    folds = min(FOLDS, int(np.bincount(codes[known]).min()))
    if folds < 2:
        raise DataError(
            "a class has a single row, too few to train a model",
            file=dataset.name,
            column=dataset.roles.label,
        )
    features = _features(dataset)
    model: Any = _model(dataset)
    chances = np.zeros((len(dataset), len(dataset.labels)))
    splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(known, codes[known])
    for inside, outside in splits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence is not the attacker's concern
            model.fit(features[known[inside]], codes[known[inside]])
        rows = known[outside]
        chances[np.ix_(rows, model.classes_)] = model.predict_proba(features[rows])
    return chances


def _features(dataset: Dataset) -> Any:
    if dataset.texts is not None:
        return TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+").fit_transform(dataset.texts)
    if not dataset.roles.features:
        raise DataError("boundary flips work on text and tables only", file=dataset.name)
    return np.column_stack([_numbers(dataset.column(name)) for name in dataset.roles.features])


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    codes = encode(column).codes.astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _model(dataset: Dataset) -> Any:
    if dataset.texts is not None:
        return LogisticRegression(C=10, max_iter=100)
    return HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=0)
