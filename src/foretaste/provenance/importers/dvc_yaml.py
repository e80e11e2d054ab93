"""The part of YAML that DVC writes: mappings, lists and scalars, quoted or not, folded over lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_KEY = re.compile(r"([A-Za-z0-9_.-]+):(?:\s+(.*))?")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_NAMED = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


@dataclass
class _Line:
    """A key and its value, with the columns of the key and of the dash before it (-1: none)."""

    dash: int
    column: int
    key: str
    value: str


def outputs(text: str) -> Iterator[dict[str, str]]:
    """The items of every list ``outs``, as text by field; what is nested below a field is left out.

    Examples
    --------
    >>> list(outputs("outs:\\n- md5: 'aa'\\n  path: a\\n    b.csv\\nmeta:\\n  path: x\\n"))
    [{'md5': 'aa', 'path': 'a b.csv'}]
    """
    start: int | None = None
    dash, column = -1, -1
    item: dict[str, str] = {}
    for line in _lines(text):
        if start is not None and line.column <= start and line.dash < start:
            start = None
            if item:
                yield item
            item = {}
        if start is None:
            if line.key == "outs" and not line.value:
                start, dash = line.column, -1
            continue
        if line.dash >= start and dash in (-1, line.dash):
            if item:
                yield item
            item, dash, column = {}, line.dash, line.column
        if line.column == column:
            item[line.key] = _scalar(line.value)
    if item:
        yield item


def _lines(text: str) -> Iterator[_Line]:
    """Keys with their values; a line further in than a key that has a value goes on with that value."""
    last: _Line | None = None
    for line in text.split("\n"):
        bare = line.strip(" \r")
        indent = len(line) - len(line.lstrip(" "))
        if last is not None and last.value and bare and indent > last.column:
            last.value = f"{last.value[:-1]}" if last.value.endswith("\\") else f"{last.value} "
            last.value += bare
            continue
        dash = -1
        while re.match(r"-\s+\S", bare):
            dash, rest = indent, bare[1:].lstrip(" ")
            indent += len(bare) - len(rest)
            bare = rest
        match = _KEY.fullmatch(bare)
        if match is None:
            continue
        if last is not None:
            yield last
        last = _Line(dash, indent, match[1], match[2] or "")
    if last is not None:
        yield last


def _scalar(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _ESCAPE.sub(_escaped, value[1:-1])
    return value


def _escaped(match: re.Match[str]) -> str:
    said = match[1]
    if len(said) == 1:
        return _NAMED.get(said, said)
    number = int(said[1:], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


__all__ = ["outputs"]
