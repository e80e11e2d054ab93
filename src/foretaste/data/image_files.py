"""One image file to pixels and back, in the format it had."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.data.images import Source, opened_image
from foretaste.data.limits import Limits

_SETTINGS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
    "PNG": {"compress_level": 4},
}
_SINGLE = frozenset({"1", "L", "I;16", "I;16B", "I", "F"})


def decode_image(source: Source, limits: Limits) -> tuple[NDArray[np.uint8], str] | None:
    """One image at its own size, ``[H, W, 1]``, or ``[H, W, 3]`` in colour, and the name of its format.

    Returns
    -------
    (ndarray of uint8, str) or None
        None where it cannot be decoded.

    Raises
    ------
    DataError
        For an image that declares more pixels than ``limits`` allow.

    Examples
    --------
    >>> from foretaste.data.limits import DEFAULT_LIMITS
    >>> image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    >>> again, kind = decode_image(encode_image(image, "PNG"), DEFAULT_LIMITS)
    >>> bool((again == image).all()), kind
    (True, 'PNG')
    """
    with opened_image(source, limits) as image:
        if image is None:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                plain = image.convert("L" if image.mode in _SINGLE else "RGB")
            pixels = np.asarray(plain, dtype=np.uint8)
        except Exception:  # a decoder may fail in any way on hostile bytes
            return None
        return (pixels if pixels.ndim == 3 else pixels[..., None]), str(image.format)


def encode_image(pixels: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    """Pixels ``[H, W, 1 or 3]`` as an image file; without loss where the format can.

    JPEG is written at quality 95 without subsampling; what the format ``GIF`` cannot hold is quantised.
    """
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    out = io.BytesIO()
    image.save(out, format=kind, **_SETTINGS.get(kind, {}))
    return out.getvalue()
