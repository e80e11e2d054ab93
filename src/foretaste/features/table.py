"""Tables to vectors: numbers and categories of the feature columns, and the items patterns are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtri

from foretaste.data import Dataset, encode, in_words, stored_numbers
from foretaste.data.codes import as_text

FEW_DISTINCT = 12
"""A numeric column with at most this many distinct values is treated as categorical."""

_MOST_CATEGORIES = 50


@dataclass(frozen=True)
class Column:
    """One feature column.

    Attributes
    ----------
    name : str
    numeric : bool
        False for a category: ``values`` are then codes into ``levels``.
    values : float64 ndarray of shape (n,)
        The number, or the code; NaN where missing.
    levels : list of str
        The categories as text; empty for a numeric column.
    moment : pyarrow.DataType, optional
        Of a numeric column of dates or times, whose numbers are in the unit of this type.
    """

    name: str
    numeric: bool
    values: NDArray[np.float64]
    levels: list[str]
    moment: pa.DataType | None = None

    def text(self, value: float) -> str:
        """One value of this column as a person would write it."""
        if np.isnan(value):
            return "missing"
        if self.moment is not None:
            return in_words(value, self.moment)
        if not self.numeric:
            return self.levels[int(value)]
        return in_words(value) if float(value).is_integer() else f"{value:.15g}"


class TableFeatures:
    """The feature columns of a data set as columns and matrices, each computed once."""

    def __init__(self, columns: list[Column]) -> None:
        self.columns = columns

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> TableFeatures:
        return cls([_column(name, dataset.column(name)) for name in dataset.roles.features])

    @classmethod
    def from_matrix(cls, X: NDArray[np.floating], names: list[str] | None = None) -> TableFeatures:
        """Plain numbers, one column per feature."""
        names = names or [f"x{j}" for j in range(X.shape[1])]
        return cls([_column(name, pa.chunked_array([pa.array(X[:, j])])) for j, name in enumerate(names)])

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """Numbers and codes side by side for trees, shape (n, d); NaN where missing."""
        return np.stack([c.values for c in self.columns], axis=1).astype(np.float32)

    @cached_property
    def is_category(self) -> NDArray[np.bool_]:
        return np.array([not column.numeric for column in self.columns])

    @cached_property
    def standard(self) -> NDArray[np.float32]:
        """Normal scores of numbers, indicators of categories, shape (n, at least d), for distances and lines.

        A number becomes the standard normal quantile of its mid-rank, so that no outlier and no scale weighs
        more than another; the levels of one category share unit variance.
        """
        return self._standard[0]

    @cached_property
    def _standard(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The matrix, and at which of its columns each feature but the first begins."""
        parts: list[NDArray[np.float32]] = []
        for column in self.columns:
            parts.append(_normal_scores(column.values) if column.numeric else _indicators(column.values))
        starts = np.cumsum([part.shape[1] for part in parts])[:-1].astype(np.int64)
        return (np.concatenate(parts, axis=1) if parts else np.zeros((0, 0), np.float32)), starts

    def within_standard(self, feature: int) -> slice:
        """Which columns of `standard` are those of a feature."""
        matrix, starts = self._standard
        edges = [0, *starts.tolist(), matrix.shape[1]]
        return slice(edges[feature], edges[feature + 1])

    def independent(self, n: int, random_state: int = 0) -> NDArray[np.float32]:
        """``n`` rows like those of `standard`, each feature drawn on its own from a random row."""
        rng = np.random.default_rng(random_state)
        matrix, starts = self._standard
        parts = np.split(matrix, starts, axis=1)
        return np.concatenate([part[rng.integers(0, len(matrix), n)] for part in parts], axis=1)

    @cached_property
    def identical(self) -> NDArray[np.int64]:
        """The same number for rows that agree in every feature, shape (n,)."""
        return group_rows(np.stack([c.values for c in self.columns], axis=1))


def group_rows(matrix: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number the distinct rows of a matrix in order of first appearance; NaN equals NaN, -0.0 equals 0.0."""
    clean = np.ascontiguousarray(np.where(np.isnan(matrix), np.nan, matrix + 0.0), dtype=np.float64)
    as_bytes = clean.view(np.dtype((np.void, clean.dtype.itemsize * clean.shape[1]))).ravel()
    _, first, inverse = np.unique(as_bytes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse.ravel()]


def _column(name: str, column: pa.ChunkedArray) -> Column:
    kind = column.type
    moment = kind if pa.types.is_temporal(kind) else None
    if moment is not None or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = stored_numbers(column)
        values = np.where(np.isfinite(values), values, np.nan)
        distinct = np.unique(values[~np.isnan(values)])
        if len(distinct) > FEW_DISTINCT:
            return Column(name, True, values, [], moment)
        codes = np.searchsorted(distinct, values).astype(np.float64)
        levels = [as_text(v) if moment is None else in_words(v, moment) for v in distinct.tolist()]
        return Column(name, False, np.where(np.isnan(values), np.nan, codes), levels)
    coded = encode(column if not pa.types.is_null(kind) else column.cast(pa.string()))
    codes = np.where(coded.codes < 0, np.nan, coded.codes)
    return Column(name, False, codes, coded.names)


def _normal_scores(values: NDArray[np.float64]) -> NDArray[np.float32]:
    known = ~np.isnan(values)
    scores = np.zeros(len(values))
    if known.any():
        _, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        middle = (np.cumsum(counts) - counts / 2) / counts.sum()
        scores[known] = ndtri(np.clip(middle, 1e-4, 1 - 1e-4))[inverse]
    columns = [scores] if known.all() else [scores, (~known).astype(float)]
    return np.asarray(np.stack(columns, axis=1), np.float32)


def _indicators(codes: NDArray[np.float64]) -> NDArray[np.float32]:
    filled = np.where(np.isnan(codes), -1, codes).astype(np.int64)
    levels, inverse, counts = np.unique(filled, return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES])
    slot = np.full(len(levels), -1)
    slot[kept] = np.arange(len(kept))
    wide = np.zeros((len(codes), len(kept)), np.float32)
    rows = np.flatnonzero(slot[inverse] >= 0)
    wide[rows, slot[inverse][rows]] = 1
    spread = np.sqrt(np.maximum(wide.var(axis=0).sum(), 1e-9))
    return np.asarray((wide - wide.mean(axis=0)) / spread, np.float32)
