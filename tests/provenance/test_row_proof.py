"""Row proofs: recomputed with nothing but hashlib, every flipped byte refused, chained to the ledger."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.data import row_hashes, write_table
from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.manifest import Manifest, build_manifest
from foretaste.provenance.pieces import Piece
from foretaste.provenance.row_proof import RowProof
from foretaste.provenance.row_proving import prove_recorded, prove_row, prove_row_of, rows_with
from foretaste.provenance.shard import Shard
from foretaste.provenance.versions import commit

TABLE = pa.table({"id": np.arange(20_000), "label": ["ham", "spam"] * 10_000})


def hash_up(index: int, size: int, leaf: bytes, path: list[str]) -> bytes:
    """The root above a leaf by the recursive definition of RFC 6962, section 2.1.1."""
    if size == 1:
        assert not path
        return leaf
    left = 1 << ((size - 1).bit_length() - 1)
    *below, sibling = path
    if index < left:
        return sha256(b"\1" + hash_up(index, left, leaf, below) + bytes.fromhex(sibling))
    return sha256(b"\1" + bytes.fromhex(sibling) + hash_up(index - left, size - left, leaf, below))


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rows")
    (place / "data").mkdir()
    for number, (first, last) in enumerate(((0, 9000), (9000, 9001), (9001, 20_000))):
        write_table(TABLE[first:last], place / "data" / f"{number}.parquet")
    return place


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    return build_manifest(folder / "data").manifest


@pytest.mark.parametrize("row", [0, 15, 16, 8999, 9000, 9001, 12_345, 19_999])
def test_a_proof_is_checked_with_nothing_but_sha256(folder: Path, manifest: Manifest, row: int) -> None:
    proof = json.loads(prove_row_of(folder / "data", manifest, row).encode())
    piece, shard, hashes = proof["piece"], proof["shard"], proof["block"]["hashes"]
    at = row - shard["first"] - piece["first"]
    expected = bytes(row_hashes(TABLE[row : row + 1])[0]).hex()
    assert hashes[64 * (at % 16) :][:64] == expected
    blocks = -(-piece["rows"] // 16)
    root = hash_up(at // 16, blocks, sha256(b"\0" + bytes.fromhex(hashes)), proof["block"]["path"])
    entry = f'{{"first":{piece["first"]},"root":"{root.hex()}","rows":{piece["rows"]}}}'
    root = hash_up(piece["index"], piece["size"], sha256(b"\0" + entry.encode()), piece["path"])
    entry = (
        f'{{"first":{shard["first"]},"pieces":{piece["size"]},"root":"{root.hex()}","rows":{shard["rows"]}}}'
    )
    root = hash_up(shard["index"], shard["size"], sha256(b"\0" + entry.encode()), shard["path"])
    whole = f'{{"rows":{proof["rows"]},"shards":{shard["size"]},"tree":"{root.hex()}"}}'
    assert sha256(whole.encode()).hex() == manifest.root
    assert (proof["row"], proof["rows"], shard["size"]) == (row, 20_000, 3)


def test_other_rows_and_other_data_are_not_proven(folder: Path, manifest: Manifest, tmp_path: Path) -> None:
    proof = prove_row_of(folder / "data", manifest, 77)
    proof.check(manifest.root)
    with pytest.raises(IntegrityError, match="not proven to be in the version"):
        proof.check("0" * 64)
    for row in (-1, 20_000):
        with pytest.raises(DataError, match="there is no row"):
            prove_row_of(folder / "data", manifest, row)
    flipped = TABLE.set_column(1, "label", pa.array(["spam", "spam"] * 10_000))
    write_table(flipped, tmp_path / "flipped.parquet")
    other = build_manifest(tmp_path / "flipped.parquet").manifest
    with pytest.raises(IntegrityError, match="not those of the manifest"):
        prove_row(other, 77, row_hashes(TABLE[: (other.shards[0].pieces or ())[0].rows]))
    with pytest.raises(IntegrityError, match="does not have the 3 shards"):
        prove_row_of(tmp_path / "flipped.parquet", manifest, 77)


@pytest.mark.parametrize("row", [0, 12_345])
def test_a_proof_with_a_flipped_byte_is_refused(folder: Path, manifest: Manifest, row: int) -> None:
    proof = prove_row_of(folder / "data", manifest, row).encode()
    for at in range(len(proof)):
        altered = bytearray(proof)
        altered[at] ^= 1 << at % 8
        with pytest.raises(IntegrityError):
            RowProof.parse(bytes(altered)).check(manifest.root)


PROOFS: list[bytes] = []


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_an_edited_proof_is_refused(folder: Path, manifest: Manifest, data: st.DataObject) -> None:
    if not PROOFS:
        PROOFS.extend(prove_row_of(folder / "data", manifest, row).encode() for row in (0, 9000, 12_345))
    proof = data.draw(st.sampled_from(PROOFS))
    altered = bytearray(proof)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(altered)))
        altered[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3) | st.just(b"7"))
    if altered != proof:
        with pytest.raises(IntegrityError):
            RowProof.parse(bytes(altered)).check(manifest.root)


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_every_row_of_every_tree_is_proven_as_itself_only(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.lists(st.integers(1, 40), max_size=4), min_size=1, max_size=4))
    total = sum(map(sum, sizes))
    if not total:
        return
    hashes = np.frombuffer(b"".join(sha256(b"%d" % i) for i in range(total)), np.uint8)
    rows, shards, starts, at = hashes.reshape(-1, 32), [], [], 0
    for pieces in sizes:
        made = []
        for size in pieces:
            made.append(Piece.of(rows[at : at + size]))
            starts += [(at, size)] * size
            at += size
        shards.append(Shard("x", 1, "0" * 64, tuple(made)))
    manifest = Manifest(tuple(shards))
    row = data.draw(st.integers(0, total - 1))
    start, size = starts[row]
    proof = RowProof.parse(prove_row(manifest, row, rows[start : start + size]).encode())
    assert (proof.root(), proof.row_hash) == (manifest.root, rows[row].tobytes().hex())
    said = json.loads(proof.encode())
    for level, name in (("piece", "first"), ("piece", "size"), ("shard", "size"), ("shard", "first")):
        lie = json.loads(json.dumps(said))
        lie[level][name] += 1
        text = json.dumps(lie, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        with pytest.raises(IntegrityError):
            RowProof.parse(text).check(manifest.root)


def test_a_proof_leads_on_to_the_ledger(ledger: Ledger, tmp_path: Path) -> None:
    from dataclasses import replace

    file = tmp_path / "train.csv"
    write_table(TABLE[:1000], file)
    commit(ledger, "train", [file])
    write_table(TABLE[:1200], file)
    made = commit(ledger, "train", [file])
    recorded, manifest, entry = prove_recorded(ledger.folder, file)
    assert (entry, manifest.root) == (made.entry, made.roots[0])
    proof = replace(prove_row_of(file, manifest, 1100), ledger=recorded)
    read = RowProof.parse(proof.encode())
    assert read.check_recorded(ledger.checkpoint, ledger.verifier).details["dataset"] == "train"
    write_table(TABLE[:1300], file)
    with pytest.raises(DataError, match="no entry of the ledger names"):
        prove_recorded(ledger.folder, file)
    other = build_manifest(file).manifest
    stolen = replace(prove_row_of(file, other, 1250), ledger=recorded)
    stolen.check(other.root)
    with pytest.raises(IntegrityError, match="in a version that the ledger names"):
        stolen.check_recorded(ledger.checkpoint, ledger.verifier)
    assert rows_with(file, proof.row_hash) == [1100]
