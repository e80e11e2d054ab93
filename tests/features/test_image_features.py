"""Images as vectors: sizes, channels, copies, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from foretaste.features.duplicates import image_components
from foretaste.features.image import ImageFeatures, box_mean, grid_means, shrunk
from foretaste.learners.linear import logistic_folds
from foretaste.stats.folds import grouped_folds
from foretaste.stats.neighbours import nearest_neighbours


def textures(n: int, side: int = 24, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth random pictures."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, side, side, channels)).astype(np.float32)
    smooth = box_mean(box_mean(noise, 1), 1)
    return np.clip(128 + 120 * smooth / smooth.std() / 2, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(6, 8, 8), (5, 3, 40), (4, 1, 1), (3, 28, 28, 1), (3, 65, 224, 3)])
def test_any_size_has_finite_features(shape: tuple[int, ...]) -> None:
    features = ImageFeatures(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    assert features.pixels.ndim == 4
    assert max(features.small.shape[1:3]) <= 32
    for matrix in (features.standard, features.semantic, features.thumbnails, features.detail):
        assert len(matrix) == shape[0]
        assert np.isfinite(matrix).all()


def test_black_images_have_finite_features() -> None:
    features = ImageFeatures(np.zeros((4, 9, 7, 3), np.uint8))
    assert np.isfinite(features.semantic).all()
    assert np.isfinite(features.detail).all()
    assert features.identical.tolist() == [0, 0, 0, 0]


def test_rows_without_an_image_are_like_no_other() -> None:
    features = ImageFeatures(np.zeros((4, 8, 8), np.uint8), np.array([True, False, True, False]))
    assert features.identical.tolist() == [0, 1, 0, 2]


def test_averages_are_those_of_the_blocks() -> None:
    images = np.arange(2 * 64 * 64, dtype=np.int64).reshape(2, 64, 64, 1) % 251
    expected = images.reshape(2, 32, 2, 32, 2, 1).mean(axis=(2, 4))
    assert np.abs(shrunk(images.astype(np.uint8), 32) - expected).max() <= 0.5
    means = grid_means(images.astype(np.float32), 4)
    assert np.allclose(means, images.reshape(2, 4, 16, 4, 16, 1).mean(axis=(2, 4)), rtol=1e-5)


def test_descriptors_tell_digits_apart() -> None:
    digits = load_digits()
    features = ImageFeatures((digits.images * 15.9).astype(np.uint8))
    folds = grouped_folds(np.arange(len(digits.target)), digits.target, 5)
    log_p = logistic_folds(features.standard, digits.target, 10, folds, C=0.3)
    assert (log_p.argmax(axis=1) == digits.target).mean() > 0.97


def test_copies_are_found_whatever_their_brightness_and_noise() -> None:
    images = textures(120)
    rng = np.random.default_rng(1)
    copies = 1.1 * images[:10].astype(float) + 9 + rng.normal(0, 4, images[:10].shape)
    stack = np.concatenate([images, np.clip(np.round(copies), 0, 255).astype(np.uint8)])
    features = ImageFeatures(stack)
    near, _ = nearest_neighbours(features.semantic, 15, jobs=1)
    component = image_components(features.detail, near, features.identical)
    assert (component[120:] == component[:10]).all()
    assert len(np.unique(component)) == 120
