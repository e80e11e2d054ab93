"""``.npz``: arrays by their headers, bombs and pickles refused, the same arrays given back."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from data_strategies import same, scratch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foretaste.data import Dataset, Limits, images_from_tensor, open_file
from foretaste.errors import DataError


def raw_npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def raw_npz(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("shape", [(6, 4, 5), (6, 4, 5, 3)])
def test_images_are_one_column_of_tensors_and_roles_are_found(tmp_path, shape):
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(6) % 2, source=np.array(list("aabbcc")))
    data = Dataset.read(tmp_path / "a.npz")
    assert (data.roles.label, data.roles.source, data.roles.image) == ("y", "source", "x")
    assert np.array_equal(images_from_tensor(data.column("x")), x)
    assert data.table.column("source").to_pylist() == list("aabbcc")


def test_numbers_are_columns_and_more_dimensions_are_flattened(tmp_path):
    x = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(4))
    table = open_file(tmp_path / "a.npz").read()
    assert table.column_names == ["x0", "x1", "x2", "x3", "x4", "x5", "y"]
    assert table.column("x5").to_pylist() == [5, 11, 17, 23]


@given(
    hnp.arrays(
        st.sampled_from(
            [np.uint8, np.int16, np.float32, np.float64, np.dtype(">i4"), np.dtype(">f8"), np.bool_]
        ),
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=5),
    ),
    st.booleans(),
    st.booleans(),
)
def test_arrays_come_back_as_they_were_with_the_same_rows_gone(x, fortran, packed):
    folder = scratch()
    n = len(x)
    x = np.asfortranarray(x) if fortran else x
    arrays = {
        "x": x,
        "y": np.arange(n),
        "source": np.array([f"s{i}" for i in range(n)]),
        "vectors": np.ones((n, 2), np.float16),
        "names": np.array(["a", "b", "c", "d", "e", "f", "g"]),
        "version": np.array(3),
    }
    (np.savez_compressed if packed else np.savez)(folder / "a.npz", **arrays)
    data = open_file(folder / "a.npz")
    whole = data.read()
    assert same(pa.Table.from_batches(data.batches(), data.schema), whole)
    keep = np.arange(n) % 2 == 0
    data.write_rows(keep, folder / "b.npz")
    got = np.load(folder / "b.npz", allow_pickle=False)
    assert set(got.files) == set(arrays)
    for name, array in arrays.items():
        expected = array[keep] if array.ndim and len(array) == n else array
        assert got[name].dtype == array.dtype
        assert np.array_equal(got[name], expected, equal_nan=array.dtype.kind == "f")


def test_relabelling_keeps_the_dtype(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2, 2), np.uint8), y=np.array([1, 2, 3, 1], np.int8))
    data = open_file(tmp_path / "a.npz")
    data.write_rows(np.array([True, False, True, True]), tmp_path / "b.npz", edits={"y": {2: "1", 3: "2"}})
    got = np.load(tmp_path / "b.npz")
    assert got["y"].dtype == np.int8
    assert got["y"].tolist() == [1, 1, 2]


def test_the_same_archive_is_written_each_time(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.ones((4, 3)), y=np.arange(4))
    data = open_file(tmp_path / "a.npz")
    for name in ("b.npz", "c.npz"):
        data.write_rows(np.array([True, False, True, True]), tmp_path / name)
    assert (tmp_path / "b.npz").read_bytes() == (tmp_path / "c.npz").read_bytes()


def test_pickled_objects_are_refused_and_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'owned')!r}, 'w').close()",))

    np.savez(tmp_path / "a.npz", x=np.zeros((2, 2)), y=np.array([Trap(), 1], dtype=object))
    with pytest.raises(
        DataError, match=r"a.npz: its array 'y' holds pickled Python objects, which are never loaded"
    ):
        open_file(tmp_path / "a.npz")
    raw_npz(tmp_path / "b.npz", {"x.npy": raw_npy(np.zeros((2, 2))), "y": b"cos\nsystem\n"})
    with pytest.raises(DataError, match=r"'y' is not an array"):
        open_file(tmp_path / "b.npz")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("name", ["../x.npy", "/etc/x.npy", "a/x.npy", "..\\x.npy", "readme.txt"])
def test_members_that_are_no_plain_arrays_are_refused(tmp_path, name):
    raw_npz(tmp_path / "a.npz", {name: raw_npy(np.zeros((2, 2)))})
    with pytest.raises(DataError, match=r"is not an array of this archive"):
        open_file(tmp_path / "a.npz")


def test_a_zip_bomb_is_refused_by_its_directory(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((2000, 100, 100), np.uint8), y=np.zeros(2000))
    assert (tmp_path / "a.npz").stat().st_size < 100_000
    with pytest.raises(DataError, match=r"unpacks .* into 20000128: a zip bomb"):
        open_file(tmp_path / "a.npz", limits=Limits(expansion_floor=2**20))


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ("(99999999999, 28, 28)", "declares 78399999999216 bytes and has 4"),
        ("(-1, 2)", "declares"),
        ("(4, 0)", "shape"),
    ],
)
def test_a_header_that_lies_about_the_shape_is_refused_before_it_is_allocated(tmp_path, shape, sentence):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (118 - len(header) - 1) + b"\n"
    npy = (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + (b"" if "0)" in shape else bytes(4))
    )
    raw_npz(tmp_path / "a.npz", {"x.npy": npy})
    with pytest.raises(DataError, match=r"a\.npz") as caught:
        open_file(tmp_path / "a.npz")
    assert sentence in str(caught.value)


def test_a_header_is_parsed_never_run(tmp_path):
    header = f"open({str(tmp_path / 'owned')!r}, 'w')".encode().ljust(117) + b"\n"
    raw_npz(tmp_path / "a.npz", {"x.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header})
    with pytest.raises(DataError, match=r"cannot be read as .npz"):
        open_file(tmp_path / "a.npz")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"features": np.zeros((3, 2))}, "there is no array 'x'; it holds 'features'"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, "its array 'y' has shape (2,)"),
        ({"x": np.zeros((3, 2)), "y": np.zeros((3, 2))}, "one value for each of the 3 rows"),
        ({"x": np.zeros(()), "y": np.zeros(2)}, "its array 'x' has dtype float64 and shape ()"),
        ({"x": np.zeros((2, 2), complex)}, "its array 'x' has dtype complex128"),
        ({"x": np.zeros((2, 2)), "x1": np.zeros(2)}, "an array has the name of a column of 'x'"),
        ({"x": np.zeros((2, 101))}, "the limit is 100 columns"),
        ({"x": np.zeros(2, [("a", "i4")])}, "structured dtype"),
        ({"x": np.zeros((2, 100_000), np.uint8).reshape(2, 100, 1000)}, "GiB"),
    ],
)
def test_arrays_that_are_no_table_are_refused_in_one_sentence(tmp_path, arrays, sentence):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=r"a\.npz") as caught:
        open_file(tmp_path / "a.npz", limits=Limits(columns=100, table_bytes=100_000))
    assert sentence in str(caught.value)


def test_an_array_that_is_not_one_value_per_row_is_noted_not_scanned(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 2)), y=np.arange(3), extra=np.zeros((3, 9)))
    data = open_file(tmp_path / "a.npz")
    assert data.columns == ["x0", "x1", "y"]
    assert data.notes == ["array 'extra' [3, 9] is not one value per row and is not scanned"]


@pytest.mark.parametrize("damage", ["cut", "crc", "text"])
def test_a_damaged_archive_is_refused(tmp_path, damage):
    np.savez_compressed(tmp_path / "a.npz", x=np.random.default_rng(0).normal(size=(50, 4)), y=np.arange(50))
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    if damage == "cut":
        raw = raw[:-30]
    elif damage == "crc":
        raw[600:700] = bytes(100)
    else:
        raw = bytearray(b"x,y\n1,2\n")
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(DataError, match=r"cannot be read as .npz"):
        open_file(tmp_path / "a.npz").read()


def test_overlapping_members_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((100, 10)))
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    start = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06")
    entry = bytes(raw[start:end])
    second = bytearray(entry)
    second[second.index(b"x.npy") : second.index(b"x.npy") + 5] = b"y.npy"
    tail = bytearray(raw[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", 2 * len(entry))
    (tmp_path / "b.npz").write_bytes(bytes(raw[:end]) + bytes(second) + bytes(tail))
    with pytest.raises(DataError, match=r"overlap"):
        open_file(tmp_path / "b.npz")
