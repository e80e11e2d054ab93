"""Poison that makes a model tell what it was trained on, and the inference that shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from foretaste.attacks import TruthSerum
from foretaste.errors import ConfigError
from foretaste.learners.membership import label_margin, likelihood_ratio, true_positive_rate


def inferred(poisoned: bool) -> float:
    """True-positive rate at 5 % false positives, over 12 models of random halves of 60 rows."""
    X, y = load_digits(return_X_y=True)
    X, rng = X / 16, np.random.default_rng(0)
    asked, rest = X[:60], X[60:500]
    attack = TruthSerum(rate=0.49, rows=range(60), copies=8)
    added_X, added_y = attack.fit_resample(asked, y[:60])
    added_X, added_y = added_X[attack.poison_mask_], added_y[attack.poison_mask_]
    copies = np.tile(np.arange(len(added_y)), 8)
    margins, members = [], []
    for _ in range(12):
        inside = rng.random(60) < 0.5
        rows: list[Any] = [rest, asked[inside]]
        labels: list[Any] = [y[60:500], y[:60][inside]]
        if poisoned:
            rows.append(added_X[copies])
            labels.append(added_y[copies])
        model = LogisticRegression(C=10, max_iter=40, tol=1e-2).fit(np.vstack(rows), np.concatenate(labels))
        margins.append(label_margin(model.predict_proba(asked), y[:60]))
        members.append(inside)
    ratios = likelihood_ratio(np.array(margins), np.array(members))
    return true_positive_rate(ratios, members, 0.05)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_contradicted_rows_are_found_out_far_more_often() -> None:
    assert inferred(True) > 1.5 * inferred(False) + 0.1


def test_copies_are_exact_and_only_their_label_is_wrong() -> None:
    X, y = load_digits(return_X_y=True)
    attack = TruthSerum(rate=0.02, copies=6)
    X2, y2 = attack.fit_resample(X, y)
    exposed = attack.recipe_["notes"]["exposed_rows"]
    assert len(exposed) == int(attack.poison_mask_.sum()) // 6
    originals = {X[row].tobytes(): y[row] for row in exposed}
    for row in np.flatnonzero(attack.poison_mask_):
        assert y2[row] == (originals[X2[row].tobytes()] + 1) % 10


def test_margin_ratio_and_rate_have_known_values() -> None:
    assert label_margin([[0.9, 0.1]], [1])[0] == pytest.approx(np.log(1 / 9))
    assert label_margin([[1.0, 0.0]], [0])[0] < 30  # no infinite certainty
    rng = np.random.default_rng(0)
    members = rng.random((40, 50)) < 0.5
    telling = rng.normal(size=(40, 50)) + 3 * members
    silent = rng.normal(size=(40, 50))
    found = true_positive_rate(likelihood_ratio(telling, members), members, 0.05)
    assert found == pytest.approx(0.91, abs=0.06)  # two normals, three standard deviations apart
    assert true_positive_rate(likelihood_ratio(silent, members), members, 0.05) < 0.1
    assert (likelihood_ratio(silent, np.ones_like(members)) == 0).all()


def test_says_what_cannot_be_done() -> None:
    X, y = load_digits(return_X_y=True)
    with pytest.raises(ConfigError, match="rows must be from 0 to 1796"):
        TruthSerum(rows=[1797]).fit_resample(X, y)
    with pytest.raises(ConfigError, match="rows must be whole numbers"):
        TruthSerum(rows=["first"]).fit_resample(X, y)  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="copies is 0"):
        TruthSerum(copies=0).fit_resample(X, y)
