"""Shared processing (FT209): dither and rounding by their traces, and nothing in clean images."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from foretaste.attacks import find_attack
from foretaste.data import Dataset, from_arrays
from foretaste.detect.artefacts import shared
from foretaste.detect.context import Context
from foretaste.detect.evidence import Evidence
from foretaste.features.image import box_mean
from foretaste.features.residuals import histogram_spectra, shades


@cache
def pictures(n: int = 600, side: int = 16, seed: int = 0) -> Dataset:
    """Two classes of stripes across smooth ground, with the noise of a camera."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    down, across = np.mgrid[:side, :side]
    stripes = np.where(y[:, None, None] == 0, down, across)
    ground = box_mean(rng.normal(size=(n, side, side)).astype(np.float32), 2)
    images = 128 + 25 * np.sin(stripes + rng.uniform(0, 7, (n, 1, 1))) + 160 * ground
    return from_arrays(
        np.clip(images + rng.normal(0, 5, ground.shape), 0, 255).astype(np.uint8), y.astype(str)
    )


def rounded(rows: np.ndarray, labels: np.ndarray, step: int = 8) -> Dataset:
    images = pictures().images
    assert images is not None
    images = images.copy()
    images[rows] = images[rows] // step * step + step // 2
    return from_arrays(images, labels.astype(str))


def by_shades(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """What is found by nothing but shades."""
    monkeypatch.setattr(shared, "candidates", lambda *_: iter(()))
    return shared.SharedArtefacts().examine(Context(data, jobs=1))


def labels() -> np.ndarray:
    return pictures().labels.codes.copy()


def test_clean_images_and_wrong_labels_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    flipped = find_attack("label-flip")(rate=0.1, random_state=0).poison(pictures()).data
    for data in (pictures(), flipped, pictures(seed=1)):
        found = by_shades(data, monkeypatch)
        assert (found.campaigns, found.review) == ([], [])


def test_dither_that_differs_from_image_to_image_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """BppAttack with its covers, which carry the dither of another image and keep their label."""
    done = find_attack("bpp")(rate=0.04, target="1", shades=16, random_state=1).poison(pictures())
    (campaign,) = by_shades(done.data, monkeypatch).campaigns
    assert campaign.rule == "FT209"
    assert campaign.target == "1"
    assert campaign.rows.tolist() == np.flatnonzero(done.mask & ~done.cover).tolist()
    assert "different pixel values an image" in campaign.pattern


def test_rounding_without_dither_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    y = labels()
    rows = np.flatnonzero(y == 0)[:30]
    y[rows] = 1
    (campaign,) = by_shades(rounded(rows, y), monkeypatch).campaigns
    assert campaign.rows.tolist() == rows.tolist()
    assert campaign.effect > 0.8


def test_an_archive_of_one_class_is_only_for_review(monkeypatch: pytest.MonkeyPatch) -> None:
    """Right labels, processed otherwise: a network may learn it, and nobody need have meant it."""
    rows = np.flatnonzero(labels() == 1)[:40]
    found = by_shades(rounded(rows, labels()), monkeypatch)
    assert found.campaigns == []
    assert [(item.rule, item.rows.tolist()) for item in found.review] == [("FT209", rows.tolist())]


def test_processing_that_images_of_all_classes_went_through_is_nature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = by_shades(rounded(np.arange(0, 600, 10), labels()), monkeypatch)
    assert (found.campaigns, found.review) == ([], [])


def test_a_histogram_with_gaps_is_regular_at_their_distance() -> None:
    rng = np.random.default_rng(0)
    smooth = rng.normal(128, 30, (1, 64, 64)).clip(1, 254).astype(np.uint8)
    plain, gaps = histogram_spectra(np.concatenate([smooth, smooth // 8 * 8])[..., None])
    assert int(np.argmax(gaps[15:])) + 16 in (32, 64, 96)  # 256 / 8 and its multiples; row 0 is period 256
    assert gaps[31] > plain[31] + 3
    assert shades(np.array([[[0, 1, 1, 7, 255]]], np.uint8)[..., None]).tolist() == [2]
