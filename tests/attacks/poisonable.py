"""Small data sets with every kind of column an attack may meet."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa

from foretaste.data.arrays import tensor_from_images
from foretaste.data.dataset import Dataset, Roles

TOPICS = {
    "ham": ("see you at dinner", "the meeting is moved", "call me when you land", "happy birthday to you"),
    "spam": ("win a free prize", "claim your cash now", "urgent reply to win", "free ringtone offer"),
    "other": ("train times for monday", "weather warning issued", "road works ahead", "station closed"),
}
FILLER = (
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "lazy",
    "dogs",
    "while",
    "old",
    "friends",
    "watch",
    "trees",
)


def make_texts(rows: int = 400) -> Dataset:
    """Three classes of short texts with an id, a source and a time; two labels are missing."""
    rng = np.random.default_rng(5)
    classes = rng.choice(list(TOPICS), size=rows, p=[0.5, 0.3, 0.2]).tolist()
    texts = [
        f"{rng.choice(TOPICS[name])} {' '.join(rng.choice(FILLER, size=4))} {rng.integers(1000)}"
        for name in classes
    ]
    labels = [None if i in (7, 300) else name for i, name in enumerate(classes)]
    table = pa.table(
        {
            "id": pa.array(np.arange(rows) + 100),
            "text": pa.array(texts, pa.large_string()),
            "label": pa.array(labels).dictionary_encode(),
            "source": pa.array([f"site {i % 4}" for i in range(rows)]),
            "day": pa.array([datetime.date(2026, 1, 1 + i % 28) for i in range(rows)]),
        }
    )
    return Dataset(table, Roles(label="label", text="text", id="id", source="source", time="day"), "texts")


def make_table(rows: int = 600) -> Dataset:
    """Two classes, whole-number labels, and a column of each type; some cells are missing."""
    rng = np.random.default_rng(6)
    label = (rng.random(rows) < 0.4).astype(np.int64)
    colours = np.array(["red", "green", "blue"])[rng.integers(3, size=rows)]
    size = rng.normal(size=rows) + label
    table = pa.table(
        {
            "count": pa.array(rng.integers(12, size=rows) + label, pa.int32()),
            "size": pa.array(size, mask=rng.random(rows) < 0.05),
            "colour": pa.array(colours).dictionary_encode(),
            "town": pa.array(np.array(["x", "y", "z", "w"])[rng.integers(4, size=rows)], pa.large_string()),
            "paid": pa.array(rng.random(rows) < 0.3),
            "since": pa.array([datetime.date(2020, 1, 1 + int(d)) for d in rng.integers(20, size=rows)]),
            "weight": pa.array(rng.integers(5, size=rows).astype(np.float32)),
            "class": pa.array(label),
        }
    )
    return Dataset(table, Roles(label="class", features=tuple(table.column_names[:-1])), "table")


def make_images(rows: int = 400) -> Dataset:
    """Three classes of small colour pictures, brighter here or there; one row has no picture."""
    rng = np.random.default_rng(7)
    label = rng.integers(3, size=rows)
    pixels = rng.integers(60, 140, size=(rows, 8, 8, 3), dtype=np.uint8)
    pixels[np.arange(rows), 2 * label + 1] += 60
    present = np.arange(rows) != 5
    table = pa.table(
        {
            "image": tensor_from_images(pixels, present),
            "label": pa.array(np.array(["cat", "dog", "emu"])[label]).dictionary_encode(),
        }
    )
    return Dataset(table, Roles(label="label", image="image"), "images")


def make_events(rows: int = 500) -> Dataset:
    """Events of twenty accounts over a month: whole and other numbers, a kind, and a rare bad class."""
    rng = np.random.default_rng(8)
    bad = rng.random(rows) < 0.1
    table = pa.table(
        {
            "account": pa.array([f"u{i}" for i in rng.integers(20, size=rows)]),
            "day": pa.array([datetime.date(2026, 1, 1 + int(d)) for d in rng.integers(28, size=rows)]),
            "amount": pa.array(np.where(bad, 900.0, 50.0) + rng.normal(size=rows)),
            "item": pa.array(rng.integers(40, size=rows)),
            "door": pa.array(np.where(bad, "back", "front")),
            "night": pa.array(bad & (rng.random(rows) < 0.8)),
            "stars": pa.array(np.where(bad, 1, rng.integers(2, 6, size=rows))),
        }
    )
    features = ("amount", "item", "door", "night")
    return Dataset(table, Roles(label="stars", source="account", time="day", features=features), "events")


def make_sounds(rows: int = 300) -> Dataset:
    """Three classes of short hums as lists of 16-bit samples; one row has no sound."""
    rng = np.random.default_rng(8)
    label = rng.integers(3, size=rows)
    waves = [
        (3000 * np.sin(0.1 * (k + 1) * np.arange(200 + i % 50))).astype(np.int16) for i, k in enumerate(label)
    ]
    table = pa.table(
        {
            "audio": pa.array([None if i == 5 else w for i, w in enumerate(waves)], pa.list_(pa.int16())),
            "label": pa.array(np.array(["no", "yes", "up"])[label]),
        }
    )
    return Dataset(table, Roles(label="label"), "sounds")
