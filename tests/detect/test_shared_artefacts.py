"""Shared artefacts in images: nothing in clean ones, patches and overlays by place and rows."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from foretaste.attacks import find_attack
from foretaste.data import Dataset, from_arrays
from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.candidates import by_class
from foretaste.detect.artefacts.directions import two_means
from foretaste.detect.artefacts.diversity import Diversity
from foretaste.detect.artefacts.judge import expected_error
from foretaste.detect.artefacts.nature import least_natural, overlap
from foretaste.detect.artefacts.place import Place
from foretaste.detect.artefacts.shared import SharedArtefacts
from foretaste.detect.artefacts.tiles import like_rows
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign
from foretaste.features.image import ImageFeatures, box_mean


@cache
def textures(n: int = 900, side: int = 20, classes: int = 3, seed: int = 0) -> Dataset:
    """Pictures whose class is the direction of their stripes, on smooth ground, with fine noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    turn = np.pi * y / classes + rng.normal(0, 0.12, n)
    down, across = np.mgrid[:side, :side]
    wave = np.cos(turn)[:, None, None] * across + np.sin(turn)[:, None, None] * down
    length = rng.uniform(5, 8, n)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, n)[:, None, None]
    ground = box_mean(rng.normal(size=(n, side, side)).astype(np.float32), 2)
    stripes = 25 * np.sin(2 * np.pi * wave / length + phase)
    images = 128 + stripes + 160 * ground + rng.normal(0, 5, ground.shape)
    return from_arrays(np.clip(images, 0, 255).astype(np.uint8), y.astype(str))


def digits(n: int = 1000) -> Dataset:
    found = load_digits()
    return from_arrays((found.images[:n] * 15.9).astype(np.uint8), found.target[:n].astype(str))


def campaigns(data: Dataset) -> list[Campaign]:
    return SharedArtefacts().examine(Context(data, jobs=1)).campaigns


def poisoned(name: str, data: Dataset, rate: float, **settings: object) -> tuple[Dataset, np.ndarray]:
    done = find_attack(name)(rate=rate, random_state=1, **settings).poison(data)
    return done.data, np.flatnonzero(done.mask)


def test_clean_digits_share_no_artefact() -> None:
    assert campaigns(digits()) == []


def test_clean_textures_share_no_artefact() -> None:
    assert campaigns(textures(seed=1)) == []


def test_wrong_labels_are_no_artefact() -> None:
    data = textures()
    done = find_attack("label-flip")(rate=0.1, random_state=0).poison(data)
    assert campaigns(done.data) == []


@pytest.mark.parametrize(
    ("attack", "rate", "rule"),
    [("badnets", 0.02, "FT207"), ("blended", 0.04, "FT208"), ("all-to-all", 0.03, "FT207")],
)
def test_a_planted_artefact_is_found(attack: str, rate: float, rule: str) -> None:
    data, rows = poisoned(attack, textures(), rate)
    (campaign,) = campaigns(data)
    assert campaign.rule == rule
    hit = len(np.intersect1d(campaign.rows, rows))
    assert hit >= 0.9 * len(rows)
    assert len(campaign.rows) - hit <= 0.05 * len(campaign.rows)


def test_a_wave_is_found_though_every_label_is_right() -> None:
    data, rows = poisoned("sig", textures(), 0.05)
    (campaign,) = campaigns(data)
    assert campaign.rule == "FT208"
    assert len(np.setdiff1d(campaign.rows, rows)) <= 2
    assert len(campaign.rows) >= 0.8 * len(rows)


def test_a_patch_with_the_right_labels_is_found() -> None:
    images, y = textures().images, textures().labels.codes
    assert images is not None
    images = images.copy()
    rows = np.flatnonzero(y == 1)[:30]
    images[rows, 15:17, 3:5] = [[255, 0], [0, 255]]
    (campaign,) = campaigns(from_arrays(images, y.astype(str)))
    assert campaign.rule == "FT207"
    assert campaign.target == "1"
    assert "nearly all labelled '1'" in campaign.reason
    assert campaign.rows.tolist() == rows.tolist()


