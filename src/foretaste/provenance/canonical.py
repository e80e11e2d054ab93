"""Canonical JSON: one value, one sequence of bytes, so that it can be hashed and signed.

Keys sorted, no spaces, UTF-8, no floats: of such values RFC 8785 makes the same bytes.
"""

from __future__ import annotations

import json
from typing import Any

from foretaste.errors import DataError, IntegrityError

_LARGEST = 2**53 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def encode(value: Any) -> bytes:
    """The bytes of a value made of objects, lists, text, whole numbers, truth values and null.

    Raises
    ------
    DataError
        Where it holds anything else: floats, numbers beyond 2^53, text that is not Unicode.

    Examples
    --------
    >>> encode({"b": [1, True, None], "a": "Grüß"})
    b'{"a":"Gr\\xc3\\xbc\\xc3\\x9f","b":[1,true,null]}'
    """
    _check(value)
    try:
        return _ENCODER.encode(value).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise DataError(f"it cannot be written as canonical JSON: {error}") from None


def decode(data: bytes, what: str) -> Any:
    """The value of canonical JSON.

    Raises
    ------
    IntegrityError
        Where it is no JSON, or not written in the canonical form.
    """
    try:
        value = json.loads(data.decode())
        same = encode(value) == data
    except (ValueError, RecursionError, DataError):
        same = False
    if not same:
        raise IntegrityError(f"{what} is not canonical JSON")
    return value


def _check(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise DataError(f"the key {key!r} is not text")
            if not key.isascii():  # beyond ASCII, sorting by letters and by UTF-16 may differ
                raise DataError(f"the key {key!r} has letters beyond ASCII")
            if type(inner) is not str:  # most are
                _check(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) > _LARGEST):
        raise DataError(f"the number {value!r} has no exact canonical form; write it as text")
    elif not (value is None or isinstance(value, str | int)):
        raise DataError(f"a {type(value).__name__} cannot be written as JSON")
