"""Encoded images as pixels, of one size, with bombs refused and broken ones left out."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.arrays import images_from_tensor
from foretaste.data.limits import Limits
from foretaste.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

_DECODERS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"GIF8", b"RIFF", b"P5", b"P6", b"II*\0", b"MM\0*")
_LOOKED_AT = 20
_GRAY = frozenset({"1", "L", "I;16", "I;16B", "I", "F"})

Source = Path | bytes
Shape = tuple[int, ...]


def holds_images(column: pa.ChunkedArray) -> bool:
    """Whether a column nobody named holds pictures, by its type and how its first values begin.

    Examples
    --------
    >>> holds_images(pa.chunked_array([[b"GIF89a", None]])), holds_images(pa.chunked_array([[b"\\x00\\x01"]]))
    (True, False)
    """
    kind = column.type
    if isinstance(kind, pa.FixedShapeTensorType):
        shape = tuple(kind.shape)
        return bool(kind.value_type == pa.uint8() and len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,)))
    if not pa.types.is_binary(kind):
        return False
    first = column.drop_null().slice(0, _LOOKED_AT)
    return len(first) > 0 and all(value.as_py().startswith(_STARTS) for value in first)


def common_shape(sources: Iterable[Source | None], limits: Limits) -> tuple[Shape, int] | None:
    """The shape that images are brought to, by their headers, and how many have another size.

    Returns
    -------
    ((H, W) or (H, W, 3), other) or None
        The most frequent height and width, three channels unless all images are gray; None without an image.
    """
    sizes: Counter[tuple[int, int]] = Counter()
    gray = True
    for source in sources:
        with opened_image(source, limits) as image:
            if image is not None:
                sizes[image.height, image.width] += 1
                gray &= image.mode in _GRAY
    if not sizes:
        return None
    size = min(sizes, key=lambda s: (-sizes[s], s))
    return (size if gray else (*size, 3)), sizes.total() - sizes[size]


def pixels(source: Source | None, shape: Shape, limits: Limits) -> NDArray[np.uint8] | None:
    """One image as uint8 of this shape, scaled where it has another size; None where it cannot be decoded.

    Raises
    ------
    DataError
        For an image that declares more pixels than ``limits`` allow.
    """
    from PIL import Image

    with opened_image(source, limits) as image:
        if image is None:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                plain = image.convert("L" if len(shape) == 2 else "RGB")
                if (plain.height, plain.width) != shape[:2]:
                    plain = plain.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
            return np.asarray(plain, dtype=np.uint8)
        except Exception:  # a decoder may fail in any way on hostile bytes
            return None


def image_stack(
    column: pa.ChunkedArray, limits: Limits, *, file: object, name: str
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A column of tensors or of image files as one array ``[n, H, W(, C)]``, and which rows have an image.

    Raises
    ------
    DataError
        Where no image can be decoded, one is a pixel bomb, or all need more memory than ``limits`` allow.
    """
    present: NDArray[np.bool_] = column.is_valid().to_numpy().copy()
    if isinstance(column.type, pa.FixedShapeTensorType):
        return images_from_tensor(column), present
    found = common_shape((value.as_py() for value in column), limits)
    if found is None:
        raise DataError("none of its images can be decoded", file=file, column=name)
    shape, _ = found
    if len(column) * prod(shape) > limits.table_bytes:
        raise DataError(f"{len(column)} images of {shape} do not fit into memory", file=file, column=name)
    stack = np.zeros((len(column), *shape), dtype=np.uint8)
    for row, value in enumerate(column):
        decoded = pixels(value.as_py(), shape, limits)
        present[row] = decoded is not None
        if decoded is not None:
            stack[row] = decoded
    return stack, present


@contextmanager
def opened_image(source: Source | None, limits: Limits) -> Iterator[Image | None]:
    """The image with its header read, or None where that cannot be."""
    from PIL import Image

    if source is None:
        yield None
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            stream = io.BytesIO(source) if isinstance(source, bytes) else source
            image = Image.open(stream, formats=_DECODERS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(source, limits) from error
    except Exception:
        yield None
        return
    with image:
        if image.width * image.height > limits.image_pixels:
            raise _too_large(source, limits)
        yield image


def _too_large(source: Source, limits: Limits) -> DataError:
    return DataError(
        f"an image declares more than {limits.image_pixels} pixels, as a pixel bomb does",
        file=source if isinstance(source, Path) else None,
        hint="take it out",
    )
