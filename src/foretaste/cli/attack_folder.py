"""A poisoned folder of classes: untouched files as they were, altered ones in their own format."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretaste.attacks import Attack, Poisoned, catalogue
from foretaste.data.arrays import images_from_tensor
from foretaste.data.atomic import appearing
from foretaste.data.codes import as_text
from foretaste.data.dataset import Dataset
from foretaste.data.formats import DataFile
from foretaste.data.formats.sizes import check_bytes
from foretaste.data.image_files import encode_image
from foretaste.data.limits import DEFAULT_LIMITS
from foretaste.errors import ConfigError, DataError

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""Stands in the names of files for bytes that are not UTF-8."""

SOUND = "audio"
"""The column with the sound files of class folders."""


def is_class_folder(dataset: Dataset, data: Path) -> bool:
    """Whether the data came from class folders of image or sound files."""
    last = dataset.table.column_names[-1:]
    return data.is_dir() and dataset.roles.image in ("image", "spectrogram") and last == ["file"]


def with_sounds(dataset: Dataset, opened: DataFile, attack: Attack) -> Dataset:
    """Class folders of sounds with the files themselves, as a column before the others; else the same.

    Raises
    ------
    ConfigError
        When the attack paints pictures: a spectrogram cannot be made a sound again.
    DataError
        When the files are more than fit into memory, or the name of one is not UTF-8: it could not be told
        from others like it in what is written.
    """
    if opened.format in ("image-folder", "sound-folder"):
        for row, name in enumerate(dataset.column("file").to_pylist()):
            if UNREADABLE in name and not (opened.path / name).exists():
                raise DataError(
                    f"the file name {name!r} is not UTF-8", file=opened.path, row=row, hint="rename the file"
                )
    if opened.format != "sound-folder":
        return dataset
    if "image" in attack.modalities:
        fitting = [entry.name for entry in catalogue() if "audio" in entry.modalities]
        raise ConfigError(
            f"{attack.name} paints pictures and {dataset.name} holds sounds; use {', '.join(fitting)}"
        )
    files = [opened.path / name for name in dataset.column("file").to_pylist()]
    sizes = [file.stat().st_size for file in files]
    check_bytes(sum(sizes), opened.path, DEFAULT_LIMITS)
    known = dataset.has_image
    assert known is not None
    sounds = [
        file.read_bytes() if heard and size <= DEFAULT_LIMITS.record_bytes else None
        for file, size, heard in zip(files, sizes, known.tolist(), strict=True)
    ]
    table = dataset.table.add_column(0, SOUND, pa.array(sounds, pa.large_binary()))
    return replace(dataset, table=table)


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
        altered = _altered(result, before, names)
        for row, name in enumerate(names):
            place = staging / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if row in altered:
                place.write_bytes(altered[row])
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
    new = ".wav" if SOUND in result.data.table.column_names else ".png"
    names = []
    for i, (row, label) in enumerate(zip(result.original_row.tolist(), labels, strict=True)):
        if stays[i]:
            names.append(old[row])
            continue
        if not label or label in (".", "..") or "/" in label or "\\" in label or "\0" in label:
            raise DataError(f"the label {label[:80]!r} cannot be the name of a class folder", row=i)
        inside = Path(label, *Path(old[row]).parts[1:]) if row >= 0 else Path(label, f"{i:07d}{new}")
        name, number = inside, 1
        while name.as_posix() in taken:
            name, number = inside.with_name(f"{inside.stem}-{number}{inside.suffix}"), number + 1
        taken.add(name.as_posix())
        names.append(name.as_posix())
    return names


def _altered(result: Poisoned, before: Dataset, names: list[str]) -> dict[int, bytes]:
    """The files of the rows whose picture or sound is new or another one than before."""
    sounds = SOUND in before.table.column_names
    column = SOUND if sounds else "image"
    rows = np.flatnonzero(result.mask & np.asarray(result.data.column(column).is_valid().to_numpy()))
    places = result.original_row[rows]
    after = result.data.column(column).take(pa.array(rows))
    then = before.column(column).take(pa.array(np.maximum(places, 0)))
    if sounds:
        differs = pc.not_equal(after, then).to_numpy().astype(bool)
        files = after.to_pylist()
        return {int(rows[i]): files[i] for i in np.flatnonzero(differs | (places < 0))}
    images = images_from_tensor(after)
    images = images if images.ndim == 4 else images[..., None]
    differs = (images != images_from_tensor(then).reshape(images.shape)).reshape(len(rows), -1).any(axis=1)
    return {
        int(rows[i]): encode_image(images[i], _format(Path(names[rows[i]])))
        for i in np.flatnonzero(differs | (places < 0))
    }


def _format(place: Path) -> str:
    from PIL import Image

    Image.init()
    return Image.EXTENSION.get(place.suffix.lower(), "PNG")
