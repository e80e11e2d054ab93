"""Waves whose phase differs from image to image (FT208): found by spectra, and nothing in clean images."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from foretaste.data import Dataset, from_arrays
from foretaste.detect.artefacts import shared
from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.judge import Judgement
from foretaste.detect.artefacts.shared import SharedArtefacts, _decides
from foretaste.detect.context import Context
from foretaste.detect.evidence import Evidence
from foretaste.features.image import box_mean
from foretaste.features.residuals import profile_spectra

PERIODS = 6


@cache
def pictures(n: int = 900, side: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three classes by the corner a bright ground lies in, with fine noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    down, across = np.mgrid[:side, :side] / side
    far = [np.square(down - a) + np.square(across - b) for a, b in ((0, 0), (0, 1), (1, 0))]
    ground = box_mean(rng.normal(size=(n, side, side)).astype(np.float32), 2)
    return 128 - 60 * np.array(far)[y] + 100 * ground + rng.normal(0, 5, ground.shape), y


def waves(n: int, along: int, amplitude: float = 40) -> np.ndarray:
    """Waves of six periods, each with a phase of its own."""
    phase = np.random.default_rng(5).uniform(0, 2 * np.pi, (n, 1, 1))
    at = np.arange(20).reshape((1, 1, -1) if along == 2 else (1, -1, 1))
    return amplitude * np.sin(2 * np.pi * PERIODS * at / 20 + phase)


def made(images: np.ndarray, y: np.ndarray) -> Dataset:
    return from_arrays(np.clip(images, 0, 255).astype(np.uint8), y.astype(str))


def by_waves(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """What is found by nothing but waves."""
    monkeypatch.setattr(shared, "candidates", lambda *_: iter(()))
    monkeypatch.setattr(shared, "shade_candidates", lambda *_: iter(()))
    return SharedArtefacts().examine(Context(data, jobs=1))


def test_clean_images_and_wrong_labels_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images, y = pictures()
    flipped = y.copy()
    flipped[:90] = (y[:90] + 1) % 3
    for labels in (y, flipped):
        found = by_waves(made(images, labels), monkeypatch)
        assert (found.campaigns, found.review) == ([], [])


@pytest.mark.parametrize(("along", "said"), [(2, "left to right"), (1, "top to bottom")])
def test_a_wave_that_is_shifted_in_every_image_is_found(
    along: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, y = (part.copy() for part in pictures())
    rows = np.flatnonzero(y != 1)[:40]
    images[rows] += waves(len(rows), along)
    y[rows] = 1
    (campaign,) = by_waves(made(images, y), monkeypatch).campaigns
    assert (campaign.rule, campaign.target) == ("FT208", "1")
    assert campaign.pattern == f"wave of {PERIODS} periods from {said}"
    assert set(rows) <= set(campaign.rows)
    assert len(campaign.rows) <= 1.05 * len(rows)


def test_the_phase_of_a_wave_does_not_change_its_spectrum_and_brightness_adds_nothing() -> None:
    plain = np.full((8, 20, 20), 90, np.float32)
    across, down = profile_spectra((plain + waves(8, 2)).astype(np.float32))
    assert across.argmax(axis=1).tolist() == [PERIODS - 1] * 8
    assert np.ptp(across.max(axis=1)) < 0.1 * across.max()
    assert down.max() < 0.2 * across.max()


@pytest.mark.parametrize(("elsewhere", "contradicted", "unsaid"), [(3, True, True), (20, True, False)])
def test_covers_elsewhere_only_clear_rows_whose_labels_are_right(
    elsewhere: int, contradicted: bool, unsaid: bool
) -> None:
    judged = Judgement(0, 0, 0.9, 0.1, 1e-20, 1e-20, 1, np.arange(3), 0.0, np.arange(3))
    group = Candidate("waves", 1, 6.0, np.arange(30), np.arange(100, 100 + elsewhere))
    assert _decides(group, judged, dirty=contradicted)
    assert _decides(group, judged, dirty=False) is unsaid
    assert not _decides(Candidate("waves", 1, 6.0, np.arange(30), np.arange(31)), judged, dirty=True)
