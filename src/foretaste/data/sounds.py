"""WAVE files as spectrograms: pictures of which pitch sounds when."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foretaste.data.limits import Limits

BANDS = 64
FRAMES = 64
RANGE = 80.0
"""Decibels below the loudest point of a clip that are told apart."""

_WINDOW = 0.032
_LOWEST = 40.0
_HIGHEST = 8000.0
_LEAST_RATE, _MOST_RATE = 1000, 768_000
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_BITS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}


def read_wave(source: bytes | Path, limits: Limits) -> tuple[NDArray[np.float32], int] | None:
    """Samples from -1 to 1, channels averaged, and samples per second; None where this is no sound WAVE file.

    Parameters
    ----------
    source : bytes or path
        RIFF WAVE with integers of 8, 16, 24 or 32 bits or floats of 32 or 64.
    limits : Limits
        A file with more bytes than ``record_bytes`` is not read.

    References
    ----------
    IBM and Microsoft, "Multimedia programming interface and data specifications 1.0" (1991).
    """
    if isinstance(source, Path):
        try:
            if source.stat().st_size > limits.record_bytes:
                return None
            source = source.read_bytes()
        except OSError:
            return None
    if len(source) > limits.record_bytes:
        return None
    found = find_samples(source)
    if found is None:
        return None
    form, place = found
    body = source[place]
    if form.floating:
        values: NDArray[np.floating] = _whole(body, f"<f{form.bits // 8}")
    elif form.bits == 8:
        values = (_whole(body, "u1") - 128.0) / 128
    elif form.bits == 24:
        triples = np.frombuffer(body[: len(body) // 3 * 3], np.uint8).reshape(-1, 3)
        wide = np.zeros((len(triples), 4), np.uint8)
        wide[:, 1:] = triples
        values = wide.view("<i4")[:, 0] / np.float32(2**31)
    else:
        values = _whole(body, f"<i{form.bits // 8}") / np.float32(2 ** (form.bits - 1))
    values = values[: len(values) // form.channels * form.channels].reshape(-1, form.channels)
    if not len(values):
        return None
    with np.errstate(all="ignore"):
        mono = np.nan_to_num(values.mean(axis=1), nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(mono, -4, 4).astype(np.float32), form.rate


class SampleForm(NamedTuple):
    """How the samples of a WAVE file are written: little-endian, those of 8 bits unsigned."""

    floating: bool
    bits: int
    channels: int
    rate: int


def find_samples(file: bytes) -> tuple[SampleForm, slice] | None:
    """How the samples of a WAVE file are written and where; None where this is no file we can read."""
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        return None
    form: SampleForm | None = None
    start = 12
    while start + 8 <= len(file):
        name, size = file[start : start + 4], int.from_bytes(file[start + 4 : start + 8], "little")
        start += 8
        if name == b"fmt ":
            form = _form(file[start : start + size])
        elif name == b"data" and form is not None:
            return form, slice(start, min(start + size, len(file)))
        start += size + size % 2
    return None


def _form(chunk: bytes) -> SampleForm | None:
    if len(chunk) < 16:
        return None
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        kind = int.from_bytes(chunk[24:26], "little")
    known = bits in _BITS.get(kind, ())
    if not known or not 1 <= channels <= 64 or not _LEAST_RATE <= rate <= _MOST_RATE:
        return None
    return SampleForm(kind == _FLOAT, bits, channels, rate)


def _whole(body: bytes, kind: str) -> NDArray[np.float32]:
    width = np.dtype(kind).itemsize
    with np.errstate(all="ignore"):
        return np.frombuffer(body[: len(body) // width * width], kind).astype(np.float32)


def spectrogram(samples: NDArray[np.float32], rate: int) -> NDArray[np.uint8]:
    """A clip as an image of `BANDS` x `FRAMES`, low pitch at the bottom; 255 is its loudest point.

    The frames are spread evenly over the clip, so that clips of any length have the same size. Bands are
    triangles of equal width on the mel scale.

    References
    ----------
    Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", IEEE
    TASSP 28 (1980).

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)
    >>> picture = spectrogram(tone, 8000)
    >>> picture.shape, int(picture.mean(axis=1).argmax())
    ((64, 64), 35)
    """
    width = max(16, round(_WINDOW * rate))
    clip = np.pad(samples, (0, max(0, width - len(samples))))
    starts = np.linspace(0, len(clip) - width, FRAMES).astype(np.int64)
    frames = clip[starts[:, None] + np.arange(width)] * np.hanning(width)
    size = 1 << (width - 1).bit_length()
    power = np.square(np.abs(np.fft.rfft(frames, size, axis=1)))
    bands = power @ _mel_bands(rate, size)
    loudness = 10 * np.log10(np.maximum(bands, 1e-12))
    relative = (loudness - loudness.max()) / RANGE + 1
    picture = np.round(255 * np.clip(relative, 0, 1)) if bands.max() > 1e-11 else np.zeros_like(relative)
    return np.asarray(picture.T[::-1], np.uint8)


@cache
def _mel_bands(rate: int, size: int) -> NDArray[np.float64]:
    """Weights of frequencies in bands, shape (size / 2 + 1, `BANDS`); every band has a frequency."""
    frequency = np.fft.rfftfreq(size, 1 / rate)
    edges = np.linspace(_mel(_LOWEST), _mel(min(_HIGHEST, rate / 2)), BANDS + 2)
    position = (_mel(frequency)[:, None] - edges[1:-1]) / (edges[1] - edges[0])
    weights = np.maximum(1 - np.abs(position), 0)
    for band in np.flatnonzero(weights.sum(axis=0) == 0):  # low bands are narrower than a step of frequency
        weights[np.abs(position[:, band]).argmin(), band] = 1
    return np.asarray(weights / weights.sum(axis=0), np.float64)


def _mel(frequency: float | NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(2595 * np.log10(1 + np.asarray(frequency) / 700), np.float64)
