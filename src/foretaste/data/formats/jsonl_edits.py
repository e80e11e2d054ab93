"""Where the values of one JSON line stand: one of them is replaced, the rest stay as written."""

from __future__ import annotations

import json
import re
from typing import Any

_scan_string: Any = json.decoder.scanstring  # type: ignore[attr-defined]
_SPACE = re.compile(r"[ \t\r\n]*")


def value_spans(line: str, key: str, decoder: json.JSONDecoder) -> list[tuple[int, int]]:
    """Start and end of every value that the object ``line`` gives to ``key``.

    ``line`` must be one valid JSON object.
    """
    spans: list[tuple[int, int]] = []
    position = _skip(line, line.index("{") + 1)
    while line[position] != "}":
        name, position = _scan_string(line, position + 1)
        start = _skip(line, _skip(line, position) + 1)
        _, end = decoder.raw_decode(line, start)
        if name == key:
            spans.append((start, end))
        position = _skip(line, end)
        if line[position] == ",":
            position = _skip(line, position + 1)
    return spans


def replace_value(line: str, key: str, value: str, decoder: json.JSONDecoder) -> str:
    """The line with ``value`` (JSON text) for ``key``; appended where the object lacks the key."""
    spans = value_spans(line, key, decoder)
    if not spans:
        end = line.rindex("}")
        comma = ", " if line[:end].rstrip()[-1] != "{" else ""
        return f"{line[:end].rstrip()}{comma}{json.dumps(key)}: {value}{line[end:]}"
    for start, end in reversed(spans):
        line = line[:start] + value + line[end:]
    return line


def _skip(line: str, position: int) -> int:
    match = _SPACE.match(line, position)
    return match.end() if match else position
