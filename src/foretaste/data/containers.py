"""What callers hold (paths, frames, arrays, lists) as a `Dataset`, and rows back in the same container."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.arrays import column_from_array, columns_from_matrix, tensor_from_images
from foretaste.data.dataset import Dataset
from foretaste.data.formats import DataFile
from foretaste.data.names import unique_names
from foretaste.data.plain import json_text
from foretaste.errors import DataError

_ACCEPTED = (
    "pass a path, a Dataset, a pandas, polars or Arrow table, numbers [n, d], images or a list of texts"
)


def as_dataset(
    data: Any,
    *,
    label: str | None = None,
    source: str | None = None,
    time: str | None = None,
    id: str | None = None,
    text: str | None = None,
    image: str | None = None,
    name: str | None = None,
) -> Dataset:
    """Take what the caller holds as a `Dataset`.

    Parameters
    ----------
    data
        A path; a `Dataset` or an opened `DataFile`; a pandas, polars or pyarrow table, or anything else with
        ``__arrow_c_stream__``; a mapping of columns or a list of mappings; numbers ``[n, d]``; uint8 images
        ``[n, h, w]`` or ``[n, h, w, c]``; a list or array of str; or a tuple ``(X, y)`` or
        ``(X, y, source)``.
    label, source, time, id, text, image : str, optional
        Columns by their part.
    name : str, optional
        What to call the data in a report.

    Raises
    ------
    DataError
        Where the data are of no such kind, or a named column cannot play its part.

    Examples
    --------
    >>> as_dataset(["a short text", "and one more"]).roles.text
    'text'
    """
    named: dict[str, Any] = {
        "label": label,
        "source": source,
        "time": time,
        "id": id,
        "text": text,
        "image": image,
    }
    if isinstance(data, Dataset):
        if not any(named.values()):
            return data
        return Dataset.from_table(data.table, name=name or data.name, notes=data.notes, **named)
    if isinstance(data, (str, os.PathLike, DataFile)):
        return Dataset.read(data, **named)
    if isinstance(data, tuple):
        if not 2 <= len(data) <= 3 or any(named.values()):
            raise DataError("a tuple must be (X, y) or (X, y, source), without column names")
        return from_arrays(*data, name=name or "data")
    table = table_of(data)
    if image is None and "image" in table.column_names and not isinstance(data, (pa.Table, Mapping)):
        named["image"] = "image" if isinstance(data, np.ndarray) else None
    if text is None and not _is_frame(data) and table.column_names == ["text"]:
        named["text"] = "text"
    return Dataset.from_table(table, name=name or "data", **named)


def from_arrays(
    X: Any, y: Any = None, source: Any = None, *, time: Any = None, name: str = "data"
) -> Dataset:
    """Rows ``X``, labels ``y [n]`` and, optionally, sources and times ``[n]`` as a `Dataset`.

    Parameters
    ----------
    X
        Numbers ``[n, d]`` (columns ``x0``, ``x1``, ...), uint8 images, texts, or any table `as_dataset`
        takes.
    y, source, time : array-like ``[n]``, optional
        Become the columns ``label``, ``source`` and ``time`` (numbered where ``X`` has such a one already).

    Raises
    ------
    DataError
        Where the lengths differ or ``X`` is of no known kind.

    Examples
    --------
    >>> data = from_arrays([[1.5, 2.0], [3.5, 4.0]], ["a", "b"])
    >>> data.table.column_names, data.labels.names
    (['x0', 'x1', 'label'], ['a', 'b'])
    """
    table = table_of(X)
    named: dict[str, Any] = {}
    if isinstance(X, np.ndarray) and table.column_names == ["image"]:
        named["image"] = "image"
    if not _is_frame(X) and table.column_names == ["text"]:
        named["text"] = "text"
    for role, values in (("label", y), ("source", source), ("time", time)):
        if values is None:
            continue
        column = _column(values)
        if len(column) != table.num_rows:
            raise DataError(f"there are {table.num_rows} rows and {len(column)} {role}s", file=name)
        named[role] = _new_name(role, table.column_names)
        table = table.append_column(named[role], column)
    return Dataset.from_table(table, name=name, **named)


def table_of(data: Any) -> pa.Table:
    """Rows in any container as an Arrow table, without looking for roles; `as_dataset` says what is taken."""
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        return pa.table({"text": data})
    if _is_pandas(data):
        return _table_of_pandas(data)
    if isinstance(data, np.ndarray):
        return _table_of_array(data)
    if hasattr(data, "__arrow_c_stream__"):
        return _stream_table(data)
    if isinstance(data, Mapping):
        return pa.table({str(key): _column(values) for key, values in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        if len(data) and isinstance(data[0], Mapping):
            names = dict.fromkeys(key for row in data for key in row)
            return pa.table({str(key): _column([row.get(key) for row in data]) for key in names})
        if all(isinstance(item, str) or item is None for item in data):
            return pa.table({"text": pa.array(data, pa.string())})
        return _table_of_array(np.asarray(data))
    if hasattr(data, "toarray"):
        raise DataError("sparse matrices are not taken", hint="pass X.toarray()")
    raise DataError(f"data of type {type(data).__name__} are not taken", hint=_ACCEPTED)


def rows_of(data: Any, rows: NDArray[np.int64] | Sequence[int]) -> Any:
    """The rows at these positions in the same kind of container: pandas in, pandas out.

    Examples
    --------
    >>> rows_of(["a", "b", "c"], [2, 0])
    ['c', 'a']
    """
    index = np.asarray(rows, dtype=np.int64)
    if hasattr(data, "iloc"):
        return data.iloc[index]
    if isinstance(data, (Dataset, pa.Table, pa.RecordBatch, pa.Array, pa.ChunkedArray)):
        return data.take(index) if isinstance(data, Dataset) else data.take(pa.array(index))
    if isinstance(data, np.ndarray) or type(data).__module__.split(".")[0] == "polars":
        return data[index]
    if isinstance(data, tuple):
        return tuple(rows_of(part, index) for part in data)
    if isinstance(data, Mapping):
        return {key: rows_of(values, index) for key, values in data.items()}
    if isinstance(data, Sequence):
        return [data[i] for i in index.tolist()]
    raise DataError(f"rows of a {type(data).__name__} cannot be taken", hint=_ACCEPTED)


def table_like(table: pa.Table, like: Any) -> Any:
    """An Arrow table as the kind of table that ``like`` is: pandas or polars; as it is for anything else."""
    if _is_pandas(like):
        return table.to_pandas()
    if type(like).__module__.split(".")[0] == "polars":
        import polars

        return polars.from_arrow(table)
    return Dataset(table) if isinstance(like, Dataset) else table


def _is_pandas(data: Any) -> bool:
    return type(data).__module__.split(".")[0] == "pandas" and hasattr(data, "iloc")


def _is_frame(data: Any) -> bool:
    """Whether the caller chose the column names."""
    return isinstance(data, Mapping) or hasattr(data, "column_names") or hasattr(data, "columns")


def _stream_table(data: Any) -> pa.Table:
    try:
        reader = pa.RecordBatchReader.from_stream(data)
        return reader.read_all()
    except pa.ArrowException as error:
        if hasattr(data, "to_arrow") and not hasattr(
            data, "columns"
        ):  # a polars Series is one column, not a table
            return pa.table({"text": data.to_arrow()})
        raise DataError(f"the Arrow stream cannot be read ({error})") from error


def _table_of_pandas(data: Any) -> pa.Table:
    if not hasattr(data, "columns"):
        return pa.table({"text": _column(data)})
    names, _ = unique_names([str(name) for name in data.columns])
    return pa.table([_column(data.iloc[:, i]) for i in range(len(names))], names=names)


def _table_of_array(array: NDArray[Any]) -> pa.Table:
    if array.dtype.names:
        return pa.table({name: column_from_array(array[name]) for name in array.dtype.names})
    if array.ndim == 1 and array.dtype.kind in "OUT":
        return pa.table({"text": _column(array)})
    if array.ndim == 2 and array.dtype.kind == "O":
        return pa.table({f"x{j}": _column(array[:, j]) for j in range(array.shape[1])})
    if array.ndim == 2:
        return pa.table(columns_from_matrix(array))
    if array.ndim in (3, 4) and array.dtype == np.uint8:
        return pa.table({"image": tensor_from_images(array)})
    raise DataError(f"an array of shape {array.shape} and dtype {array.dtype} is not taken", hint=_ACCEPTED)


def _column(values: Any) -> pa.Array:
    """One column from anything one-dimensional; a mixture of types becomes text."""
    if isinstance(values, pa.ChunkedArray):
        return values
    if hasattr(values, "to_arrow"):
        return values.to_arrow()
    if hasattr(values, "sparse"):  # a sparse column of pandas
        values = values.sparse.to_dense()
    if isinstance(values, np.ndarray) and values.dtype.kind not in "OT":
        return column_from_array(values.reshape(-1) if values.ndim == 2 and values.shape[1] == 1 else values)
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError):
        pass
    try:
        return pa.array([_text(value) for value in values], pa.string())
    except TypeError as error:
        raise DataError(f"a column holds {error}", hint="turn them into numbers or text") from error


def _text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    return value if isinstance(value, str) else json_text(value)


def _new_name(wanted: str, taken: Sequence[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name
