"""JSON values as columns: what type a column has, and the one text of a value that is no plain scalar."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from foretaste.data.formats.kinds import Kind, join
from foretaste.data.plain import json_text

_LONGEST_INTEGER = 4000


class RepeatedKeyError(ValueError):
    """An object has the same key twice; carries the key."""


def decoder(*, strict: bool) -> json.JSONDecoder:
    """A decoder for one line; a ``strict`` one raises `ValueError` on a repeated key or thousands of digits.

    Another lets the last value win and keeps the digits as text.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            keys = [key for key, _ in items]
            raise RepeatedKeyError(next(key for key in keys if keys.count(key) > 1))
        return found

    return json.JSONDecoder(
        object_pairs_hook=pairs if strict else None, parse_int=None if strict else _integer
    )


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def kinds_of(columns: Mapping[str, Sequence[Any]]) -> dict[str, Kind]:
    """The kind of each column."""
    return {name: kind_of_values(values) for name, values in columns.items()}


def kind_of_values(values: Sequence[Any]) -> Kind:
    """The kind of one block of a column."""
    kind = Kind.EMPTY
    for python in set(map(type, values)):
        if python is int:
            small = all(-(2**63) <= v < 2**63 for v in values if type(v) is int)
            kind = join(kind, Kind.INTEGER if small else Kind.LONG_INTEGER)
        elif python is float:
            kind = join(kind, Kind.NUMBER)
        elif python is bool:
            kind = join(kind, Kind.TRUTH)
        elif python is not type(None):
            return Kind.TEXT
    return kind


def array_of_values(values: Sequence[Any], kind: Kind) -> pa.Array:
    """One block of a column in the type of the whole column."""
    try:
        return pa.array(values, kind.type)
    except (pa.ArrowException, UnicodeEncodeError, OverflowError, TypeError):
        make = _float if kind is Kind.NUMBER else _text
        return pa.array([make(value) for value in values], kind.type)


def columns_of(
    rows: Sequence[dict[str, Any]], names: Sequence[str] | None = None
) -> dict[str, Sequence[Any]]:
    """The values of every key (or of these) in the order of first appearance; None where one is missing."""
    if rows and all(row.keys() == rows[0].keys() for row in rows) and len({tuple(row) for row in rows}) == 1:
        found: dict[str, Sequence[Any]] = dict(
            zip(rows[0], zip(*map(dict.values, rows), strict=True), strict=True)
        )
        return found if names is None else {name: found.get(name, [None] * len(rows)) for name in names}
    wanted = dict.fromkeys(name for row in rows for name in row) if names is None else names
    return {name: [row.get(name) for row in rows] for name in wanted}


def _float(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json_text(value)
    return text if text.isascii() else sound_text(text)


def sound_text(text: str) -> str:
    r"""Text that UTF-8 can hold: a lone surrogate (``"\ud800"``) becomes U+FFFD.

    Examples
    --------
    >>> sound_text("\ud800a")
    '�a'
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
