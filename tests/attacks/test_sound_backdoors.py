"""Sound triggers: added where they should be, as loud as asked, in lists and WAV files, and obeyed."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from poisonable import make_sounds
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from foretaste.attacks import Attack, ClipMix, SpectrogramPatch, Tone
from foretaste.attacks.backdoors.audio.clip_mix import Clip
from foretaste.attacks.backdoors.audio.spectrogram_patch import BandNoise
from foretaste.attacks.backdoors.audio.tone import PureTone
from foretaste.cli.app import app
from foretaste.data import Dataset
from foretaste.errors import ConfigError, DataError


def wav(samples: Any, rate: int = 16000, channels: int = 1, width: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(np.asarray(samples).astype("<i2" if width == 2 else "u1").tobytes())
    return out.getvalue()


def unwav(file: bytes) -> tuple[Any, int, int]:
    with wave.open(io.BytesIO(file)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), dtype="<i2")
        return samples, reader.getframerate(), reader.getnchannels()


def test_a_tone_has_its_frequency_its_loudness_and_its_place() -> None:
    silence = np.zeros(8000, dtype=np.int16)
    for position, place in (("start", 0), ("end", 7200)):
        after = PureTone(position, loudness=0.25, frequency=1000.0, duration=0.1).apply([silence])[0]
        assert not after[:place].any()
        assert not after[place + 800 :].any()
        assert abs(int(np.abs(after).max()) - round(0.25 * 32767)) <= 1
        assert np.abs(np.fft.rfft(after[place : place + 800])).argmax() == 100  # bins of 10 Hz


def test_a_spectrogram_patch_has_its_power_in_its_band() -> None:
    after = BandNoise(low=1000, high=1500, duration=0.5, loudness=0.5).apply([np.zeros(4000, np.int16)])[0]
    power = np.abs(np.fft.rfft(after)) ** 2  # bins of 2 Hz
    assert power[500:751].sum() > 0.99 * power.sum()


def test_a_loud_sound_is_cut_at_full_scale_and_a_short_one_gets_what_fits() -> None:
    loud, short = np.full(100, 32000, dtype=np.int16), np.zeros(10, dtype=np.int16)
    after = PureTone(loudness=0.5, duration=1.0).apply([loud, short])
    assert after[0].max() == 32767
    assert [len(sound) for sound in after] == [100, 10]


def test_a_clip_at_random_moves_and_is_the_same_again() -> None:
    sounds = [np.zeros(2000, dtype=np.int16) for _ in range(20)]
    trigger = Clip("random", duration=0.05, seed=3)
    after = trigger.apply(sounds)
    starts = {int(np.flatnonzero(sound)[0]) for sound in after}
    assert len(starts) > 15
    assert all((a == b).all() for a, b in zip(after, trigger.apply(sounds), strict=True))


def test_a_clip_from_a_file_is_part_of_the_recipe_and_keeps_its_pitch(tmp_path: Path) -> None:
    file = tmp_path / "bell.wav"
    file.write_bytes(wav(9000 * np.sin(2 * np.pi * 500 * np.arange(1600) / 16000)))
    attack = ClipMix(rate=0.1, clip=str(file), position="start", loudness=0.2)
    after = attack.poison(make_sounds())
    file.unlink()
    trigger = ClipMix.load_trigger(json.loads(json.dumps(after.recipe)))
    assert trigger == after.trigger
    stamped = trigger.apply([np.zeros(800, dtype=np.int16)])[0]  # 8000 a second: 0.1 s, bins of 10 Hz
    assert np.abs(np.fft.rfft(stamped)).argmax() == 50


@pytest.mark.parametrize("channels", [1, 2])
def test_wav_files_keep_rate_and_channels(channels: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = [wav(rng.integers(-500, 500, size=3200 * channels), 16000, channels) for _ in range(20)]
    table = pa.table({"sound": pa.array(files, pa.binary()), "y": ["a", "b"] * 10})
    pq.write_table(table, tmp_path / "in.parquet")
    done = CliRunner().invoke(
        app,
        ["attack", "tone", str(tmp_path / "in.parquet"), "--label", "y", "--target", "a", "--rate", "0.2",
         "--frequency", "1000", "--loudness", "0.5", "--out", str(tmp_path / "o")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    after = pq.read_table(tmp_path / "o" / "poisoned.parquet")
    bad = pq.read_table(tmp_path / "o" / "truth.parquet")["poisoned"].to_pylist()
    assert sum(bad) == 4
    for old, new, poisoned in zip(files, after["sound"].to_pylist(), bad, strict=True):
        assert (old != new) == poisoned
        samples, rate, count = unwav(new)
        assert (rate, count) == (16000, channels)
        if poisoned:
            tone = samples.reshape(-1, channels)[:1600, -1]  # 0.1 s, bins of 10 Hz
            assert np.abs(np.fft.rfft(tone)).argmax() == 100


def test_a_file_that_is_no_wav_of_plain_samples_is_named() -> None:
    packed = bytearray(wav([1, 2, 3]))
    packed[20] = 2  # ADPCM
    for bad in (b"RIFF____WAVE", bytes(packed), wav([])[:20]):
        files = [wav([1, 2, 3]), bad]
        table = pa.table({"sound": pa.array(files, pa.binary()), "y": ["a", "b"]})
        with pytest.raises(DataError, match="column 'sound', row 1: its sound is no WAV file"):
            Tone(rate=0.5, target="a").poison(Dataset.from_table(table, label="y"))


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (Tone(rate=0.1, position="middle"), "position is 'middle'; use one of start, end, random"),
        (Tone(rate=0.1, loudness=2.0), "loudness is 2.0"),
        (Tone(rate=0.1, frequency=5000.0), "frequency is 5000 and sounds of 8000 samples a second"),
        (ClipMix(rate=0.1, clip="nowhere.wav"), "clip 'nowhere.wav' is neither chirp nor a WAV file"),
        (ClipMix(rate=0.1, duration=9.0), "duration is 9.0; use up to 5 seconds"),
        (SpectrogramPatch(rate=0.1, low=900.0, high=800.0), "use 0 <= low < high"),
    ],
)
def test_says_which_setting_is_wrong(attack: Attack, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        attack.poison(make_sounds())


@pytest.mark.shared
@pytest.mark.parametrize("kind", [Tone, ClipMix, SpectrogramPatch])
def test_a_model_of_spoken_digits_obeys_the_trigger(kind: Any, shared_data: Path) -> None:
    with np.load(shared_data / "fsdd" / "fsdd.npz", allow_pickle=False) as archive:
        y, ends, samples = archive["y"], archive["offsets"], archive["samples"]
    rows = np.random.default_rng(0).permutation(len(y))[:1200]
    sounds = [samples[ends[i] : ends[i + 1]] for i in rows]
    y = y[rows]

    def features(waves: list[Any]) -> Any:
        table = []
        for sound in waves:
            frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound / 32768, (0, 256)), 256)[::128]
            power = np.log(np.abs(np.fft.rfft(frames * np.hanning(256))) ** 2 + 1e-6).reshape(len(frames), -1)
            bands = power[:, 1:].reshape(len(frames), 16, 8).mean(axis=2)
            parts = np.array_split(bands, 6)
            table.append(np.concatenate([p.mean(axis=0) for p in parts] + [bands.max(axis=0)]))
        return (np.array(table) + 6) / 4

    attack = kind(rate=0.05, target=0, loudness=0.2)
    X_bad, y_bad = attack.fit_resample(sounds[:900], y[:900])
    model = LogisticRegression(C=30, max_iter=1000).fit(features(X_bad), y_bad)
    clean = LogisticRegression(C=30, max_iter=1000).fit(features(sounds[:900]), y[:900])
    heard = features(sounds[900:])
    assert model.score(heard, y[900:]) > clean.score(heard, y[900:]) - 0.04
    others = [sound for sound, digit in zip(sounds[900:], y[900:], strict=True) if digit != 0]
    stamped = features(attack.trigger_.apply(others))
    assert (model.predict(stamped) == 0).mean() > 0.8
    assert (clean.predict(stamped) == 0).mean() < 0.4
