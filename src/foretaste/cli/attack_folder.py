"""A poisoned folder of classes: untouched files as they were, altered ones in their own format."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks import Poisoned
from foretaste.data.arrays import images_from_tensor
from foretaste.data.atomic import appearing
from foretaste.data.codes import as_text
from foretaste.data.dataset import Dataset
from foretaste.data.image_files import encode_image
from foretaste.errors import DataError


def is_class_folder(dataset: Dataset, data: Path) -> bool:
    """Whether the data came from class folders of image files."""
    return data.is_dir() and dataset.roles.image == "image" and dataset.table.column_names[-1:] == ["file"]


def write_class_folder(result: Poisoned, before: Dataset, data: Path, out: Path) -> Poisoned:
    """Write the poisoned files; a row of another class moves into that folder.

    Returns
    -------
    Poisoned
        The same with its rows in the order in which the new folder is read: that of the paths.
    """
    labels = [as_text(label) for label in result.data.column("label")]
    old = before.column("file").to_pylist()
    names = _names(result, labels, old)
    with appearing(out) as staging:
        changed = _changed(result, before)
        images = images_from_tensor(result.data.column("image").take(pa.array(changed)))
        number = {int(row): i for i, row in enumerate(changed)}
        for row, name in enumerate(names):
            place = staging / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if row in number:
                pixels = images[number[row]]
                axes = pixels if pixels.ndim == 3 else pixels[..., None]
                place.write_bytes(encode_image(axes, _format(place)))
            else:
                shutil.copyfile(data / old[result.original_row[row]], place)
    order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    return replace(
        result,
        data=result.data.with_column("file", pa.array(names)).take(order),
        mask=result.mask[order],
        cover=result.cover[order],
        original_row=result.original_row[order],
        original_label=result.original_label.take(pa.array(order)),
    )


def _names(result: Poisoned, labels: list[str], old: list[str]) -> list[str]:
    """The path of every row below the folder; those that stay in their class keep theirs."""
    stays = [
        row >= 0 and old[row].split("/", 1)[0] == label
        for row, label in zip(result.original_row.tolist(), labels, strict=True)
    ]
    taken = {old[row] for row, same in zip(result.original_row.tolist(), stays, strict=True) if same}
    names = []
    for i, (row, label) in enumerate(zip(result.original_row.tolist(), labels, strict=True)):
        if stays[i]:
            names.append(old[row])
            continue
        if not label or label in (".", "..") or "/" in label or "\\" in label or "\0" in label:
            raise DataError(f"the label {label[:80]!r} cannot be the name of a class folder", row=i)
        inside = Path(label, *Path(old[row]).parts[1:]) if row >= 0 else Path(label, f"{i:07d}.png")
        name, number = inside, 1
        while name.as_posix() in taken:
            name, number = inside.with_name(f"{inside.stem}-{number}{inside.suffix}"), number + 1
        taken.add(name.as_posix())
        names.append(name.as_posix())
    return names


def _changed(result: Poisoned, before: Dataset) -> NDArray[np.int64]:
    """Rows whose picture is new or another one than before."""
    rows = np.flatnonzero(result.mask & np.asarray(result.data.column("image").is_valid().to_numpy()))
    places = result.original_row[rows]
    now = images_from_tensor(result.data.column("image").take(pa.array(rows)))
    then = images_from_tensor(before.column("image").take(pa.array(np.maximum(places, 0))))
    differs = (now != then).reshape(len(rows), -1).any(axis=1)
    changed: NDArray[np.int64] = rows[differs | (places < 0)]
    return changed


def _format(place: Path) -> str:
    from PIL import Image

    Image.init()
    return Image.EXTENSION.get(place.suffix.lower(), "PNG")
