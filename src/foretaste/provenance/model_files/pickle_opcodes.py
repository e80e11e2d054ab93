"""One opcode of a pickle at a time, protocols 0 to 5, read and never acted upon.

The table of opcodes is the standard library's (`pickletools`); the reading is our own, because it must not
copy what it skips, believe a length, or stop where an unpickler would go on.
"""

from __future__ import annotations

import mmap
import pickletools
import re
import struct
from typing import NamedTuple

Buffer = bytes | mmap.mmap

STRING_BYTES = 4096
"""Longest string that is kept: a longer one names nothing that could be imported."""
LINE_BYTES = 2**20
"""Longest line of a text opcode."""


class Opaque:
    """Any value that was not kept."""

    def __repr__(self) -> str:
        return "…"


OPAQUE = Opaque()


class Opcode(NamedTuple):
    """An opcode, where it stands, its argument, and where the next one begins."""

    position: int
    name: str
    argument: object
    end: int


class UnreadablePickle(Exception):
    """Where and why an opcode cannot be read."""

    def __init__(self, position: int, problem: str) -> None:
        super().__init__(problem)
        self.position, self.problem = position, problem


_OPCODES = {
    ord(found.code): (found.name, found.arg.name if found.arg else "") for found in pickletools.opcodes
}
_FIXED = {
    "uint1": ("<B", 1),
    "uint2": ("<H", 2),
    "int4": ("<i", 4),
    "uint4": ("<I", 4),
    "uint8": ("<Q", 8),
    "float8": (">d", 8),
}
_COUNTED = {
    "string1": ("<B", 1, "latin-1"),
    "string4": ("<i", 4, "latin-1"),
    "bytes1": ("<B", 1, ""),
    "bytes4": ("<I", 4, ""),
    "bytes8": ("<Q", 8, ""),
    "bytearray8": ("<Q", 8, ""),
    "unicodestring1": ("<B", 1, "utf-8"),
    "unicodestring4": ("<I", 4, "utf-8"),
    "unicodestring8": ("<Q", 8, "utf-8"),
    "long1": ("<B", 1, "long"),
    "long4": ("<i", 4, "long"),
}
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = dict(zip(b"abfnrtv\\'\"", b"\a\b\f\n\r\t\v\\'\"", strict=True))


def read_opcode(data: Buffer, position: int, end: int) -> Opcode:
    """Read the opcode at ``position``.

    Raises
    ------
    UnreadablePickle
        Where there is none, or where its argument goes past ``end``.

    Examples
    --------
    >>> read_opcode(b"cos\\nsystem\\n.", 0, 12)
    Opcode(position=0, name='GLOBAL', argument=('os', 'system'), end=11)
    """
    if position >= end:
        raise UnreadablePickle(position, "it ends before the pickle does")
    byte = data[position]
    known = _OPCODES.get(byte)
    if known is None:
        raise UnreadablePickle(position, f"byte 0x{byte:02x} is no pickle opcode")
    name, kind = known
    at = position + 1
    if not kind:
        return Opcode(position, name, None, at)
    if kind in _FIXED:
        form, size = _FIXED[kind]
        (value,) = struct.unpack(form, _take(data, position, at, size, end))
        return Opcode(position, name, value, at + size)
    if kind in _COUNTED:
        form, size, encoding = _COUNTED[kind]
        (length,) = struct.unpack(form, _take(data, position, at, size, end))
        at += size
        if length < 0 or length > end - at:
            raise UnreadablePickle(position, f"{name} claims {length:,} bytes of {max(end - at, 0):,} left")
        return Opcode(position, name, _counted(data, at, length, encoding), at + length)
    return _text(data, position, at, end, name, kind)


def _take(data: Buffer, position: int, at: int, size: int, end: int) -> bytes:
    if end - at < size:
        raise UnreadablePickle(position, "it ends in the middle of an opcode")
    return data[at : at + size]


def _counted(data: Buffer, at: int, length: int, encoding: str) -> object:
    if length > STRING_BYTES:
        return OPAQUE if encoding else Span(at, length)
    raw = data[at : at + length]
    if encoding == "long":
        return int.from_bytes(raw, "little", signed=True)
    return raw.decode(encoding, "surrogateescape") if encoding else raw


class Span(NamedTuple):
    """Long bytes that stayed where they are."""

    start: int
    length: int


def _text(data: Buffer, position: int, at: int, end: int, name: str, kind: str) -> Opcode:
    line, at = _line(data, position, at, end)
    if kind == "stringnl_noescape_pair":
        second, at = _line(data, position, at, end)
        return Opcode(position, name, (_utf8(line), _utf8(second)), at)
    value: object = OPAQUE
    if len(line) <= STRING_BYTES:
        if kind == "stringnl":
            value = _quoted(line)
        elif kind == "unicodestringnl":
            value = _escaped(line)
        elif kind in ("decimalnl_short", "decimalnl_long"):
            value = _decimal(line)
        else:
            value = _utf8(line)
    return Opcode(position, name, value, at)


def _line(data: Buffer, position: int, at: int, end: int) -> tuple[bytes, int]:
    stop = data.find(b"\n", at, min(end, at + LINE_BYTES))
    if stop < 0:
        raise UnreadablePickle(position, "it ends in the middle of a line of text")
    return data[at:stop], stop + 1


def _utf8(raw: bytes) -> str:
    return raw[:STRING_BYTES].decode("utf-8", "surrogateescape")


def _quoted(raw: bytes) -> object:
    """The value of a STRING: a Python 2 literal in quotes, escapes and all."""
    raw = raw.strip()
    if len(raw) >= 2 and raw[:1] == raw[-1:] and raw[:1] in (b"'", b'"'):
        raw = raw[1:-1]
    return _ESCAPE.sub(_unescaped, raw).decode("latin-1")


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x":
        return bytes([int(code[1:], 16)])
    if code[:1] in b"01234567":
        return bytes([int(code, 8) & 255])
    if code == b"\n":
        return b""
    return bytes([_ESCAPED[code[0]]]) if code[0] in _ESCAPED else match[0]


def _escaped(raw: bytes) -> object:
    try:
        return raw.decode("raw-unicode-escape")
    except UnicodeDecodeError:
        return OPAQUE


def _decimal(raw: bytes) -> object:
    if raw in (b"00", b"01"):
        return raw == b"01"
    try:
        return int(raw.rstrip(b"L")[:300])
    except ValueError:
        return OPAQUE


__all__ = ["OPAQUE", "Buffer", "Opaque", "Opcode", "Span", "UnreadablePickle", "read_opcode"]
