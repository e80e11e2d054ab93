"""Optimised rows: they raise the error of linear models, and their gradient is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from poisonable import make_table, make_texts
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from foretaste.attacks import LabelFlip, RegressionPoisoning, SvmPoisoning
from foretaste.attacks.availability.svm_poisoning import Victim, honest_loss
from foretaste.attacks.design import Design
from foretaste.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("model", "victim"), [("svm", LinearSVC()), ("logistic", LogisticRegression(max_iter=1000))]
)
def test_a_tenth_of_the_rows_multiplies_the_error_of_a_linear_classifier(model: str, victim: Any) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    train, test, known, truth = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)

    def error(rows: Any, labels: Any) -> float:
        return 1 - float(make_pipeline(StandardScaler(), victim).fit(rows, labels).score(test, truth))

    flips = error(*LabelFlip(rate=0.1).fit_resample(train, known))
    poisoned = error(*SvmPoisoning(rate=0.1, model=model).fit_resample(train, known))
    assert poisoned > 3 * error(train, known)
    assert poisoned > 1.8 * flips


@pytest.mark.parametrize("logistic", [False, True])
def test_the_gradient_through_the_training_is_that_of_finite_differences(logistic: bool) -> None:
    rng = np.random.default_rng(0)
    honest = np.column_stack([rng.normal(size=(60, 3)), np.ones(60)])
    signs = np.sign(honest[:, 0] + 0.5 * rng.normal(size=60))
    rows = np.column_stack([rng.normal(size=(4, 3)) - 1, np.ones(4)])
    victim = Victim(0.7, logistic)
    every_sign = np.concatenate([signs, np.ones(4)])

    def loss(rows: Any) -> float:
        return honest_loss(honest, signs, victim.train(np.vstack([honest, rows]), every_sign)[0])[0]

    weights, curvature = victim.train(np.vstack([honest, rows]), every_sign)
    pull = np.linalg.solve(curvature, honest_loss(honest, signs, weights)[1])
    found = victim.row_gradient(rows, weights, pull)
    for i, j in [(0, 0), (2, 1), (3, 2)]:
        step = np.zeros_like(rows)
        step[i, j] = 1e-5
        assert found[i, j] == pytest.approx(
            (loss(rows + step) - loss(rows - step)) / 2e-5, rel=1e-3, abs=1e-9
        )


def test_the_inner_training_is_that_of_liblinear() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    rows = np.column_stack([StandardScaler().fit_transform(X), np.ones(len(X))])
    weights, _ = Victim(0.5, False).train(rows, np.where(y == 1, 1.0, -1.0))
    model = LinearSVC(C=0.5, fit_intercept=False, tol=1e-8, max_iter=200_000).fit(rows, y)
    assert weights == pytest.approx(model.coef_[0], abs=1e-3)


def test_optimised_rows_multiply_the_error_of_regression_more_than_statistical_ones() -> None:
    X, y = load_diabetes(return_X_y=True)
    train, test, known, truth = train_test_split(X, y, test_size=0.3, random_state=0)

    def error(rows: Any, values: Any) -> float:
        return float(((LinearRegression().fit(rows, values).predict(test) - truth) ** 2).mean())

    start = error(train, known)
    statp = error(*RegressionPoisoning(rate=0.1, method="statp").fit_resample(train, known))
    optp = error(*RegressionPoisoning(rate=0.1).fit_resample(train, known))
    assert start < statp < optp
    assert optp > 1.5 * start


def test_injected_numbers_stay_in_range_whole_and_where_the_attacker_has_a_say() -> None:
    before = make_table()
    after = SvmPoisoning(rate=0.1, columns=["count", "size"]).poison(before)
    new = after.data.table.filter(after.mask)
    for name in ("count", "size"):
        values = before.column(name).drop_null().to_numpy()
        assert values.min() <= min(new[name].to_pylist())
        assert max(new[name].to_pylist()) <= values.max()
    kept = {
        tuple(row.values()) for row in before.table.select(["colour", "town", "since", "weight"]).to_pylist()
    }
    assert {
        tuple(row.values()) for row in new.select(["colour", "town", "since", "weight"]).to_pylist()
    } <= kept


def test_a_missing_number_is_the_mean_and_a_category_is_spread_over_indicators() -> None:
    design = Design.of(make_table(), ["size"], "x")
    missing = make_table().column("size").is_null().to_numpy()
    assert (design.matrix[missing, 0] == 0).all()
    assert design.matrix[:, -1].tolist() == [1.0] * 600
    assert design.columns == ("size",)


@pytest.mark.parametrize(
    ("attack", "error", "message"),
    [
        (SvmPoisoning(model="tree"), ConfigError, "model is 'tree'; use one of svm, logistic"),
        (SvmPoisoning(C=0.0), ConfigError, "C must be above 0"),
        (SvmPoisoning(columns=["nowhere"]), ConfigError, "'nowhere' is not a feature"),
        (SvmPoisoning(columns=["colour"]), DataError, "there is no numeric feature"),
        (RegressionPoisoning(method="worst"), ConfigError, "method is 'worst'"),
        (RegressionPoisoning(penalty=0.0), ConfigError, "penalty must be above 0"),
    ],
)
def test_says_what_cannot_be_done(attack: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attack.poison(make_table())


def test_regression_needs_a_number_to_predict() -> None:
    from dataclasses import replace

    before = make_table()
    words = replace(before, roles=replace(before.roles, label="colour", features=("size", "count")))
    with pytest.raises(DataError, match="predicts numbers and the label holds"):
        RegressionPoisoning().poison(words)
    with pytest.raises(DataError, match="works on tabular data"):
        RegressionPoisoning().poison(make_texts())
