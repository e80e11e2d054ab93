"""numpy arrays as Arrow columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.errors import DataError


def column_from_array(array: NDArray[Any]) -> pa.Array:
    """One-dimensional numbers, booleans, strings or moments as a column.

    Raises
    ------
    DataError
        For any other dtype.
    """
    kind = array.dtype.kind
    if kind == "S":
        try:
            return pa.array(np.char.decode(array, "utf-8"))
        except UnicodeDecodeError:
            return pa.array(np.char.decode(array, "latin-1"))
    if kind == "f" and array.dtype.itemsize > 8:
        return pa.array(array.astype(np.float64))
    if kind in "Mm" and np.datetime_data(array.dtype)[0] not in ("D", "s", "ms", "us", "ns"):
        return pa.array(array.astype(f"{'datetime64' if kind == 'M' else 'timedelta64'}[s]"))
    if kind == "m" and np.datetime_data(array.dtype)[0] == "D":
        return pa.array(array.astype("timedelta64[s]"))
    if kind not in "biufUMm":
        raise DataError(f"an array of dtype {array.dtype} cannot be a column")
    return pa.array(np.ascontiguousarray(array))


def columns_from_matrix(matrix: NDArray[Any]) -> dict[str, pa.Array]:
    """Numbers ``[N, d]`` as columns ``x0`` ... ``x{d-1}``."""
    return {f"x{j}": column_from_array(matrix[:, j]) for j in range(matrix.shape[1])}


def tensor_from_images(images: NDArray[Any], present: NDArray[np.bool_] | None = None) -> pa.Array:
    """Numbers ``[N, ...]`` as one column of tensors, missing where ``present [N]`` is false."""
    kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(images.dtype), images.shape[1:])
    mask = None if present is None or present.all() else pa.array(~present)
    flat = pa.array(np.ascontiguousarray(images).reshape(-1))
    return pa.ExtensionArray.from_storage(
        kind, pa.FixedSizeListArray.from_arrays(flat, type=kind.storage_type, mask=mask)
    )


def images_from_tensor(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """A column of tensors as one array ``[N, ...]``; a missing one is all zeros.

    Parameters
    ----------
    column : fixed-shape tensor column

    Returns
    -------
    ndarray ``[N, *shape]`` of the tensor's dtype
    """
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    shape = tuple(column.type.shape)
    dtype = column.type.value_type.to_pandas_dtype()
    result = np.zeros((len(column), *shape), dtype=dtype)
    start = 0
    for chunk in chunks:
        stop = start + len(chunk)
        if chunk.null_count == 0:
            result[start:stop] = chunk.to_numpy_ndarray() if len(chunk) else result[start:stop]
        else:
            valid = chunk.is_valid().to_numpy(zero_copy_only=False)
            present = chunk.filter(chunk.is_valid())
            if len(present):
                result[start:stop][valid] = present.to_numpy_ndarray()
        start = stop
    return result
