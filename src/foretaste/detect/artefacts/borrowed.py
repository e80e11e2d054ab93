"""Images of all the other classes in one class, changed in the same way: a warp, or anything else as fine.

Models that see a warped image among others with the same warp and the same label learn the warp, and do not
contradict the label. But a class that took in warped images of every other class holds two kinds, its own and
copies of all the others moved aside, and descriptors show the two apart once each direction is measured by
how other classes vary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.artefacts.candidates import by_class
from foretaste.detect.artefacts.copies import Copies, class_means, copies_of_others
from foretaste.detect.artefacts.directions import two_means
from foretaste.detect.artefacts.judge import expected_error

SHAPES = "shapes"
"""The view: gradients, thumbnails and colours."""

FEWEST_CLASSES = 4
"""With fewer, all the others are not manifold enough to be told from a kind."""

_ROUNDS = 6
_FLOOR = 1e-3
_TAUGHT = 5


@dataclass(frozen=True, eq=False)
class Borrowed:
    """A group of one class that copies of the other classes explain better than a kind of its own.

    Attributes
    ----------
    label : int
    rows : int64 ndarray, ascending
    copies : Copies
    """

    label: int
    rows: NDArray[np.int64]
    copies: Copies


@dataclass(frozen=True)
class Search:
    """What was found, among how many groups, and the largest evidence for one of a class without copies."""

    found: list[Borrowed]
    tested: int
    natural: float


def borrowed(
    X: NDArray[np.float32],
    y: NDArray[np.int64],
    n_classes: int,
    folds: NDArray[np.int64],
    *,
    alpha: float,
    fdr: float,
    seed: int = 0,
) -> Search:
    """Look for groups that are copies of the other classes, at most one a class.

    Parameters
    ----------
    X : float32 ndarray of shape (n, d)
        Descriptors.
    y : int64 ndarray of shape (n,)
        Class of each row; negative where it has none.
    n_classes : int
    folds : int64 ndarray of shape (n,)
        Neither a row nor others of its fold have a say in where it lies.
    alpha : float
        Chance that any natural group is taken for copies.
    fdr : float
        Tolerated share of wrong rows in a group.
    seed : int

    References
    ----------
    Nguyen and Tran, "WaNet: imperceptible warping-based backdoor attack", ICLR 2021: such a trigger. Vovk and
    Wang, "E-values: calibration, combination and applications", Annals of Statistics 49 (2021): how likely
    nature makes evidence so large.
    """
    if len(np.unique(y[y >= 0])) < FEWEST_CLASSES:
        return Search([], 0, 0.0)
    cuts = _Cuts(X, y, n_classes, folds, fdr, seed)
    parts: dict[int, list[NDArray[np.int64]]] = {}
    for label, part in cuts.groups(y):
        parts.setdefault(label, []).append(part)
    tested, best = 0, list[Borrowed]()
    for label, pieces in parts.items():
        own = np.flatnonzero(y == label)
        groups = [cuts.ask(label, piece) for piece in pieces]
        for group in tuple(groups):
            if group.copies.evidence < 0:  # a kind: perhaps the class's own, and all the rest are copies
                groups.append(cuts.ask(label, np.setdiff1d(own, group.rows)))
        # evidence of a row, and how manifold: with a kind of the class, copies have more of the one, not both
        first = max(groups, key=lambda g: g.copies.sources * g.copies.evidence / len(g.rows))
        for piece in pieces:
            both = cuts.ask(label, np.union1d(first.rows, piece))
            first = both if _better(both, first) and len(both.rows) < len(own) else first
        tested += len(groups) + len(pieces)
        best.append(first)
    level = np.log(max(tested, 1) / alpha)
    found = [g for g in best if g.copies.evidence > level and g.copies.manifold]
    natural = max((g.copies.evidence for g in best if g not in found), default=0.0)
    return Search([_whole(cuts, group) for group in found], tested, natural)


def _better(one: Borrowed, other: Borrowed) -> bool:
    """More evidence, and more manifold: a kind of the class's own rows makes copies less so."""
    return one.copies.evidence > other.copies.evidence and one.copies.sources > other.copies.sources


