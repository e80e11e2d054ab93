"""What rows that are alike gather around: copies in a natural kind of rows have a centre of their own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.duplicates.groups import LEAST_COPIES
from foretaste.features.agreement import AGREES
from foretaste.features.information import SharedInformation
from foretaste.features.table import TableFeatures

_CLIMBERS = 200
"""Rows of a component that look for its centres, and that a centre is a centre of."""

_COMPARED = 4000
_STEPS = 20


def divided(
    table: TableFeatures, components: NDArray[np.int64], members: Iterable[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """The components, divided into the rows around each of their centres.

    A chain of rows, each like the next, is no group of copies. From each row we climb to what the rows like
    it agree on, and on to what the rows like that agree on, until nothing changes: rows that end at the same
    place belong together. Noise spreads copies about the row they were made from, so that is where they end;
    natural rows in the same component end elsewhere.

    Parameters
    ----------
    table : TableFeatures
    components : int64 ndarray of shape (n,)
    members : iterable of int64 ndarray
        Rows of one label in one component each. Components with fewer than twice `LEAST_COPIES` stay whole.

    Returns
    -------
    int64 ndarray of shape (n,)
        Number of each row's part; rows in no member keep their component to themselves.

    References
    ----------
    Cheng, "Mean shift, mode seeking, and clustering", IEEE TPAMI 17 (1995). Huang, "Extensions to the k-means
    algorithm for clustering large data sets with categorical values", Data Mining and Knowledge Discovery 2
    (1998): modes.

    Examples
    --------
    Two kinds of rows that a row between them joins:

    >>> kinds = np.repeat([[0, 0, 0, 0, 0, 0, 0, 0.0], [0, 0, 0, 0, 1, 1, 1, 1]], 8, axis=0)
    >>> table = TableFeatures.from_matrix(np.vstack([kinds, np.arange(8) + np.arange(2, 50)[:, None]]))
    >>> parts = divided(table, np.zeros(64, int), [np.arange(16)])
    >>> parts[:16].tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    cells = SharedInformation(table)
    parts, last = components.copy(), int(components.max(initial=0))
    for rows in members:
        if len(rows) < 2 * LEAST_COPIES:
            continue
        own = cells.levels[rows]
        if (cells.agreement(cells.consensus(own), own) >= AGREES).all():
            continue
        parts[rows] = last + 1 + _centre(cells, own)
        last = int(parts[rows].max())
    return parts


def _centre(cells: SharedInformation, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the centre of each of the rows, given by their levels; rows far from all have their own."""
    different, same = np.unique(rows, axis=0, return_inverse=True)
    climbers = np.arange(len(different))[:: -(-len(different) // _CLIMBERS)]
    among = rows[:: -(-len(rows) // _COMPARED)]
    ends: dict[bytes, bytes] = {}
    number: dict[bytes, int] = {}
    centre = np.full(len(different), -1)
    for one in climbers.tolist():
        end = _climb(cells, different[one], among, ends)
        centre[one] = number.setdefault(end, len(number))
    rest = np.flatnonzero(centre < 0)
    best = np.full(len(rest), AGREES)
    for end, which in number.items():
        share = cells.agreement(np.frombuffer(end, np.int64), different[rest])
        centre[rest[share >= best]] = which
        best = np.maximum(best, share)
    alone = np.flatnonzero(centre < 0)
    centre[alone] = len(number) + np.arange(len(alone))
    return np.asarray(centre[same.ravel()], np.int64)


def _climb(
    cells: SharedInformation, place: NDArray[np.int64], among: NDArray[np.int64], ends: dict[bytes, bytes]
) -> bytes:
    """Where the way up from a row ends; what is on the way is remembered."""
    way: list[bytes] = []
    for _ in range(_STEPS):
        key = place.tobytes()
        if key in ends or key in way:
            break
        way.append(key)
        near = among[cells.agreement(place, among) >= AGREES]
        if len(near):
            place = cells.consensus(near)
    end = ends.get(place.tobytes(), place.tobytes())
    ends.update(dict.fromkeys(way, end))
    return end


__all__ = ["divided"]
