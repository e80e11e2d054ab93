"""ONNX: a Protocol Buffers graph that can name files to read and operators that come as native code.

Field numbers after ``onnx.proto`` (IR version 11); external paths after CVE-2022-25882 and CVE-2024-27318.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from foretaste.provenance.model_files.part import Part

DEPTH = 32
FIELDS = 20_000_000
_STANDARD = frozenset(
    {
        "",
        "ai.onnx",
        "ai.onnx.ml",
        "ai.onnx.training",
        "ai.onnx.preview.training",
        "com.microsoft",
        "com.microsoft.nchwc",
    }
)
_MODEL = {7: "graph", 20: "training", 25: "function"}
_TRAINING = {1: "graph", 2: "graph"}
_GRAPH = {1: "node", 5: "tensor", 15: "sparse"}
_NODE = {5: "attribute"}
_FUNCTION = {7: "node"}
_ATTRIBUTE = {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"}
_SPARSE = {1: "tensor", 2: "tensor"}
_CHILDREN = {
    "model": _MODEL, "training": _TRAINING, "graph": _GRAPH, "node": _NODE, "function": _FUNCTION,
    "attribute": _ATTRIBUTE, "sparse": _SPARSE, "tensor": {}, "external": {},
}  # fmt: skip


class Unreadable(Exception):
    """Where the wire format breaks."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


class Field(NamedTuple):
    """One field of a message: its number, a number or the bounds of its bytes."""

    number: int
    value: int
    start: int
    end: int


def fields(part: Part, start: int, end: int) -> Iterator[Field]:
    """The fields of the message between two positions (Protocol Buffers wire format)."""
    at = start
    while at < end:
        begin = at
        key, at = _varint(part, at, end)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise Unreadable(begin)
        if wire == 0:
            value, at = _varint(part, at, end)
            yield Field(number, value, at, at)
            continue
        if wire == 2:
            size, at = _varint(part, at, end)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise Unreadable(begin)
        if size > end - at:
            raise Unreadable(begin)
        yield Field(number, -1, at, at + size)
        at += size


def _varint(part: Part, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise Unreadable(at)
        byte = part.data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise Unreadable(at)


def is_onnx(part: Part) -> bool:
    """Whether the part is a message with an IR version, a graph and operator sets, as every model has."""
    if part.bytes(0, 1) != b"\x08":
        return False
    try:
        found = {field.number for field in fields(part, part.start, part.end)}
    except Unreadable:
        return False
    return {1, 7, 8} <= found <= {*range(1, 15), 20, 25, 26}


def examine_onnx(part: Part) -> None:
    """Report files that the graph reads and operators that are not ONNX's own."""
    part.inspection.holds("ONNX")
    try:
        _Walk(part).message("model", part.start, part.end, 0)
    except Unreadable as error:
        part.report("malformed", "bad-onnx", "it is no sound ONNX message here", error.position - part.start)


class _Walk:
    def __init__(self, part: Part) -> None:
        self.part, self.left, self.told = part, FIELDS, set[str]()

    def message(self, kind: str, start: int, end: int, depth: int) -> None:
        """Go through a message and the messages in it."""
        if depth > DEPTH:
            raise Unreadable(start)
        children = _CHILDREN[kind]
        for field in fields(self.part, start, end):
            self.left -= 1
            if self.left < 0:
                raise Unreadable(field.start)
            if field.value < 0 and field.number in children:
                self.message(children[field.number], field.start, field.end, depth + 1)
            elif kind == "node" and field.number == 7 and field.value < 0:
                self._domain(field)
            elif kind == "tensor" and field.number == 13 and field.value < 0:
                self._external(field)

    def _domain(self, field: Field) -> None:
        domain = self._text(field)
        if domain not in _STANDARD and domain not in self.told and not self._known(domain):
            self.told.add(domain)
            reason = f"it uses operators of {domain!r}, which come as native code of whoever made them"
            self.part.report("unknown", "custom-operator", reason, field.start - self.part.start)

    def _known(self, domain: str) -> bool:
        return f"onnx:{domain}" in self.part.allowed

    def _external(self, field: Field) -> None:
        entry = {f.number: self._text(f) for f in fields(self.part, field.start, field.end) if f.value < 0}
        if entry.get(1) != "location" or entry.get(2, "") in self.told:
            return
        place = entry.get(2, "")
        self.told.add(place)
        clean = place.replace("\\", "/")
        at = field.start - self.part.start
        if clean.startswith("/") or re.match(r"[A-Za-z]:", clean) or ".." in clean.split("/"):
            reason = f"it reads its numbers from {place[:200]!r}, outside the folder of the model"
            self.part.report("dangerous", "path-escape", reason, at)
        elif len(self.told) < 1000:
            self.part.report(
                "note", "external-data", f"it reads numbers from the file {place[:200]!r} beside it", at
            )

    def _text(self, field: Field) -> str:
        return self.part.data[field.start : min(field.end, field.start + 1000)].decode(
            "utf-8", "backslashreplace"
        )


__all__ = ["examine_onnx", "is_onnx"]
