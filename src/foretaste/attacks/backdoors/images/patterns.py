"""Pictures that triggers are made of: drawn from a seed, or taken from an image file."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foretaste.data.image_files import decode_image, encode_image
from foretaste.data.limits import DEFAULT_LIMITS
from foretaste.errors import ConfigError

DRAWN = ("solid", "checker", "noise", "smooth")
PICTURE = "data:image/png;base64,"
_LARGEST_SIDE = 256
_COARSE = 4  # a smooth field is drawn on a grid of this many points a side


def load_pattern(pattern: str, owner: str) -> str:
    """A pattern as it goes into a recipe: its name, or the picture of a file itself.

    Parameters
    ----------
    pattern : str
        ``solid``, ``checker``, ``noise``, ``smooth``, what this function gave before, or an image file.
    owner : str
        The attack, for the message.

    Raises
    ------
    ConfigError
        When it is none of these.

    Examples
    --------
    >>> load_pattern("checker", "badnets")
    'checker'
    """
    if pattern in DRAWN or pattern.startswith(PICTURE):
        return pattern
    path = Path(pattern)
    image = decode_image(path, DEFAULT_LIMITS) if path.is_file() else None
    if image is None:
        raise ConfigError(
            f"{owner}: pattern {pattern[:80]!r} is neither {', '.join(DRAWN)} nor an image file; use one"
        )
    pixels, _ = image
    longest = max(pixels.shape[:2])
    if longest > _LARGEST_SIDE:
        height, width = (max(1, side * _LARGEST_SIDE // longest) for side in pixels.shape[:2])
        pixels = _resized(pixels, height, width)
    return PICTURE + base64.b64encode(encode_image(pixels)).decode()


@lru_cache(maxsize=32)
def draw_pattern(pattern: str, shape: tuple[int, int, int], seed: int, value: int = 255) -> NDArray[np.uint8]:
    """The picture of a pattern, uint8 of ``shape`` (height, width, channels); not to be written to.

    Parameters
    ----------
    seed : int
        Of ``noise`` (independent pixels) and ``smooth`` (a low-frequency field over the whole range).
    value : int
        Of ``solid`` and of the light cells of ``checker``, whose dark ones are ``255 - value``.
    """
    height, width, channels = shape
    if pattern == "solid":
        picture = np.full(shape, value, dtype=np.uint8)
    elif pattern == "checker":
        light = (np.add.outer(np.arange(height), np.arange(width)) % 2 == 0)[..., None]
        picture = np.broadcast_to(np.where(light, value, 255 - value), shape).astype(np.uint8)
    elif pattern == "noise":
        picture = np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)
    elif pattern == "smooth":
        coarse = np.random.default_rng(seed).random((_COARSE, _COARSE, channels))
        coarse -= coarse.min(axis=(0, 1))
        coarse *= 255 / coarse.max(axis=(0, 1))
        parts = [_resized(np.rint(coarse[..., [c]]).astype(np.uint8), height, width) for c in range(channels)]
        picture = np.concatenate(parts, axis=2)
    else:
        picture = _in_channels(_resized(_decoded(pattern), height, width), channels)
    picture.setflags(write=False)
    return picture


def _decoded(pattern: str) -> NDArray[np.uint8]:
    try:
        image = decode_image(base64.b64decode(pattern.removeprefix(PICTURE), validate=True), DEFAULT_LIMITS)
    except binascii.Error:
        image = None
    if image is None or not pattern.startswith(PICTURE):
        raise ConfigError(f"the pattern {pattern[:40]!r} of this trigger is no picture")
    return image[0]


def _in_channels(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    if pixels.shape[2] == channels:
        return pixels
    gray = np.rint(pixels.mean(axis=2, keepdims=True)).astype(np.uint8)
    return np.repeat(gray, channels, axis=2)


def _resized(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    from PIL import Image

    plain = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    scaled = np.asarray(plain.resize((width, height), Image.Resampling.BICUBIC), dtype=np.uint8)
    return scaled.reshape(height, width, -1)
