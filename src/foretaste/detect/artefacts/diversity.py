"""Whether images of a group are as different in content as others are that carry the same mark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foretaste.features.image import ImageFeatures, unit_rows

NEIGHBOURS = 10

FROM_ALL = 0.5
"""Least agreement of where rows are from with how large the classes are, of what chance leaves of it."""

_QUERIES = 300
_DRAWS = 200


def agreement(share: NDArray[np.floating], prior: NDArray[np.floating], rows: int) -> float:
    """How far rows are from all classes in proportion to their sizes: 1 as far as by chance, 0 not at all.

    Parameters
    ----------
    share, prior : ndarray of shape (n_classes,)
        Of the rows, and of all; each sums to 1.
    rows : int
        How many there are.

    Examples
    --------
    >>> prior = np.array([0.5, 0.3, 0.2])
    >>> round(agreement(prior, prior, 1000), 1), round(agreement(np.array([0, 0, 1]), prior, 1000), 1)
    (1.0, 0.2)
    """
    chance = np.random.default_rng(0).multinomial(rows, prior, size=_DRAWS) / rows
    return float(np.minimum(share, prior).sum() / np.minimum(chance, prior).sum(axis=1).mean())


class Diversity:
    """Compares groups of images in low-pass content and colour.

    Parameters
    ----------
    image : ImageFeatures
    known : int64 ndarray
        Rows that have an image and a label, among which neighbours are looked for.
    """

    def __init__(self, image: ImageFeatures, known: NDArray[np.int64]) -> None:
        self.image = image
        self.known = known
        self.content = image.content(image.small)

    def coherence(
        self, rows: NDArray[np.int64], draws: Sequence[NDArray[np.int64]], rng: np.random.Generator
    ) -> float:
        """How much nearer to one another rows are than draws of other rows: 0 not at all, 1 wholly.

        What the rows share on average is first taken out of every image. Saturated pixels and evened contrast
        leave traces of an artefact even so, and more in some images than in others; so what is shared is
        added to each draw as well, which is then seen before the same other images as the group was. A mark
        added to other images leaves them as different as they were: only content makes a group coherent.

        Parameters
        ----------
        rows : int64 ndarray
        draws : sequence of int64 ndarray
            Rows of the same classes that are not in the group.
        rng : Generator

        References
        ----------
        Schilling, "Multivariate two-sample tests based on nearest neighbors", JASA 81 (1986).
        """
        fewer = min(*map(len, draws), len(rows), _QUERIES)  # chance grows with the size of a group
        if fewer < 2:
            return 1.0
        others = np.concatenate(draws)
        shared = _unit(self.content[rows].mean(axis=0) - self.content[others].mean(axis=0))
        small = self.image.small
        mark = small[rows].mean(axis=0) - small[others].mean(axis=0)
        plain = _without(self.content, shared)
        outside = np.setdiff1d(self.known, rows)
        own, chance = [], []
        for draw in draws:
            drawn = _part(draw, fewer, rng)
            background = plain[np.setdiff1d(outside, drawn)]
            marked = np.clip(np.rint(small[drawn] + mark), 0, 255).astype(np.uint8)
            own.append(_inside(plain[_part(rows, fewer, rng)], background))
            chance.append(_inside(_without(self.image.content(marked), shared), background))
        expected = float(np.mean(chance))
        return (float(np.mean(own)) - expected) / max(1 - expected, 1e-9)


def _inside(group: NDArray[np.float32], background: NDArray[np.float32]) -> float:
    """Share of the nearest images of each of a group that are of the group, of as many as could be."""
    near = np.concatenate([group @ group.T, group @ background.T], axis=1)
    np.fill_diagonal(near, -np.inf)
    k = min(NEIGHBOURS, len(group) - 1)
    nearest = np.argpartition(-near, k - 1, axis=1)[:, :k]
    return float((nearest < len(group)).mean())


def _without(content: NDArray[np.float32], direction: NDArray[np.float32]) -> NDArray[np.float32]:
    return unit_rows(content - (content @ direction)[:, None] * direction)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(unit_rows(vector[None])[0])


def _part(rows: NDArray[np.int64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) == size else np.sort(rng.choice(rows, size, replace=False))
