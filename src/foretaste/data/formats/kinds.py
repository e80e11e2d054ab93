"""The types that a column without a declared type can turn out to have, and how they join."""

from __future__ import annotations

from enum import Enum

import pyarrow as pa


class Kind(Enum):
    """The type of a text column so far."""

    EMPTY = pa.null()
    INTEGER = pa.int64()
    LONG_INTEGER = "an integer beyond 64 bits"
    CODE = "an integer with leading zeros"
    NUMBER = pa.float64()
    TRUTH = pa.bool_()
    DATE = pa.date32()
    MOMENT = pa.timestamp("us")
    FINE_MOMENT = pa.timestamp("ns")
    INSTANT = pa.timestamp("us", "UTC")
    FINE_INSTANT = pa.timestamp("ns", "UTC")
    TEXT = pa.string()

    @property
    def type(self) -> pa.DataType:
        """The Arrow type; integers that do not fit and codes with leading zeros stay text."""
        return self.value if isinstance(self.value, pa.DataType) else pa.string()


_WIDER = {
    frozenset({Kind.INTEGER, Kind.LONG_INTEGER}): Kind.LONG_INTEGER,
    frozenset({Kind.INTEGER, Kind.CODE}): Kind.CODE,
    frozenset({Kind.LONG_INTEGER, Kind.CODE}): Kind.CODE,
    frozenset({Kind.INTEGER, Kind.NUMBER}): Kind.NUMBER,
    frozenset({Kind.LONG_INTEGER, Kind.NUMBER}): Kind.NUMBER,
    frozenset({Kind.DATE, Kind.MOMENT}): Kind.MOMENT,
    frozenset({Kind.DATE, Kind.FINE_MOMENT}): Kind.FINE_MOMENT,
    frozenset({Kind.MOMENT, Kind.FINE_MOMENT}): Kind.FINE_MOMENT,
    frozenset({Kind.INSTANT, Kind.FINE_INSTANT}): Kind.FINE_INSTANT,
}


def join(first: Kind, second: Kind) -> Kind:
    """The narrowest kind that holds both.

    Examples
    --------
    >>> join(Kind.INTEGER, Kind.NUMBER), join(Kind.DATE, Kind.TRUTH), join(Kind.EMPTY, Kind.DATE)
    (<Kind.NUMBER: DataType(double)>, <Kind.TEXT: DataType(string)>, <Kind.DATE: Date32Type(date32[day])>)
    """
    if first is second or second is Kind.EMPTY:
        return first
    if first is Kind.EMPTY:
        return second
    return _WIDER.get(frozenset({first, second}), Kind.TEXT)
