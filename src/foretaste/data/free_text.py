"""Telling sentences from categories: which string columns are free text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

_SAMPLE = 2000
_LONGEST = 2000
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S|(?:[\w-]+\.)+[a-z]{2,}(?:[/:?#]\S*)?$", re.IGNORECASE)
_UNSPACED = (
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
    "TIBETAN",
    "BOPOMOFO",
    "YI",
)


@dataclass(frozen=True, slots=True)
class TextShape:
    """What the values of a string column look like, from an even sample of up to 2,000 of them.

    Attributes
    ----------
    words : float
        Mean count of words between white space.
    length : float
        Median length in characters.
    addresses : float
        Share of values that are URLs or host names.
    unspaced : float
        Share of letters from scripts that put no space between words.
    """

    words: float
    length: float
    addresses: float
    unspaced: float


def text_shape(values: pa.Array) -> TextShape:
    """Measure a string array without missing values."""
    positions = np.unique(np.linspace(0, max(0, len(values) - 1), min(_SAMPLE, len(values))).astype(np.int64))
    texts = [text[:_LONGEST] for text in values.take(pa.array(positions)).to_pylist()]
    if not texts:
        return TextShape(0.0, 0.0, 0.0, 0.0)
    words = float(np.mean([len(text.split()) for text in texts]))
    length = float(np.median([len(text) for text in texts]))
    addresses = float(np.mean([_ADDRESS.match(text.strip()) is not None for text in texts]))
    letters = [c for text in texts[:200] for c in text[:100] if ord(c) > 0x0E00 and c.isalpha()]
    total = sum(c.isalpha() for text in texts[:200] for c in text[:100])
    unspaced = sum(unicodedata.name(c, "").startswith(_UNSPACED) for c in letters) / max(1, total)
    return TextShape(words, length, addresses, unspaced)


def is_free_text(shape: TextShape, distinct: float) -> bool:
    """Whether a column of this shape, with this share of distinct values, is free text.

    Sentences: three words and 15 characters or more, mostly different. Long sentences may repeat more, as a
    spam campaign does. URLs and host names, and scripts without spaces, count by their characters.
    """
    if shape.words >= 3 and shape.length >= 15:
        return distinct >= (0.5 if shape.words < 6 else 0.2)
    if shape.addresses >= 0.5:
        return distinct >= 0.3
    return shape.unspaced >= 0.3 and shape.length >= 8 and distinct >= 0.5