class _Cuts:
    """The groups that can be cut out of classes, and what copies say of any."""

    def __init__(
        self,
        X: NDArray[np.float32],
        y: NDArray[np.int64],
        n_classes: int,
        folds: NDArray[np.int64],
        fdr: float,
        seed: int,
    ) -> None:
        self.X, self.rows = X, np.asarray(X, np.float64)
        self.y, self.n_classes, self.folds = y, n_classes, folds
        self.fdr, self.seed = fdr, seed

    def ask(self, label: int, part: NDArray[np.int64]) -> Borrowed:
        """A group, with how well copies explain it."""
        return Borrowed(label, part, copies_of_others(self.rows, self.y, self.n_classes, label, part))

    def groups(
        self, y: NDArray[np.int64], only: int | None = None
    ) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Every group, each once, that is cut out cleanly by a direction which other folds chose."""
        known = y >= 0
        within = self.rows - class_means(self.rows, y, self.n_classes)[y]
        scatter = within[known].T @ within[known]
        seen = set()
        for candidate in by_class(SHAPES, self.X, y, self.n_classes, self.seed):
            label = candidate.label
            if only is not None and label != only:
                continue
            own = np.flatnonzero(y == label)
            others = (scatter - within[own].T @ within[own]) / max(int(known.sum()) - len(own), 1)
            inside = np.isin(own, candidate.rows)
            group = _sharpened(self.rows[own], inside, self.folds[own], others, self.fdr)
            if len(group) and (label, group.tobytes()) not in seen:
                seen.add((label, group.tobytes()))
                yield label, own[group]


def _whole(cuts: _Cuts, group: Borrowed) -> Borrowed:
    """The group with further pieces, and without those that are a kind of the class.

    What an artefact does to some classes may lie apart from what it does to others.
    """
    label = group.label
    own = np.flatnonzero(cuts.y == label)
    for _ in range(_ROUNDS):
        best = group
        for outside in (True, False):
            left = cuts.y.copy()
            left[group.rows if outside else np.setdiff1d(own, group.rows)] = -1
            for _, piece in cuts.groups(left, only=label):
                changed = cuts.ask(label, np.setxor1d(group.rows, piece))
                gain = changed.copies.evidence - group.copies.evidence
                if not outside and gain < len(piece):  # rows left out are to be clearly no copies
                    continue
                if _better(changed, group) and changed.copies.evidence > best.copies.evidence:
                    best = changed
        if best is group:
            break
        group = best
    return group


def _sharpened(
    own: NDArray[np.float64],
    inside: NDArray[np.bool_],
    folds: NDArray[np.int64],
    others: NDArray[np.float64],
    fdr: float,
) -> NDArray[np.int64]:
    """The smaller group along the direction that tells a group from the rest of its class, out of fold.

    Nothing where its cut is not clean.
    """
    found = nothing = np.zeros(0, np.int64)
    level = float(np.trace(others)) / len(others)
    whitened = np.linalg.inv(others + (_FLOOR * level + 1e-12) * np.eye(len(others)))
    for _ in range(_ROUNDS):
        line = np.zeros(len(own))
        for fold in np.unique(folds):
            group, rest = (folds != fold) & inside, (folds != fold) & ~inside
            if min(group.sum(), rest.sum()) < _TAUGHT:
                return nothing
            here, there = own[group].mean(axis=0), own[rest].mean(axis=0)
            way = whitened @ (here - there)
            way /= np.sqrt(max(float(way @ (here - there)), 1e-300))  # one standard deviation, in all folds
            line[folds == fold] = (own[folds == fold] - (here + there) / 2) @ way
        split = two_means(line)
        if split is None:
            return nothing
        before, inside = inside, np.isin(np.arange(len(own)), split.rows)
        if 2 * (inside & before).sum() < before.sum():
            inside = ~inside
        clean = expected_error(split.separation, len(split.rows) / len(own)) <= fdr
        found = split.rows if clean else nothing
        if (inside == before).all():
            break
    return found
