"""Archives and packed files: what is inside is looked at in turn, within bounds, and nothing is written."""

from __future__ import annotations

import bz2
import io
import lzma
import posixpath
import re
import tarfile
import zlib
from collections.abc import Callable
from typing import Any

from foretaste.provenance.model_files.part import Part
from foretaste.provenance.model_files.zip_members import (
    STORED,
    ZipMember,
    check_sum,
    member_content,
    zip_members,
)

MEMBER_BYTES = 2**28
"""Bytes of a member that are unpacked to be looked at."""
_RAW_TENSOR = re.compile(
    r"(?:.*/)?data/\d+|(?:.*/)?(?:byteorder|version|\.data/.*|\.format_version|\.storage_alignment)"
)
_CODE = re.compile(r"\.(?:so|dll|dylib|exe|pyd|pyc|sh|bat)(?:\.\d+)*$", re.IGNORECASE)


def examine_zip(part: Part) -> None:
    """Look at every member of a zip archive: PyTorch checkpoints, ``.npz``, ``.keras``, skops and others."""
    part.inspection.holds("zip")
    seen: set[str] = set()
    torch = False
    for member in zip_members(part):
        name = member.name
        if name in seen:
            part.report("malformed", "duplicate-member", f"it has two members {name[:80]!r}: loaders differ")
        seen.add(name)
        _check_name(part, name)
        torch |= posixpath.basename(name) == "data.pkl"
        if name.endswith("/"):
            continue
        _open(part, member)
    names = {posixpath.basename(name) for name in seen}
    if torch:
        part.inspection.holds("PyTorch checkpoint")
    if "constants.pkl" in names and torch:
        part.report(
            "note", "torchscript", "it holds TorchScript code, which runs in an interpreter of its own"
        )


def _open(part: Part, member: ZipMember) -> None:
    most = min(MEMBER_BYTES, max(0, part.budget.bytes))
    data, start, end, whole = member_content(part, member, most)
    if member.method != STORED and not part.spend(end - start):
        return
    raw = _RAW_TENSOR.fullmatch(member.name) is not None
    if not whole and not raw:
        words = f"its member {member.name[:80]!r} unpacks to more than {most:,} bytes"
        part.report("malformed", "too-large", f"{words}; the rest was not looked at", member.header)
    elif not raw:
        check_sum(part, member, data, start, end)
    part.inside(member.name, data, start, end, expected="tensor" if raw else "member")


def _check_name(part: Part, name: str) -> None:
    clean = name.replace("\\", "/")
    if clean.startswith("/") or re.match(r"[A-Za-z]:", clean) or ".." in clean.split("/"):
        part.report(
            "dangerous", "path-escape", f"its member {name[:200]!r} would be written outside the folder"
        )
    if _CODE.search(clean):
        part.report("unknown", "code-member", f"it brings along code: {name[:200]!r}")


def examine_tar(part: Part) -> None:
    """Look at every regular file of a tar archive."""
    part.inspection.holds("tar")
    try:
        with tarfile.open(fileobj=io.BytesIO(part.bytes()), mode="r:") as archive:
            for member in archive:
                part.budget.members -= 1
                if part.budget.members < 0:
                    part.report(
                        "malformed", "too-many-members", "it has too many members to look at them all"
                    )
                    return
                _check_name(part, member.name)
                if member.issym() or member.islnk():
                    _check_name(part, posixpath.join(posixpath.dirname(member.name), member.linkname))
                    part.report("note", "link", f"its member {member.name[:80]!r} is a link")
                elif not member.isfile():
                    if not member.isdir():
                        part.report(
                            "unknown", "special-member", f"its member {member.name[:80]!r} is no file"
                        )
                elif part.spend(min(member.size, MEMBER_BYTES)):
                    stream = archive.extractfile(member)
                    content = stream.read(MEMBER_BYTES) if stream else b""
                    if member.size > MEMBER_BYTES:
                        words = f"its member {member.name[:80]!r} is larger than {MEMBER_BYTES:,} bytes"
                        part.report("malformed", "too-large", f"{words}; the rest was not looked at")
                    part.inside(member.name, content, expected="member")
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as error:
        part.report(
            "malformed", "bad-archive", f"it cannot be read as tar ({' '.join(str(error).split())[:100]})"
        )


def examine_packed(part: Part, kind: str) -> None:
    """Unpack a compressed file, within bounds, and look at what comes out."""
    part.inspection.holds(kind)
    most = min(2 * MEMBER_BYTES, max(0, part.budget.bytes))
    if kind not in _UNPACKERS:
        part.report("unknown", "not-unpacked", f"it is packed with {kind}, which is not looked into")
        return
    try:
        content = _unpack(part, _UNPACKERS[kind](), most)
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
        part.report("malformed", "bad-archive", f"it cannot be unpacked as {kind} ({str(error)[:100]})")
        return
    if not part.spend(len(content)):
        return
    if len(content) >= most:
        part.report(
            "malformed", "too-large", f"it unpacks to more than {most:,} bytes; the rest was not looked at"
        )
    part.inside(kind, content, expected=part.expected)


def _unpack(part: Part, unpacker: Any, most: int) -> bytes:
    pieces, size, at = [], 0, 0
    pending = b""
    while size < most:
        if not pending and getattr(unpacker, "needs_input", True):
            pending = part.bytes(at, 2**20)
            at += len(pending)
            if not pending:
                break
        piece = unpacker.decompress(pending, most - size)
        pending = getattr(unpacker, "unconsumed_tail", b"")
        pieces.append(piece)
        size += len(piece)
        if getattr(unpacker, "eof", False) or (not piece and not pending and at >= len(part)):
            break
    return b"".join(pieces)


_UNPACKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "zlib": lambda: zlib.decompressobj(15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=2**28),
}

__all__ = ["MEMBER_BYTES", "examine_packed", "examine_tar", "examine_zip"]
