"""A vote of models on disjoint parts: what it certifies holds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

from foretaste.defend.train import PartitionEnsemble
from foretaste.errors import ConfigError


def test_no_attack_within_the_certified_radius_changes_a_prediction() -> None:
    X, y = load_digits(return_X_y=True)
    train, test = slice(0, 1500), slice(1500, 1797)
    clean = PartitionEnsemble(GaussianNB(), n_partitions=15).fit(X[train], y[train])
    said, radius = clean.predict(X[test]), clean.certified_radius(X[test])
    assert (said == y[test]).mean() > 0.75
    assert radius.max() == 7  # 15 votes to none
    rng = np.random.default_rng(0)
    for size in (
        1,
        3,
        7,
    ):  # rows added, each as damaging as can be: copies of the test rows with another label
        for _ in range(3):
            rows = rng.choice(297, size)
            X_bad = np.concatenate([X[train], X[test][rows] + rng.normal(0, 1e-3, (size, 64))])
            y_bad = np.concatenate([y[train], (y[test][rows] + 1) % 10])
            poisoned = PartitionEnsemble(GaussianNB(), n_partitions=15).fit(X_bad, y_bad)
            held = radius >= size
            assert (poisoned.predict(X[test])[held] == said[held]).all()


def test_ties_go_to_the_earlier_class_and_are_certified_for_nothing() -> None:
    class Fixed(PartitionEnsemble):
        def votes(self, X: object) -> np.ndarray:
            return np.array([[2, 2, 0], [0, 2, 2], [1, 2, 1], [0, 1, 3]])

    ensemble = Fixed()
    ensemble.classes_ = np.array(["a", "b", "c"])
    assert ensemble.predict(None).tolist() == ["a", "b", "b", "c"]
    assert ensemble.certified_radius(None).tolist() == [0, 0, 0, 0]  # 3 votes to 1, but a tie would go to b


def test_parts_with_one_class_or_none_still_vote() -> None:
    X, y = [f"text {i}" for i in range(6)], np.array([0, 0, 0, 0, 0, 1])
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    ensemble = PartitionEnsemble(make_pipeline(CountVectorizer(), MultinomialNB()), n_partitions=30).fit(X, y)
    assert ensemble.predict(X).tolist() == [0] * 6
    with pytest.raises(ConfigError, match="needs an estimator"):
        PartitionEnsemble().fit(X, y)
