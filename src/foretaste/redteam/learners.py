"""The model under attack: the standard one of each modality, or the user's own pipeline."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from foretaste.data import Dataset, encode
from foretaste.errors import ConfigError, MissingExtraError
from foretaste.features.image import ImageFeatures

COMMAND_SECONDS = 3600


class Learner(Protocol):
    """Learns from one data set, then names the class of every row of others."""

    def fit_predict(self, train: Dataset, tests: list[Dataset], seed: int) -> list[NDArray[Any]]:
        """Class names, one array of shape (rows,) for each of ``tests``."""
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
        return Command(name.removeprefix("command:"))
    if name.startswith("torch:"):
        return TorchModule(_load(name.removeprefix("torch:")))
    if ":" in name:
        return Estimator(_load(name))
    raise ConfigError(
        f"there is no learner {name!r}; use default, module:factory, torch:module:factory or command:..."
    )


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"the learner {name!r} cannot be imported: {error}") from error


class StandardVictim:
    """Words and word pairs with logistic regression; boosted trees; a small net, or lines on descriptors."""

    def fit_predict(self, train: Dataset, tests: list[Dataset], seed: int) -> list[NDArray[Any]]:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        if train.roles.text is not None:
            words = TfidfVectorizer(
                ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+|[^\w\s]"
            )
            solver = "liblinear" if len(train.labels) == 2 else "lbfgs"
            model: Any = make_pipeline(
                words, LogisticRegression(C=10, solver=solver, max_iter=300, random_state=seed)
            )
            return Estimator(lambda: model).fit_predict(train, tests, seed)
        if train.roles.image is not None:
            return _images(train, tests, seed)
        model = HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=seed)
        return Estimator(lambda: model).fit_predict(train, tests, seed)


class Estimator:
    """Any scikit-learn classifier, made anew for every training."""

    def __init__(self, make: Any) -> None:
        self.make = make

    def fit_predict(self, train: Dataset, tests: list[Dataset], seed: int) -> list[NDArray[Any]]:
        model = self.make()
        if "random_state" in getattr(model, "get_params", dict)():
            model.set_params(random_state=seed)
        names, known = np.array(train.labels.names, dtype=object), train.labels.codes >= 0
        shown = [_content(data, train) for data in (train, *tests)]
        first = shown[0]
        rows = np.flatnonzero(known)
        X = [first[i] for i in rows] if isinstance(first, list) else first[rows]
        model.fit(X, train.labels.codes[rows])
        return [names[model.predict(X)] for X in shown[1:]]


class TorchModule:
    """A torch network of the user's, trained as the standard net is: a few epochs of gradient descent."""

    def __init__(self, make: Any, epochs: int = 8) -> None:
        self.make, self.epochs = make, epochs

    def fit_predict(self, train: Dataset, tests: list[Dataset], seed: int) -> list[NDArray[Any]]:
        import torch
        from torch.nn.functional import cross_entropy

        if train.images is None:
            raise ConfigError("a torch learner needs images")
        torch.manual_seed(seed)
        names = np.array(train.labels.names, dtype=object)
        X, y = _channels_first(train.images), torch.from_numpy(train.labels.codes.astype(np.int64))
        network = self.make(tuple(X.shape[1:]), len(names))
        optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
        order = np.random.default_rng(seed)
        known = np.flatnonzero(train.labels.codes >= 0)
        for _ in range(self.epochs):
            for rows in np.array_split(order.permutation(known), max(1, len(known) // 128)):
                batch = torch.from_numpy(rows)
                loss = cross_entropy(network(X[batch]), y[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        network.eval()
        with torch.no_grad():
            said = [network(_channels_first(data.images)).argmax(1).numpy() for data in tests]
        return [names[codes] for codes in said]


class Command:
    """A command line that reads a training file and a test file and writes predictions."""

    def __init__(self, line: str) -> None:
        self.line = line
        missing = [f"{{{part}}}" for part in ("train", "test", "predictions") if f"{{{part}}}" not in line]
        if missing:
            raise ConfigError(f"the command of a learner does not say {missing[0]}: {line}")

    def fit_predict(self, train: Dataset, tests: list[Dataset], seed: int) -> list[NDArray[Any]]:
        found = []
        for test in tests:
            with tempfile.TemporaryDirectory() as folder:
                paths = {name: Path(folder) / name for name in ("train", "test", "predictions")}
                pq.write_table(train.table, paths["train"])
                label = str(test.roles.label)
                pq.write_table(test.table.drop_columns([label]), paths["test"])
                words = [word.format(**paths) for word in shlex.split(self.line)]
                done = subprocess.run(words, capture_output=True, text=True, timeout=COMMAND_SECONDS)
                if done.returncode or not paths["predictions"].exists():
                    told = " ".join(done.stderr.split())[-200:]
                    raise ConfigError(f"the command of the learner ended with {done.returncode}: {told}")
                said = paths["predictions"].read_text("utf-8").splitlines()
                if len(said) != len(test):
                    raise ConfigError(f"the command wrote {len(said)} predictions for {len(test)} rows")
                found.append(np.array(said, dtype=object))
        return found


def _content(data: Dataset, train: Dataset) -> Any:
    """Texts as a list; pixels as rows; feature columns as numbers, categories coded as in training."""
    if train.texts is not None:
        return data.texts
    if train.images is not None:
        assert data.images is not None
        return data.images.reshape(len(data), -1).astype(np.float32) / 255
    columns = []
    for name in train.roles.features:
        column = data.column(name)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            columns.append(column.cast(pa.float64(), safe=False).to_numpy())
        else:
            levels = {value: float(i) for i, value in enumerate(encode(train.column(name)).names)}
            coded = encode(column)
            place = np.array([levels.get(value, np.nan) for value in coded.names] + [np.nan])
            columns.append(place[coded.codes])
    return np.column_stack(columns)


def _images(train: Dataset, tests: list[Dataset], seed: int) -> list[NDArray[Any]]:
    names = np.array(train.labels.names, dtype=object)
    assert train.images is not None
    try:
        from foretaste.learners.convnet import fit_convnet

        net = fit_convnet(train.images, train.labels.codes, len(names), random_state=seed)
        return [names[net.predict_log_proba(data.images).argmax(axis=1)] for data in tests]  # type: ignore[arg-type]
    except MissingExtraError:  # without torch: what no net is needed for
        from sklearn.linear_model import LogisticRegression

        stacked = replace(train, table=pa.concat_tables([d.table for d in (train, *tests)]))
        assert stacked.images is not None
        X = ImageFeatures(stacked.images, stacked.has_image).standard
        ends = np.cumsum([len(train), *map(len, tests)])
        known = np.flatnonzero(train.labels.codes >= 0)
        model = LogisticRegression(max_iter=200).fit(X[known], train.labels.codes[known])
        return [names[model.predict(X[a:b])] for a, b in pairwise(ends)]


def _channels_first(images: NDArray[np.uint8] | None) -> Any:
    import torch

    assert images is not None
    axes = images if images.ndim == 4 else images[..., None]
    return torch.from_numpy(np.ascontiguousarray(axes)).permute(0, 3, 1, 2).float() / 255
