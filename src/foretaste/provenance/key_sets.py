"""Sets of 32-byte keys in which repeats count: what only one side has, and which keys belong together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Keys = NDArray[np.bytes_]
"""``[n]`` of 32 bytes each."""
Positions = NDArray[np.int64]


def keys_of(hashes: NDArray[np.uint8]) -> Keys:
    """Hashes ``[n, 32]`` as values that sort; all are of one length, so zero bytes at the end do no harm."""
    return np.ascontiguousarray(hashes).view("S32").ravel()


def only_on_one_side(old: Keys, new: Keys) -> tuple[Positions, Positions]:
    """Positions of what only ``old`` and what only ``new`` has; of repeats, the last ones.

    Examples
    --------
    >>> old, new = (np.array(list(text), dtype="S32") for text in ("aab", "acca"))
    >>> [found.tolist() for found in only_on_one_side(old, new)]
    [[2], [1, 2]]
    """
    codes, values = _codes(old, new)
    left, right = codes[: len(old)], codes[len(old) :]
    in_old, in_new = (np.bincount(part, minlength=values) for part in (left, right))
    return np.flatnonzero(_ranks(left) >= in_new[left]), np.flatnonzero(_ranks(right) >= in_old[right])


def pair(old: Keys, new: Keys) -> tuple[Positions, Positions]:
    """Positions of equal keys, the first of one side with the first of the other and so on.

    Examples
    --------
    >>> old, new = (np.array(list(text), dtype="S32") for text in ("aab", "ba"))
    >>> [found.tolist() for found in pair(old, new)]
    [[0, 2], [1, 0]]
    """
    codes, _ = _codes(old, new)
    ranks = np.concatenate([_ranks(codes[: len(old)]), _ranks(codes[len(old) :])])
    numbered = codes * (len(codes) + 1) + ranks
    _, left, right = np.intersect1d(
        numbered[: len(old)], numbered[len(old) :], assume_unique=True, return_indices=True
    )
    order = np.argsort(left, kind="stable")
    return left[order], right[order]


def _codes(old: Keys, new: Keys) -> tuple[Positions, int]:
    """Equal keys as equal small numbers, and how many there are."""
    both = np.concatenate([old, new])
    column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(both), [None, pa.py_buffer(both)])
    coded = column.dictionary_encode()  # hashing, much faster than sorting
    return coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), len(coded.dictionary)


def _ranks(codes: Positions) -> Positions:
    """How many equal codes come before each one."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(codes) else order
    ranks = np.empty(len(codes), dtype=np.int64)
    ranks[order] = np.arange(len(codes)) - np.repeat(first, np.diff(np.r_[first, len(codes)]))
    return ranks
