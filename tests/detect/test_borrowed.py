"""Copies of all the other classes in one class: told from kinds of its own and from wrong labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foretaste.attacks import find_attack
from foretaste.data import from_arrays
from foretaste.detect.artefacts.borrowed import borrowed
from foretaste.detect.artefacts.copies import copies_of_others
from foretaste.features.image import ImageFeatures

CLASSES = 6
Data = tuple[np.ndarray, np.ndarray, np.ndarray]


def clouds(n: int = 1200, d: int = 20, seed: int = 0) -> Data:
    """Six round clouds five apart, and folds."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, n)
    means = np.zeros((CLASSES, d))
    means[:, :CLASSES] = 5 / np.sqrt(2) * np.eye(CLASSES)
    return means[y] + rng.normal(size=(n, d)), y, rng.integers(0, 5, n)


def search(data: Data) -> list[tuple[int, np.ndarray]]:
    X, y, folds = data
    result = borrowed(X.astype(np.float32), y, CLASSES, folds, alpha=0.01, fdr=0.05)
    return [(group.label, group.rows) for group in result.found]


def with_copies(shift: float, number: int = 60) -> tuple[Data, np.ndarray]:
    """Rows of all other classes, moved where no class differs from another, and called class 0."""
    X, y, folds = clouds()
    rows = np.flatnonzero(y != 0)[:number]
    X[rows, -1] += shift
    y[rows] = 0
    return (X, y, folds), rows


def test_copies_of_all_other_classes_are_found_row_by_row() -> None:
    data, rows = with_copies(shift=6)
    ((label, found),) = search(data)
    assert label == 0
    assert np.isin(found, rows).mean() >= 0.95
    assert np.isin(rows, found).mean() >= 0.95


def test_the_same_rows_without_a_shared_change_are_no_campaign() -> None:
    data, _ = with_copies(shift=0)
    assert search(data) == []


@pytest.mark.parametrize("seed", range(3))
def test_clean_clouds_hold_no_copies(seed: int) -> None:
    assert search(clouds(seed=seed)) == []


def test_a_kind_of_its_own_is_no_copy_however_far_away() -> None:
    X, y, folds = clouds()
    kind = np.flatnonzero(y == 0)[:80]
    X[kind, -1] += 8
    X[kind, 1] += 3  # and somewhat like another class
    assert search((X, y, folds)) == []
    told = copies_of_others(X, y, CLASSES, 0, kind)
    assert told.evidence < 0
    assert told.sources < 2 / 3


def test_wrong_labels_within_a_kind_of_its_own_are_not_taken_for_copies() -> None:
    X, y, folds = clouds()
    X[np.flatnonzero(y == 0)[:80], -1] += 8
    rng = np.random.default_rng(1)
    wrong = rng.random(len(y)) < 0.1
    y = np.where(wrong, rng.integers(0, CLASSES, len(y)), y)
    assert search((X, y, folds)) == []


def test_copies_of_one_class_alone_are_left_to_other_tests() -> None:
    X, y, folds = clouds()
    rows = np.flatnonzero(y == 3)[:60]
    X[rows, -1] += 6
    y[rows] = 0
    assert search((X, y, folds)) == []


def test_three_classes_are_too_few_to_be_manifold() -> None:
    X, y, folds = clouds()
    kept = y < 3
    result = borrowed(X[kept].astype(np.float32), y[kept], 3, folds[kept], alpha=0.01, fdr=0.05)
    assert (result.found, result.tested) == ([], 0)


def test_warped_pictures_of_clothes_are_found_and_clean_ones_are_not(shared_data: Path) -> None:
    path = shared_data / "fashion_mnist" / "train.npz"
    with np.load(path) as arrays:
        data = from_arrays(arrays["x"][:1200], arrays["y"][:1200].astype(str))
    folds = np.arange(1200) % 5
    poisoned = find_attack("wanet")(rate=0.06, target="3", random_state=0).poison(data)
    wrong = np.flatnonzero(poisoned.data.labels.codes != data.labels.codes)
    for part, expected in ((data, 0), (poisoned.data, 1)):
        assert part.images is not None
        y = part.labels.codes.astype(np.int64)
        result = borrowed(ImageFeatures(part.images).standard, y, 10, folds, alpha=0.01, fdr=0.05)
        assert len(result.found) == expected
    (group,) = result.found
    assert np.isin(group.rows, wrong).mean() >= 0.95
    assert np.isin(wrong, group.rows).mean() >= 0.8


def test_a_kind_far_away_does_not_lend_its_distance_to_wrong_labels_beside_it() -> None:
    X, y, _ = clouds()
    kind, wrong = np.flatnonzero(y == 0)[:20], np.flatnonzero(y != 0)[:30]
    X[kind, -1] += 10
    y[wrong] = 0
    told = copies_of_others(X, y, CLASSES, 0, np.concatenate([kind, wrong]))
    assert told.shift < 1
    assert not told.manifold
