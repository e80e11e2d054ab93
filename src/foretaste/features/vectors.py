"""Embeddings: many real numbers a row that mean nothing one by one."""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data import Dataset
from foretaste.features.table import group_rows

LEAST_DIMENSIONS = 64

_NUMBERED = re.compile(r"(.*?)(\d+)\Z", re.DOTALL)
_LOOKED_AT = 500
_DISTINCT = 0.5


class VectorFeatures:
    """The rows of an embedding matrix, each representation computed once.

    Parameters
    ----------
    rows : float32 ndarray of shape (n, d)
        Not finite is taken as 0.
    names : tuple of str
        The columns.

    Examples
    --------
    >>> VectorFeatures(np.eye(3, dtype=np.float32), ("x0", "x1", "x2")).semantic.shape
    (3, 3)
    """

    def __init__(self, rows: NDArray[np.float32], names: tuple[str, ...]) -> None:
        self.rows = np.where(np.isfinite(rows), rows, np.float32(0))
        self.names = names

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> VectorFeatures | None:
        """The embedding among the feature columns, or None where there is none (`embedding_columns`)."""
        names = embedding_columns(dataset)
        if not names:
            return None
        columns = [dataset.column(name).cast(pa.float32()).to_numpy() for name in names]
        return cls(np.stack(columns, axis=1), names)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def standard(self) -> NDArray[np.float32]:
        """Rows around their mean, of a typical length of the root of d: what linear models take."""
        centred = self.rows - self.rows.mean(axis=0, dtype=np.float64)
        spread = np.sqrt(np.square(centred).mean()) if len(self) else 1.0
        return np.asarray(centred / max(float(spread), 1e-12), np.float32)

    @cached_property
    def semantic(self) -> NDArray[np.float32]:
        """`standard` as unit rows: near means alike."""
        length = np.sqrt(np.square(self.standard).sum(axis=1, keepdims=True))
        return np.asarray(self.standard / np.maximum(length, 1e-9), np.float32)

    @cached_property
    def identical(self) -> NDArray[np.int64]:
        """The same number for equal rows."""
        return group_rows(self.rows.astype(np.float64))


def embedding_columns(dataset: Dataset) -> tuple[str, ...]:
    """Feature columns that are one embedding: at least 64 columns of real numbers with one name and a number
    behind it (``x0``, ``x1``, ...), in most of which most values but zero are different.

    A table of as many measurements has names of its own for them; codes and counts are whole numbers or
    repeat.

    Examples
    --------
    >>> import numpy as np
    >>> from foretaste.data import from_arrays
    >>> len(embedding_columns(from_arrays(np.random.default_rng(0).normal(size=(50, 80)))))
    80
    """
    families: dict[str, list[str]] = {}
    schema = dataset.table.schema
    for name in dataset.roles.features:
        numbered = _NUMBERED.match(name)
        if numbered and pa.types.is_floating(schema.field(name).type):
            families.setdefault(numbered[1], []).append(name)
    names = max(families.values(), key=len, default=[])
    if len(names) < LEAST_DIMENSIONS:
        return ()
    head = dataset.table.select(names).slice(0, _LOOKED_AT)
    varied = sum(_is_varied(column.to_numpy()) for column in head.columns)
    return tuple(names) if 2 * varied >= len(names) else ()


def _is_varied(values: NDArray[np.floating]) -> bool:
    """Whether a column has numbers of its own in its rows; rectified activations are often zero."""
    told = values[np.isfinite(values) & (values != 0)]
    return len(told) > 0 and len(np.unique(told)) >= max(_DISTINCT * len(told), 2)
