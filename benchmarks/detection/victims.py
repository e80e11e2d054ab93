"""The standard victim of each modality, and what poison did to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from foretaste.attacks import NearDuplicates, replay
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset, encode


@dataclass
class Victim:
    """Tf-idf of words and word pairs with logistic regression for text, boosted trees for tables.

    ``fit`` learns from a data set, ``predict`` gives class names. Nothing else is fitted on the test part.
    """

    seed: int = 0

    def fit(self, train: Dataset) -> Victim:
        self.classes_ = np.array(train.labels.names, dtype=object)
        known = np.flatnonzero(train.labels.codes >= 0)
        labels = train.labels.codes[known]
        if train.texts is not None:
            self.vectors_ = TfidfVectorizer(
                ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+|[£$!?]"
            )
            X: Any = self.vectors_.fit_transform([train.texts[i] for i in known])
            solver = "liblinear" if len(self.classes_) == 2 else "lbfgs"
            self.model_: Any = LogisticRegression(C=10, solver=solver, max_iter=300, random_state=self.seed)
        else:
            self.columns_ = [(name, _levels(train, name)) for name in train.roles.features]
            X = self._matrix(train)[known]
            coded = [
                i for i, (_, levels) in enumerate(self.columns_) if levels is not None and len(levels) < 255
            ]
            self.model_ = HistGradientBoostingClassifier(
                max_iter=100, categorical_features=coded or None, early_stopping=False, random_state=self.seed
            )
        self.model_.fit(X, labels)
        return self

    def predict(self, data: Dataset) -> NDArray[Any]:
        X: Any = self._matrix(data) if data.texts is None else self.vectors_.transform(data.texts)
        return np.asarray(self.classes_[self.model_.predict(X)])

    def _matrix(self, data: Dataset) -> NDArray[np.float64]:
        columns = []
        for name, levels in self.columns_:
            column = data.column(name)
            if levels is None:
                columns.append(np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64))
            else:
                coded = encode(column)
                place = np.array([levels.get(value, np.nan) for value in coded.names] + [np.nan])
                columns.append(place[coded.codes])
        return np.column_stack(columns)


def _levels(train: Dataset, name: str) -> dict[str, float] | None:
    kind = train.column(name).type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return None
    return {value: float(i) for i, value in enumerate(encode(train.column(name)).names)}


def accuracy(victim: Victim, test: Dataset) -> float:
    """Share of the test rows taken for what they are."""
    return float((victim.predict(test) == names_of(test)).mean())


def attack_success(victim: Victim, test: Dataset, trigger: Trigger, target: str) -> float:
    """Share of test rows of other classes that are taken for the target once they carry the trigger."""
    rows = np.flatnonzero(names_of(test) != target)
    return float((victim.predict(trigger.apply(test.take(rows))) == target).mean())


def copies_success(victim: Victim, clean: Dataset, recipe: dict[str, Any], copies: int = 100) -> float:
    """Share of fresh copies of a near-duplicate campaign's templates that are taken for its target."""
    attack = replay(recipe)
    assert isinstance(attack, NearDuplicates)
    rows = np.resize(np.array(recipe["notes"]["template_rows"]), copies)
    table = attack.copy_rows(clean, rows, np.random.default_rng(99))
    return float((victim.predict(replace(clean, table=table)) == recipe["notes"]["target"]).mean())


def names_of(data: Dataset) -> NDArray[Any]:
    """The label of each row as text."""
    names = np.array([*data.labels.names, ""], dtype=object)
    return np.asarray(names[data.labels.codes])


def without(data: Dataset, rows: NDArray[np.bool_]) -> Dataset:
    """The rows that are left once those of the mask are taken out."""
    return replace(data, table=data.table.filter(pa.array(~rows)))
