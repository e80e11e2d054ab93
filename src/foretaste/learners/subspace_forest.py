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
    """Out-of-bag predictions of every tree.

    Attributes
    ----------
    votes : float32 ndarray of shape (n_trees, n, n_classes)
        Class probabilities a tree gives to a row it did not train on; 0 where it did.
    out_of_bag : bool ndarray of shape (n_trees, n)
    sees : bool ndarray of shape (n_trees, n_features)
    """

    votes: NDArray[np.float32]
    out_of_bag: NDArray[np.bool_]
    sees: NDArray[np.bool_]

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
        blind = ~self.sees[:, list(without)].any(axis=1) if without else np.ones(len(self.sees), bool)
        take = slice(None) if rows is None else rows
        votes = self.votes[blind][:, take]
        count = self.out_of_bag[blind][:, take].sum(axis=0)
        with np.errstate(invalid="ignore"):
            mean = votes.sum(axis=0, dtype=np.float64) / np.where(count, count, np.nan)[:, None]
        return np.asarray(mean, np.float64)


def grow_forest(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    n_classes: int,
    groups: NDArray[np.integer],
    *,
    n_trees: int = 200,
    max_rows: int = 20_000,
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
        No tree trains on more rows than this.
    """
    n, d = X.shape
    rng = np.random.default_rng(random_state)
    _, group = np.unique(groups, return_inverse=True)
    n_groups = int(group.max()) + 1
    width = max(1, round(d / 2))
    share = min(IN_BAG, max_rows / n)
    sees = np.zeros((n_trees, d), bool)
    bags = np.empty((n_trees, n_groups), bool)
    seeds = rng.integers(2**31, size=n_trees)
    for tree in range(n_trees):
        sees[tree, rng.permutation(d)[:width]] = True
        bags[tree] = rng.random(n_groups) < share
    votes = np.zeros((n_trees, n, n_classes), np.float32)
    out = ~bags[:, group]

    def grow(tree: int) -> None:
        columns = np.flatnonzero(sees[tree])
        train = np.flatnonzero(~out[tree] & (y >= 0))
        if not len(train):
            out[tree] = False
            return
        model = ExtraTreeClassifier(max_features=None, min_samples_leaf=2, random_state=int(seeds[tree]))
        model.fit(X[np.ix_(train, columns)], y[train])
        rest = np.flatnonzero(out[tree])
        if len(rest):
            share_of = model.predict_proba(X[np.ix_(rest, columns)])
            votes[tree, rest[:, None], model.classes_.astype(np.int64)[None]] = share_of

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        list(pool.map(grow, range(n_trees)))
    return SubspaceForest(votes, out, sees)
