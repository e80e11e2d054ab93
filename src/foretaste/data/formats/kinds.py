"""The types that a column without a declared type can turn out to have, and how they join."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum, auto

import pyarrow as pa
import pyarrow.compute as pc


class Kind(Enum):
    """The type of an undeclared column so far.

    ``LONG_INTEGER`` is beyond 64 bits, ``CODE`` has leading zeros: both stay text. ``FINE`` moments have
    fractions of a second, ``FAR`` ones lie outside the years 1678 to 2261, which nanoseconds can count.
    """

    EMPTY = auto()
    INTEGER = auto()
    LONG_INTEGER = auto()
    CODE = auto()
    NUMBER = auto()
    TRUTH = auto()
    CLOCK = auto()
    DATE = auto()
    FAR_DATE = auto()
    MOMENT = auto()
    FAR_MOMENT = auto()
    FINE_MOMENT = auto()
    INSTANT = auto()
    FAR_INSTANT = auto()
    FINE_INSTANT = auto()
    TEXT = auto()

    @property
    def type(self) -> pa.DataType:
        """The Arrow type of a column of this kind."""
        return _TYPES.get(self, pa.string())


def kinds_named(names: str) -> list[Kind]:
    """Kinds by their names, with spaces between; those that are none are left out.

    Examples
    --------
    >>> kinds_named("INTEGER TEXT")
    [<Kind.INTEGER: 2>, <Kind.TEXT: 16>]
    """
    return [Kind[name] for name in names.split() if name in Kind.__members__]


def spelled(kinds: Mapping[str, Kind]) -> str:
    """Columns and their kinds as text, which `read_spelled` reads."""
    return json.dumps([[name, kind.name] for name, kind in kinds.items()])


def read_spelled(text: str) -> dict[str, Kind]:
    """Columns and their kinds; empty where the text is no such thing.

    Examples
    --------
    >>> read_spelled(spelled({"a": Kind.DATE})), read_spelled("[1]")
    ({'a': <Kind.DATE: 8>}, {})
    """
    try:
        return {str(name): Kind[kind] for name, kind in json.loads(text)}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}


_TYPES = {
    Kind.EMPTY: pa.null(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.TRUTH: pa.bool_(),
    Kind.CLOCK: pa.time32("s"),
    Kind.DATE: pa.date32(),
    Kind.FAR_DATE: pa.date32(),
    Kind.MOMENT: pa.timestamp("s"),
    Kind.FAR_MOMENT: pa.timestamp("s"),
    Kind.FINE_MOMENT: pa.timestamp("ns"),
    Kind.INSTANT: pa.timestamp("s", "UTC"),
    Kind.FAR_INSTANT: pa.timestamp("s", "UTC"),
    Kind.FINE_INSTANT: pa.timestamp("ns", "UTC"),
}

_LADDERS = (
    (Kind.INTEGER, Kind.LONG_INTEGER, Kind.CODE),
    (Kind.INTEGER, Kind.LONG_INTEGER, Kind.NUMBER),
    (Kind.DATE, Kind.MOMENT, Kind.FINE_MOMENT),
    (Kind.DATE, Kind.MOMENT, Kind.FAR_MOMENT),
    (Kind.DATE, Kind.FAR_DATE, Kind.FAR_MOMENT),
    (Kind.INSTANT, Kind.FINE_INSTANT),
    (Kind.INSTANT, Kind.FAR_INSTANT),
)
"""Each kind holds what those before it hold."""

_CLOSE = (-9_214_560_000, 9_214_646_399)
"""Seconds since 1970 of the years 1678 to 2261."""


def join(first: Kind, second: Kind) -> Kind:
    """The narrowest kind that holds both.

    Examples
    --------
    >>> join(Kind.INTEGER, Kind.NUMBER), join(Kind.DATE, Kind.TRUTH), join(Kind.EMPTY, Kind.DATE)
    (<Kind.NUMBER: 5>, <Kind.TEXT: 16>, <Kind.DATE: 8>)
    """
    if first is second or second is Kind.EMPTY:
        return first
    if first is Kind.EMPTY:
        return second
    if {first, second} == {Kind.FAR_DATE, Kind.MOMENT}:
        return Kind.FAR_MOMENT
    for ladder in _LADDERS:
        if first in ladder and second in ladder:
            return max(first, second, key=ladder.index)
    return Kind.TEXT


def kind_of_column(column: pa.ChunkedArray) -> Kind:
    """The kind of a block of a column whose type Arrow inferred."""
    inferred = column.type
    kind = next((kind for kind, known in _TYPES.items() if known == inferred), Kind.TEXT)
    far = {Kind.DATE: Kind.FAR_DATE, Kind.MOMENT: Kind.FAR_MOMENT, Kind.INSTANT: Kind.FAR_INSTANT}.get(kind)
    if far is not None:
        ends = pc.min_max(column.cast(pa.timestamp("s")).cast(pa.int64()))
        if ends["min"].as_py() < _CLOSE[0] or ends["max"].as_py() > _CLOSE[1]:
            return far
    return kind


def casts(source: Kind, target: Kind) -> bool:
    """Whether a column of one kind becomes the other without a look at its text."""
    if source is target or source.type == target.type:
        return True
    return target.type != pa.string() and join(source, target) is target
