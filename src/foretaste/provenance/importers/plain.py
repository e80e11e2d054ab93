"""Claims without a signature: checksum lists, Croissant metadata, Hugging Face downloads."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from foretaste.errors import DataError
from foretaste.provenance.importers.claims import Claim, compare, read_text

_SUM = re.compile(r"(\\?)([0-9a-fA-F]{32,128}) [ *](.+)")
_BSD = re.compile(r"(SHA256|SHA384|SHA512|SHA1|MD5) \((.+)\) = ([0-9a-fA-F]{32,128})")
_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}


def sums(file: Path, root: Path) -> list[Claim]:
    """Lines of ``sha256sum`` and its kin, GNU or BSD style."""
    found = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if match := _SUM.fullmatch(line):
            escaped, digest, name = match.groups()
            name = (
                re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), name) if escaped else name
            )
            algorithm = _BY_LENGTH.get(len(digest))
        elif match := _BSD.fullmatch(line):
            kind, name, digest = match.groups()
            algorithm = kind.lower()
        else:
            algorithm = None
        if algorithm is None:
            raise DataError(f"line {number} is no checksum and a name", file=file)
        found.append(compare(root, name.removeprefix("./"), algorithm, digest, file.name))
    return found


def croissant(file: Path, root: Path) -> list[Claim]:
    """File objects of Croissant metadata; a ``contentUrl`` elsewhere stands for the file of its last name."""
    try:
        document = json.loads(read_text(file))
        listed = document["distribution"]
        objects = [one for one in listed if isinstance(one, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DataError("it is no Croissant metadata with a distribution", file=file) from None
    found = []
    for one in objects:
        url = str(one.get("contentUrl") or one.get("name") or "")
        path = PurePosixPath(url).name if "://" in url else url
        for algorithm in ("sha256", "md5"):
            if isinstance(one.get(algorithm), str) and path:
                found.append(compare(root, path, algorithm, one[algorithm], "croissant"))
                break
    return found


def hugging_face(folder: Path, root: Path) -> list[Claim]:
    """What ``huggingface_hub`` noted while downloading: the revision, and the digest the server gave."""
    notes = folder / ".cache" / "huggingface" / "download"
    found = []
    for note in sorted(notes.rglob("*.metadata")):
        lines = read_text(note).splitlines()
        if len(lines) < 2:
            raise DataError("it is no note of a download from Hugging Face", file=note)
        name = note.relative_to(notes).as_posix().removesuffix(".metadata")
        found.append(_by_etag(root, name, lines[1].strip(), lines[0].strip()))
    if not found:
        found = _snapshot(folder, root)
    return found


def _snapshot(folder: Path, root: Path) -> list[Claim]:
    """A snapshot in the cache: links into ``blobs``, whose names are digests."""
    revision = folder.name
    found = []
    for link in sorted(path for path in folder.rglob("*") if path.is_symlink()):
        blob = link.resolve()
        if blob.parent.name == "blobs" and blob.is_file():
            name = link.relative_to(folder).as_posix()
            one = _by_etag(blob.parent, blob.name, blob.name, revision)
            found.append(Claim(name, one.algorithm, one.digest, one.claim, one.matches, None, one.note))
    if not found:
        raise DataError("it is no download from Hugging Face", file=folder)
    return found


def _by_etag(root: Path, name: str, etag: str, revision: str) -> Claim:
    claim = f"huggingface revision {revision[:40]}"
    algorithm = {64: "sha256", 40: "git-sha1"}.get(len(etag))
    if algorithm is None or not re.fullmatch(r"[0-9a-f]+", etag):
        return Claim(name, "etag", etag[:100], claim, None, None, "the server gave no digest")
    return compare(root, name, algorithm, etag, claim)


def is_croissant(document: Any) -> bool:
    """Whether a JSON document looks like Croissant metadata."""
    return isinstance(document, dict) and "distribution" in document and "@context" in document


__all__ = ["croissant", "hugging_face", "is_croissant", "sums"]
