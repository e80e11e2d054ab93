"""A learner that is a command line: it reads a training and a test file and writes predictions."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from foretaste.data import Dataset, as_text
from foretaste.errors import ConfigError

FILES = {"train": "train.parquet", "test": "test.parquet", "predictions": "predictions.txt"}
SECONDS = 3600
"""Time a program has for one training."""


class Program:
    """A command line in which ``{train}``, ``{test}`` and ``{predictions}`` stand for files.

    Raises
    ------
    ConfigError
        Where one of the three is missing, or there is no such program.
    """

    def __init__(self, line: str) -> None:
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise ConfigError(
                f"the command of a learner cannot be split into words ({error}): {line}"
            ) from error
        for part in FILES:
            if f"{{{part}}}" not in line:
                raise ConfigError(f"the command of a learner does not say {{{part}}}: {line}")
        if shutil.which(words[0]) is None:
            raise ConfigError(f"there is no program {words[0]!r} to run as a learner; check the name")
        self.words = tuple(words)

    def show(self, data: Dataset, train: Dataset) -> Any:
        return data.table.drop_columns([str(train.roles.label)])

    def estimator(self, train: Dataset, seed: int) -> Any:
        first = np.array([int(np.argmax(train.labels.codes == code)) for code in range(len(train.labels))])
        label = str(train.roles.label)
        return ProgramClassifier(self.words, label, train.column(label).take(pa.array(first)))


class ProgramClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The command line as a classifier of Arrow tables; it learns and predicts in one call.

    Parameters
    ----------
    words : tuple of str
    label : str
        Column of the training file that holds the label.
    values : pyarrow.ChunkedArray
        What is written there for each class.
    """

    def __init__(self, words: tuple[str, ...], label: str, values: Any) -> None:
        self.words = words
        self.label = label
        self.values = values

    def fit(self, X: pa.Table, y: NDArray[np.int64]) -> Self:
        """Remember the training rows."""
        self.train_ = X.append_column(self.label, self.values.take(pa.array(y)))
        return self

    def predict(self, X: pa.Table) -> NDArray[np.int64]:
        """Run the program; -1 where it names a class that the training rows do not have.

        Raises
        ------
        ConfigError
            Where it fails, takes more than an hour, or does not write one line for each row.
        """
        with tempfile.TemporaryDirectory() as folder:
            paths = {part: Path(folder) / name for part, name in FILES.items()}
            pq.write_table(self.train_, paths["train"])
            pq.write_table(X, paths["test"])
            words = [_filled(word, paths) for word in self.words]
            try:
                done = subprocess.run(
                    words, capture_output=True, text=True, errors="replace", timeout=SECONDS
                )
            except subprocess.TimeoutExpired:
                raise ConfigError(f"the command of the learner took more than {SECONDS} seconds") from None
            except OSError as error:
                raise ConfigError(f"the command of the learner cannot be run: {error}") from error
            if done.returncode:
                told = " ".join(done.stderr.split())[-200:]
                raise ConfigError(f"the command of the learner ended with {done.returncode}: {told}")
            if not paths["predictions"].exists():
                raise ConfigError("the command of the learner wrote no {predictions}")
            said = paths["predictions"].read_text("utf-8", "replace").splitlines()
        if len(said) != len(X):
            raise ConfigError(f"the command wrote {len(said)} predictions for {len(X)} rows")
        codes = {as_text(value): code for code, value in enumerate(self.values.to_pylist())}
        found = np.array([codes.get(name, -1) for name in said], np.int64)
        if (found < 0).all():
            raise ConfigError(f"the command names no class there is; it wrote {said[0][:40]!r}")
        return found


def _filled(word: str, paths: dict[str, Path]) -> str:
    for part, path in paths.items():
        word = word.replace(f"{{{part}}}", str(path))
    return word