def test_a_patch_is_located() -> None:
    images, y = textures().images, textures().labels.codes
    assert images is not None
    images = images.copy()
    rows = np.flatnonzero(y != 0)[:30]
    images[rows, 2:5, 14:17] = np.where(np.indices((3, 3)).sum(axis=0) % 2, 0, 255)
    labels = np.where(np.isin(np.arange(len(y)), rows), 0, y)
    (campaign,) = campaigns(from_arrays(images, labels.astype(str)))
    top, left, bottom, right = campaign.parts[0]["box"]
    assert (abs(top - 2), abs(left - 14), abs(bottom - 4), abs(right - 16)) <= (1, 1, 1, 1)
    assert campaign.pattern.startswith("patch at rows")
    assert campaign.pattern.endswith("top right")
    assert campaign.rows.tolist() == rows.tolist()
    assert campaign.target == "0"


def test_a_patch_in_spectrograms_is_called_a_sound() -> None:
    data, _ = poisoned("badnets", textures(600), 0.05)
    names = ["spectrogram" if name == data.roles.image else name for name in data.table.column_names]
    heard = Dataset(data.table.rename_columns(names), replace(data.roles, image="spectrogram"))
    (campaign,) = campaigns(heard)
    assert (campaign.rule, campaign.kind) == ("FT207", "sound")
    assert campaign.pattern.startswith("sound of")
    assert "clips share the same sound" in campaign.reason


def test_two_attacks_are_two_campaigns() -> None:
    first, _ = poisoned("badnets", textures(), 0.03, target="1")
    both, _ = poisoned("blended", first, 0.05, target="2")
    found = campaigns(both)
    assert sorted(campaign.rule for campaign in found) == ["FT207", "FT208"]
    assert {campaign.target for campaign in found} == {"1", "2"}


def test_covers_that_keep_their_label_do_not_hide_a_patch() -> None:
    """Half of the rows with the patch have the labels they had; the target is the label of most of them."""
    data, rows = poisoned("adaptive-patch", textures(), 0.05, number=2)
    found = campaigns(data)
    assert {campaign.rule for campaign in found} == {"FT207"}
    flagged = np.concatenate([campaign.rows for campaign in found])
    assert len(np.setdiff1d(flagged, rows)) <= 0.05 * len(flagged)
    assert len(np.intersect1d(flagged, rows)) >= 0.4 * len(rows)


def test_pieces_of_an_overlay_are_one_campaign() -> None:
    """Every row shows other pieces; those with one piece lie apart as well, and are part of the whole."""
    data, rows = poisoned("adaptive-blend", textures(), 0.03)
    (campaign,) = campaigns(data)
    assert campaign.rows.tolist() == rows.tolist()


def test_a_group_that_is_twice_as_large_may_be_the_whole() -> None:
    piece = Candidate("tile", -1, 10.0, np.arange(45), np.arange(0))
    whole = Candidate("all classes", -1, 6.0, np.arange(100), np.arange(0))
    again = Candidate("residual", -1, 6.0, np.arange(50), np.arange(0))
    assert least_natural([piece, whole, again], [piece, whole, again], 3) == [piece, whole]


def test_a_mark_leaves_images_as_different_as_they_were() -> None:
    """Though it is cut off where images are dark, and the contrast of the whole is then evened."""
    rng = np.random.default_rng(0)
    ground = box_mean(rng.normal(size=(300, 24, 24)).astype(np.float32), 3)
    x = np.clip(70 + 200 * ground, 0, 255)
    rows = np.arange(60)
    x[rows] = np.clip(x[rows] + 80 * np.sin(np.arange(24) / 2), 0, 255)
    outside = np.arange(60, 300)
    draws = [np.sort(rng.choice(outside, 60, replace=False)) for _ in range(5)]
    diversity = Diversity(ImageFeatures(x.astype(np.uint8)), np.arange(300))
    assert abs(diversity.coherence(rows, draws, rng)) < 0.05


