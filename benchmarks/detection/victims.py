"""The standard victim of each modality, and what poison did to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks import NearDuplicates, replay
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.redteam.learners import StandardVictim


@dataclass
class Victim:
    """The standard victim of `foretaste.redteam.learners`: logistic regression, boosted trees, a small net.

    ``fit`` learns from a data set, ``predict`` gives class names. Nothing else is fitted on the test part.
    """

    seed: int = 0

    def fit(self, train: Dataset) -> Victim:
        self.train_, self.standard_ = train, StandardVictim()
        known = np.flatnonzero(train.labels.codes >= 0)
        X = self.standard_.show(train.take(known), train)
        self.model_ = self.standard_.estimator(train, self.seed).fit(X, train.labels.codes[known])
        return self

    def predict(self, data: Dataset) -> NDArray[Any]:
        names = np.array(self.train_.labels.names, dtype=object)
        return np.asarray(names[self.model_.predict(self.standard_.show(data, self.train_))])


def accuracy(victim: Victim, test: Dataset) -> float:
    """Share of the test rows taken for what they are."""
    return float((victim.predict(test) == names_of(test)).mean())


def attack_success(victim: Victim, test: Dataset, trigger: Trigger, target: str | Mapping[str, str]) -> float:
    """Share of test rows of other classes that are taken for the target once they carry the trigger.

    Where the target depends on the class of a row, it is a mapping.
    """
    own = names_of(test)
    wanted = np.array([target if isinstance(target, str) else target.get(name, name) for name in own])
    rows = np.flatnonzero(own != wanted)
    return float((victim.predict(trigger.apply(test.take(rows))) == wanted[rows]).mean())


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
