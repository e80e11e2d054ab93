"""How far apart groups stand by nature in the same data, and how far beyond that one stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.artefacts.candidate import TILE, Candidate

SPACINGS = 10
FEWEST = 5

_ALIKE = 0.5
_SAME = 0.5
"""Two groups are one where most rows of the larger are in the smaller; else the larger may be the whole."""


def natural_separations(found: Sequence[Candidate], view: str, suspects: Sequence[Candidate]) -> list[float]:
    """Separations in one view of groups that are not made of a suspect's rows, one a place or direction."""
    last = max((int(c.rows[-1]) for c in (*found, *suspects)), default=0)
    marks = [np.zeros(last + 1, bool) for _ in suspects]
    for mark, suspect in zip(marks, suspects, strict=True):
        mark[suspect.rows] = True
    best: dict[object, float] = {}
    for number, candidate in enumerate(found):
        if candidate.view != view or any(_alike(candidate, mark) > _ALIKE for mark in marks):
            continue
        corner = candidate.corner
        place = number if corner is None else (corner[0] // TILE, corner[1] // TILE)
        best[place] = max(best.get(place, 0.0), candidate.separation)
    return sorted(best.values(), reverse=True)


def beyond_nature(separation: float, natural: Sequence[float]) -> float:
    """Chance that the next largest separation would be this large, by the tail of those that are natural.

    The largest values of many have spacings that are exponential once each is multiplied by its rank; the
    scale comes from the next ones, a third of all and at most ten.

    Parameters
    ----------
    separation : float
    natural : sequence of float
        Largest first.

    References
    ----------
    Rényi, "On the theory of order statistics" (1953); Weissman, "Estimation of parameters and large
    quantiles based on the k largest observations", JASA 73 (1978).

    Examples
    --------
    >>> natural = [3.0, 2.9, 2.8, 2.8, 2.7, 2.7]
    >>> beyond_nature(9.0, natural) < 0.01, beyond_nature(3.2, natural) > 0.2
    (True, True)
    """
    if len(natural) < FEWEST:
        return 1.0
    k = min(SPACINGS, max(len(natural) // 3, 2))
    scale = float(np.mean(np.asarray(natural[:k]) - natural[k]))
    beyond = max(separation - natural[0], 0.0) / max(scale, 1e-9)
    return float((1 + beyond / k) ** -k)


def least_natural(found: Sequence[Candidate], suspects: Sequence[Candidate], most: int) -> list[Candidate]:
    """Distinct groups among the suspects, those least natural first.

    Of a group that several views show it is the one in which it stands furthest beyond nature, which need not
    be the one in which it stands furthest apart: some views are full of natural groups. Nor need it be alone:
    whatever stands apart beyond a gap that nature leaves too seldom may be one of several artefacts.
    """

    def chance(suspect: Candidate) -> tuple[float, float]:
        natural = natural_separations(found, suspect.view, [suspect])
        nearer = [suspect.separation, *(value for value in natural if value <= suspect.separation)]
        gaps = (beyond_nature(value, nearer[rank:]) for rank, value in enumerate(nearer[:SPACINGS], 1))
        return min(gaps), -suspect.separation

    distinct: list[Candidate] = []
    for suspect in sorted(suspects, key=chance):
        if len(distinct) == most:
            break
        if not any(overlap(suspect, other) > _SAME for other in distinct):
            distinct.append(suspect)
    return distinct


def overlap(one: Candidate, other: Candidate) -> float:
    """Shared rows as a share of the larger group: a few rows within many are another group."""
    shared = len(np.intersect1d(one.rows, other.rows, assume_unique=True))
    return shared / max(len(one.rows), len(other.rows))


def _alike(one: Candidate, other: NDArray[np.bool_]) -> float:
    return float(other[one.rows].mean())
