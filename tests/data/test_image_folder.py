"""Folders with one sub-folder of images per class."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from foretaste.data import Dataset, Limits, images_from_tensor, open_file, table_hash
from foretaste.errors import DataError


def pixels(seed: int, shape: tuple[int, ...] = (6, 5, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(folder: Path, name: str, array: np.ndarray) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    for i, name in enumerate(["dog/1.png", "cat/2.png", "cat/1.png", "dog/deep/3.png"]):
        save(root, name, pixels(i))
    return root


def test_rows_are_in_path_order_with_class_folders_as_labels(folder):
    data = Dataset.read(folder)
    assert data.table.column("file").to_pylist() == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/deep/3.png"]
    assert data.table.column("label").to_pylist() == ["cat", "cat", "dog", "dog"]
    assert (data.roles.label, data.roles.image, data.roles.id) == ("label", "image", "file")
    images = images_from_tensor(data.column("image"))
    assert np.array_equal(images, np.stack([pixels(2), pixels(1), pixels(0), pixels(3)]))


def test_batches_give_what_read_gives(folder):
    data = open_file(folder)
    assert pa.Table.from_batches(data.batches()).equals(data.read())
    assert data.read().schema.equals(data.schema)


def test_gray_images_are_two_dimensional_unless_one_has_colour(tmp_path):
    save(tmp_path, "a/1.png", pixels(0, (4, 4)))
    assert open_file(tmp_path).read().column("image").type.shape == [4, 4]
    save(tmp_path, "a/2.png", pixels(1, (4, 4, 3)))
    assert open_file(tmp_path).read().column("image").type.shape == [4, 4, 3]


def test_images_of_another_size_are_scaled_to_the_most_common_one_with_a_note(folder):
    save(folder, "cat/3.png", pixels(9, (12, 10, 3)))
    data = open_file(folder)
    table = data.read()
    assert table.column("image").type.shape == [6, 5, 3]
    assert data.notes == ["1 images of another size were scaled to 5 x 6"]


def test_a_broken_image_is_a_row_without_an_image_and_a_note_that_names_it(folder):
    (folder / "cat" / "0.png").write_bytes(b"this is no image")
    whole = (folder / "cat" / "1.png").read_bytes()
    (folder / "dog" / "9.png").write_bytes(whole[: len(whole) // 2])
    data = Dataset.read(folder)
    images = data.column("image")
    assert images.is_valid().to_pylist() == [False, True, True, True, False, True]
    assert data.table.column("file")[0].as_py() == "cat/0.png"
    assert "'cat/0.png', 'dog/9.png': cannot be decoded, so these rows have no image" in data.notes
    assert np.array_equal(images_from_tensor(images)[0], np.zeros((6, 5, 3)))


def test_links_that_lead_outside_are_not_followed(folder, tmp_path):
    save(tmp_path, "secret.png", pixels(5))
    (folder / "cat" / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "cat" / "inside.png").symlink_to(folder / "dog" / "1.png")
    (folder / "all").symlink_to(tmp_path)
    data = open_file(folder)
    assert data.read().column("file").to_pylist() == [
        "cat/1.png",
        "cat/2.png",
        "cat/inside.png",
        "dog/1.png",
        "dog/deep/3.png",
    ]
    assert data.notes == ["'cat/link.png': links that lead outside the folder are not followed"]


def png_declaring(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [10_000, 60_000, 2**31 - 1])
def test_a_pixel_bomb_is_refused_by_its_header(folder, side):
    (folder / "cat" / "bomb.png").write_bytes(png_declaring(side, side))
    with pytest.raises(DataError, match=r"bomb.png: an image declares more than 40000000 pixels"):
        open_file(folder).read()


def test_kept_files_are_copied_byte_for_byte_and_relabelled_ones_move_to_their_class(folder, tmp_path):
    data = open_file(folder)
    data.write_rows(
        np.array([True, False, True, True]), tmp_path / "out", edits={"label": {2: "cat", 3: "bird"}}
    )
    got = {
        p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in (tmp_path / "out").rglob("*.png")
    }
    assert got == {
        "cat/1.png": (folder / "cat" / "1.png").read_bytes(),
        "cat/1-1.png": (folder / "dog" / "1.png").read_bytes(),
        "bird/deep/3.png": (folder / "dog" / "deep" / "3.png").read_bytes(),
    }


@pytest.mark.parametrize("label", ["../evil", "", "a/b", "..", "a\0b"])
def test_a_label_that_leads_elsewhere_is_no_class_folder(folder, tmp_path, label):
    with pytest.raises(DataError, match=r"cannot be the name of a class folder"):
        open_file(folder).write_rows(np.ones(4, dtype=bool), tmp_path / "out", edits={"label": {0: label}})
    assert not (tmp_path / "evil").exists()


def test_only_known_image_formats_are_decoded(folder):
    (folder / "cat" / "script.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    )
    data = Dataset.read(folder)
    assert any("cat/script.png" in note for note in data.notes)


def test_a_folder_in_which_nothing_can_be_decoded_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"no")
    with pytest.raises(DataError, match=r"none of its images can be decoded"):
        open_file(tmp_path).read()


def encoded(array: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format=kind)
    return stream.getvalue()


@pytest.mark.parametrize("storage", ["binary", "large_binary", "struct"])
def test_image_files_in_a_table_are_decoded_when_named(tmp_path, storage):
    files = [encoded(pixels(0)), None, encoded(pixels(1)), b"no image", encoded(pixels(2, (12, 10, 3)))]
    column = pa.array(files, pa.binary())
    if storage == "large_binary":
        column = column.cast(pa.large_binary())
    if storage == "struct":
        column = pa.array([None if f is None else {"bytes": f, "path": "x.png"} for f in files])
    pq.write_table(pa.table({"picture": column, "y": list("abaab")}), tmp_path / "a.parquet")
    data = Dataset.read(tmp_path / "a.parquet", label="y", image="picture")
    assert data.images.shape == (5, 6, 5, 3)
    assert np.array_equal(data.images[[0, 2]], np.stack([pixels(0), pixels(1)]))
    assert data.has_image.tolist() == [True, False, True, False, True]
    assert table_hash(data.table) == table_hash(open_file(tmp_path / "a.parquet").batches())


def test_image_tensors_are_taken_as_they_are(folder):
    data = Dataset.read(folder)
    assert np.array_equal(data.images, images_from_tensor(data.column("image")))
    assert data.has_image.all()
    assert Dataset.from_table(pa.table({"a": [1, 2]})).images is None


def test_a_pixel_bomb_in_a_table_is_refused():
    data = Dataset.from_table(pa.table({"i": [png_declaring(60_000, 60_000)], "y": ["a"]}), image="i")
    with pytest.raises(DataError, match=r"as a pixel bomb does"):
        _ = data.images


def test_what_holds_no_images_cannot_be_the_image_column():
    with pytest.raises(DataError, match=r"column 'i': it holds string, not images"):
        Dataset.from_table(pa.table({"i": ["a"]}), image="i")


def test_memory_is_checked_before_images_are_read(folder):
    with pytest.raises(DataError, match=r"GiB"):
        open_file(folder, limits=Limits(table_bytes=100)).read()
