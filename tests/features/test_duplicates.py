"""Components of copies: copies together, chains of merely similar rows not."""

from __future__ import annotations

import numpy as np

from foretaste.data import from_arrays
from foretaste.detect.context import Context
from foretaste.features.duplicates import join


def test_join_numbers_components_by_first_appearance() -> None:
    found = join(np.array([0, 3]), np.array([2, 4]), np.array([0, 1, 2, 3, 4, 1]))
    assert found.tolist() == [0, 1, 0, 2, 2, 1]


def test_dense_numbers_do_not_chain_into_one_component() -> None:
    X = np.random.default_rng(0).normal(size=(4000, 4))
    X[100:160] = X[100]  # identical rows stay together, however many
    components = Context(from_arrays(X, np.arange(4000) % 2)).components
    assert len(set(components[100:160].tolist())) == 1
    assert np.bincount(components).max() <= 400


def test_a_small_vocabulary_does_not_chain_into_one_component() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(60)])
    texts = [" ".join(rng.choice(words, 8)) for _ in range(800)]
    copy = "one two three four five six seven eight nine ten"
    texts += [f"{copy} {i}" for i in range(30)]
    components = Context(from_arrays(texts, np.arange(830) % 2)).components
    assert np.bincount(components).max() <= 83
    assert len(set(components[800:].tolist())) == 1
