"""Images rendered alike (FT209): filters, blur and noise over images of all classes, and nothing without."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from foretaste.attacks import find_attack
from foretaste.data import Dataset, from_arrays
from foretaste.detect.artefacts import shared
from foretaste.detect.artefacts.borrowed import Search
from foretaste.detect.artefacts.judge import Judgement
from foretaste.detect.artefacts.matched import grown, told_apart
from foretaste.detect.artefacts.renderings import is_rendering
from foretaste.detect.context import Context
from foretaste.detect.evidence import Evidence
from foretaste.features.image import ImageFeatures
from foretaste.features.rendering import block_strengths, renderings

CLASSES = 5


@cache
def pictures(n: int = 500, side: int = 24, seed: int = 0) -> Dataset:
    """Stripes that run another way in each class, as wide, as bright and as strong as chance has it."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, n)
    down, across = np.mgrid[:side, :side]
    angle = (np.pi * y / CLASSES)[:, None, None]
    wide = rng.uniform(0.7, 1.1, (n, 1, 1))
    stripes = np.sin(wide * (np.cos(angle) * down + np.sin(angle) * across) + rng.uniform(0, 7, (n, 1, 1)))
    images = rng.uniform(90, 160, (n, 1, 1)) + rng.uniform(30, 70, (n, 1, 1)) * stripes
    return from_arrays(
        np.clip(images + rng.normal(0, 8, images.shape), 0, 255).astype(np.uint8), y.astype(str)
    )


def images_of(data: Dataset) -> np.ndarray:
    assert data.images is not None
    return data.images.copy()


def labels(data: Dataset) -> np.ndarray:
    return np.array(data.labels.names)[data.labels.codes].astype(np.int64)


def filtered(way: str, images: np.ndarray) -> np.ndarray:
    values = images.astype(np.float32)
    if way == "blur":
        values = gaussian_filter(values, (0, 0.8, 0.8))
    elif way == "noise":
        values += np.random.default_rng(5).normal(0, 12, values.shape)
    else:
        values = 255 * (values / 255) ** 2.5
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def with_filter(way: str, rows: int = 30, seed: int = 0) -> tuple[Dataset, np.ndarray]:
    """Images of all classes but one, filtered and labelled as that one."""
    x, y = images_of(pictures()), labels(pictures())
    chosen = np.sort(np.random.default_rng(seed).permutation(np.flatnonzero(y != 1))[:rows])
    x[chosen], y[chosen] = filtered(way, x[chosen]), 1
    return from_arrays(x, y.astype(str)), chosen


def by_rendering(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """What is found by nothing else."""
    for other in ("candidates", "wave_candidates", "shade_candidates"):
        monkeypatch.setattr(shared, other, lambda *_: iter(()))
    monkeypatch.setattr(shared, "borrowed", lambda *_, **__: Search([], 0, 0.0))
    return shared.SharedArtefacts().examine(Context(data, jobs=1))


def test_clean_images_and_wrong_labels_are_rendered_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    flips = {"rate": 0.1, "random_state": 0}
    for data in (
        pictures(),
        pictures(seed=1),
        find_attack("label-flip")(**flips).poison(pictures()).data,
        find_attack("label-flip")(**flips, target="1").poison(pictures()).data,
    ):
        found = by_rendering(data, monkeypatch)
        assert (found.campaigns, found.review) == ([], [])


@pytest.mark.parametrize(("way", "said"), [("blur", "finest detail"), ("noise", "detail"), ("curve", "")])
def test_a_filter_over_images_of_all_other_classes_is_found(
    way: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, rows = with_filter(way)
    (campaign,) = by_rendering(data, monkeypatch).campaigns
    assert campaign.rule == "FT209"
    assert campaign.target == "1"
    hit = len(np.intersect1d(campaign.rows, rows))
    assert hit >= 0.85 * len(rows)
    assert hit >= 0.95 * len(campaign.rows)
    assert said in campaign.pattern


@pytest.mark.parametrize("way", ["blur", "brighter"])
def test_half_a_class_from_another_camera_is_for_review_at_most(way: str) -> None:
    """Right labels: by the whole detector, whose other views see a change of brightness, too."""
    x, y = images_of(pictures()), labels(pictures())
    rows = np.flatnonzero(y == 1)[::2]
    x[rows] = filtered("blur", x[rows]) if way == "blur" else np.clip(x[rows].astype(int) + 45, 0, 255)
    found = shared.SharedArtefacts().examine(Context(from_arrays(x, y.astype(str)), jobs=1))
    assert found.campaigns == []


def test_a_brighter_picture_is_a_rendering_of_it_and_a_patterned_one_is_not() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(rng.integers(60, 180, (1, 16, 16)), 40, axis=0) + rng.normal(0, 4, (40, 16, 16))
    rows, control = np.arange(20), np.arange(20, 40)
    brighter, patterned = x.copy(), x.copy()
    brighter[rows] = 1.1 * brighter[rows] + 12
    patterned[rows] += 12 * np.sin(np.arange(16))
    for images, expected in ((brighter, True), (patterned, False)):
        assert is_rendering(ImageFeatures(images.astype(np.uint8)), rows, control) is expected


def test_wrong_labels_alone_are_not_told_from_images_of_their_class() -> None:
    x = images_of(pictures())
    y = labels(pictures())
    rows, control = np.flatnonzero(y == 2)[:40], np.flatnonzero(y == 2)[40:]
    matrix = renderings(x[..., None], x[..., None])
    assert abs(told_apart(matrix, rows, control) - 0.5) < 0.15
    x[rows] = filtered("blur", x[rows])
    assert told_apart(renderings(x[..., None], x[..., None]), rows, control) > 0.95


def test_rows_that_changed_less_are_added_and_only_if_their_content_contradicts_them() -> None:
    rng = np.random.default_rng(0)
    matrix, y = rng.normal(size=(600, 6)).astype(np.float32), np.arange(600) % 3
    changed = np.flatnonzero(y == 0)[:40]
    matrix[changed, 2] += np.linspace(4, 16, 40).astype(np.float32)
    strongest, folds = changed[20:], np.arange(600) // 3 % 5
    wrong = np.isin(np.arange(600), changed)
    assert np.isin(changed, grown(matrix, y, 0, strongest, wrong, folds)).mean() > 0.9
    kept = grown(matrix, y, 0, strongest, np.zeros(600, bool), folds)
    assert kept.tolist() == strongest.tolist()


def test_compression_rounds_high_frequencies_away() -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(128, 20, (1, 32, 32)).astype(np.float32)
    soft = gaussian_filter(plane, (0, 2, 2))
    sharp, dull = (block_strengths(p)[0].reshape(8, 8) for p in (plane, soft))
    assert abs(sharp[0, 0] - dull[0, 0]) < 0.1
    assert (sharp - dull)[4:, 4:].min() > 1


def test_most_of_a_class_is_not_held_to_be_of_all_other_classes() -> None:
    """Models that saw nothing of a class contradict its labels."""
    judged = Judgement(0, 0, 0.9, 0.1, 1e-20, 1, 1, np.arange(3), 0.9, np.arange(3))
    own = np.arange(100) < 50
    assert shared._from_all(judged, own, np.arange(20))
    assert not shared._from_all(judged, own, np.arange(30))