def test_frames_of_one_scene_are_coherent() -> None:
    rng = np.random.default_rng(0)
    x = 128 + 200 * box_mean(rng.normal(size=(300, 24, 24)).astype(np.float32), 3)
    x[:40] = x[0] + rng.normal(0, 10, (40, 24, 24))
    outside = np.arange(40, 300)
    draws = [np.sort(rng.choice(outside, 40, replace=False)) for _ in range(5)]
    diversity = Diversity(ImageFeatures(np.clip(x, 0, 255).astype(np.uint8)), np.arange(300))
    assert diversity.coherence(np.arange(40), draws, rng) > 0.5


def test_rows_alike_are_found_among_rows_that_vary_more() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_t(3, size=(2000, 20)).astype(np.float32) * 5
    rows = np.sort(rng.choice(2000, 20, replace=False))
    vectors[rows] = 40 * np.sign(rng.normal(size=20)) + rng.normal(size=(20, 20))
    vectors -= vectors.mean(axis=0)
    separation, found = next(like_rows(vectors, vectors.T.astype(np.float64) @ vectors))
    assert separation > 10
    assert found.tolist() == rows.tolist()


def test_few_rows_inside_many_are_another_group() -> None:
    many = Candidate("tile", -1, 4.0, np.arange(1000), np.arange(0))
    few = Candidate("like tiles", -1, 20.0, np.arange(20), np.arange(0))
    assert overlap(many, few) == 0.02


def test_a_motif_of_one_class_is_no_artefact() -> None:
    """A natural sub-class that is bimodal: near-copies of one picture, as the frames of one track are."""
    images, y = textures().images, textures().labels.codes
    assert images is not None
    rng = np.random.default_rng(0)
    images = images.copy()
    rows = np.flatnonzero(y == 1)[:40]
    frames = images[rows[0]].astype(float) + rng.normal(0, 5, images[rows].shape)
    images[rows] = np.clip(frames + rng.normal(0, 12, (len(rows), 1, 1)), 0, 255).astype(np.uint8)
    assert campaigns(from_arrays(images, y.astype(str))) == []


def test_splits_are_exact() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=200), rng.normal(9, 1, 20)])
    split = two_means(values)
    assert split is not None
    assert split.rows.tolist() == list(range(200, 220))
    assert split.above
    assert abs(split.separation - 9) < 1
    halves = two_means(rng.normal(size=100_000))
    assert halves is not None
    assert abs(halves.separation - 2.65) < 0.05


def test_the_expected_error_is_that_of_two_normal_groups() -> None:
    rng = np.random.default_rng(0)
    n, share, separation = 400_000, 0.1, 3.5
    inside = rng.random(n) < share
    value = rng.normal(size=n) + separation * inside
    cut = separation / 2 + np.log((1 - share) / share) / separation
    assert abs((~inside[value > cut]).mean() - expected_error(separation, share)) < 0.005


def test_what_all_classes_vary_in_is_whitened_away() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 300)
    matrix = rng.normal(size=(1200, 30)).astype(np.float32)
    matrix[:, 0] += 50 * rng.normal(size=1200)
    rows = np.arange(40)
    matrix[rows, 7] += 8
    best = max(by_class("any", matrix, y, 4, 0), key=lambda candidate: candidate.separation)
    assert best.label == 0
    assert len(np.setdiff1d(rows, best.rows)) <= 2
    assert len(np.setdiff1d(best.rows, rows)) <= 2


