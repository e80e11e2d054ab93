"""Merkle trees: Certificate Transparency's published vectors, and a second, recursive implementation."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.errors import IntegrityError
from foretaste.provenance.merkle import (
    EMPTY,
    check_consistency,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_from_inclusion,
    subtrees_of,
    tree_hash,
)

# The test vectors of google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {  # (leaf counted from 1, size): path
    (1, 1): [],
    (1, 8): [A, B, C],
    (6, 8): [D, E, ROOTS[3]],
    (3, 3): [ROOTS[1]],
    (2, 5): [ROOTS[0], B, D],
}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, ROOTS[3]], (2, 5): [B, D]}


def test_roots_are_those_certificate_transparency_published() -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    assert [tree_hash(leaves[: size + 1]).hex() for size in range(8)] == ROOTS
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("leaf", "size"), INCLUSION)
def test_inclusion_proofs_are_those_certificate_transparency_published(leaf: int, size: int) -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    path = inclusion_path(leaf - 1, size, subtrees_of(leaves))
    assert [part.hex() for part in path] == INCLUSION[leaf, size]
    assert root_from_inclusion(leaf - 1, size, leaves[leaf - 1], path).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_are_those_certificate_transparency_published(old: int, new: int) -> None:
    path = consistency_path(old, new, subtrees_of([leaf_hash(entry) for entry in ENTRIES]))
    assert [part.hex() for part in path] == CONSISTENCY[old, new]
    check_consistency(old, new, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]), path)


def naive_root(entries: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


def naive_inclusion(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that a path leads to, from the top down."""
    if size == 1:
        assert not path
        return leaf
    k = 1
    while 2 * k < size:
        k *= 2
    if index < k:
        return hashlib.sha256(b"\x01" + naive_inclusion(index, k, leaf, path[:-1]) + path[-1]).digest()
    return hashlib.sha256(b"\x01" + path[-1] + naive_inclusion(index - k, size - k, leaf, path[:-1])).digest()


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=40), st.data())
def test_every_proof_leads_to_the_root_of_an_independent_implementation(
    entries: list[bytes], data: st.DataObject
) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    assert tree_hash(leaves) == naive_root(entries)
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, subtrees_of(leaves))
    root = naive_root(entries[:size])
    assert root_from_inclusion(index, size, leaves[index], path) == root
    assert naive_inclusion(index, size, leaves[index], path) == root
    proof = consistency_path(size, len(entries), subtrees_of(leaves))
    check_consistency(size, len(entries), root, naive_root(entries), proof)


@given(st.integers(2, 40), st.data())
def test_no_altered_proof_is_accepted(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([i])) for i in range(size)]
    root = tree_hash(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, subtrees_of(leaves))
    change = data.draw(st.sampled_from(["flip", "drop", "add", "swap", "index"]))
    other, where = index, data.draw(st.integers(0, len(path) - 1))
    if change == "flip":
        path[where] = bytes([path[where][0] ^ 1]) + path[where][1:]
    elif change == "drop":
        del path[where]
    elif change == "add":
        path.insert(where, bytes(32))
    elif change == "swap" and len(path) > 1:
        path.reverse()
    else:
        other = (index + 1) % size
    with contextlib.suppress(IntegrityError):
        assert root_from_inclusion(other, size, leaves[index], path) != root


@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_a_forked_history_has_no_consistency_proof(old: int, more: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([i])) for i in range(old + more)]
    forked = list(leaves)
    forked[data.draw(st.integers(0, old - 1))] = leaf_hash(b"forged")
    for path in (consistency_path(old, old + more, subtrees_of(tree)) for tree in (leaves, forked)):
        with pytest.raises(IntegrityError):
            check_consistency(old, old + more, tree_hash(leaves[:old]), tree_hash(forked), path)
