"""What copies have in common, in words: a template of their text, or the columns that tell them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.features.patterns import Condition, Values, exactly
from foretaste.features.table import Column, TableFeatures

LONGEST = 120
"""Characters of a template."""

_COMMON = 0.6  # share of the copies a part of the template is in
_COLUMNS = 3
_SAMPLE = 200


def shared_text(texts: list[list[str]]) -> tuple[str, list[dict[str, Any]]]:
    """The tokens most of the texts share, as the most typical one orders them, gaps as dots; and each run.

    Examples
    --------
    >>> shared_text([["parcel", "no", "7", "waits"], ["parcel", "no", "8", "waits"]])
    ('parcel no … waits', [{'token': 'parcel no'}, {'token': 'waits'}])
    """
    texts = texts[:: max(1, len(texts) // _SAMPLE)]
    found = Counter(token for tokens in texts for token in set(tokens))
    common = {token for token, count in found.items() if count >= _COMMON * len(texts)}
    typical = max(texts, key=lambda tokens: len(common & set(tokens)) - 0.1 * len(set(tokens) - common))
    runs: list[list[str]] = []
    length, joined = 0, False
    for token in typical:
        if token not in common:
            joined = False
            continue
        if length + len(token) + 3 > LONGEST:
            break
        if joined:
            runs[-1].append(token)
        else:
            runs.append([token])
        joined = True
        length += len(token) + (1 if len(runs[-1]) > 1 else 3)
    phrases = [" ".join(run) for run in runs]
    return " … ".join(phrases) or "alike in most words", [{"token": phrase} for phrase in phrases]


def shared_values(table: TableFeatures, rows: NDArray[np.int64]) -> tuple[str, list[dict[str, Any]]]:
    """The few columns in which most of the rows agree and few others do."""
    told = []
    for column in table.columns:
        condition, share = _agreement(column, rows)
        if condition is not None:
            told.append((share, condition))
    told.sort(key=lambda pair: pair[0])
    shape = Values(tuple(condition for _, condition in told[:_COLUMNS]))
    if not shape.conditions:
        return "alike in most columns", []
    return _cut(f"rows alike in {shape.describe()}"), shape.parts()


def _agreement(column: Column, rows: NDArray[np.int64]) -> tuple[Condition | None, float]:
    """The value or range that most of the rows have, and the share of all rows that have it."""
    values = column.values
    own = values[rows]
    levels, counts = np.unique(own[~np.isnan(own)], return_counts=True)
    if len(levels) and counts.max() >= _COMMON * len(rows):
        value = float(levels[counts.argmax()])
        return exactly(column, value), float((values == value).mean())
    if not column.numeric or not len(levels):
        return None, 1.0
    low, high = np.nanquantile(own, [0.1, 0.9])
    share = float(((values >= low) & (values <= high)).mean())
    return Condition(column.name, low=float(low), high=float(high), closed=True, moment=column.moment), share


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
