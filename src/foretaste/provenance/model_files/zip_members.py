"""The members of a zip archive, as a lenient loader would find them.

The standard library's `zipfile` refuses archives that model loaders accept (a flag bit, a wrong checksum),
and what a scanner cannot open it does not see (CVE-2025-1889, CVE-2025-1944, CVE-2025-10156). So members are
read from both the directory and their own header, contradictions are reported, and content is looked at
whatever the flags say. After PKWARE's APPNOTE 6.3.10.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from foretaste.provenance.model_files.part import Part
from foretaste.provenance.model_files.pickle_opcodes import Buffer

_END = b"PK\x05\x06"
_DIRECTORY_BYTES = 64 * 2**20
STORED, DEFLATED = 0, 8


@dataclass(frozen=True)
class ZipMember:
    """One entry of the directory: sizes as it claims, and where its own header is."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    header: int


def is_zip(part: Part) -> bool:
    """Whether the part ends like a zip archive, whatever it begins with."""
    return _end_record(part) is not None


def zip_members(part: Part) -> Iterator[ZipMember]:
    """Entries of the directory in order; what is wrong with it is reported."""
    found = _end_record(part)
    if found is None:
        part.report(
            "malformed", "bad-archive", "it begins like a zip archive and has no directory at its end"
        )
        return
    at, size, offset = found
    shift = at - size - offset  # bytes before the archive proper
    if shift < 0 or size > _DIRECTORY_BYTES:
        part.report("malformed", "bad-archive", "the directory of this zip archive lies outside of it")
        return
    if shift:
        part.report(
            "malformed",
            "prefixed-archive",
            f"{shift:,} bytes stand before this zip archive; another loader may read those instead",
        )
    directory, position = part.bytes(at - size, size), 0
    while position + 46 <= len(directory) and directory[position : position + 4] == b"PK\x01\x02":
        part.budget.members -= 1
        if part.budget.members < 0:
            part.report("malformed", "too-many-members", "it has too many members to look at them all")
            return
        fields = struct.unpack_from("<HHHHHHIIIHHHHHII", directory, position + 4)
        flags, method, crc, packed, unpacked = fields[2], fields[3], fields[6], fields[7], fields[8]
        name_size, extra_size, comment_size, header = fields[9], fields[10], fields[11], fields[15]
        name = directory[position + 46 : position + 46 + name_size]
        extra = directory[position + 46 + name_size : position + 46 + name_size + extra_size]
        unpacked, packed, header = _zip64(extra, unpacked, packed, header)
        yield ZipMember(_name(name), method, flags, crc, packed, unpacked, header + shift)
        position += 46 + name_size + extra_size + comment_size
    if position < len(directory):
        part.report(
            "malformed", "bad-archive", "the directory of this zip archive is damaged", at - size + position
        )


def member_content(part: Part, member: ZipMember, most: int) -> tuple[Buffer, int, int, bool]:
    """The content of a member: a buffer, start and end in it, and whether that is all of it.

    A member that is only stored stays where it is; of a packed one at most ``most`` bytes are unpacked. What
    is wrong with it is reported, and it is looked at all the same.
    """
    head = part.bytes(member.header, 30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        _wrong(part, member, "has no header where the directory says")
        return b"", 0, 0, True
    flags, method = struct.unpack_from("<HH", head, 6)
    sizes = struct.unpack_from("<II", head, 18)
    name_size, extra_size = struct.unpack_from("<HH", head, 26)
    own = _name(part.bytes(member.header + 30, name_size))
    if own != member.name:
        _wrong(part, member, f"calls itself {own[:80]!r} in its own header: two loaders read two archives")
    if method != member.method:
        _wrong(part, member, "is packed in another way by its own header than by the directory")
    if not flags & 8 and 0xFFFFFFFF not in sizes and sizes != (member.packed, member.size):
        _wrong(part, member, "has other sizes in its own header than in the directory")
    if (flags | member.flags) & 1:
        _wrong(part, member, "is marked as encrypted")
    start = member.header + 30 + name_size + extra_size
    if member.method == STORED:
        first = min(part.start + start, part.end)
        return part.data, first, min(first + member.packed, part.end), True
    if member.method != DEFLATED:
        _wrong(part, member, f"is packed with method {member.method}, which is not looked into")
        return b"", 0, 0, True
    try:
        content, whole = _inflate(part, start, member.packed, most)
    except zlib.error as error:
        _wrong(part, member, f"cannot be unpacked ({error})")
        return b"", 0, 0, True
    return content, 0, len(content), whole


def check_sum(part: Part, member: ZipMember, data: Buffer, start: int, end: int) -> None:
    """Report a member whose content does not have the checksum in the directory."""
    found = 0
    for at in range(start, end, 2**24):
        found = zlib.crc32(data[at : min(end, at + 2**24)], found)
    if found != member.crc:
        _wrong(part, member, "does not have the checksum that the directory says")


def _inflate(part: Part, start: int, packed: int, most: int) -> tuple[bytes, bool]:
    unpacker, pieces, size, at = zlib.decompressobj(-15), [], 0, 0
    pending = b""
    while size < most:
        if not pending:
            pending = part.bytes(start + at, min(2**20, packed - at))
            at += len(pending)
            if not pending:
                break
        piece = unpacker.decompress(pending, most - size)
        pending = unpacker.unconsumed_tail
        pieces.append(piece)
        size += len(piece)
        if unpacker.eof:
            break
    return b"".join(pieces), unpacker.eof


def _wrong(part: Part, member: ZipMember, words: str) -> None:
    part.report("malformed", "bad-member", f"its member {member.name[:80]!r} {words}", member.header)


def _end_record(part: Part) -> tuple[int, int, int] | None:
    """Where the directory ends, its size, and its offset as the end record says."""
    tail = part.bytes(max(0, len(part) - 65_557))
    found = tail.rfind(_END)
    if found < 0 or len(tail) - found < 22:
        return None
    at = len(part) - len(tail) + found
    size, offset = struct.unpack_from("<II", tail, found + 12)
    if offset == 0xFFFFFFFF or size == 0xFFFFFFFF or struct.unpack_from("<H", tail, found + 10)[0] == 0xFFFF:
        locator = part.bytes(at - 20, 20)
        if locator[:4] == b"PK\x06\x07":
            (where,) = struct.unpack_from("<Q", locator, 8)
            record = part.bytes(where, 56)
            if record[:4] == b"PK\x06\x06" and len(record) == 56:
                size, offset = struct.unpack_from("<QQ", record, 40)
                return where, size, offset
    return _before_zip64(part, at), size, offset


def _before_zip64(part: Part, at: int) -> int:
    """The end of the directory: zip64 records may stand between it and the end record, needed or not."""
    locator = part.bytes(at - 20, 20) if at >= 20 else b""
    if locator[:4] == b"PK\x06\x07":
        (where,) = struct.unpack_from("<Q", locator, 8)
        if part.bytes(where, 4) == b"PK\x06\x06" and where < at:
            return int(where)
    return at


def _zip64(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            values = [v for (v,) in struct.iter_unpack("<Q", extra[at + 4 : at + 4 + length // 8 * 8])]
            if size == 0xFFFFFFFF and values:
                size = values.pop(0)
            if packed == 0xFFFFFFFF and values:
                packed = values.pop(0)
            if header == 0xFFFFFFFF and values:
                header = values.pop(0)
        at += 4 + length
    return size, packed, header


def _name(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


__all__ = ["STORED", "ZipMember", "check_sum", "is_zip", "member_content", "zip_members"]
