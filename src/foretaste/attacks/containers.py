"""Callers' containers (lists, arrays, frames) to a `Dataset` and back again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import DataError

Unpack = Callable[[Dataset], Any]


def pack(X: Any, y: Any = None) -> tuple[Dataset, Unpack, Unpack]:
    """Wrap what scikit-learn users pass around in a `Dataset`.

    Parameters
    ----------
    X : list of str, ndarray, pandas.DataFrame or pyarrow.Table
        Texts ``[n]``; features ``[n, d]``, columns then called ``x0``, ``x1``, ...; images ``[n, h, w(, c)]``.
    y : sequence of length n, optional
        Labels.

    Returns
    -------
    dataset, unpack_X, unpack_y
        The two functions give a (poisoned) data set back in the caller's containers.

    Raises
    ------
    DataError
        When ``X`` is of another kind, or ``y`` has another length.
    """
    table, roles, unpack_X = _pack_rows(X)
    if y is None:
        return Dataset(table, roles), unpack_X, lambda data: None
    if len(y) != table.num_rows:
        raise DataError(f"X has {table.num_rows} rows and y has {len(y)}", hint="pass one label for each row")
    label = next(name for name in _names("label") if name not in table.column_names)
    labels, unpack_label = _pack_column(y)
    table = table.append_column(label, labels)
    roles = Roles(label=label, text=roles.text, image=roles.image, features=roles.features)
    return Dataset(table, roles), unpack_X, lambda data: unpack_label(data.column(label))


def _names(base: str) -> Any:
    yield base
    number = 1
    while True:
        yield f"{base}_{number}"
        number += 1


def _pack_rows(X: Any) -> tuple[pa.Table, Roles, Unpack]:
    if isinstance(X, pa.Table):
        names = X.column_names
        return X, _tabular_roles(X), lambda data: data.table.select(names)
    if hasattr(X, "columns") and hasattr(X, "iloc"):  # a pandas data frame, without importing pandas
        table = pa.Table.from_pandas(X, preserve_index=False)
        names = table.column_names
        frame = type(X)
        columns = list(X.columns)

        def unpack_frame(data: Dataset) -> Any:
            out = data.table.select(names).to_pandas()
            return frame(out).set_axis(columns, axis=1).astype(dict(X.dtypes))

        return table, _tabular_roles(table), unpack_frame
    if isinstance(X, np.ndarray) and X.ndim == 2:
        columns_2d = {f"x{j}": pa.array(X[:, j]) for j in range(X.shape[1])}
        table = pa.table(columns_2d)
        dtype = X.dtype

        def unpack_matrix(data: Dataset) -> Any:
            out = np.empty((len(data), len(columns_2d)), dtype=dtype)
            for j, name in enumerate(columns_2d):
                out[:, j] = data.column(name).to_numpy()
            return out

        return table, Roles(features=tuple(columns_2d)), unpack_matrix
    if isinstance(X, np.ndarray) and X.ndim > 2:
        images = pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(X))
        return (
            pa.table({"image": images}),
            Roles(image="image"),
            lambda data: data.column("image").combine_chunks().to_numpy_ndarray(),
        )
    if (
        isinstance(X, (str, bytes))
        or not isinstance(X, (Sequence, np.ndarray))
        and not hasattr(X, "to_numpy")
    ):
        raise DataError(
            f"X is a {type(X).__name__}",
            hint="pass texts as a list of str, features as an array [n, d] or a data frame",
        )
    if not all(isinstance(text, str) for text in X):
        raise DataError("X is a list of something other than str", hint="pass features as an array [n, d]")
    column, unpack = _pack_column(X)
    return pa.table({"text": column}), Roles(text="text"), lambda data: unpack(data.column("text"))


def _tabular_roles(table: pa.Table) -> Roles:
    return Roles(features=tuple(table.column_names))


def _pack_column(values: Any) -> tuple[pa.Array, Callable[[pa.ChunkedArray], Any]]:
    if isinstance(values, np.ndarray):
        dtype = values.dtype
        return pa.array(values), lambda column: np.asarray(column.to_pylist(), dtype=dtype)
    if hasattr(values, "iloc"):
        series, name, pandas_dtype = type(values), values.name, values.dtype
        return (
            pa.array(values),
            lambda column: series(column.to_pylist(), name=name).astype(pandas_dtype),
        )
    return pa.array(list(values)), lambda column: column.to_pylist()
