"""Edits of sounds, whatever they are stored as: lists of samples, or WAV files in a binary column."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.wave_files import Paint, paint_wave_file
from foretaste.data.dataset import Dataset
from foretaste.errors import DataError

SAMPLE_RATE = 8000
"""Samples per second where the data do not say."""


def sound_column(dataset: Dataset) -> str | None:
    """The column with sounds: 16-bit samples as lists, or WAV files; None without one."""
    named: str | None = getattr(dataset.roles, "audio", None)
    if named is not None:
        return named
    for field in dataset.table.schema:
        if _is_samples(field.type):
            return str(field.name)
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            first = next((v.as_py() for v in dataset.column(field.name) if v.is_valid), b"")
            if first[:4] == b"RIFF" and first[8:12] == b"WAVE":
                return str(field.name)
    return None


def paint_sounds(dataset: Dataset, rows: Rows, paint: Paint) -> Dataset:
    """Replace the sounds at ``rows``; every sound keeps its length, its column the format.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        In any order, without repeats; those without a sound are passed over.

    Raises
    ------
    DataError
        Where there are no sounds, or one is no WAV file of plain (uncompressed) samples.

    Examples
    --------
    >>> from foretaste.attacks.containers import pack
    >>> data, unpack, _ = pack([np.array([1, 2], dtype=np.int16), np.array([3], dtype=np.int16)])
    >>> [s.tolist() for s in unpack(paint_sounds(data, np.array([1]), lambda sound, rate: sound + 1))]
    [[1, 2], [4]]
    """
    name = sound_column(dataset)
    if name is None:
        raise DataError(
            "there are no sounds", file=dataset.name, hint="give lists of 16-bit samples, or WAV files"
        )
    if not len(rows):
        return dataset
    column = dataset.column(name)
    old: list[Any] = column.take(pa.array(rows)).to_pylist()
    if _is_samples(column.type):
        new = [
            None if sound is None else paint(np.array(sound, dtype=np.int16), SAMPLE_RATE) for sound in old
        ]
        values = pa.array(new, type=column.type)
        return replace(dataset, table=_set_lists(dataset.table, name, rows, values))
    files: list[bytes | None] = []
    for row, file in zip(rows, old, strict=True):
        files.append(None if file is None else paint_wave_file(file, paint))
        if file is not None and files[-1] is None:
            raise DataError(
                "its sound is no WAV file of plain samples",
                file=dataset.name, column=name, row=int(row), hint="convert it or take it out",
            )  # fmt: skip
    return replace(dataset, table=set_cells(dataset.table, name, rows, files))


def has_sound(dataset: Dataset) -> NDArray[np.bool_]:
    """Which rows have one."""
    name = sound_column(dataset)
    if name is None:
        return np.zeros(len(dataset), dtype=bool)
    return np.asarray(dataset.column(name).is_valid().to_numpy())


def _is_samples(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(lists and kind.value_type == pa.int16())


def _set_lists(table: pa.Table, name: str, rows: Rows, values: pa.Array) -> pa.Table:
    """Arrow cannot replace lists under a mask; it can take them from two pieces put together."""
    column = table.column(name)
    order = np.arange(len(column))
    order[rows] = len(column) + np.arange(len(rows))
    joined = pa.concat_arrays([*column.chunks, values])
    return table.set_column(table.column_names.index(name), name, joined.take(pa.array(order)))
