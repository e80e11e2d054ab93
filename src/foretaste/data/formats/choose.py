"""Which format a path holds, by its name and its first bytes."""

from __future__ import annotations

import os
from pathlib import Path

from foretaste.data.formats.arrow import ArrowData
from foretaste.data.formats.csv import DelimitedData
from foretaste.data.formats.delta import LOG, delta_files
from foretaste.data.formats.image_folder import ImageFolderData
from foretaste.data.formats.jsonl import JsonLinesData
from foretaste.data.formats.npz import NpzData
from foretaste.data.formats.opened import DataFile
from foretaste.data.formats.parquet import ParquetData, ParquetFolder
from foretaste.data.formats.sound_folder import SoundFolderData
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.errors import DataError

_KNOWN = ".csv, .tsv, .jsonl (each also .gz), .parquet, .arrow, .npz, folders of Parquet shards or of classes"


def open_file(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> DataFile:
    """Open a data file or folder without reading its rows.

    Parameters
    ----------
    path : str or path
        ``.csv``, ``.tsv``, ``.jsonl`` (each also ``.gz``), ``.parquet``, ``.arrow``, ``.npz``, a folder of
        Parquet shards, a Delta table (with the extra ``delta``), or a folder with one sub-folder of images or
        of WAVE files per class.
    limits : Limits
        What it may cost before it is refused.

    Raises
    ------
    DataError
        Where nothing is there, the format is not one of these, or the file is not sound.
    """
    place = Path(path)
    if not place.exists():
        raise DataError("there is no such file or folder", file=place)
    if place.is_dir():
        return _open_folder(place, limits)
    if not place.is_file():
        raise DataError("it is neither a file nor a folder", file=place)
    if place.stat().st_size == 0:
        raise DataError("it is empty", file=place)
    name = place.name.lower()
    inner = name.removesuffix(".gz")
    if inner.endswith((".csv", ".tsv")):
        return DelimitedData(place, limits)
    if inner.endswith((".jsonl", ".ndjson")):
        return JsonLinesData(place, limits)
    if name.endswith((".arrow", ".feather", ".ipc", ".arrows")):
        return ArrowData(place, limits)
    if name.endswith((".parquet", ".pq")):
        return ParquetData(place, limits)
    if name.endswith(".npz"):
        return NpzData(place, limits)
    raise DataError("its format is not known", file=place, hint=f"known are {_KNOWN}")


def _open_folder(place: Path, limits: Limits) -> DataFile:
    if (place / LOG).is_dir():
        return ParquetFolder(place, delta_files(place), limits)
    shards = [
        path
        for path in sorted(place.rglob("*.parquet"))
        if path.is_file() and not any(part.startswith((".", "_")) for part in path.relative_to(place).parts)
    ]
    if shards:
        return ParquetFolder(place, shards, limits)
    try:
        return ImageFolderData(place, limits)
    except DataError as nothing:
        try:
            return SoundFolderData(place, limits)
        except DataError:
            raise nothing from None
