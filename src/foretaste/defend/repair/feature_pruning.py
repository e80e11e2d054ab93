"""Fine-pruning for linear models: take out the features that the data hardly use."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from foretaste.defend.repair.pruning import most_that_can_go
from foretaste.errors import ConfigError


class FeaturePruning(BaseEstimator):  # type: ignore[misc]
    """Set the weights of the least active features to zero, as many as accuracy allows.

    A trigger that few rows carry leans on features that are idle everywhere else. What the data
    themselves use as rarely goes with it: that is the price.

    Parameters
    ----------
    tolerance : float, 0 to 1
        Accuracy on the given rows that may be lost.

    References
    ----------
    After Liu, Dolan-Gavitt and Garg, "Fine-Pruning: defending against backdooring attacks on deep neural
    networks", RAID 2018, who prune the idle channels of a network.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.array([[1.0, 0.0], [0.9, 0.0], [-1.0, 0.0], [-1.1, 0.1]])
    >>> y = np.array([1, 1, 0, 0])
    >>> FeaturePruning().repair(LogisticRegression().fit(X, y), X, y).coef_.round(1).tolist()
    [[1.0, 0.0]]
    """

    def __init__(self, *, tolerance: float = 0.01) -> None:
        self.tolerance = tolerance

    def repair(self, model: Any, X: Any, y: Any) -> Any:
        """A pruned copy of ``model``.

        Parameters
        ----------
        model : fitted linear classifier, or a scikit-learn pipeline that ends in one
        X : whatever the model takes, n rows
        y : ndarray of shape (n,)

        Raises
        ------
        ConfigError
            Where the model has no weights for each feature.
        """
        mended = deepcopy(model)
        steps = [step for _, step in mended.steps] if hasattr(mended, "steps") else [mended]
        linear = steps[-1]
        if not hasattr(linear, "coef_"):
            raise ConfigError(
                f"feature-pruning mends linear models, and {type(linear).__name__} has no weights (coef_)"
            )
        seen = X
        for step in steps[:-1]:
            seen = step.transform(seen)
        order = np.argsort(np.asarray(abs(seen).mean(axis=0)).ravel(), kind="stable")
        weights = linear.coef_.copy()

        def accuracy(gone: int) -> float:
            linear.coef_ = weights.copy()
            linear.coef_[..., order[:gone]] = 0
            return float((linear.predict(seen) == y).mean())

        accuracy(most_that_can_go(accuracy, len(order), self.tolerance))
        return mended
