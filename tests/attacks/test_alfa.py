"""Optimised label flips: they hurt a linear model several times more than random ones."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from foretaste.attacks import Alfa, LabelFlip
from foretaste.attacks.labels.alfa import hinge_losses
from foretaste.errors import ConfigError, DataError


def test_a_fifth_of_the_labels_costs_a_linear_machine_several_times_what_random_flips_cost() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    errors = {"none": [], "random": [], "alfa": []}
    for seed in range(2):
        train, test, known, truth = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
        for name, attack in {
            "none": None,
            "random": LabelFlip(rate=0.2, random_state=seed),
            "alfa": Alfa(rate=0.2, random_state=seed),
        }.items():
            labels = known if attack is None else attack.fit_resample(train, known)[1]
            victim = make_pipeline(StandardScaler(), LinearSVC()).fit(train, labels)
            errors[name].append(1 - victim.score(test, truth))
    start = np.mean(errors["none"])
    assert np.mean(errors["alfa"]) - start > 3 * (np.mean(errors["random"]) - start)
    assert np.mean(errors["alfa"]) > 0.18


def test_more_than_two_classes_and_one_target() -> None:
    X, y = load_iris(return_X_y=True)
    attack = Alfa(rate=0.2, target=1)
    new = attack.fit_resample(X, y)[1]
    assert set(new[attack.poison_mask_]) == {1}
    assert 1 not in set(y[attack.poison_mask_])


def test_hinge_loss_of_two_classes_is_the_usual_one() -> None:
    scores = np.array([-3.0, -0.4, 0.2, 2.0])
    losses = hinge_losses(np.column_stack([-scores, scores]))
    assert losses[:, 1] == pytest.approx(np.maximum(0, 1 - scores))
    assert losses[:, 0] == pytest.approx(np.maximum(0, 1 + scores))


def test_says_what_cannot_be_done() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ConfigError, match="C must be above 0"):
        Alfa(C=0.0).fit_resample(X, y)
    with pytest.raises(DataError, match="needs 135 rows and only 100 can be used"):
        Alfa(rate=0.9, target=0).fit_resample(X, y)
