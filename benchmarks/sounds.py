"""Sounds with a trigger, seen as spectrograms: what is found of each attack, what in clean data.

    python -m benchmarks.sounds --rows 3000 --seeds 1,2,3
    python -m benchmarks.sounds --write FOLDER --attacks tone:.03 --seeds 1   # WAVE files, for foretaste scan

Prints one line a cell, as `benchmarks.images` does.
"""

from __future__ import annotations

import argparse
import time
import wave
from pathlib import Path

import numpy as np
import pyarrow as pa
from benchmarks.detection.data import shared_data
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from foretaste.attacks import find_attack
from foretaste.data import Dataset, from_arrays
from foretaste.data.dataset import Roles
from foretaste.data.sounds import spectrogram
from foretaste.detect.artefacts.shared import SharedArtefacts
from foretaste.detect.context import Context

RATE = 8000
ATTACKS = "none,tone:.02,tone:.03,clip-mix:.02,clip-mix:.03,spectrogram-patch:.02,spectrogram-patch:.03"

Sounds = list[NDArray[np.int16]]


def load(rows: int, seed: int) -> tuple[Sounds, NDArray[np.str_]]:
    """A random part of fsdd: samples at 8 kHz and the digit said."""
    with np.load(shared_data() / "fsdd" / "fsdd.npz") as arrays:
        samples, offsets, y = arrays["samples"], arrays["offsets"], arrays["y"]
    chosen = np.random.default_rng(seed).permutation(len(y))[:rows]
    return [samples[offsets[i] : offsets[i + 1]] for i in chosen], y[chosen].astype(str)


def poisoned(attack: str, rows: int, seed: int) -> tuple[Sounds, NDArray[np.str_], NDArray[np.int64]]:
    """Sounds, labels, and the rows the attack altered."""
    sounds, labels = load(rows, seed)
    kind, _, rate = attack.partition(":")
    if kind == "none":
        return sounds, labels, np.zeros(0, np.int64)
    table = pa.table({"audio": pa.array(sounds, pa.list_(pa.int16())), "label": pa.array(labels)})
    done = find_attack(kind)(rate=float(rate), target=str(seed % 10), random_state=seed).poison(
        Dataset(table, Roles(label="label"))
    )
    column = done.data.column("audio").combine_chunks()
    heard = [value.values.to_numpy().copy() for value in column]
    return heard, np.array(done.data.column("label").to_pylist()), np.flatnonzero(done.mask)


def cell(attack: str, rows: int, seed: int) -> str:
    """One line about one attack and seed."""
    sounds, labels, altered = poisoned(attack, rows, seed)
    pictures = np.stack([spectrogram(sound.astype(np.float32) / 2**15, RATE) for sound in sounds])
    started = time.process_time()
    with threadpool_limits(1):
        found = SharedArtefacts().examine(Context(from_arrays(pictures, labels), jobs=1)).campaigns
    seconds = time.process_time() - started
    flagged = np.unique(np.concatenate([np.zeros(0, np.int64), *(c.rows for c in found)]))
    hit = len(np.intersect1d(flagged, altered))
    shown = "; ".join(f"{c.rule} {c.pattern} ({c.parts[0]['view']}, {c.statistic.value:.1f})" for c in found)
    return (
        f"{attack:<24}{seed:>4}{len(altered):>6}{len(flagged):>6}{hit / max(len(altered), 1):>7.2f}"
        f"{1 - hit / max(len(flagged), 1) if len(flagged) else 0:>6.2f}{seconds:>6.0f} s  {shown}"
    )


def write(folder: Path, attack: str, rows: int, seed: int) -> None:
    """WAVE files in one folder per class, as a user has them."""
    sounds, labels, altered = poisoned(attack, rows, seed)
    marked = set(altered.tolist())
    for i, (sound, label) in enumerate(zip(sounds, labels, strict=True)):
        place = folder / str(label) / f"{i:05d}{'-altered' if i in marked else ''}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(place), "wb") as out:
            out.setparams((1, 2, RATE, 0, "NONE", ""))
            out.writeframes(sound.astype("<i2").tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--attacks", default=ATTACKS)
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write one cell as files and stop")
    chosen = parser.parse_args()
    if chosen.write:
        write(chosen.write, chosen.attacks.split(",")[0], chosen.rows, int(chosen.seeds.split(",")[0]))
        return
    print(f"{'attack':<24}{'seed':>4}{'rows':>6}{'found':>6}{'recall':>7}{'FDR':>6}{'CPU':>6}")
    for attack in chosen.attacks.split(","):
        for seed in map(int, chosen.seeds.split(",")):
            print(cell(attack, chosen.rows, seed), flush=True)


if __name__ == "__main__":
    main()
