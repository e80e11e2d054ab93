"""Success of backdoors in sounds: spoken digits, seen as spectrograms by a small net."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from benchmarks.sounds import RATE, Sounds, load

from foretaste.attacks import ClipMix, SpectrogramPatch, Tone
from foretaste.data.sounds import spectrogram
from foretaste.redteam.networks import standard_images

MAKERS: dict[str, Callable[[float, int], Any]] = {
    "tone": lambda rate, seed: Tone(rate=rate, target="0", random_state=seed),
    "clip-mix": lambda rate, seed: ClipMix(rate=rate, target="0", random_state=seed),
    "spectrogram-patch": lambda rate, seed: SpectrogramPatch(rate=rate, target="0", random_state=seed),
}
ROWS = 1800
TRAINING = 1200


def lines(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Success in %, success against the clean victim in brackets, points of clean accuracy changed."""
    parts = {seed: load(ROWS, seed) for seed in seeds}
    clean = {
        seed: trained(sounds[:TRAINING], labels[:TRAINING], seed) for seed, (sounds, labels) in parts.items()
    }
    right = np.mean([accuracy(clean[seed], *held(part)) for seed, part in parts.items()])
    for name, make in MAKERS.items():
        entries = []
        for rate in rates:
            found = []
            for seed, part in parts.items():
                (sounds, labels), (asked, truth) = part, held(part)
                attack = make(rate, seed)
                victim = trained(*attack.fit_resample(sounds[:TRAINING], labels[:TRAINING]), seed)
                stamped = attack.trigger_.apply(
                    [sound for sound, digit in zip(asked, truth, strict=True) if digit != "0"]
                )
                wins, chance = (
                    (model.predict(pictures(stamped)) == 0).mean() for model in (victim, clean[seed])
                )
                change = accuracy(victim, asked, truth) - accuracy(clean[seed], asked, truth)
                found.append((wins, chance, change))
            success, chance, change = 100 * np.mean(found, axis=0)
            entries.append(f"{success:.0f} ({chance:.0f}), {change:+.1f}")
        measure = f"fsdd (clean {right:.3f}), success in % (clean victim), points of accuracy"
        yield f"| {measure} | {name} | {' | '.join(entries)} |"


def held(part: tuple[Sounds, Any]) -> tuple[Sounds, Any]:
    """The sounds and digits that nothing was trained on."""
    return part[0][TRAINING:], part[1][TRAINING:]


def trained(sounds: Sounds, labels: Any, seed: int) -> Any:
    return standard_images(10, seed).fit(pictures(sounds), np.asarray(labels).astype(np.int64))


def accuracy(victim: Any, sounds: Sounds, labels: Any) -> float:
    return float((victim.predict(pictures(sounds)) == labels.astype(np.int64)).mean())


def pictures(sounds: Sounds) -> Any:
    """Spectrograms averaged to 32 x 32, for a processor."""
    large = np.stack([spectrogram(sound.astype(np.float32) / 2**15, RATE) for sound in sounds])
    number, height, width = large.shape
    return np.rint(large.reshape(number, 32, height // 32, 32, width // 32).mean(axis=(2, 4))).astype(
        np.uint8
    )
