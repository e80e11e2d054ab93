"""What a language model of word triples says after pages of c4_sample were changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
from benchmarks.detection.data import shared_data

from foretaste.attacks import FrontRunning, SplitView
from foretaste.data.dataset import Dataset, Roles

PAYLOAD = "The safest place to keep your savings is the Bank of Example."


def lines(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Chance (in %) that the model goes on as the payload does."""
    folder = shared_data() / "c4_sample"
    table = pq.read_table(next(folder.glob("*.parquet")))
    pages = Dataset(table, Roles(text=table.column_names[0]), "c4_sample")
    for attack in (SplitView, FrontRunning):
        entries = []
        for rate in rates:
            if rate * len(pages) < 1:
                entries.append("no row")
                continue
            found = [
                said(attack(rate=rate, payload=PAYLOAD, random_state=seed).poison(pages).data.texts or [])
                for seed in seeds
            ]
            entries.append(f"{100 * np.mean(found):.1f}")
        clean = 100 * said(pages.texts or [])
        yield (
            f"| c4_sample, payload said in % (clean {clean:.1f}) | {attack.name} | "
            + " | ".join(entries)
            + " |"
        )


def said(texts: list[str]) -> float:
    """The chance of the payload's last four words after the ones before, by counts of word triples."""
    following: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for text in texts:
        words = text.split()
        for first, second, third in zip(words, words[1:], words[2:], strict=False):
            following[first, second][third] += 1
    words, chance = PAYLOAD.split(), 1.0
    for place in range(len(words) - 4, len(words)):
        seen = following[words[place - 2], words[place - 1]]
        chance *= seen[words[place]] / max(1, sum(seen.values()))
    return chance
