"""Painting WAVE files: the samples change, every other byte of the file stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foretaste.data.sounds import SampleForm, find_samples

Wave = NDArray[np.int16]
"""``[n]``, or ``[n, channels]``."""

Paint = Callable[[Wave, int], Wave]
"""A new sound for an old one and its samples per second."""

_FULL = 2**15


def paint_wave_file(file: bytes, paint: Paint) -> bytes | None:
    """The file with its sound painted; it keeps rate, channels, precision and everything beside the samples.

    Parameters
    ----------
    file : bytes
        RIFF WAVE with integers of 8, 16, 24 or 32 bits or floats of 32 or 64.
    paint : callable
        Is given the sound in 16 bits; what it adds is added at the precision of the file.

    Returns
    -------
    bytes or None
        None where this is no such file, or it holds no sound.

    Examples
    --------
    >>> import struct
    >>> form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    >>> file = b"RIFF" + struct.pack("<I", 39) + b"WAVE" + form + b"data" + struct.pack("<I", 3) + bytes(3)
    >>> list(paint_wave_file(file, lambda sound, rate: sound + 256)[-3:])
    [1, 1, 1]
    """
    found = find_samples(file)
    if found is None:
        return None
    form, place = found
    width = form.bits // 8 * form.channels
    place = slice(place.start, place.stop - (place.stop - place.start) % width)
    if place.stop <= place.start:
        return None
    exact = _decode(file[place], form)
    sound = np.clip(np.rint(np.nan_to_num(exact)), -_FULL, _FULL - 1).astype(np.int16)
    painted = paint(sound[:, 0] if form.channels == 1 else sound, form.rate).reshape(sound.shape)
    exact += painted.astype(np.float64) - sound
    return file[: place.start] + _encode(exact, form) + file[place.stop :]


def _decode(body: bytes, form: SampleForm) -> NDArray[np.float64]:
    """Samples ``[n, channels]`` in units of 16 bits; doubles hold all that 32 bits do."""
    if form.floating:
        with np.errstate(all="ignore"):  # hostile files hold numbers that do not fit
            values = np.frombuffer(body, f"<f{form.bits // 8}").astype(np.float64) * _FULL
    elif form.bits == 8:
        values = (np.frombuffer(body, "u1") - 128.0) * 2**8
    elif form.bits == 24:
        wide = np.zeros((len(body) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)
        values = wide.view("<i4")[:, 0] / 2**16
    else:
        values = np.frombuffer(body, f"<i{form.bits // 8}") / 2 ** (form.bits - 16)
    return values.reshape(-1, form.channels)


def _encode(samples: NDArray[np.float64], form: SampleForm) -> bytes:
    if form.floating:
        with np.errstate(all="ignore"):
            return (samples / _FULL).astype(f"<f{form.bits // 8}").tobytes()
    bound = 2.0 ** (form.bits - 1)
    whole = np.clip(np.rint(samples * bound / _FULL), -bound, bound - 1)
    if form.bits == 8:
        return (whole + 128).astype("u1").tobytes()
    if form.bits == 24:
        return whole.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return whole.astype(f"<i{form.bits // 8}").tobytes()
