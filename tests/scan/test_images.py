"""Scans of images: clean ones accuse nobody, wrong labels and copies are found, broken files are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from foretaste._scan.large import LEAST_MEMORY, bounded
from foretaste._scan.run import scan
from foretaste.data.image_files import encode_image

DIGITS = load_digits()
PIXELS = (DIGITS.images * 15.9).astype(np.uint8)


def test_wrong_labels_of_digits_are_found_and_right_ones_left_alone() -> None:
    rng = np.random.default_rng(0)
    labels = DIGITS.target.copy()
    wrong = rng.permutation(len(labels))[:60]
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, 60)) % 10
    found = scan((PIXELS, labels.astype(str)), jobs=1)
    flagged = np.flatnonzero(found.rows["flagged"].to_numpy(zero_copy_only=False))
    assert found.groups.num_rows == 0
    assert len(np.intersect1d(flagged, wrong)) >= 42
    assert len(np.setdiff1d(flagged, wrong)) <= 5


def test_a_bad_source_of_images_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = DIGITS.target.copy()
    source = rng.integers(0, 8, len(labels))
    bad = np.flatnonzero(source == 3)
    wrong = bad[rng.random(len(bad)) < 0.3]
    labels[wrong] = (labels[wrong] + 1) % 10
    path = tmp_path / "digits.npz"
    np.savez(path, x=PIXELS, y=labels, source=np.array([f"s{i}" for i in source]))
    found = scan(str(path), jobs=1, select=("FT401",))
    assert found.sources is not None
    named = [line["source"] for line in found.sources.to_pylist() if line["flagged"]]
    assert named == ["s3"]


def test_a_folder_with_a_broken_image_is_scanned(tmp_path: Path) -> None:
    for row in range(400):
        folder = tmp_path / str(DIGITS.target[row])
        folder.mkdir(exist_ok=True)
        Image.fromarray(PIXELS[row]).save(folder / f"{row:04}.png")
    (tmp_path / "3" / "zzz.png").write_bytes(b"no image")
    found = scan(str(tmp_path), jobs=1)
    assert found.verdict in ("clean", "noisy")
    assert found.rows.num_rows == 401
    broken = next(i for i, name in enumerate(found.rows["id"].to_pylist()) if name == "3/zzz.png")
    assert not found.rows["flagged"][broken].as_py()


def test_images_are_the_same_however_they_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = 2100
    pixels, labels = PIXELS[np.arange(number) % len(PIXELS)], DIGITS.target[np.arange(number) % len(PIXELS)]
    order = np.argsort(labels, kind="stable")
    pixels, labels = pixels[order], labels[order]
    coded = [encode_image(image[..., None]) for image in pixels]
    np.savez(tmp_path / "a.npz", x=pixels, label=labels)
    for name, column in (
        ("files", coded),
        ("structs", [{"bytes": one, "path": None} for one in coded]),
        ("tensors", pa.FixedShapeTensorArray.from_numpy_ndarray(pixels)),
    ):
        pq.write_table(pa.table({"picture": column, "label": labels}), tmp_path / f"{name}.parquet")
    for row, (one, label) in enumerate(zip(coded, labels, strict=True)):
        (tmp_path / "folder" / str(label)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / str(label) / f"{row:05}.png").write_bytes(one)
    monkeypatch.setattr("foretaste._scan.large.FIXED_BYTES", LEAST_MEMORY - 40 * pixels.size)
    for stored in ("a.npz", "files.parquet", "structs.parquet", "tensors.parquet", "folder"):
        label = None if stored == "folder" else "label"
        read = bounded(tmp_path / stored, {"label": label}, memory=LEAST_MEMORY, random_state=0)
        if stored in ("a.npz", "tensors.parquet"):  # pixels fit where other values would not
            assert read.positions is None
        rows = np.arange(number) if read.positions is None else read.positions
        assert np.array_equal(read.sample.images, pixels[rows])
        said = np.array(read.sample.labels.names)[read.sample.labels.codes].astype(int)
        assert np.array_equal(said, labels[rows])
