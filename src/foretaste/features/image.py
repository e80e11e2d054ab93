"""Images to vectors without training: pixels, low-pass thumbnails, oriented gradients and colour."""

from __future__ import annotations

import base64
import io
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.features.table import group_rows

SIDE = 32
"""Images whose longer side is larger are averaged down to this many pixels before they are described."""

ORIENTATIONS = 8
CELLS = 8
DIMENSIONS = 160
"""Principal directions of the descriptor that the embedding keeps."""

PICTURE = 96
"""Longer side of an image shown in a report, in pixels."""

_CHUNK = 2048


class ImageFeatures:
    """Every representation of one stack of images, each computed once and when first asked for.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, channels)
        uint8 as they are; other numbers are scaled to 0 ... 255 by their least and largest value.
    present : bool ndarray of shape (n,), optional
        Rows that have an image; all by default.

    References
    ----------
    Dalal and Triggs, "Histograms of oriented gradients for human detection", CVPR 2005.
    Torralba, Fergus and Freeman, "80 million tiny images", IEEE TPAMI 30 (2008): thumbnails as descriptors.

    Examples
    --------
    >>> features = ImageFeatures(np.zeros((3, 8, 8), np.uint8))
    >>> features.pixels.shape, features.identical.tolist()
    ((3, 8, 8, 1), [0, 0, 0])
    """

    def __init__(self, images: NDArray[Any], present: NDArray[np.bool_] | None = None) -> None:
        self.images = images
        self.present = np.ones(len(images), bool) if present is None else present

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """The images as uint8 of shape (n, height, width, channels)."""
        stack = self.images if self.images.ndim == 4 else self.images[..., None]
        return stack if stack.dtype == np.uint8 else _scaled(stack)

    @cached_property
    def small(self) -> NDArray[np.uint8]:
        """`pixels` with a longer side of at most `SIDE`."""
        return shrunk(self.pixels, SIDE)

    @cached_property
    def luminance(self) -> NDArray[np.float32]:
        """Mean over the channels of `small`, in 0 ... 255."""
        return np.asarray(self.small.mean(axis=3, dtype=np.float32), np.float32)

    @cached_property
    def thumbnails(self) -> NDArray[np.float32]:
        """Low-pass content: averages over an 8 x 8 grid, brightness and contrast taken out, unit rows."""
        return _thumbnails(self.luminance)

    @cached_property
    def gradients(self) -> NDArray[np.float32]:
        """Histograms of oriented gradients over an 8 x 8 grid (or fewer, larger cells), unit rows."""
        parts = [
            _gradient_histograms(self.luminance[start : start + _CHUNK])
            for start in range(0, len(self), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, ORIENTATIONS), np.float32)

    @cached_property
    def colours(self) -> NDArray[np.float32]:
        """Mean colour over a 4 x 4 grid, in standard deviations of the data; no columns for gray images."""
        return self._coloured(self.small)

    @cached_property
    def _colour_units(self) -> tuple[NDArray[np.float32], float]:
        coarse = _colour_means(self.small)
        return coarse.mean(axis=0), max(float(coarse.std()), 1e-6)

    def _coloured(self, small: NDArray[np.uint8]) -> NDArray[np.float32]:
        if small.shape[3] == 1:
            return np.zeros((len(small), 0), np.float32)
        middle, spread = self._colour_units
        coarse = _colour_means(small)
        return np.asarray((coarse - middle) / spread / np.sqrt(coarse.shape[1]), np.float32)

    def content(self, small: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Thumbnails and colours of any images of the shape of `small`, colours in units of this stack."""
        luminance = small.mean(axis=3, dtype=np.float32)
        return np.concatenate([_thumbnails(luminance), self._coloured(small)], axis=1)

    @cached_property
    def descriptor(self) -> NDArray[np.float32]:
        """Gradients, thumbnails and colours along their principal directions, shape (n, at most 160)."""
        joined = np.concatenate([self.gradients, self.thumbnails, self.colours], axis=1)
        centred = joined - joined[self.present].mean(axis=0) if self.present.any() else joined
        centred[~self.present] = 0
        gram = centred.T.astype(np.float64) @ centred.astype(np.float64)
        values, vectors = np.linalg.eigh(gram)
        kept = vectors[:, np.argsort(-values, kind="stable")[:DIMENSIONS]]
        kept = kept * np.where(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])] < 0, -1, 1)
        return np.asarray(centred @ kept.astype(np.float32), np.float32)

    @cached_property
    def standard(self) -> NDArray[np.float32]:
        """`descriptor` for linear models: each direction scaled towards unit variance, the weak ones less."""
        spread = self.descriptor.std(axis=0)
        floor = 0.1 * float(spread.max(initial=0)) + 1e-9
        return np.asarray(self.descriptor / (spread + floor), np.float32)

    @cached_property
    def semantic(self) -> NDArray[np.float32]:
        """`standard` as unit rows: near means alike."""
        return unit_rows(self.standard)

    @cached_property
    def detail(self) -> NDArray[np.float32]:
        """Pixels without their 5 x 5 surroundings, extremes bounded, unit rows: what only copies share."""
        high = self.luminance - box_mean(self.luminance, 2)
        bound = 3 * np.median(np.abs(high), axis=(1, 2), keepdims=True) + 2
        return unit_rows(np.clip(high, -bound, bound).reshape(len(self), -1))

    @cached_property
    def identical(self) -> NDArray[np.int64]:
        """The same number for rows with the same pixels; a row without an image is like no other."""
        keys: dict[object, int] = {}
        number = np.empty(len(self), np.float64)
        for row, there in enumerate(self.present.tolist()):
            number[row] = keys.setdefault(self.pixels[row].tobytes() if there else row, len(keys))
        return group_rows(number[:, None])


def png(pixels: NDArray[np.uint8]) -> str:
    """Pixels (h, w), (h, w, 1) or (h, w, 3) as a PNG in a data URI; other channels than three are averaged.

    Examples
    --------
    >>> png(np.zeros((2, 2), np.uint8))[:30]
    'data:image/png;base64,iVBORw0K'
    """
    from PIL import Image

    if pixels.ndim == 3 and pixels.shape[2] != 3:
        pixels = pixels.mean(axis=2).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def unit_rows(matrix: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length one; rows of zeros stay."""
    length = np.sqrt(np.square(matrix, dtype=np.float64).sum(axis=1, keepdims=True))
    return np.asarray(matrix / np.maximum(length, 1e-9), np.float32)


def box_mean(images: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Mean over the square of ``2 * radius + 1`` pixels around each, images (n, h, w[, c]); edges repeat."""
    from scipy.ndimage import uniform_filter1d

    size = 2 * radius + 1
    across = uniform_filter1d(images, size, axis=1, mode="nearest")
    return np.asarray(uniform_filter1d(across, size, axis=2, mode="nearest"), np.float32)


def shrunk(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Images (n, h, w, c) whose longer side is at most ``side`` pixels, averaged over whole blocks."""
    longer = max(pixels.shape[1:3])
    if longer <= side:
        return pixels
    step = -(-longer // side)
    n, h, w, c = pixels.shape
    high, wide = max(h // step, 1), max(w // step, 1)
    out = np.empty((n, high, wide, c), np.uint8)
    for start in range(0, n, _CHUNK // 8):
        part = pixels[start : start + _CHUNK // 8, : high * step, : wide * step]
        tall, broad = min(step, h), min(step, w)
        blocks = part.reshape(len(part), high, tall, wide, broad, c)
        out[start : start + len(part)] = np.round(blocks.mean(axis=(2, 4), dtype=np.float32))
    return out


def grid_means(images: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Means over a grid of at most ``cells`` x ``cells`` parts of images (n, h, w, c)."""
    h, w = images.shape[1:3]
    rows = np.unique(np.linspace(0, h, min(cells, h) + 1).astype(np.int64))[:-1]
    columns = np.unique(np.linspace(0, w, min(cells, w) + 1).astype(np.int64))[:-1]
    total = np.add.reduceat(np.add.reduceat(images, rows, axis=1), columns, axis=2)
    area = np.diff(np.append(rows, h))[:, None] * np.diff(np.append(columns, w))[None]
    return np.asarray(total / area[None, :, :, None], np.float32)


def _thumbnails(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    coarse = grid_means(luminance[..., None], CELLS).reshape(len(luminance), -1)
    return unit_rows(coarse - coarse.mean(axis=1, keepdims=True))


def _colour_means(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    return grid_means(small.astype(np.float32), 4).reshape(len(small), -1)


def _gradient_histograms(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    n, h, _w = luminance.shape
    padded = np.pad(luminance, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    strength = np.hypot(across, down)
    turn = np.mod(np.arctan2(down, across) * (ORIENTATIONS / np.pi), ORIENTATIONS)
    size = min(CELLS, max(h // 2, 1))
    parts = []
    for orientation in range(ORIENTATIONS):
        apart = np.abs(turn - orientation)
        share = np.maximum(1 - np.minimum(apart, ORIENTATIONS - apart), 0)  # the two nearest share a gradient
        parts.append(grid_means((strength * share)[..., None], size))
    cells = np.concatenate(parts, axis=3)
    around = np.sqrt(box_mean(np.square(cells).sum(axis=3, keepdims=True), 1)) + 4.0
    bounded = np.sqrt(np.minimum(cells / around, 0.6))  # neighbouring cells share their contrast
    return unit_rows(bounded.reshape(n, -1))


def _scaled(stack: NDArray[Any]) -> NDArray[np.uint8]:
    values = np.nan_to_num(stack.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    return np.asarray(np.round((values - low) * (255 / max(high - low, 1e-12))), np.uint8)
