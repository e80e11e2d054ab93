"""What the abstract unpickler knows of a value: an import, the result of a call, a few plain things."""

from __future__ import annotations

from typing import Any, NamedTuple

from foretaste.provenance.model_files.pickle_opcodes import OPAQUE, Span

KEPT = 64
"""Items kept of a list or a mapping; the rest are forgotten."""


CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
PUSHED = frozenset(
    {
        "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
        "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
        "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
    }
)  # fmt: skip
"""Opcodes that push their argument as it is."""


class Import(NamedTuple):
    """An imported name."""

    module: str
    name: str

    def __repr__(self) -> str:
        return f"{self.module}.{self.name}"


class Made:
    """What a call returned, and what was put into it afterwards."""

    __slots__ = ("arguments", "callee", "state")

    def __init__(self, callee: object, arguments: object = OPAQUE) -> None:
        self.callee, self.arguments, self.state = callee, arguments, OPAQUE

    def __repr__(self) -> str:
        return f"{self.callee!r}(…)"


def number(text: object) -> int:
    """The index that a text opcode gives, or -1."""
    try:
        return int(str(text)[:20])
    except ValueError:
        return -1


def fill(target: dict[Any, Any], items: list[Any]) -> None:
    """Put keys and values that follow each other into a mapping, as far as they are kept."""
    for key, value in zip(items[: 2 * KEPT : 2], items[1 : 2 * KEPT : 2], strict=False):
        if len(target) < KEPT and isinstance(key, str | int):
            target[key] = value


def large(arguments: object) -> bool:
    """Whether a call is given a number of bytes that no machine wants to set aside."""
    return isinstance(arguments, tuple) and any(isinstance(a, int) and a > 2**31 for a in arguments)


def shown(value: object, depth: int = 0) -> str:
    """A value in a few words."""
    if isinstance(value, str | bytes):
        return repr(value[:80])
    if isinstance(value, Span):
        return f"{value.length:,} bytes"
    if isinstance(value, tuple | list) and not isinstance(value, Import):
        if depth > 2:
            return "…"
        return f"({', '.join(shown(item, depth + 1) for item in value[:4])})"
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, int) and value.bit_length() > 200:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, Made):
        return f"the result of {shown(value.callee, depth + 1)}" if depth < 3 else "…"
    return repr(value)


__all__ = ["CONSTANTS", "KEPT", "PUSHED", "Import", "Made", "fill", "large", "number", "shown"]
