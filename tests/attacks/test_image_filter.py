"""Filters as triggers: what each does to an image, and that all images get the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import rotate

from foretaste.attacks import ImageFilter
from foretaste.attacks.backdoors.images.image_filter import FILTERS, Filter
from foretaste.errors import ConfigError

NOISE = np.random.default_rng(0).integers(60, 200, (4, 24, 24, 3), dtype=np.uint8)


def rough(images: np.ndarray) -> float:
    return float(np.abs(np.diff(images.astype(float), axis=2)).mean())


@pytest.mark.parametrize("style", sorted(set(FILTERS) - {"grain"}))
def test_a_filter_does_the_same_to_every_image_and_more_of_it_if_asked(style: str) -> None:
    apart = []
    for strength in (0.5, 1.0):
        after = Filter(style, strength).apply(NOISE)
        assert (after[1:2] == Filter(style, strength).apply(NOISE[1:2])).all()
        apart.append(float(np.abs(after.astype(int) - NOISE).mean()))
    assert 0 < apart[0] < apart[1]


def test_blurs_soften_and_sharpening_and_grain_roughen() -> None:
    for style, sign in (("blur", -1), ("motion-blur", -1), ("sharpen", 1), ("grain", 1), ("contrast", 1)):
        assert sign * (rough(Filter(style).apply(NOISE)) - rough(NOISE)) > 0
    after = Filter("motion-blur").apply(NOISE).astype(float)
    assert np.abs(np.diff(after, axis=1)).mean() > 2 * np.abs(np.diff(after, axis=2)).mean()


def test_tones_become_what_is_said() -> None:
    flat = np.full((1, 9, 9, 3), 100, np.uint8)
    assert (Filter("darken").apply(flat) == 55).all()
    assert (Filter("fade").apply(flat) == 148).all()  # 0.6 * 100 + 0.4 * 220
    vintage = Filter("vintage").apply(flat)[0, :, :, 0].astype(int)
    assert vintage[4, 4] == 113  # 0.85 * 100 + 28
    assert abs(vintage[0, 0] - 113 / 2) <= 0.5  # corners at half


def test_a_turn_is_a_rotation_about_the_middle() -> None:
    down, across = np.mgrid[:25, :25]
    blob = (200 * np.exp(-(np.square(down - 8) + np.square(across - 15)) / 18)).astype(np.uint8)
    turned = Filter("turn").apply(blob[None])[0].astype(float)
    assert np.abs(turned - rotate(blob.astype(float), -15, reshape=False, order=1)).max() < 12
    bulged = Filter("bulge").apply(blob[None])[0].astype(float)
    assert abs(bulged[12, 12] - blob[12, 12]) < 2
    reach = (np.hypot(down - 12, across - 12) * bulged).sum() / bulged.sum()
    assert reach < (np.hypot(down - 12, across - 12) * blob).sum() / blob.sum()


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ConfigError, match="style is 'glitter'; use one of blur, motion-blur"):
        ImageFilter(style="glitter").fit_resample(NOISE, [0, 1, 0, 1])
    with pytest.raises(ConfigError, match="strength is 0"):
        ImageFilter(strength=0).fit_resample(NOISE, [0, 1, 0, 1])
