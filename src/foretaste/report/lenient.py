"""Reading evidence that may lack anything and be anything: a wrong type reads as absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LARGEST = 1e15


def mapping(value: object) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def items(value: object) -> list[Any]:
    """The value if it is a list or tuple, else an empty list."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else []


def mappings(value: object) -> list[dict[str, Any]]:
    """The mappings in a list."""
    return [dict(item) for item in items(value) if isinstance(item, Mapping)]


def number(value: object) -> float | None:
    """A number that can be drawn and written out, or None: finite and below `LARGEST` in size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -LARGEST < value < LARGEST else None


def numbers(value: object) -> list[float]:
    """A list of finite numbers; empty where any of them is not one."""
    found = [number(item) for item in items(value)]
    return [] if None in found else [item for item in found if item is not None]


def count(value: object) -> int | None:
    """A non-negative whole number, or None."""
    found = number(value)
    return None if found is None or found < 0 else round(found)


def text_or_none(value: object) -> object | None:
    """The value unless it is None or an empty string."""
    return None if value is None or value == "" else value
