"""Class folders of sounds on the command line: the same layout back, untouched files byte for byte."""

from __future__ import annotations

import io
import json
import struct
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from foretaste.attacks.wave_files import paint_wave_file
from foretaste.cli.app import app
from foretaste.data import open_file
from foretaste.data.sounds import find_samples

RATE = 8000


def wav(samples: Any, bits: int = 16, floating: bool = False, channels: int = 1) -> bytes:
    """Samples of 16 bits at another precision, with a note of the recorder before and after them."""
    scaled = np.asarray(samples, np.float64) / 2**15
    if floating:
        body = scaled.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        body = np.round(scaled * 127 + 128).astype("u1").tobytes()
    else:
        wide = np.round(scaled * (2 ** (bits - 1) - 1)).astype("<i4")
        body = wide.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
    width = bits // 8 * channels
    form = struct.pack("<HHIIHH", 3 if floating else 1, channels, RATE, RATE * width, width, bits)
    note = b"LIST" + struct.pack("<I", 4) + b"note"
    chunks = note + b"fmt " + struct.pack("<I", 16) + form
    chunks += b"data" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) + note
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


FORMS = [(8, False), (16, False), (24, False), (32, False), (32, True), (64, True)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve sounds of each of two classes, in sub-folders too, of every precision, and a broken file."""
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        for i in range(12):
            bits, floating = FORMS[i % len(FORMS)]
            place = tmp_path / "sounds" / label / ("far" if i < 3 else "near") / f"{i:02d}.wav"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(wav(rng.integers(-3000, 3000, size=2 * 2000), bits, floating, channels=2))
    (tmp_path / "sounds" / "dog" / "broken.wav").write_bytes(b"RIFF....WAVEfmt ")
    return tmp_path / "sounds"


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def files(place: Path) -> list[str]:
    return open_file(place).read()["file"].to_pylist()


def heard(file: bytes) -> Any:
    """The left channel of the first tenth of a second, as 16 bits."""
    found: list[Any] = []

    def listen(sound: Any, rate: int) -> Any:
        found.append(sound[: rate // 10, 0])
        return sound

    assert paint_wave_file(file, listen) == file
    return found[0].astype(float)


@pytest.mark.parametrize("attack", ["tone", "clip-mix", "spectrogram-patch"])
def test_a_folder_of_sounds_is_written_like_the_one_before(attack: str, folder: Path, tmp_path: Path) -> None:
    done = run("attack", attack, folder, "--target", "cat", "--rate", 0.48, "--out", tmp_path / "o")
    assert done.exit_code == 0, done.output
    old, new = files(folder), files(tmp_path / "o" / "poisoned")
    truth = pq.read_table(tmp_path / "o" / "truth.parquet").to_pydict()
    assert len(new) == len(old) == 25
    assert sum(truth["poisoned"]) == 12  # the broken one has no sound to hide in
    for row, place in enumerate(truth["original_row"]):
        before = (folder / old[place]).read_bytes()
        after = (tmp_path / "o" / "poisoned" / new[row]).read_bytes()
        assert truth["original_label"][row] == old[place].split("/")[0]
        assert (before != after) == truth["poisoned"][row]
        if truth["poisoned"][row]:
            assert (old[place][:3], new[row][:3]) == ("dog", "cat")
            assert len(before) == len(after)
            assert find_samples(before) == find_samples(after)
        else:
            assert new[row] == old[place]


def test_a_tone_is_in_poisoned_files_of_every_precision_and_in_stamped_ones(
    folder: Path, tmp_path: Path
) -> None:
    recipe, loud = tmp_path / "o" / "recipe.json", ("--frequency", 1000, "--loudness", 0.5)
    assert run("attack", "tone", folder, "--rate", 0.2, *loud, "--out", tmp_path / "o").exit_code == 0
    extra = ("--recipe", recipe, "--trigger-only", "--out", tmp_path / "t")
    done = run("attack", "tone", folder, *extra)
    assert done.exit_code == 0, done.output
    assert files(tmp_path / "t" / "poisoned") == files(folder)
    assert json.loads(recipe.read_text())["data"]["columns"] == ["audio", "spectrogram", "label", "file"]
    for name in files(folder):
        before = (folder / name).read_bytes()
        after = (tmp_path / "t" / "poisoned" / name).read_bytes()
        if name.endswith("broken.wav"):
            assert before == after
            continue
        added = heard(after) - heard(before)
        assert np.abs(np.fft.rfft(added)).argmax() == 100  # bins of 10 Hz
        assert np.abs(added).max() == pytest.approx(0.5 * 32767, rel=0.02)


def test_flipped_labels_of_sounds_are_files_that_moved(folder: Path, tmp_path: Path) -> None:
    done = run("attack", "label-flip", folder, "--rate", 0.1, "--out", tmp_path / "o")
    assert done.exit_code == 0, done.output
    old, new = files(folder), files(tmp_path / "o" / "poisoned")
    truth = pq.read_table(tmp_path / "o" / "truth.parquet").to_pydict()
    for row, place in enumerate(truth["original_row"]):
        same = (folder / old[place]).read_bytes() == (tmp_path / "o" / "poisoned" / new[row]).read_bytes()
        assert same
        assert (old[place] != new[row]) == truth["poisoned"][row]


def test_pictures_cannot_be_painted_on_sounds(folder: Path, tmp_path: Path) -> None:
    done = run("attack", "badnets", folder, "--out", tmp_path / "o")
    assert done.exit_code == 2
    assert "sounds holds sounds; use clip-mix, spectrogram-patch, tone" in str(done.output + done.stderr)
    assert not (tmp_path / "o").exists()


def test_what_the_standard_library_wrote_is_painted_as_its_samples_say() -> None:
    out, samples = io.BytesIO(), np.arange(-500, 500, dtype=np.int16)
    with wave.open(out, "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    painted = paint_wave_file(out.getvalue(), lambda sound, rate: (sound // 2).astype(np.int16))
    assert painted is not None
    with wave.open(io.BytesIO(painted)) as reader:
        assert (np.frombuffer(reader.readframes(1000), "<i2") == samples // 2).all()


@given(st.binary(max_size=40), st.sampled_from(FORMS), st.integers(1, 3), st.data())
def test_any_bytes_are_painted_or_refused(body: bytes, form: Any, channels: int, data: Any) -> None:
    file = bytearray(wav([0] * 6 * channels, *form, channels=channels) + body)
    for place in data.draw(st.lists(st.integers(0, len(file) - 1), max_size=4)):
        file[place] = data.draw(st.integers(0, 255))
    painted = paint_wave_file(bytes(file), lambda sound, rate: sound[::-1])
    assert painted is None or len(painted) == len(file)
