"""Claims of others about files: this path has that digest, says this or that, and whether it is so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foretaste.errors import DataError
from foretaste.provenance.listing import is_below

STRONG = frozenset({"sha256", "sha384", "sha512", "blake2b"})
WEAK = frozenset({"md5", "sha1", "git-sha1"})
"""Collisions can be made: such a digest finds accidents, not attackers."""
FILE_BYTES = 2**26


@dataclass(frozen=True)
class Claim:
    """What somebody says about a file.

    Attributes
    ----------
    path : str
        Relative to the folder the claim is about.
    algorithm, digest : str
    claim : str
        What it comes from: ``SHA256SUMS``, ``dvc``, ``huggingface revision ...``.
    matches : bool or None
        Whether the file has that digest; None where it could not be computed.
    authenticated : str or None
        Whose signature over the claim was verified; None where anybody could have written it.
    note : str
        What there is to know beyond that; empty where nothing.
    """

    path: str
    algorithm: str
    digest: str
    claim: str
    matches: bool | None
    authenticated: str | None = None
    note: str = ""

    @property
    def verified(self) -> bool:
        """The file has the digest, and the digest is one that an attacker cannot match."""
        return self.matches is True and self.algorithm in STRONG

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**self.__dict__, "verified": self.verified}


def compare(
    root: Path, path: str, algorithm: str, digest: str, claim: str, *, authenticated: str | None = None
) -> Claim:
    """Compare a file below ``root`` with the digest that is claimed for it."""
    said = (path, algorithm, digest.lower(), claim)
    if not is_below(path):
        return Claim(*said, False, authenticated, "the path leads out of the folder, and was not looked at")
    file = root / path
    if not file.resolve().is_relative_to(root.resolve()) or not file.is_file():
        note = "there is no such file" if not file.is_file() else "a link leads out of the folder"
        return Claim(*said, False, authenticated, note)
    if algorithm not in STRONG | WEAK:
        return Claim(*said, None, authenticated, f"{algorithm} is not computed here")
    found = _digest(file, algorithm)
    note = f"{algorithm} finds accidents, not attackers" if algorithm in WEAK else ""
    if found != digest.lower():
        note = f"it has {algorithm}:{found}"
    return Claim(*said, found == digest.lower(), authenticated, note)


def md5(file: Path) -> str:
    """The MD5 of a file's bytes, as DVC names it by."""
    return _digest(file, "md5")


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as stream:
        if algorithm != "git-sha1":
            return hashlib.file_digest(stream, algorithm).hexdigest()
        digest = hashlib.sha1(f"blob {file.stat().st_size}\0".encode(), usedforsecurity=False)
        while block := stream.read(2**20):
            digest.update(block)
        return digest.hexdigest()


def read_text(path: Path) -> str:
    """The text of a claim file; raises `DataError` where it is none or too long."""
    if path.exists() and not path.is_file():
        raise DataError("it is not a regular file", file=path)
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_BYTES + 1)
        if len(data) > FILE_BYTES:
            raise DataError(f"it is longer than {FILE_BYTES:,} bytes", file=path)
        return data.decode("utf-8")
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror})", file=path) from None
    except UnicodeDecodeError:
        raise DataError("it is not text", file=path) from None


Reader = Callable[[Path, Path], list[Claim]]
"""``reader(file, root)``: the claims in a file about files below a folder."""

__all__ = ["STRONG", "WEAK", "Claim", "Reader", "compare", "md5", "read_text"]
