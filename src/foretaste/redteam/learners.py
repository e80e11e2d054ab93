"""The model under attack: the standard one of each modality, or the user's own pipeline."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data import Dataset, encode
from foretaste.errors import ConfigError
from foretaste.redteam.programs import Program


class Learner(Protocol):
    """A classifier in scikit-learn's grammar, and what it gets to see of the rows."""

    def show(self, data: Dataset, train: Dataset) -> Any:
        """Rows as the estimator takes them, coded as ``train`` codes them."""
        ...

    def estimator(self, train: Dataset, seed: int) -> Any:
        """Not yet fitted; classes are numbers, `Dataset.labels` of ``train``."""
        ...


def find_learner(name: str) -> Learner:
    """The learner a plan names.

    Parameters
    ----------
    name : str
        ``default``; ``module:factory``, a callable that gives a scikit-learn classifier, which then gets a
        list of texts, a matrix of numbers and category codes, or images as rows of pixels;
        ``torch:module:factory``, a callable ``(shape, n_classes)`` that gives a torch module for images
        ``[n, C, H, W]``; ``command:...``, a command line in which ``{train}``, ``{test}`` and
        ``{predictions}`` stand for two Parquet files and the text file it has to write, one class a line.

    Raises
    ------
    ConfigError
        Where there is no such thing.
    """
    if name == "default":
        return StandardVictim()
    if name.startswith("command:"):
        return Program(name.removeprefix("command:"))
    if name.startswith("torch:"):
        return TorchModule(load(name.removeprefix("torch:"), "learner"))
    if ":" in name:
        return Estimator(load(name, "learner"))
    raise ConfigError(
        f"there is no learner {name!r}; use default, module:factory, torch:module:factory or command:..."
    )


def load(name: str, use: str) -> Callable[..., Any]:
    """What ``module:attribute`` names; modules are also looked for in the current folder.

    Raises
    ------
    ConfigError
        Where it cannot be imported or called.
    """
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)  # last: a file of the user's never takes the place of a library
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except Exception as error:  # a module of the user's may fail in any way
        raise ConfigError(f"the {use} {name!r} cannot be imported: {error}") from error
    if not callable(found):
        raise ConfigError(f"the {use} {name!r} is no class or function")
    return found  # type: ignore[no-any-return]


class StandardVictim:
    """Words and word pairs with logistic regression; boosted trees; a small net, or lines on descriptors."""

    def show(self, data: Dataset, train: Dataset) -> Any:
        return data.images if train.roles.text is None and train.images is not None else content(data, train)

    def estimator(self, train: Dataset, seed: int) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        if train.roles.text is not None:
            words = TfidfVectorizer(
                ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+|[£$!?]"
            )
            solver = "liblinear" if len(train.labels) == 2 else "lbfgs"
            return make_pipeline(
                words, LogisticRegression(C=10, solver=solver, max_iter=300, random_state=seed)
            )
        if train.roles.image is not None:
            from foretaste.redteam.networks import standard_images

            return standard_images(len(train.labels), seed)
        levels = [_levels(train, name) for name in train.roles.features]
        coded = [place for place, names in enumerate(levels) if names is not None and len(names) < 255]
        return HistGradientBoostingClassifier(
            max_iter=100, categorical_features=coded or None, early_stopping=False, random_state=seed
        )


class Estimator:
    """Any scikit-learn classifier, made anew for every training."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def show(self, data: Dataset, train: Dataset) -> Any:
        return content(data, train)

    def estimator(self, train: Dataset, seed: int) -> Any:
        model = self.make()
        if not (hasattr(model, "fit") and hasattr(model, "predict")):
            raise ConfigError(f"the learner gives a {type(model).__name__}, which cannot fit and predict")
        return seeded(model, seed)


class TorchModule:
    """A torch network of the user's, trained for a few epochs of gradient descent."""

    def __init__(self, make: Callable[[tuple[int, ...], int], Any], epochs: int = 8) -> None:
        self.make, self.epochs = make, epochs

    def show(self, data: Dataset, train: Dataset) -> Any:
        if train.images is None:
            raise ConfigError("a torch learner needs images")
        return data.images

    def estimator(self, train: Dataset, seed: int) -> Any:
        from foretaste.redteam.networks import TorchClassifier

        return TorchClassifier(self.make, len(train.labels), epochs=self.epochs, random_state=seed)


def seeded(model: Any, seed: int) -> Any:
    """The model with its ``random_state`` set, where it has one."""
    if "random_state" in getattr(model, "get_params", dict)():
        model.set_params(random_state=seed)
    return model


def content(data: Dataset, train: Dataset) -> Any:
    """Texts as a list; pixels as rows; feature columns as numbers, categories coded as in training."""
    if train.texts is not None:
        return data.texts
    if train.images is not None:
        assert data.images is not None
        return data.images.reshape(len(data), -1).astype(np.float32) / 255
    columns = []
    for name in train.roles.features:
        column, levels = data.column(name), _levels(train, name)
        if levels is None:
            columns.append(np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64))
        else:
            coded = encode(column)
            place = np.array([levels.get(value, np.nan) for value in coded.names] + [np.nan])
            columns.append(place[coded.codes])
    return np.column_stack(columns)


def _levels(train: Dataset, name: str) -> dict[str, float] | None:
    """The code of each category; None for a column of numbers."""
    kind = train.column(name).type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return None
    return {value: float(i) for i, value in enumerate(encode(train.column(name)).names)}


def fit_predict(
    learner: Learner,
    train: Dataset,
    tests: list[Dataset],
    seed: int,
    *,
    trained: Callable[[Any], Any] = lambda plain: plain,
    repaired: Callable[[Any, Any, Any], Any] = lambda model, X, y: model,
) -> list[NDArray[Any]]:
    """Train on one data set, then name the class of every row of others.

    Parameters
    ----------
    learner : Learner
    train : Dataset
        Rows without a label are left out.
    tests : list of Dataset
    seed : int
    trained : callable, optional
        Gives the estimator to train in place of the plain one.
    repaired : callable, optional
        Gives a mended model for a trained one and the rows it learnt from.

    Returns
    -------
    list of ndarray of object
        Class names, one array of shape (rows,) for each of ``tests``.
    """
    names = np.array([*train.labels.names, ""], dtype=object)
    has_label = train.labels.codes >= 0
    y = train.labels.codes[has_label].astype(np.int64)
    X = learner.show(train if has_label.all() else train.take(np.flatnonzero(has_label)), train)
    model = trained(learner.estimator(train, seed))
    model.fit(X, y)
    model = repaired(model, X, y)
    said = np.asarray(model.predict(_together([learner.show(data, train) for data in tests])))
    return [names[part] for part in np.split(said, np.cumsum([len(data) for data in tests])[:-1])]


def _together(shown: list[Any]) -> Any:
    if isinstance(shown[0], pa.Table):
        return pa.concat_tables(shown, promote_options="permissive")
    return [row for part in shown for row in part] if isinstance(shown[0], list) else np.concatenate(shown)
