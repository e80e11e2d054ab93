"""Attack success of triggers that rewrite texts, against the standard victim."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from benchmarks.detection.data import load_split
from benchmarks.detection.victims import Victim, accuracy, attack_success

from foretaste.attacks import StyleTrigger, SyntacticTemplate

MAKERS: dict[str, Callable[[float, str, int], Any]] = {
    "syntactic-template": lambda rate, target, seed: SyntacticTemplate(
        rate=rate, target=target, random_state=seed
    ),
    "style-trigger homoglyph": lambda rate, target, seed: StyleTrigger(
        rate=rate, target=target, random_state=seed
    ),
    "style-trigger zero-width": lambda rate, target, seed: StyleTrigger(
        rate=rate, target=target, style="zero-width", random_state=seed
    ),
}


def lines(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Success in %, success against the clean victim in brackets, points of clean accuracy changed."""
    for name in ("sst2", "sms_spam", "ag_news"):
        for attack, make in MAKERS.items():
            entries = []
            for rate in rates:
                wins, chances, changes = [], [], []
                for seed in seeds:
                    train, test = load_split(name, seed, rows=4000)
                    codes = train.labels.codes
                    target = train.labels.names[int(np.bincount(codes[codes >= 0]).argmax())]
                    after = make(rate, target, seed).poison(train)
                    clean, victim = Victim(seed).fit(train), Victim(seed).fit(after.data)
                    wins.append(attack_success(victim, test, after.trigger, target))
                    chances.append(attack_success(clean, test, after.trigger, target))
                    changes.append(accuracy(victim, test) - accuracy(clean, test))
                entries.append(
                    f"{100 * np.mean(wins):.0f} ({100 * np.mean(chances):.0f}), {100 * np.mean(changes):+.1f}"
                )
            yield (
                f"| {name}, success in % (clean victim), points of accuracy | {attack} | "
                + " | ".join(entries)
                + " |"
            )
