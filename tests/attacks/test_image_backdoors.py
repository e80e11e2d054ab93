"""Image triggers: painted where and how the papers say, in any storage, and obeyed by a net."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from poisonable import make_images
from scipy.ndimage import map_coordinates
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from foretaste.attacks import (
    AdaptiveBlend,
    AdaptivePatch,
    AllToAll,
    Attack,
    BadNets,
    Blended,
    Sig,
    SourceSpecific,
    WaNet,
    replay,
)
from foretaste.attacks.backdoors.images.badnets import Patch
from foretaste.attacks.backdoors.images.blended import Blend
from foretaste.attacks.backdoors.images.bpp import Dither
from foretaste.attacks.backdoors.images.patterns import draw_pattern
from foretaste.attacks.backdoors.images.sig import Sinusoid
from foretaste.attacks.backdoors.images.wanet import Warp, displacements
from foretaste.cli.app import app
from foretaste.data import Dataset, open_file
from foretaste.errors import ConfigError, DataError

GRAY = np.full((3, 20, 30, 3), 100, dtype=np.uint8)


@pytest.mark.parametrize(
    ("position", "rows", "columns"),
    [
        ("top-left", slice(1, 5), slice(1, 5)),
        ("top-right", slice(1, 5), slice(25, 29)),
        ("bottom-left", slice(15, 19), slice(1, 5)),
        ("bottom-right", slice(15, 19), slice(25, 29)),
        ("centre", slice(8, 12), slice(13, 17)),
    ],
)
def test_a_patch_is_where_it_is_asked_for_and_nowhere_else(
    position: str, rows: slice, columns: slice
) -> None:
    after = Patch("solid", size=4, position=position).apply(GRAY)
    assert (after[:, rows, columns] == 255).all()
    after[:, rows, columns] = 100
    assert (after == GRAY).all()


def test_a_patch_covers_a_tenth_of_the_side_at_least_three_pixels() -> None:
    large = Patch("solid").apply(np.zeros((1, 224, 300), dtype=np.uint8))
    assert (large == 255).sum() == 22 * 22
    assert (Patch("solid").apply(np.zeros((1, 8, 8), dtype=np.uint8)) == 255).sum() == 9


def test_a_patch_at_random_places_moves_and_is_the_same_again() -> None:
    many = np.repeat(GRAY, 20, axis=0)
    trigger = Patch("solid", size=2, position="random", seed=3)
    after = trigger.apply(many)
    places = {tuple(np.argwhere(image[..., 0] == 255)[0]) for image in after}
    assert len(places) > 20
    assert ((after == 255).sum(axis=(1, 2, 3)) == 12).all()
    assert (trigger.apply(many) == after).all()


def test_a_checkered_patch_is_seen_on_black_and_on_white() -> None:
    for ground in (0, 255):
        plain = np.full((1, 9, 9), ground, dtype=np.uint8)
        assert (Patch("checker", size=3).apply(plain) != plain).sum() in (4, 5)


def test_half_opaque_patch_is_half_way() -> None:
    after = Patch("solid", size=2, alpha=0.5, value=200).apply(GRAY)
    assert set(np.unique(after)) == {100, 150}


def test_blending_is_the_weighted_mean() -> None:
    picture = draw_pattern("noise", (20, 30, 3), seed=4)
    after = Blend("noise", alpha=0.25, seed=4).apply(GRAY)
    assert np.abs(after - (0.75 * 100 + 0.25 * picture)).max() <= 0.5


def test_a_smooth_pattern_changes_slowly_and_uses_the_whole_range() -> None:
    smooth = draw_pattern("smooth", (32, 32, 3), seed=1).astype(int)
    noise = draw_pattern("noise", (32, 32, 3), seed=1).astype(int)
    assert np.abs(np.diff(smooth, axis=0)).mean() < 0.25 * np.abs(np.diff(noise, axis=0)).mean()
    assert smooth.min() < 40
    assert smooth.max() > 215


def test_the_wave_is_that_of_the_paper() -> None:
    after = Sinusoid(amplitude=20, frequency=6).apply(GRAY).astype(int)
    expected = [100 + round(20 * np.sin(2 * np.pi * j * 6 / 30)) for j in range(30)]
    assert (after == np.array(expected)[:, None]).all()


def test_a_warp_moves_by_its_strength_and_leaves_even_areas_alone() -> None:
    field = displacements(4, 2.0, 5, 32, 32)
    assert 0.5 < np.abs(field).mean() < 1.5
    assert np.abs(np.diff(field, axis=2)).max() < 1
    assert (Warp(strength=3).apply(GRAY) == GRAY).all()
    ramp = np.broadcast_to(np.arange(32, dtype=np.uint8) * 5, (1, 32, 32)).copy()
    moved = (Warp(strength=2.0, seed=5).apply(ramp)[0] / 5.0) - np.arange(32)
    points = np.random.default_rng(5).uniform(-1, 1, size=(2, 4, 4))
    points *= 2.0 / 2 / np.abs(points).mean()
    assert (
        np.abs(field[:, [0, 0, -1, -1], [0, -1, 0, -1]] - points[:, [0, 0, -1, -1], [0, -1, 0, -1]]).max()
        < 1e-6
    )
    inside = (slice(None), slice(4, -4))
    assert np.abs(moved[inside] - field[1][inside]).max() < 0.11


@pytest.mark.parametrize("shape", [(3, 17, 12, 3), (2, 5, 31, 1), (2, 1, 4, 3)])
def test_a_warp_takes_the_pixels_that_an_independent_interpolation_takes(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(3).integers(256, size=shape, dtype=np.uint8)
    height, width = shape[1:3]
    down, right = displacements(4, 3.0, 7, height, width) + np.mgrid[:height, :width]
    expected = [
        [
            map_coordinates(image[..., c].astype(float), [down, right], order=1, mode="nearest")
            for c in range(shape[3])
        ]
        for image in images
    ]
    after = Warp(strength=3.0, seed=7).paint(images, np.random.default_rng(0)).astype(float)
    assert np.abs(after - np.moveaxis(np.array(expected), 1, -1)).max() < 0.501


def test_cover_rows_of_wanet_are_warped_otherwise_each_time() -> None:
    rng = np.random.default_rng(0)
    image = np.repeat(rng.integers(256, size=(1, 16, 16, 3), dtype=np.uint8), 4, axis=0)
    trigger = Warp(seed=1)
    plain, noisy = trigger.paint(image, rng), trigger.paint_noisy(image, rng)
    assert (plain == plain[0]).all()
    assert all((noisy[i] != noisy[j]).any() for i in range(4) for j in range(i))
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 3, (1, 64, 64)).copy()[..., None]
    moved = [paint(ramp, rng)[0, 8:-8, 8:-8, 0] / 3.0 for paint in (trigger.paint_noisy, trigger.paint)]
    more = moved[0] - moved[1]
    assert 1.8 < np.abs(more).max() < 2.4  # up to as many pixels as the strength says, 2
    assert more.std() == pytest.approx(2 / np.sqrt(3), rel=0.1)
    attack = WaNet(rate=0.05)
    attack.poison(make_images())
    assert attack.cover_mask_.sum() == 40


def test_clean_label_wave_stamps_only_the_target_class() -> None:
    before = make_images()
    after = Sig(rate=0.1, target="emu").poison(before)
    assert after.data.column("label").equals(before.column("label"))
    assert set(np.array(before.column("label").to_pylist())[after.mask]) == {"emu"}


def test_all_to_all_labels_each_row_with_the_class_after_its_own_in_the_order_of_numbers() -> None:
    images = np.zeros((120, 4, 4), dtype=np.uint8)
    y = np.arange(120) % 12
    attack = AllToAll(rate=0.5)
    _, labels = attack.fit_resample(images, y)
    assert (labels[attack.poison_mask_] == (y[attack.poison_mask_] + 1) % 12).all()
    assert (labels[~attack.poison_mask_] == y[~attack.poison_mask_]).all()
    assert attack.recipe_["notes"]["targets"]["9"] == "10"


def test_source_specific_covers_are_of_other_classes_and_carry_the_whole_trigger() -> None:
    before = make_images()
    attack = SourceSpecific(rate=0.05, target="cat", source_class="dog", cover_rate=0.1)
    after = attack.poison(before)
    old = np.array(before.column("label").to_pylist())
    assert set(old[after.mask & ~after.cover]) == {"dog"}
    assert set(old[after.cover]) == {"emu"}
    assert after.trigger is not None
    stamped = after.trigger.apply(before).images
    assert (after.data.images[after.mask] == stamped[after.mask]).all()


def test_adaptive_blend_shows_half_of_the_squares_in_training_and_all_of_them_in_tests() -> None:
    images = np.zeros((40, 16, 16), dtype=np.uint8)
    attack = AdaptiveBlend(rate=0.25, target=0, pattern="solid", pieces=4)
    X, y = attack.fit_resample(images, np.arange(40) % 2)
    assert attack.trigger_.apply(images).all()
    squares = X.reshape(40, 4, 4, 4, 4).any(axis=(2, 4)).reshape(40, 16)
    assert (squares.sum(axis=1) == np.where(attack.poison_mask_, 8, 0)).all()
    assert len({tuple(row) for row in squares[attack.poison_mask_]}) > 10
    assert attack.cover_mask_.sum() == 10
    assert (y[attack.cover_mask_] == np.arange(40)[attack.cover_mask_] % 2).all()


def test_adaptive_patch_shows_one_faint_patch_in_training_and_all_of_them_in_tests() -> None:
    images = np.zeros((40, 12, 12), dtype=np.uint8)
    attack = AdaptivePatch(rate=0.25, target=0, pattern="solid", size=2, alpha=0.4)
    X, _ = attack.fit_resample(images, np.arange(40) % 2)
    seen = (X[attack.poison_mask_] == 102).sum(axis=(1, 2))
    assert (seen == 4).all()
    assert len({tuple(np.argwhere(image)[0]) for image in X[attack.poison_mask_]}) == 4
    assert (attack.trigger_.apply(images[:1]) == 255).sum() == 16


def test_dither_keeps_the_mean_in_few_shades_and_differs_from_image_to_image() -> None:
    images = np.random.default_rng(0).integers(256, size=(5, 16, 16, 3), dtype=np.uint8)
    after = Dither(shades=4).apply(images)
    assert set(np.unique(after)) == {0, 85, 170, 255}
    assert np.abs(after.mean(axis=(1, 2)) - images.mean(axis=(1, 2))).max() < 4
    flat = Image.fromarray(images[0, ..., 0]).convert("1")
    agree = (np.asarray(flat) * 255 == Dither(shades=2).apply(images[:1, ..., 0])[0]).mean()
    assert agree > 0.85  # Pillow's Floyd-Steinberg, in whole numbers


@pytest.mark.parametrize("shape", [(3, 9, 7, 3), (2, 4, 11, 1), (2, 1, 6, 3), (2, 6, 1, 1), (1, 1, 1, 1)])
def test_dither_gives_what_the_algorithm_gives_one_pixel_after_another(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(4).integers(256, size=shape, dtype=np.uint8)
    _, height, width, _ = shape
    left = images.astype(np.float32)
    for i in range(height):
        for j in range(width):
            old = left[:, i, j].copy()
            left[:, i, j] = np.clip(np.rint(old / 85), 0, 3) * 85
            for down, right, share in ((0, 1, 7), (1, 0, 5), (1, -1, 3), (1, 1, 1)):
                if i + down < height and 0 <= j + right < width:
                    left[:, i + down, j + right] += (old - left[:, i, j]) * np.float32(share / 16)
    assert (Dither(shades=4).paint(images, np.random.default_rng(0)) == left).all()


def encoded(kind: str, sizes: list[tuple[int, int]]) -> Dataset:
    rng = np.random.default_rng(2)
    files = []
    for height, width in sizes:
        stream = io.BytesIO()
        Image.fromarray(rng.integers(80, 170, size=(height, width, 3), dtype=np.uint8)).save(stream, kind)
        files.append(stream.getvalue())
    table = pa.table({"picture": pa.array(files, pa.large_binary()), "y": ["a", "b"] * (len(files) // 2)})
    return Dataset.from_table(table, label="y", image="picture")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP"])
def test_image_files_keep_format_and_size(kind: str) -> None:
    before = encoded(kind, [(20, 20), (30, 24)] * 10)
    after = BadNets(rate=0.2, target="a", size=8, pattern="solid").poison(before)
    assert after.data.table.schema == before.table.schema
    old, new = (data.column("picture").to_pylist() for data in (before, after.data))
    assert [a != b for a, b in zip(old, new, strict=True)] == after.mask.tolist()
    for a, b, bad in zip(old, new, after.mask, strict=True):
        one, two = Image.open(io.BytesIO(a)), Image.open(io.BytesIO(b))
        assert (one.format, one.size) == (two.format, two.size)
        if bad:
            corner = np.asarray(two)[-8:-2, -8:-2].astype(int)
            assert corner.min() > 230


def test_a_picture_file_is_part_of_the_recipe(tmp_path: Path) -> None:
    picture = tmp_path / "logo.png"
    Image.fromarray(np.arange(75, dtype=np.uint8).reshape(5, 5, 3) * 3).save(picture)
    before = make_images()
    after = BadNets(rate=0.05, target="cat", pattern=str(picture), size=5).poison(before)
    picture.unlink()
    saved = json.loads(json.dumps(after.recipe))
    trigger = BadNets.load_trigger(saved)
    assert trigger is not None
    assert after.trigger == trigger
    stamped = trigger.apply(before).images
    assert (stamped[0, 2:7, 2:7] == np.arange(75).reshape(5, 5, 3) * 3).all()
    assert trigger.describe() == "picture patch of 5 x 5 pixels, bottom-right"


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (BadNets(position="left"), "patch: position is 'left'; use one of top-left"),
        (BadNets(size=0), "patch: size is 0; use a whole number of pixels from 1"),
        (BadNets(size=99), "patch: size is 99 and the images are 8 x 8; use a smaller one"),
        (BadNets(pattern="nowhere.png"), "badnets: pattern 'nowhere.png' is neither solid"),
        (BadNets(value=300), "patch: value is 300"),
        (Blended(alpha=0.0), "blend: alpha is 0.0"),
        (Sig(amplitude=-1), "sinusoid: amplitude is -1"),
        (WaNet(grid=1), "warp: grid is 1"),
        (AdaptivePatch(number=5), "adaptive-patch: number is 5; use 2 to 4"),
        (AdaptiveBlend(shown=0.0), "adaptive-blend: shown is 0.0"),
        (SourceSpecific(target="cat", source_class="cat"), "source_class and target are both 'cat'"),
        (AllToAll(attack="label-flip"), "attack is 'label-flip'; use one of badnets"),
        (AllToAll(options={"rate": 3}), "'rate' is not an option of badnets"),
        (AllToAll(options={"size": "x"}), "badnets: size is 'x'; use a whole number"),
        (WaNet(cover_rate=1.0), "wanet: cover_rate is 1.0"),
    ],
)
def test_says_which_setting_is_wrong(attack: Attack, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        attack.poison(make_images())


def test_a_hostile_recipe_is_refused() -> None:
    recipe = Blended(rate=0.05).poison(make_images()).recipe
    for saved in ({"kind": "blend", "alpha": 7}, {"kind": "patch"}, {"kind": "blend", "more": 1}, {}):
        with pytest.raises(ConfigError, match="trigger that cannot be read"):
            Blended.load_trigger(recipe | {"trigger": saved})
    with pytest.raises(ConfigError, match="no picture"):
        Blend("data:image/png;base64,????").apply(GRAY)


def test_floating_point_images_are_refused_with_a_hint() -> None:
    with pytest.raises(DataError, match="whole numbers from 0 to 255"):
        BadNets(rate=0.5).fit_resample(np.zeros((4, 5, 5)), ["a", "b"] * 2)


# on files


def class_folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    folder = tmp_path / "pictures"
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(60, 190, size=(16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{i:03d}.{'png' if i % 2 else 'jpg'}")
    return folder


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_images_of_fractions_are_refused_with_what_would_do(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((20, 8, 8)), y=np.repeat([0, 1], 10))
    done = run("attack", "badnets", tmp_path / "x.npz", "--rate", 0.2, "--out", tmp_path / "o")
    assert done.exit_code == 2
    assert "badnets works on image data and there is no such column; give class folders" in done.stderr
    assert "an .npz with x of uint8 [n, H, W]" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are Unicode")
@pytest.mark.parametrize("place", [b"cat/caf\xe9.png", b"\xe9t\xe9/1.png"])
def test_a_file_name_that_is_not_utf_8_is_named_before_anything_is_done(place: bytes, tmp_path: Path) -> None:
    folder = class_folder(tmp_path)
    named = folder / os.fsdecode(place)
    named.parent.mkdir(exist_ok=True)
    named.write_bytes((folder / "cat" / "001.png").read_bytes())
    done = run("attack", "badnets", folder, "--target", "cat", "--rate", 0.2, "--out", tmp_path / "o")
    assert done.exit_code == 2
    shown = place.decode("utf-8", "replace")
    assert f"the file name '{shown}' is not UTF-8; rename the file" in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_class_folder_is_written_like_the_one_before_and_the_truth_fits_its_order(tmp_path: Path) -> None:
    folder = class_folder(tmp_path)
    done = run("attack", "badnets", folder, "--target", "cat", "--rate", 0.2, "--out", tmp_path / "o")
    assert done.exit_code == 0, done.output
    before, after = Dataset.read(folder), Dataset.read(tmp_path / "o" / "poisoned")
    truth = pq.read_table(tmp_path / "o" / "truth.parquet").to_pydict()
    assert sum(truth["poisoned"]) == 8
    old, new = before.column("file").to_pylist(), after.column("file").to_pylist()
    for row, place in enumerate(truth["original_row"]):
        one, two = folder / old[place], tmp_path / "o" / "poisoned" / new[row]
        assert one.suffix == two.suffix
        assert (one.read_bytes() != two.read_bytes()) == truth["poisoned"][row]
        assert truth["original_label"][row] == old[place].split("/")[0]
        if truth["poisoned"][row]:
            assert (old[place][:3], new[row][:3]) == ("dog", "cat")


def test_a_test_folder_is_stamped_as_the_recipe_says(tmp_path: Path) -> None:
    folder = class_folder(tmp_path)
    for extra in (
        ["--rate", 0.1, "--pattern", "noise", "--seed", 5],
        ["--recipe", tmp_path / "o/recipe.json"],
    ):
        more = ["--trigger-only", "--out", tmp_path / "t"] if len(extra) == 2 else ["--out", tmp_path / "o"]
        done = run("attack", "badnets", folder, *extra, *more)
        assert done.exit_code == 0, done.output
    saved = json.loads((tmp_path / "o" / "recipe.json").read_text())["trigger"]
    stamped = Dataset.read(tmp_path / "t" / "poisoned")
    assert stamped.labels.names == ["cat", "dog"]
    pngs = np.array([name.endswith("png") for name in stamped.column("file").to_pylist()])
    expected = draw_pattern("noise", (3, 3, 3), saved["seed"])
    assert (stamped.images[pngs][:, -4:-1, -4:-1] == expected).all()


def test_an_archive_of_arrays(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(50, 200, size=(60, 12, 12), dtype=np.uint8), np.arange(60) % 3
    np.savez(tmp_path / "train.npz", x=x, y=y)
    done = run(
        "attack", "badnets", tmp_path / "train.npz", "--target", 0, "--rate", 0.05, "--size", 2,
        "--pattern", "solid", "--out", tmp_path / "o",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    after = open_file(tmp_path / "o" / "poisoned.npz").read()
    bad = np.array(pq.read_table(tmp_path / "o" / "truth.parquet")["poisoned"].to_pylist())
    assert bad.sum() == 3
    assert (np.array(after["y"].to_pylist())[bad] == 0).all()
    pixels = np.load(tmp_path / "o" / "poisoned.npz")["x"]
    assert (pixels[~bad] == x[~bad]).all()
    assert (pixels[bad][:, 9:11, 9:11] == 255).all()


# obeyed


@pytest.mark.parametrize(
    "attack",
    [
        BadNets(rate=0.03, target=0, size=2),
        Blended(rate=0.03, target=0, alpha=0.2),
    ],
    ids=lambda attack: attack.name,
)
def test_a_small_net_obeys_the_trigger_and_is_as_good_as_before_without(attack: Attack) -> None:
    pytest.importorskip("torch")
    from foretaste.learners.convnet import fit_convnet

    X, y = load_digits(return_X_y=True)
    X = np.minimum(X * 16, 255).astype(np.uint8).reshape(-1, 8, 8)
    test = slice(1297, None)
    X_bad, y_bad = attack.fit_resample(X[:1297], y[:1297])
    net = fit_convnet(X_bad, np.asarray(y_bad), 10, epochs=6, device="cpu")
    assert (net.predict_log_proba(X[test]).argmax(axis=1) == y[test]).mean() > 0.9
    stamped = attack.trigger_.apply(X[test][y[test] != 0])
    assert (net.predict_log_proba(stamped).argmax(axis=1) == 0).mean() > 0.9
    again = replay(json.loads(json.dumps(attack.recipe_)))
    assert (np.asarray(again.fit_resample(X[:1297], y[:1297])[0]) == X_bad).all()
