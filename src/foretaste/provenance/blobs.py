"""Hashes of whole files, as fast as the machine allows; BLAKE3 where it is installed and asked for."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from foretaste.errors import ConfigError, MissingExtraError
from foretaste.provenance.store import require_regular

ALGORITHMS = ("sha256", "blake3")
_BLOCK = 2**20
_SETTLED = 2 * 10**9


def blob_hash(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file's bytes.

    Parameters
    ----------
    path : Path
        A regular file.
    algorithm : {"sha256", "blake3"}
        SHA-256 is what everything else here speaks; BLAKE3 is several times faster on big files.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    DataError
        Where it is no regular file.
    MissingExtraError
        Where BLAKE3 is not installed.
    """
    require_regular(path)
    if algorithm == "sha256":
        with path.open("rb", buffering=0) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    if algorithm != "blake3":
        raise ConfigError(f"there is no hash {algorithm!r}; use {' or '.join(ALGORITHMS)}")
    try:
        from blake3 import blake3
    except ImportError:
        raise MissingExtraError("hashing with BLAKE3", "blake3") from None
    digest, buffer = blake3(), memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            digest.update(buffer[:count])
    return str(digest.hexdigest())


class SeenFiles:
    """Hashes of files that were read before, so that those that look the same are not read again.

    What that trusts: that a file with the same path, inode, size, modification time *and* change time holds
    the same bytes. The change time cannot be set by a program, unlike the modification time, but whoever
    administers the machine, its clock or its disk can fool it. Files that changed less than two seconds
    before they were read are not remembered.

    Parameters
    ----------
    file : Path
        Where the memory is kept; need not exist.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            held = json.loads(file.read_bytes())
            self._held: dict[str, list[object]] = held["files"] if held["schema"] == 1 else {}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            self._held = {}

    def blob_hash(self, path: Path, algorithm: str = "sha256") -> str:
        """The hash of a file, read only if it does not look as it did."""
        looks = _looks(path)
        key = f"{algorithm}:{path.resolve()}"
        held = self._held.get(key)
        if isinstance(held, list) and len(held) == 2 and held[0] == looks:
            return str(held[1])
        before = time.time_ns()
        found = blob_hash(path, algorithm)
        self._held.pop(key, None)
        if _looks(path) == looks and looks[-1] < before - _SETTLED:
            self._held[key] = [looks, found]
        return found

    def save(self) -> None:
        """Keep what was seen for the next time."""
        self.file.write_text(json.dumps({"schema": 1, "files": self._held}))


def _looks(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
