"""Manifests: the tree of a version, which shards are read again, and what a memory of files trusts."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from test_merkle import naive_root

from foretaste.data import row_hashes, write_table
from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.blobs import SeenFiles, blob_hash
from foretaste.provenance.manifest import Manifest, build_manifest


def table(first: int, last: int) -> pa.Table:
    return pa.table({"id": range(first, last), "label": ["ham", "spam"] * ((last - first) // 2)})


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(3):
        write_table(table(10 * number, 10 * number + 10), folder / f"{number}.parquet")
    return folder


def test_the_root_is_a_tree_over_shards_pieces_and_row_hashes(shards: Path) -> None:
    built = build_manifest(shards)
    made = built.manifest
    assert (built.shards_read, built.rows_read, made.rows, made.columns) == (3, 30, 30, ("id", "label"))
    entries = []
    for number, shard in enumerate(made.shards):
        rows = b"".join(bytes(row) for row in row_hashes(table(10 * number, 10 * number + 10)))
        piece = f'{{"first":0,"root":"{naive_root([rows]).hex()}","rows":10}}'  # up to 16 rows are one entry
        root = naive_root([piece.encode()]).hex()
        assert shard.root == root
        assert shard.digest == hashlib.sha256((shards / f"{number}.parquet").read_bytes()).hexdigest()
        entries.append(f'{{"first":{10 * number},"pieces":1,"root":"{root}","rows":10}}'.encode())
    whole = f'{{"rows":30,"shards":3,"tree":"{naive_root(entries).hex()}"}}'
    assert made.root == hashlib.sha256(whole.encode()).hexdigest()


def test_a_shard_has_the_same_root_in_another_format(tmp_path: Path, shards: Path) -> None:
    write_table(table(0, 10), tmp_path / "zero.csv")
    assert (
        build_manifest(tmp_path / "zero.csv").manifest.shards[0].root
        == build_manifest(shards).manifest.shards[0].root
    )


def test_only_new_shards_have_their_rows_read(shards: Path) -> None:
    before = build_manifest(shards).manifest
    write_table(table(100, 110), shards / "3.parquet")
    after = build_manifest(shards, previous=before)
    assert (after.shards_read, after.rows_read) == (1, 10)
    assert after.manifest == build_manifest(shards).manifest
    (shards / "0.parquet").rename(shards / "4.parquet")
    assert build_manifest(shards, previous=after.manifest).shards_read == 0


def test_a_changed_shard_of_the_same_size_and_times_is_read_again(shards: Path) -> None:
    before = build_manifest(shards).manifest
    path = shards / "1.parquet"
    found = path.stat()
    held = bytearray(path.read_bytes())
    held[held.index(b"spam")] = ord("S")
    path.write_bytes(held)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert path.stat().st_size == found.st_size
    after = build_manifest(shards, previous=before)
    assert after.shards_read == 1
    assert after.manifest.root != before.root


def test_a_previous_version_with_other_columns_lends_no_rows(shards: Path) -> None:
    before = build_manifest(shards).manifest
    lying = Manifest(before.shards, ("id", "labels"))
    assert build_manifest(shards, previous=lying).shards_read == 3


def test_a_manifest_is_read_back_and_an_altered_one_is_refused(shards: Path) -> None:
    made = build_manifest(shards).manifest
    assert Manifest.parse(made.encode()) == made
    value = json.loads(made.encode())
    assert (value["schema"], value["root"]) == (2, made.root)
    with pytest.raises(IntegrityError, match="older form"):
        Manifest.parse(json.dumps(value | {"schema": 1}).encode())
    value["shards"][0]["pieces"][0][1] = "00" * 32
    for altered in (json.dumps(value).encode(), b"{}", b"[", b"\xff", made.encode()[:-9]):
        with pytest.raises(IntegrityError):
            Manifest.parse(altered)


def test_files_of_any_kind_are_shards_by_name_and_content(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/2.png", "notes.txt"):
        (tmp_path / "any" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "any" / name).write_text(name)
    built = build_manifest(tmp_path / "any")
    made = built.manifest
    assert (built.rows_read, made.rows, [shard.name for shard in made.shards]) == (
        0,
        None,
        ["cat/1.png", "dog/2.png", "notes.txt"],
    )
    (tmp_path / "any" / "dog" / "2.png").rename(tmp_path / "any" / "cat" / "2.png")
    assert build_manifest(tmp_path / "any").manifest.root != made.root
    alone = build_manifest(tmp_path / "any" / "notes.txt").manifest
    assert alone.shards[0].digest == made.shards[2].digest


def test_a_broken_table_is_an_error_and_not_just_a_file(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match=r"broken\.parquet"):
        build_manifest(tmp_path / "broken.parquet")
    with pytest.raises(DataError, match="no such file"):
        build_manifest(tmp_path / "nowhere.csv")


def test_blake3_gives_its_published_values(tmp_path: Path) -> None:
    pytest.importorskip("blake3")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "one").write_bytes(b"\x00")  # of the BLAKE3 test vectors, as the empty input
    assert blob_hash(tmp_path / "empty", "blake3").startswith("af1349b9f5f9a1a6a0404dea36dcc949")
    assert blob_hash(tmp_path / "one", "blake3").startswith("2d3adedff11b61f14c886e35afa03673")


def test_a_memory_of_files_reads_again_what_looks_different(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"one")
    seen = SeenFiles(tmp_path / "seen")
    assert seen.blob_hash(path) == blob_hash(path)
    seen.save()
    assert json.loads((tmp_path / "seen").read_bytes())["files"] == {}  # it changed just now
    looks = [path.stat().st_dev, path.stat().st_ino, 3, path.stat().st_mtime_ns, path.stat().st_ctime_ns]
    remembered = {"schema": 1, "files": {f"sha256:{path.resolve()}": [looks, "f" * 64]}}
    (tmp_path / "seen").write_text(json.dumps(remembered))
    assert SeenFiles(tmp_path / "seen").blob_hash(path) == "f" * 64  # that is what trusting means
    found = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))  # the change time cannot be set back
    assert SeenFiles(tmp_path / "seen").blob_hash(path) == blob_hash(path)
    (tmp_path / "seen").write_text("[1]")
    assert SeenFiles(tmp_path / "seen").blob_hash(path) == blob_hash(path)
