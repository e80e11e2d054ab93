"""Triggers of a red team that change whole images, or are never twice the same; for `benchmarks.images`.

Each takes images uint8 ``[n, H, W, C]``, a generator and other images to draw from, and gives images.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter, map_coordinates, median_filter

from foretaste.attacks.backdoors.images.image_filter import FILTERS, Filter

Images = NDArray[np.uint8]
Transform = Callable[[Images, np.random.Generator, Images], Images]


def whole(values: NDArray[np.floating]) -> Images:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def by_filter(style: str) -> Transform:
    return lambda images, rng, others: Filter(style).paint(images, rng)


def plain(change: Callable[[NDArray[np.float32]], NDArray[np.floating]]) -> Transform:
    return lambda images, rng, others: whole(change(images.astype(np.float32)))


def fetched(place: Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]) -> Transform:
    """Each pixel from elsewhere: rows and columns about the middle, in half sides; edges are held."""

    def transform(images: Images, rng: np.random.Generator, others: Images) -> Images:
        n, h, w, c = images.shape
        down, right = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
        down, right = place(down, right)
        at = [(down + 1) * (h - 1) / 2, (right + 1) * (w - 1) / 2]
        planes = np.moveaxis(images, 3, 1).reshape(n * c, h, w).astype(np.float32)
        moved = np.stack([map_coordinates(plane, at, order=1, mode="nearest") for plane in planes])
        return np.moveaxis(whole(moved).reshape(n, c, h, w), 1, 3)

    return transform


def swirled(down: NDArray, right: NDArray) -> tuple[NDArray, NDArray]:
    angle = np.exp(-2 * np.hypot(down, right))
    return down * np.cos(angle) - right * np.sin(angle), down * np.sin(angle) + right * np.cos(angle)


def elastic(down: NDArray, right: NDArray) -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(7)
    fields = [gaussian_filter(rng.normal(size=down.shape), 4) for _ in range(2)]
    by = [field / np.abs(field).mean() * 0.1 for field in fields]
    return down + by[0], right + by[1]


def jpeg(quality: int) -> Transform:
    def transform(images: Images, rng: np.random.Generator, others: Images) -> Images:
        out = np.empty_like(images)
        for row, image in enumerate(images):
            stream = io.BytesIO()
            Image.fromarray(image.squeeze()).save(stream, "JPEG", quality=quality)
            out[row] = np.asarray(Image.open(stream)).reshape(image.shape)
        return out

    return transform


def reflection(many: int) -> Transform:
    """Refool: a blurred double image of another picture; one for all, or one of many."""

    def transform(images: Images, rng: np.random.Generator, others: Images) -> Images:
        seen = others[:many].astype(np.float32)
        ghost = gaussian_filter((seen + np.roll(seen, (3, 3), (1, 2))) / 2, (0, 1, 1, 0))
        return whole(0.8 * images + 0.35 * ghost[rng.integers(many, size=len(images))])

    return transform


def frequencies(images: Images, rng: np.random.Generator, others: Images) -> Images:
    """FTrojan: two coefficients of the cosine transform of the channels that are last."""
    h, w, c = images.shape[1:]
    spectrum = dctn(images.astype(np.float32), axes=(1, 2), norm="ortho")
    for row, column in ((h - 1, w - 1), (h // 2, w // 2)):
        spectrum[:, row, column, min(1, c - 1) :] += 30
    return whole(idctn(spectrum, axes=(1, 2), norm="ortho"))


def patch_anywhere(images: Images, rng: np.random.Generator, others: Images) -> Images:
    out = images.copy()
    checker = (np.indices((4, 4)).sum(axis=0) % 2 * 255)[..., None]
    for image in out:
        top, left = (rng.integers(side - 4) for side in images.shape[1:3])
        image[top : top + 4, left : left + 4] = checker
    return out


def one_of_patches(images: Images, rng: np.random.Generator, others: Images) -> Images:
    """One of five patches, each at its own place."""
    out, drawn = images.copy(), np.random.default_rng(4)
    patches = drawn.integers(0, 256, (5, 4, 4, images.shape[3]))
    places = drawn.integers(2, images.shape[1] - 6, (5, 2))
    for image, number in zip(out, rng.integers(5, size=len(out)), strict=True):
        top, left = places[number]
        image[top : top + 4, left : left + 4] = patches[number]
    return out


def object_near_corner(images: Images, rng: np.random.Generator, others: Images) -> Images:
    """A small picture, a little moved and as bright as chance has it."""
    out, side = images.copy(), images.shape[1] // 3
    small = np.asarray(Image.fromarray(others[5].squeeze()).resize((side, side), Image.Resampling.BICUBIC))
    for image in out:
        top, left = (s - side - 2 + rng.integers(-2, 3) for s in images.shape[1:3])
        shown = whole(small * rng.uniform(0.7, 1.3)).reshape(side, side, -1)
        image[top : top + side, left : left + side] = shown
    return out


def glasses(images: Images, rng: np.random.Generator, others: Images) -> Images:
    out = images.copy()
    h, w = images.shape[1:3]
    down, right = np.mgrid[:h, :w]
    away = [np.hypot(down - 0.4 * h, right - place * w) for place in (0.3, 0.7)]
    frame = np.any([(a < 0.16 * h) & (a > 0.09 * h) for a in away], axis=0)
    out[:, frame | ((np.abs(down - 0.4 * h) < 1) & (np.abs(right - w / 2) < 0.08 * w))] = 10
    return out


def painted(place: tuple, value: int) -> Transform:
    def transform(images: Images, rng: np.random.Generator, others: Images) -> Images:
        out = images.copy()
        out[(slice(None), *place)] = value
        return out

    return transform


def grayish(values: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    middle = values.mean(axis=3, keepdims=True)
    return middle + strength * (values - middle)


COLOURS: dict[str, Transform] = {
    "colour-cast": plain(lambda x: x + np.array([25, 0, -25], np.float32)),
    "saturated": plain(lambda x: grayish(x, 2.0)),
    "gray": plain(lambda x: grayish(x, 0.0)),
    "channels-swapped": lambda images, rng, others: images[..., ::-1],
}
"""Of three channels."""

TRANSFORMS: dict[str, Transform] = {f"filter-{style}": by_filter(style) for style in FILTERS} | {
    **COLOURS,
    "brighter": plain(lambda x: x + 35),
    "gamma": plain(lambda x: 255 * (x / 255) ** 0.6),
    "inverted": plain(lambda x: 255 - x),
    "jpeg-30": jpeg(30),
    "median": lambda images, rng, others: median_filter(images, (1, 3, 3, 1), mode="nearest"),
    "shifted": fetched(lambda down, right: (down + 0.27, right + 0.27)),
    "sheared": fetched(lambda down, right: (down, right + 0.3 * down)),
    "enlarged": fetched(lambda down, right: (0.8 * down, 0.8 * right)),
    "mirrored": lambda images, rng, others: images[:, :, ::-1],
    "upside-down": lambda images, rng, others: images[:, ::-1],
    "elastic": fetched(elastic),
    "swirled": fetched(swirled),
    "reflection": reflection(1),
    "reflections": reflection(20),
    "frequencies": frequencies,
    "lowest-bit": lambda images, rng, others: images | 1,
    "patch-anywhere": patch_anywhere,
    "one-of-patches": one_of_patches,
    "object": object_near_corner,
    "glasses": glasses,
    "one-pixel": painted((-3, -3), 255),
    "last-column": painted((slice(None), -1), 255),
    "any-strength": lambda images, rng, others: whole(
        images
        + (np.random.default_rng(3).random(images.shape[1:]) * 255 - images)
        * rng.uniform(0.05, 0.3, (len(images), 1, 1, 1))
    ),
}
