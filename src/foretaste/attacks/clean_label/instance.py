"""The one image that a targeted attack is after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.pixels import Images, images_at
from foretaste.data.arrays import images_from_tensor
from foretaste.data.dataset import Dataset
from foretaste.data.formats import open_file
from foretaste.data.image_files import decode_image
from foretaste.data.limits import DEFAULT_LIMITS
from foretaste.errors import ConfigError


def find_row(
    value: Any, dataset: Dataset, target: int, usable: NDArray[np.bool_], rng: np.random.Generator, owner: str
) -> int | None:
    """The row an instance is, where it is named by its number or not at all; None where it is something else.

    Raises
    ------
    ConfigError
        When there is no such row, or none of another class than the target.
    """
    if value is None:
        others = np.flatnonzero(usable & (dataset.labels.codes >= 0) & (dataset.labels.codes != target))
        if not len(others):
            raise ConfigError(f"{owner}: no row of another class could be the instance; name one")
        return int(rng.choice(others))
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if not 0 <= value < len(dataset) or not usable[value]:
            raise ConfigError(f"{owner}: instance is row {value} and there is no such row that can be used")
        if dataset.labels.codes[value] == target:
            raise ConfigError(
                f"{owner}: row {value} is of the target class already; name another row or target"
            )
        return int(value)
    return None


def read_picture(value: Any, dataset: Dataset, owner: str) -> Images:
    """An instance that is no row, as ``[1, H, W, C]`` of the shape of the images of the data.

    Parameters
    ----------
    value : ndarray, nested list, or str
        Pixels, an image file, or ``FILE.npz:ROW``, a row of the ``x`` of an archive.

    Raises
    ------
    ConfigError
        When it cannot be read or has another shape.
    """
    wanted = images_at(dataset, np.array([0])).shape[1:]
    pixels: Any = None
    if isinstance(value, str):
        name, colon, row = value.rpartition(":")
        if colon and name.endswith(".npz") and row.isdecimal() and Path(name).is_file():
            table = open_file(Path(name)).read().slice(int(row), 1)
            if len(table) and "x" in table.column_names:
                pixels = images_from_tensor(table.column("x"))[0]
        elif Path(value).is_file():
            found = decode_image(Path(value), DEFAULT_LIMITS)
            pixels = None if found is None else found[0]
    else:
        pixels = np.asarray(value)
    if pixels is None:
        raise ConfigError(
            f"{owner}: instance {str(value)[:80]!r} cannot be read; name a row, an image file or FILE.npz:ROW"
        )
    plain = pixels if pixels.ndim == 3 else pixels[..., None]
    if plain.shape != wanted or not np.issubdtype(plain.dtype, np.integer):
        raise ConfigError(
            f"{owner}: the instance is {pixels.dtype} {pixels.shape} and the images are uint8 {wanted}"
        )
    picture: Images = plain[None].astype(np.uint8)
    return picture
