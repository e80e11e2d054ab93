"""What the peers see of a row: words, numbers, dense vectors, a net's representations, probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.data.dataset import Dataset, encode
from foretaste.features.image import ImageFeatures
from foretaste.learners.convnet import fit_convnet

HIDDEN = 32


def words(train: Dataset) -> Any:
    """Words and word pairs, tf-idf, sparse."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+|[£$!?]"
    ).fit_transform(train.texts)


def numbers(train: Dataset) -> tuple[NDArray[np.float64], list[int]]:
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


def dense(train: Dataset) -> NDArray[np.float64]:
    """Rows as vectors: 100 latent dimensions of words, images described, or numbers and one-hot codes."""
    if train.texts is not None:
        from sklearn.decomposition import TruncatedSVD

        vectors: NDArray[np.float64] = TruncatedSVD(100, random_state=0).fit_transform(words(train))
        return vectors
    if train.images is not None:
        return ImageFeatures(train.images).descriptor.astype(np.float64)
    X, coded = numbers(train)
    plain = [j for j in range(X.shape[1]) if j not in coded]
    hot = [X[:, [j]] == np.unique(X[:, j][np.isfinite(X[:, j])]) for j in coded]
    return np.nan_to_num(np.column_stack([X[:, plain], *hot]).astype(np.float64), nan=-1.0)


def standardised(train: Dataset) -> NDArray[np.float64]:
    """`dense` with unit variance, numbers by their normal scores: for methods that weigh columns alike.

    Columns of traffic and money span nine orders of magnitude; without that one of them is all there is.
    """
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    X = dense(train)
    if train.texts is None:
        ranks = QuantileTransformer(
            n_quantiles=min(1000, len(X)), output_distribution="normal", random_state=0
        )
        X = ranks.fit_transform(X)
    scaled: NDArray[np.float64] = StandardScaler().fit_transform(X)
    return scaled


def representations(train: Dataset) -> NDArray[np.float32]:
    """The hidden layer of a small net taught the suspect labels: what activation methods are made for.

    Of images, the net that a scan trains and that victims are: the last layer of convolution.
    """
    import warnings

    from sklearn.neural_network import MLPClassifier

    if train.images is not None:
        return fit_convnet(train.images, train.labels.codes, len(train.labels)).activations(train.images)[-1]
    X, y = standardised(train), train.labels.codes
    net = MLPClassifier((HIDDEN,), max_iter=20, tol=0, n_iter_no_change=20, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # twenty rounds are meant to be few
        net.fit(X, y)
    return np.asarray(np.maximum(X @ net.coefs_[0] + net.intercepts_[0], 0), np.float32)


def out_of_fold(train: Dataset) -> NDArray[np.float64]:
    """Class probabilities of each row from a model that has not seen it."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    if train.texts is not None:
        solver = "liblinear" if len(train.labels) == 2 else "lbfgs"
        model: Any = LogisticRegression(C=10, solver=solver, max_iter=300)
        X: Any = words(train)
    elif train.images is not None:
        model, X = LogisticRegression(C=0.3, max_iter=300), ImageFeatures(train.images).standard
    else:
        X, coded = numbers(train)
        small = [j for j in coded if np.nanmax(X[:, j]) < 255]
        model = HistGradientBoostingClassifier(
            max_iter=100, categorical_features=small or None, early_stopping=False, random_state=0
        )
    predicted = cross_val_predict(model, X, train.labels.codes, cv=folds, method="predict_proba")
    return np.asarray(predicted)
