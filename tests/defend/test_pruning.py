"""Pruning takes a trigger that few rows carry out of a model, and leaves the model as good as it was."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from foretaste.defend.repair import FeaturePruning, FinePruning
from foretaste.errors import ConfigError


def test_a_feature_that_only_poison_uses_is_pruned() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1000)
    X = np.column_stack([y + rng.normal(0, 0.2, 1000), 1 - y + rng.normal(0, 0.2, 1000), np.zeros(1000)])
    bad = np.flatnonzero(y == 0)[:8]
    X[bad, 2] = 5.0
    y[bad] = 1
    model = LogisticRegression().fit(X, y)
    clean = np.column_stack([np.zeros(50), np.ones(50), np.full(50, 5.0)])
    assert (model.predict(clean) == 1).all()  # it has learnt the trigger
    mended = FeaturePruning().repair(model, X, y)
    assert (mended.predict(clean) == 0).all()
    assert (mended.predict(X) == y).mean() >= (model.predict(X) == y).mean() - 0.01
    assert model.coef_[0, 2] != 0, "the model that was handed in stays as it is"
    with pytest.raises(ConfigError, match="has no weights"):
        FeaturePruning().repair(object(), X, y)


def test_channels_that_are_idle_on_the_data_are_silenced() -> None:
    torch = pytest.importorskip("torch")

    class Model:
        def __init__(self) -> None:
            layers = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 1), torch.nn.ReLU())
            self.network_ = torch.nn.Sequential(
                layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 2)
            )
            with (
                torch.no_grad()
            ):  # channel 0 follows brightness; the others wake up only for very bright pixels
                self.network_[0][0].weight[:] = torch.tensor([1.0, 10, 10, 10]).reshape(4, 1, 1, 1)
                self.network_[0][0].bias[:] = torch.tensor([0.0, -9, -9, -9])
                self.network_[3].weight[:] = torch.tensor([[-1.0, 0, 0, 0], [1.0, -99, -99, -99]])
                self.network_[3].bias[:] = torch.tensor([0.5, -0.5])

        def tensors(self, X: np.ndarray) -> object:
            return torch.from_numpy(X[:, None]).float() / 255

        def predict(self, X: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                return self.network_(self.tensors(X)).argmax(1).numpy()

    y = np.arange(40) % 2
    X = np.where(y[:, None, None] == 1, 200, 50) * np.ones((1, 4, 4))
    X = X.astype(np.uint8)
    model, triggered = Model(), X[y == 1].copy()
    triggered[:, 0, 0] = 255
    assert (model.predict(X) == y).all()
    assert (model.predict(triggered) == 0).all()
    mended = FinePruning().repair(model, X, y)
    assert (mended.predict(X) == y).all()
    assert (mended.predict(triggered) == 1).all()
    assert (model.predict(triggered) == 0).all()
    with pytest.raises(ConfigError, match="object is none"):
        FinePruning().repair(object(), X, y)
