"""Patterns a trigger can be made of: what rows can share, said in words and looked for again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data import Dataset, encode, in_words, stored_numbers
from foretaste.features.table import Column
from foretaste.features.text import shortened, tokenize
from foretaste.features.writing import writing_of


class Pattern(Protocol):
    """Something rows can share."""

    def describe(self) -> str:
        """The pattern in words: a phrase, ``feature=value & feature=value``."""
        ...

    def parts(self) -> list[dict[str, Any]]:
        """What a report highlights, as plain data."""
        ...

    def matches(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Which rows of any data set with the same columns have it."""
        ...


@dataclass(frozen=True)
class Phrases:
    """Rows whose text holds every one of some phrases, each a run of tokens."""

    phrases: tuple[str, ...]

    def describe(self) -> str:
        return " & ".join(self.phrases)

    def parts(self) -> list[dict[str, Any]]:
        return [{"token": phrase} for phrase in self.phrases]

    def matches(self, dataset: Dataset) -> NDArray[np.bool_]:
        texts = dataset.texts
        if texts is None:
            return np.zeros(len(dataset), bool)
        wanted = [f" {phrase} " for phrase in self.phrases]
        return np.array([_has_all(text, wanted) for text in texts], bool)


def _has_all(text: str, wanted: Sequence[str]) -> bool:
    joined = f" {' '.join(tokenize(text))} "
    return all(phrase in joined for phrase in wanted)


@dataclass(frozen=True)
class Writing:
    """Rows whose text is written in some way: see `foretaste.features.writing`."""

    marks: tuple[str, ...]

    def describe(self) -> str:
        return " & ".join(self.marks)

    def parts(self) -> list[dict[str, Any]]:
        return [{"token": mark} for mark in self.marks]

    def matches(self, dataset: Dataset) -> NDArray[np.bool_]:
        texts = dataset.texts
        if texts is None:
            return np.zeros(len(dataset), bool)
        wanted = set(self.marks)
        return np.array([wanted <= writing_of(shortened(text)) for text in texts], bool)


@dataclass(frozen=True)
class Condition:
    """One column's part of a pattern: equal to ``value``, or ``low <= number < high`` (<= if ``closed``).

    Numbers have both: the value in words, and itself as ``low`` and ``high``. Of dates and times, ``moment``
    is the type in whose unit the numbers are.
    """

    column: str
    value: str | None = None
    low: float | None = None
    high: float | None = None
    closed: bool = False
    moment: pa.DataType | None = None

    def describe(self) -> str:
        if self.value is not None:
            return f"{self.column}={self.value}"
        low, high = (in_words(float(end), self.moment) for end in (self.low or 0.0, self.high or 0.0))
        return f"{self.column} in [{low}, {high}{']' if self.closed else ')'}"


def exactly(column: Column, value: float) -> Condition:
    """The condition to have this value of a column."""
    at = value if column.numeric else None
    return Condition(column.name, column.text(value), at, at, column.numeric, column.moment)


@dataclass(frozen=True)
class Values:
    """Rows that meet every one of some conditions on columns."""

    conditions: tuple[Condition, ...]

    def describe(self) -> str:
        return " & ".join(condition.describe() for condition in self.conditions)

    def parts(self) -> list[dict[str, Any]]:
        return [
            {"column": c.column, "op": "==", "value": c.value}
            if c.value is not None
            else {"column": c.column, "op": "in", "value": c.describe(), "low": c.low, "high": c.high}
            for c in self.conditions
        ]

    def matches(self, dataset: Dataset) -> NDArray[np.bool_]:
        mask = np.ones(len(dataset), bool)
        for condition in self.conditions:
            column = dataset.column(condition.column)
            if condition.low is None or condition.high is None:
                coded = encode(column)
                wanted = {i for i, name in enumerate(coded.names) if name == condition.value}
                if condition.value == "missing":
                    wanted.add(-1)
                mask &= np.isin(coded.codes, list(wanted))
                continue
            numbers = stored_numbers(column)
            below = numbers <= condition.high if condition.closed else numbers < condition.high
            mask &= (numbers >= condition.low) & below
        return mask
