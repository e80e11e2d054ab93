"""Callers' containers (lists, arrays, frames) to a `Dataset` and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from foretaste.data.arrays import images_from_tensor, tensor_from_images
from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import DataError

Unpack = Callable[[Dataset], Any]


def pack(X: Any, y: Any = None) -> tuple[Dataset, Unpack, Unpack]:
    """Wrap what scikit-learn users pass around in a `Dataset`.

    Parameters
    ----------
    X : list of str, ndarray, pandas.DataFrame or pyarrow.Table
        Texts ``[n]``; sounds as a list of int16 arrays; features ``[n, d]``, columns then called ``x0``,
        ``x1``, ...; images ``[n, h, w]`` or ``[n, h, w, c]``.
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
    try:
        table, roles, unpack_X = _pack_rows(X)
        labels, unpack_label = _pack_column(y) if y is not None else (None, None)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise DataError(
            "a column mixes types that have no order", hint="make every column numbers or text"
        ) from error
    if labels is None or unpack_label is None:
        return Dataset(table, roles), unpack_X, lambda data: None
    if len(labels) != table.num_rows:
        raise DataError(f"X has {table.num_rows} rows and y has {len(labels)}", hint="pass one label per row")
    name = next(name for name in _label_names() if name not in table.column_names)
    data = Dataset(table.append_column(name, labels), replace(roles, label=name))
    return data, unpack_X, lambda after: unpack_label(after.column(name))


def _label_names() -> Iterator[str]:
    yield "label"
    number = 1
    while True:
        yield f"label.{number}"
        number += 1


def _pack_rows(X: Any) -> tuple[pa.Table, Roles, Unpack]:
    if isinstance(X, pa.Table):
        names = X.column_names
        return X, Roles(features=tuple(names)), lambda data: data.table.select(names)
    if hasattr(X, "columns") and hasattr(X, "iloc"):  # a pandas data frame, without importing pandas
        return _pack_frame(X)
    if isinstance(X, np.ndarray) and X.ndim == 2:
        return _pack_matrix(X)
    if isinstance(X, np.ndarray) and X.ndim > 2 and len(X):
        return pa.table({"image": tensor_from_images(X)}), Roles(image="image"), _unpack_images
    if isinstance(X, list) and X and all(_is_sound(sound) for sound in X):
        return pa.table({"audio": pa.array(X, pa.list_(pa.int16()))}), Roles(), _unpack_sounds
    series = hasattr(X, "iloc") and hasattr(X, "to_numpy")
    if isinstance(X, (str, bytes)) or not (series or isinstance(X, (Sequence, np.ndarray))):
        raise DataError(
            f"X is a {type(X).__name__}",
            hint="pass texts as a list of str, features as an array [n, d] or a data frame",
        )
    if not all(isinstance(text, str) for text in X):
        raise DataError("X holds something other than str", hint="pass features as an array [n, d]")
    column, unpack = _pack_column(X)
    text = pa.table({"text": column.cast(pa.large_string())})
    return text, Roles(text="text"), lambda data: unpack(data.column("text"))


def _is_sound(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.int16 and value.ndim == 1


def _unpack_sounds(data: Dataset) -> Any:
    column = data.column("audio").combine_chunks()
    parts: list[Any] = [value.values.to_numpy().copy() for value in column]
    return parts


def _pack_frame(X: Any) -> tuple[pa.Table, Roles, Unpack]:
    frame, columns, dtypes = type(X), list(X.columns), list(X.dtypes)
    names = [f"x{j}" if not isinstance(name, str) else name for j, name in enumerate(columns)]
    if len(set(names)) < len(names):
        raise DataError("two columns of X have the same name", hint="rename one")
    table = pa.Table.from_pandas(X.set_axis(names, axis=1), preserve_index=False)

    def unpack(data: Dataset) -> Any:
        after = data.table.select(names).to_pandas()
        return frame(
            {name: after[name].astype(kind) for name, kind in zip(names, dtypes, strict=True)}
        ).set_axis(columns, axis=1)

    return table, Roles(features=tuple(names)), unpack


def _pack_matrix(X: Any) -> tuple[pa.Table, Roles, Unpack]:
    names = [f"x{j}" for j in range(X.shape[1])]
    dtype = X.dtype

    def unpack(data: Dataset) -> Any:
        if dtype.kind in "USO":
            cells = np.empty((len(data), len(names)), dtype=object)
            for j, name in enumerate(names):
                cells[:, j] = data.column(name).to_pylist()
            return cells if dtype.kind == "O" else cells.astype(dtype.kind)
        numbers = np.empty((len(data), len(names)), dtype=dtype)
        for j, name in enumerate(names):
            numbers[:, j] = data.column(name).to_numpy()
        return numbers

    table = pa.table({name: pa.array(np.ascontiguousarray(X[:, j])) for j, name in enumerate(names)})
    return table, Roles(features=tuple(names)), unpack


def _unpack_images(data: Dataset) -> Any:
    return images_from_tensor(data.column("image"))


def _pack_column(values: Any) -> tuple[pa.Array, Callable[[pa.ChunkedArray], Any]]:
    """One column and the way back: array to array, series to series, anything else to a list."""
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise DataError(f"y has {values.ndim} dimensions", hint="pass one label per row")
        dtype = values.dtype if values.dtype.kind not in "US" else values.dtype.kind
        return pa.array(values), lambda column: np.asarray(column.to_pylist(), dtype=dtype)
    if hasattr(values, "iloc"):
        series, name, kind = type(values), values.name, values.dtype
        return pa.array(values), lambda column: series(column.to_pylist(), name=name).astype(kind)
    return pa.array(list(values)), lambda column: column.to_pylist()