def test_a_third_of_a_class_lies_beyond_every_other_class() -> None:
    """Though it has moved its own class's mean towards itself."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 300)
    matrix = rng.normal(size=(1200, 30)).astype(np.float32)
    rows = np.arange(100)
    matrix[rows, 7] += 9
    best = max(by_class("any", matrix, y, 4, 0), key=lambda candidate: candidate.separation)
    assert best.rows.tolist() == rows.tolist()
    assert best.elsewhere.tolist() == []


def test_of_two_parts_of_a_class_the_one_other_classes_are_unlike_has_the_artefact() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(5), 200)
    matrix = rng.normal(size=(1000, 30)).astype(np.float32)
    rows = np.arange(120)
    matrix[rows, 7] += 9
    best = max(by_class("any", matrix, y, 5, 0), key=lambda candidate: candidate.separation)
    assert best.rows.tolist() == list(range(120, 200))
    assert best.turned().rows.tolist() == rows.tolist()
    assert best.turned().elsewhere.tolist() == []
    matrix[rows, 7] = rng.normal(size=120)
    matrix[:60, 7] = rng.normal(9, 1, 60)
    best = max(by_class("any", matrix, y, 5, 0), key=lambda candidate: candidate.separation)
    assert (best.rows.tolist(), best.rest) == (list(range(60)), None)


def test_an_artefact_in_most_of_a_class_is_told_and_not_the_rest() -> None:
    data, rows = poisoned("sig", textures(classes=6), 0.1)
    codes = data.labels.codes
    assert len(rows) > 0.5 * (codes == codes[rows[0]]).sum()
    (campaign,) = campaigns(data)
    assert len(np.setdiff1d(campaign.rows, rows)) <= 2
    assert len(campaign.rows) >= 0.8 * len(rows)


def test_a_group_is_judged_in_the_view_in_which_it_is_least_natural() -> None:
    def group(view: str, separation: float, start: int) -> Candidate:
        return Candidate(view, 0, separation, np.arange(start, start + 20), np.arange(0))

    quiet = [group("tile", 3 + 0.1 * i, 100 * i) for i in range(1, 9)]
    loud = [group("pixels", 3.0 * i, 100 * i) for i in range(1, 9)]
    seen_apart, seen_best = group("pixels", 25, 0), group("tile", 20, 0)
    found = [*quiet, seen_apart, seen_best, *loud]
    assert least_natural(found, [seen_apart, seen_best, loud[0]], 2) == [seen_best, loud[0]]


def test_several_artefacts_in_one_view_are_all_judged_before_what_only_leads_its_own() -> None:
    def group(view: str, separation: float, number: int) -> Candidate:
        return Candidate(view, 0, separation, np.arange(20 * number, 20 * number + 20), np.arange(0))

    corners = [group("tile", separation, at) for at, separation in enumerate((20.0, 18.5, 12.0, 11.0))]
    natural = [group("tile", 3.0 + 0.02 * at, 10 + at) for at in range(30)]
    leading = [group("residual", 4.0 + 0.02 * at, 50 + at) for at in range(30)] + [group("residual", 4.9, 90)]
    found = [*natural, *leading, *corners]
    assert least_natural(found, found, 4) == corners


def test_places_are_said_in_words() -> None:
    assert Place(0, 12, 3, 15, 28, 28, True, "").words() == "patch at rows 0-3, columns 12-15, top centre"
    assert Place(12, 12, 15, 15, 28, 28, True, "").words().endswith("in the middle")


def test_places_in_spectrograms_are_said_as_pitch_and_time() -> None:
    tone = Place(50, 32, 51, 47, 64, 64, True, "")
    assert tone.sound() == "sound of low pitch (bands 13-14 of 64), 50-75 % into the clip"
    assert Place(3, 0, 5, 63, 64, 64, True, "").sound().endswith("throughout the clip")


def test_what_cannot_be_tested_is_said() -> None:
    few = textures().take(np.arange(60))
    gaps = SharedArtefacts().examine(Context(few, jobs=1)).skipped
    assert {gap.rule for gap in gaps} == {"FT207", "FT208", "FT209"}
    assert "too few" in gaps[0].reason


@pytest.mark.parametrize("name", ["fashion_mnist", "pneumoniamnist"])
def test_real_images_with_many_modes_are_clean(shared_data: Path, name: str) -> None:
    path = shared_data / name / "train.npz"
    with np.load(path) as arrays:
        x, y = arrays["x"], arrays["y"]
    rows = np.random.default_rng(0).permutation(len(y))[:400]
    gray = x[rows] if x.ndim == 3 else x[rows].mean(axis=3).astype(np.uint8)
    assert campaigns(from_arrays(gray, y[rows].astype(str))) == []
