"""RFC 6962 Merkle trees: tree hash, inclusion and consistency proofs, made and checked.

Pure functions over SHA-256 hashes of 32 bytes. Whoever makes a proof hands in ``subtree(start, end)``, the
tree hash of the leaves ``start`` to ``end - 1``: from a list (`subtrees_of`) or from stored tiles.

References: RFC 6962, section 2.1; the checking algorithms are those of RFC 9162, sections 2.1.3 and 2.1.4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from foretaste.errors import IntegrityError

Subtree = Callable[[int, int], bytes]
"""``subtree(start, end)``: the tree hash of the leaves from ``start`` to before ``end``."""

EMPTY = hashlib.sha256().digest()
"""The tree hash of no leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry: SHA-256 of a zero byte and the entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees: SHA-256 of a one byte, the left and the right hash."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """The tree hash over leaf hashes.

    Examples
    --------
    >>> tree_hash([leaf_hash(b"")]).hex()
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
    """
    if not leaves:
        return EMPTY
    sha256 = hashlib.sha256
    level = list(leaves)
    while len(level) > 1:  # pairing from the left, a lone last hash moving up, is the split of the RFC
        above = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def subtrees_of(leaves: Sequence[bytes]) -> Subtree:
    """Subtree hashes out of a list of leaf hashes."""
    return lambda start, end: tree_hash(leaves[start:end])


def perfect_parts(start: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees that make up an aligned range of leaves, from left to right, as
    ``(height, index)``."""
    parts = []
    while start < end:
        height = (end - start).bit_length() - 1
        parts.append((height, start >> height))
        start += 1 << height
    return parts


def join(parts: Iterable[bytes]) -> bytes:
    """The tree hash of adjoining perfect subtrees, given from the largest, on the left, to the smallest."""
    *rest, joined = parts
    for left in reversed(rest):
        joined = node_hash(left, joined)
    return joined


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The audit path of one leaf, from its sibling up to the root's child.

    Parameters
    ----------
    index : int, from 0
        Which leaf.
    size : int, above ``index``
        Leaves of the tree.
    subtree : callable

    Raises
    ------
    IndexError
        Where the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError(f"a tree of {size} leaves has no leaf {index}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of the first ``old`` leaves is a beginning of the tree of ``new``.

    Raises
    ------
    IndexError
        Unless ``0 < old <= new``.
    """
    if not 0 < old <= new:
        raise IndexError(f"there is no consistency proof from {old} to {new} leaves")
    path, start, end = [], 0, new
    while old != end:
        middle = start + _left_size(end - start)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    if start:  # otherwise the old tree is this very subtree, and whoever checks has its hash
        path.append(subtree(start, end))
    return path[::-1]


def root_from_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that a tree must have for this leaf to be in it; to be compared with a trusted root.

    Raises
    ------
    IntegrityError
        Where no tree of that size has such a path.
    """
    if not 0 <= index < size:
        raise IntegrityError(f"the proof is for entry {index} of {size}, which does not exist")
    here, last, root = index, size - 1, leaf
    for sibling in path:
        if not last:
            raise IntegrityError("the inclusion proof is too long")
        if here & 1 or here == last:
            root = node_hash(sibling, root)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise IntegrityError("the inclusion proof is too short")
    return root


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Check that the tree with ``new_root`` begins with the tree with ``old_root``.

    Raises
    ------
    IntegrityError
        Where the proof does not show it.
    """
    if not 0 < old <= new:
        raise IntegrityError(f"there is no consistency proof from {old} to {new} entries")
    if old == new:
        if path or old_root != new_root:
            raise IntegrityError(f"two roots of {old} entries differ: history was forked")
        return
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise IntegrityError("the consistency proof is too short")
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if not last:
            raise IntegrityError("the consistency proof is too long")
        if here & 1 or here == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise IntegrityError("the consistency proof is too short")
    if first != old_root or second != new_root:
        raise IntegrityError(
            f"the {new} entries do not begin with the {old} known before: history was forked"
        )


def _left_size(leaves: int) -> int:
    """The largest power of two below a number of leaves."""
    return 1 << ((leaves - 1).bit_length() - 1)
