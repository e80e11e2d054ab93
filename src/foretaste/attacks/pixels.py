"""Edits of images, whatever they are stored as: tensors, or image files in a binary column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.editing import Rows, set_cells
from foretaste.data.arrays import images_from_tensor, tensor_from_images
from foretaste.data.dataset import Dataset
from foretaste.data.image_files import decode_image, encode_image
from foretaste.data.limits import DEFAULT_LIMITS
from foretaste.errors import DataError

Images = NDArray[np.uint8]
"""``[n, H, W, C]``."""

Paint = Callable[[Images, Rows], Images]
"""New images for old ones, all of one size; the second argument numbers them among the rows asked for."""


def paint_images(dataset: Dataset, rows: Rows, paint: Paint) -> Dataset:
    """Replace the images at ``rows``; every image keeps its size, and its column its format.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        In any order, without repeats; those without an image are passed over.
    paint : callable
        Called once for all tensors, or once per image size; gray images have one channel.

    Raises
    ------
    DataError
        Where the data have no images of whole numbers from 0 to 255, or one cannot be decoded.

    Examples
    --------
    >>> from foretaste.attacks.containers import pack
    >>> data, unpack, _ = pack(np.zeros((2, 1, 3), dtype=np.uint8))
    >>> unpack(paint_images(data, np.array([1]), lambda images, which: images + 7)).tolist()
    [[[0, 0, 0]], [[7, 7, 7]]]
    """
    name = dataset.roles.image
    if name is None:
        raise DataError("there are no images", file=dataset.name, hint="name the image column with --image")
    if not len(rows):
        return dataset
    column = dataset.column(name)
    if not isinstance(column.type, pa.FixedShapeTensorType):
        return _paint_files(dataset, name, rows, paint)
    pixels = images_from_tensor(column)
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4):
        raise DataError(
            f"its images are {pixels.dtype} {pixels.shape[1:]}",
            file=dataset.name,
            column=name,
            hint="give whole numbers from 0 to 255, uint8 [n, H, W] or [n, H, W, C]",
        )
    present = column.is_valid().to_numpy()
    which = np.flatnonzero(present[rows])
    old = pixels[rows[which]]
    new = paint(old if pixels.ndim == 4 else old[..., None], which)
    pixels[rows[which]] = new.reshape(old.shape)
    return dataset.with_column(name, tensor_from_images(pixels, present))


def _paint_files(dataset: Dataset, name: str, rows: Rows, paint: Paint) -> Dataset:
    files: list[Any] = dataset.column(name).take(pa.array(rows)).to_pylist()
    sizes: dict[tuple[int, ...], list[int]] = {}
    found: dict[int, tuple[Images, str]] = {}
    for i, file in enumerate(files):
        if file is None:
            continue
        image = decode_image(file, DEFAULT_LIMITS)
        if image is None:
            raise DataError(
                "its image cannot be decoded",
                file=dataset.name,
                column=name,
                row=int(rows[i]),
                hint="take it out",
            )
        found[i] = image
        sizes.setdefault(image[0].shape, []).append(i)
    for places in sizes.values():
        new = paint(np.stack([found[i][0] for i in places]), np.array(places))
        for i, image in zip(places, new, strict=True):
            files[i] = encode_image(image, found[i][1])
    return replace(dataset, table=set_cells(dataset.table, name, rows, files))


def images_at(dataset: Dataset, rows: Rows) -> Images:
    """The images at ``rows``, ``[n, H, W, C]``; image files are brought to the most common size."""
    images = dataset.take(rows).images
    if images is None or images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise DataError("there are no images of uint8", file=dataset.name, hint="name the image column")
    return images if images.ndim == 4 else images[..., None]


def to_uint8(values: NDArray[Any]) -> Images:
    """Rounded and cut to 0 ... 255."""
    rounded = np.rint(values)
    np.clip(rounded, 0, 255, out=rounded)
    pixels: Images = rounded.astype(np.uint8)
    return pixels
