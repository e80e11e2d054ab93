"""A forest that can be asked what it would say without ever having seen some of the features.

Every tree sees a random half of the features and a random part of the (groups of) rows. The prediction for a
row without the features S is the mean over the trees that saw neither the row nor S: one matrix product
answers that for many S at once, without training anything again.

References
----------
Ho, "The random subspace method for constructing decision forests", IEEE TPAMI 20 (1998).
Breiman, "Out-of-bag estimation" (1996).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import ExtraTreeClassifier

IN_BAG = 0.63
"""Share of groups each tree trains on: that of a bootstrap sample's distinct rows."""


@dataclass(frozen=True)
class SubspaceForest:
    """Trees by their leaves: which leaf holds each row, and which classes trained each leaf.

    Attributes
    ----------
    leaves : int32 ndarray of shape (n_trees, n)
        Leaf of each row that a tree trained on or is asked about; meaningless elsewhere.
    in_bag : bool ndarray of shape (n_trees, n)
        Rows that may have shaped a tree.
    asked : bool ndarray of shape (n_trees, n)
        Rows out of bag that the tree may be asked about.
    sees : bool ndarray of shape (n_trees, n_features)
    shares : list of float32 ndarray of shape (n_leaves, n_classes)
        Of each tree: class shares of the rows that trained a leaf; zeros in a leaf that lost them all.
    """

    leaves: NDArray[np.int32]
    in_bag: NDArray[np.bool_]
    asked: NDArray[np.bool_]
    sees: NDArray[np.bool_]
    shares: list[NDArray[np.float32]]

    def taught(self, y: NDArray[np.integer], n_classes: int) -> SubspaceForest:
        """The same trees with leaves that other labels trained; a row with a negative one trains none.

        What a few labels did to where the trees split stays, what they did to the answers goes: as good as
        growing anew where most labels stay, and hundreds of times faster.
        """
        shares = []
        for leaf, bag, before in zip(self.leaves, self.in_bag, self.shares, strict=True):
            train = np.flatnonzero(bag & (y >= 0))
            shares.append(_shares(leaf[train], y[train], len(before), n_classes))
        return SubspaceForest(self.leaves, self.in_bag, self.asked, self.sees, shares)

    def own_votes(
        self, rows: NDArray[np.int64], label: NDArray[np.integer]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What each tree says about one label of a row; 1 where it says anything; both (n_rows, n_trees)."""
        votes = np.zeros((len(rows), len(self.shares)), np.float32)
        answers = np.zeros((len(rows), len(self.shares)), np.float32)
        for tree, share in enumerate(self.shares):
            at = np.flatnonzero(self.asked[tree, rows])
            leaf = self.leaves[tree, rows[at]]
            votes[at, tree] = share[leaf, label[at]]
            answers[at, tree] = _answers(share)[leaf]
        return votes, answers

    def predict(
        self, without: tuple[int, ...] = (), rows: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """Out-of-bag class probabilities by the trees that never saw the features ``without``.

        Parameters
        ----------
        without : tuple of int
            Positions of features.
        rows : int ndarray, optional
            Only these rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            NaN where no tree can answer.
        """
        blind = ~self.sees[:, list(without)].any(axis=1)
        rows = np.arange(self.leaves.shape[1]) if rows is None else rows
        total, count = np.zeros((len(rows), self.shares[0].shape[1])), np.zeros(len(rows))
        for tree in np.flatnonzero(blind):
            at = np.flatnonzero(self.asked[tree, rows])
            leaf = self.leaves[tree, rows[at]]
            total[at] += self.shares[tree][leaf]
            count[at] += _answers(self.shares[tree])[leaf]
        with np.errstate(invalid="ignore"):
            return np.asarray(total / np.where(count, count, np.nan)[:, None], np.float64)


def grow_forest(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    n_classes: int,
    groups: NDArray[np.integer],
    *,
    n_trees: int = 200,
    max_rows: int = 10_000,
    random_state: int = 0,
    jobs: int = 2,
) -> SubspaceForest:
    """Grow a subspace forest of extremely randomised trees; rows of one group are in bag together.

    Random splits are as right as the best ones on what was measured, and several times faster on numbers
    (Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006).

    Parameters
    ----------
    X : float32 ndarray of shape (n, n_features)
        NaN is a missing value.
    y : int ndarray of shape (n,)
        Rows with a negative label are predicted, never trained on.
    max_rows : int
        No tree trains on more rows than this. However few that is of all rows, every row is answered by as
        many trees as are out of bag in small data.
    """
    n, d = X.shape
    rng = np.random.default_rng(random_state)
    _, group = np.unique(groups, return_inverse=True)
    n_groups = int(group.max()) + 1
    width = max(1, round(d / 2))
    share = min(IN_BAG, max_rows / n)
    sees = np.zeros((n_trees, d), bool)
    in_bag, asked = np.empty((n_trees, n), bool), np.empty((n_trees, n), bool)
    seeds = rng.integers(2**31, size=n_trees)
    for tree in range(n_trees):
        sees[tree, rng.permutation(d)[:width]] = True
        lot = rng.random(n_groups)[group]
        in_bag[tree], asked[tree] = lot < share, (lot >= share) & (lot < share + 1 - IN_BAG)
    leaves = np.zeros((n_trees, n), np.int32)
    shares = [np.zeros((1, n_classes), np.float32) for _ in range(n_trees)]

    def grow(tree: int) -> None:
        columns = np.flatnonzero(sees[tree])
        train = np.flatnonzero(in_bag[tree] & (y >= 0))
        if not len(train):
            return
        model = ExtraTreeClassifier(max_features=None, min_samples_leaf=2, random_state=int(seeds[tree]))
        model.fit(X[np.ix_(train, columns)], y[train])
        rows = np.flatnonzero(in_bag[tree] | asked[tree])
        is_leaf = model.tree_.children_left < 0
        number = np.cumsum(is_leaf) - 1
        leaves[tree, rows] = number[model.tree_.apply(X[np.ix_(rows, columns)])]
        shares[tree] = _shares(leaves[tree, train], y[train], int(is_leaf.sum()), n_classes)

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        list(pool.map(grow, range(n_trees)))
    return SubspaceForest(leaves, in_bag, asked, sees, shares)


def _shares(
    leaf: NDArray[np.int32], y: NDArray[np.integer], n_leaves: int, n_classes: int
) -> NDArray[np.float32]:
    """Class shares of the rows in each leaf, shape (n_leaves, n_classes); zeros where there are none."""
    counts = np.bincount(leaf * np.int64(n_classes) + y, minlength=n_leaves * n_classes)
    counts = counts.reshape(n_leaves, n_classes)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.float32)


def _answers(share: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which leaves still hold a row that trained them."""
    return np.asarray(share.sum(axis=1) > 0, bool)
