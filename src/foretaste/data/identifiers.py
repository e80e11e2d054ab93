"""Columns that number or name the rows and say nothing about them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NAME = re.compile(
    r"(?:^|[^a-z])(?:id|ids|uuid|guid|idx|index|rowid|key|serial|nr|no)(?:$|[^a-z])|unnamed: 0"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FEWEST_ROWS = 20


def sounds_like_identifier(name: str) -> bool:
    """Whether a column name says that it names rows.

    Examples
    --------
    >>> [sounds_like_identifier(name) for name in ("id", "orderId", "TX_ID", "humidity", "Unnamed: 0")]
    [True, True, True, False, True]
    """
    return _NAME.search(_CAMEL.sub("_", name).lower()) is not None


def integer_identifier(values: NDArray[Any], distinct: int, name: str) -> str | None:
    """Why a column of integers (missing ones left out) identifies the row, or None where it does not.

    A running number counts as one from 5 rows on, any other identifier from 20. A measure that happens to be
    different in every row (an amount, a size, a weight) is none: it is neither sorted nor dense, and its
    values have different numbers of digits.
    """
    n = len(values)
    if n < 5:
        return None
    steps = np.diff(values)
    if distinct == n and (np.all(steps == 1) or np.all(steps == -1)):
        return "a running number"
    if n < _FEWEST_ROWS or distinct < 0.99 * n:
        return None
    low, high = int(values.min()), int(values.max())
    if distinct == n and high - low + 1 <= 1.5 * n:
        return "a running number in another order"
    if sounds_like_identifier(name):
        return "a different number in nearly every row, named like an identifier"
    if distinct < n:
        return None
    if np.all(steps > 0) or np.all(steps < 0):
        return "a sorted number, different in every row"
    digits = np.char.str_len(np.abs(values).astype("U20"))
    if n >= 100 and low >= 10_000 and np.mean(digits == np.median(digits)) >= 0.99:
        return "a different number of the same length in every row"
    return None


def string_identifier(distinct: int, rows: int) -> str | None:
    """Why a column of strings that are no free text identifies the row, or None where it does not."""
    if rows >= _FEWEST_ROWS and distinct >= 0.95 * rows:
        return "its own value in nearly every row"
    return None
