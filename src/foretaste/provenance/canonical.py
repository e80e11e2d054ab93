"""Canonical JSON: one value, one sequence of bytes, so that it can be hashed and signed.

Keys sorted, no spaces, UTF-8, no floats: of such values RFC 8785 makes the same bytes.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any

from foretaste.errors import DataError, IntegrityError

_LARGEST = 2**53 - 1


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
    return to_bytes(text(value))


def text(value: Any) -> str:
    """The same as text; raises `DataError` as well, but not where text is not Unicode."""
    try:
        return _text(value)
    except RecursionError as error:
        raise DataError(f"it cannot be written as canonical JSON: {error}") from None


def to_bytes(written: str) -> bytes:
    """Canonical JSON in UTF-8; raises `DataError` where it is not Unicode."""
    try:
        return written.encode()
    except UnicodeEncodeError as error:
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


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        return "{" + ",".join([_key(key) + _text(value[key]) for key in _sorted(value)]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([_text(inner) for inner in value]) + "]"
    if value is None or value is True or value is False:
        return _WORDS[value]
    if isinstance(value, int) and -_LARGEST <= value <= _LARGEST:
        return str(int(value))
    if isinstance(value, int | float):
        raise DataError(f"the number {value!r} has no exact canonical form; write it as text")
    raise DataError(f"a {type(value).__name__} cannot be written as JSON")


_WORDS = {None: "null", True: "true", False: "false"}


def _sorted(value: dict[Any, Any]) -> list[str]:
    try:
        return sorted(value)
    except TypeError:
        raise DataError(f"the key {next(k for k in value if not isinstance(k, str))!r} is not text") from None


def _key(key: str) -> str:
    if not isinstance(key, str):
        raise DataError(f"the key {key!r} is not text")
    if not key.isascii():  # beyond ASCII, sorting by letters and by UTF-16 may differ
        raise DataError(f"the key {key!r} has letters beyond ASCII")
    return encode_basestring(key) + ":"
