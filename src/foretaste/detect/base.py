"""What every detector is: evidence from a shared context, and scikit-learn's grammar around it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from threadpoolctl import threadpool_limits

from foretaste.data import from_arrays
from foretaste.detect.context import Context
from foretaste.detect.evidence import Evidence
from foretaste.errors import DataError


class Detector(BaseEstimator, ABC):  # type: ignore[misc]
    """Base of all detectors.

    A subclass stores its keyword-only parameters untouched, declares itself in the class attributes and
    writes `examine`. A scan calls `examine` with the context all detectors share; on its own a detector is a
    transductive outlier estimator: `fit`, then read the attributes, or `fit_predict`.

    Attributes
    ----------
    labels_ : int64 ndarray of shape (n,)
        -1 for rows not to train on, 1 for others.
    scores_ : float64 ndarray of shape (n,)
        Higher is more suspicious: above 2 in a campaign, above 1 a flagged label, up to 1 the doubt in it.
    pvalues_ : float64 ndarray of shape (n,)
        Of the campaign a row belongs to; 1 for rows in none.
    groups_ : int64 ndarray of shape (n,)
        Campaign of each row, by position in ``evidence_.campaigns``; -1 for none.
    evidence_ : Evidence
        Everything it found, campaigns in words among it.
    n_features_in_ : int
        Columns of ``X``; only where it is an array or a table.
    """

    rules: ClassVar[tuple[str, ...]]  # codes it may give
    title: ClassVar[str]  # what reports call it
    modalities: ClassVar[tuple[str, ...]]  # text, tabular
    scope: ClassVar[str]  # row, group or source
    stage: ClassVar[str] = "pattern"  # when a scan asks it: pattern, then place, then label

    @abstractmethod
    def examine(self, context: Context) -> Evidence:
        """All evidence in one data set; what cannot be tested is said in ``skipped``."""

    def fit(self, X: Any, y: Any, *, source: Any = None, time: Any = None, trusted: Any = None) -> Self:
        """Examine rows and keep what was found.

        Parameters
        ----------
        X
            Numbers ``[n, d]``, a list of n texts, or a pandas, polars or Arrow table.
        y : array-like of shape (n,)
            Labels.
        source : array-like of shape (n,), optional
            Who supplied each row.
        time : array-like of shape (n,), optional
            When each row came, dates or seconds.
        trusted : array-like of bool, shape (n,), optional
            Rows known to be right.

        Raises
        ------
        DataError
            Where these are no rows with labels.
        """
        _refuse_odd_arrays(X, y)
        if hasattr(X, "shape") and len(X.shape) == 2:
            self.n_features_in_ = int(X.shape[1])
            names = list(getattr(X, "columns", ()))
            if names and all(isinstance(name, str) for name in names):
                self.feature_names_in_ = np.array(names, dtype=object)
        dataset = from_arrays(X, y, source, time=time)
        known = None if trusted is None else np.asarray(trusted, bool)
        context = Context(dataset, random_state=getattr(self, "random_state", 0), trusted=known)
        with threadpool_limits(1):  # as in a scan: threads of ours do the work
            self.evidence_ = self.examine(context)
        n = len(dataset)
        self.labels_ = np.ones(n, np.int64)
        self.scores_, self.pvalues_ = np.zeros(n), np.ones(n)
        self.groups_ = np.full(n, -1, np.int64)
        mislabels = self.evidence_.mislabels
        if mislabels is not None:
            self.scores_ = np.clip(mislabels.all_posterior, 0, 1)
            self.scores_[mislabels.rows] = 1 + mislabels.posterior
            self.labels_[mislabels.rows] = -1
        for position, campaign in reversed(list(enumerate(self.evidence_.campaigns))):
            self.groups_[campaign.rows] = position
            self.pvalues_[campaign.rows] = campaign.p_value
            self.scores_[campaign.rows] = 2 + (1.0 if campaign.posterior is None else campaign.posterior)
            self.labels_[campaign.rows] = -1
        return self

    def fit_predict(
        self, X: Any, y: Any, *, source: Any = None, time: Any = None, trusted: Any = None
    ) -> NDArray[np.int64]:
        """`fit`, then ``labels_``: -1 for rows not to train on."""
        return self.fit(X, y, source=source, time=time, trusted=trusted).labels_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _refuse_odd_arrays(X: Any, y: Any) -> None:
    if y is None:
        raise DataError("this detector requires y to be passed, but the target y is None")
    if hasattr(X, "tocsr"):
        raise DataError("sparse input is not supported", hint="pass X.toarray()")
    for values in (X, y):
        if isinstance(values, np.ndarray) and values.dtype.kind == "c":
            raise DataError("Complex data not supported")
    if isinstance(X, np.ndarray) and X.ndim == 2 and not X.shape[1]:
        raise DataError(f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
