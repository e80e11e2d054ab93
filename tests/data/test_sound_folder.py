"""WAVE files: read as written, seen as spectrograms, refused when hostile."""

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.data import Dataset, open_file
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.data.sounds import read_wave, spectrogram
from foretaste.errors import DataError

RATE = 8000


def tone(frequency, seconds=0.5, rate=RATE):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def wav(samples, width=2, rate=RATE, channels=1):
    """As the standard library writes it."""
    scaled = np.asarray(samples) * 0.9
    if width == 1:
        body = np.round(scaled * 127 + 128).astype(np.uint8).tobytes()
    else:
        wide = np.round(scaled * (2 ** (8 * width - 1) - 1)).astype("<i4")
        body = wide.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(body)
    return file.getvalue()


@pytest.mark.parametrize(("width", "error"), [(1, 0.015), (2, 1e-4), (3, 1e-6), (4, 1e-6)])
def test_samples_come_back_as_the_standard_library_wrote_them(width, error):
    samples, rate = read_wave(wav(tone(440), width), DEFAULT_LIMITS)
    assert rate == RATE
    assert np.allclose(samples, 0.9 * tone(440), atol=error)


def test_channels_are_averaged():
    both = np.stack([tone(440), -tone(440)], axis=1).ravel()
    samples, _ = read_wave(wav(both, channels=2), DEFAULT_LIMITS)
    assert len(samples) == len(tone(440))
    assert np.abs(samples).max() < 1e-3


def test_floats_and_other_chunks_are_read():
    body = struct.pack("<4f", 0.5, -0.5, float("nan"), 1.0)
    form = struct.pack("<HHIIHH", 3, 1, RATE, 4 * RATE, 4, 32)
    chunks = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", 16) + body
    samples, _ = read_wave(b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks, DEFAULT_LIMITS)
    assert samples.tolist() == [0.5, -0.5, 0.0, 1.0]


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_higher_tones_lie_higher_in_the_picture_and_louder_ones_look_the_same(rate):
    rows = [int(spectrogram(tone(f, rate=rate), rate).mean(axis=1).argmax()) for f in (200, 500, 1500, 3500)]
    assert rows == sorted(rows, reverse=True)
    assert len(set(rows)) == 4
    assert (spectrogram(tone(500), RATE) == spectrogram(0.1 * tone(500), RATE)).all()


def test_clips_of_any_length_have_the_same_size():
    for samples in (np.zeros(0), np.ones(1), tone(300, 0.01), tone(300, 3)):
        assert spectrogram(samples.astype(np.float32), RATE).shape == (64, 64)
    assert not spectrogram(np.zeros(4000, np.float32), RATE).any()


def test_a_folder_of_classes_is_one_row_per_sound(tmp_path):
    for name, frequency in (("low", 200), ("high", 2000)):
        (tmp_path / name).mkdir()
        for i in range(3):
            (tmp_path / name / f"{i}.wav").write_bytes(wav(tone(frequency, 0.2 + 0.1 * i)))
    (tmp_path / "low" / "broken.wav").write_bytes(b"RIFF no")
    data = Dataset.read(tmp_path)
    assert data.column("label").to_pylist() == ["high"] * 3 + ["low"] * 4
    assert data.roles.image == "spectrogram"
    assert data.images.shape == (7, 64, 64)
    assert data.has_image.tolist() == [True] * 6 + [False]
    assert any("low/broken.wav" in note for note in data.notes)
    keep = np.array([True, False, True, True, True, True, False])
    open_file(tmp_path).write_rows(keep, tmp_path.with_name("kept"))
    assert len(open_file(tmp_path.with_name("kept")).read()) == 5


def test_a_folder_of_neither_says_so(tmp_path):
    with pytest.raises(DataError, match="no class folders"):
        open_file(tmp_path)


def test_large_files_are_not_read():
    assert read_wave(wav(tone(440)), Limits(record_bytes=1000)) is None


@given(st.binary(max_size=200), st.integers(0, 60), st.integers(0, 255))
def test_hostile_bytes_give_nothing_or_sound_never_an_error(tail, place, byte):
    good = bytearray(wav(tone(440, 0.01)))
    good[min(place, len(good) - 1)] = byte
    for content in (bytes(good), bytes(good[: 44 + place]) + tail, b"RIFF\0\0\0\0WAVE" + tail, tail):
        found = read_wave(content, DEFAULT_LIMITS)
        if found is not None:
            assert np.isfinite(found[0]).all()
            assert spectrogram(*found).shape == (64, 64)
