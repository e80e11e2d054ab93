"""The store: copies of files under the hash of their content, ``store/ab/cdef...``."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.durable import make_folder, rename

_BLOCK = 2**20


class Store:
    """Content-addressed files in a folder.

    Parameters
    ----------
    folder : Path
        Where the copies lie.
    temporary : Path
        A folder on the same file system, for copies that are not complete.
    """

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.folder = folder
        self.temporary = temporary

    def path(self, sha256: str) -> Path:
        """Where the content with this hash lies, if it is here."""
        return self.folder / sha256[:2] / sha256[2:]

    def put(self, source: Path) -> tuple[str, int]:
        """Copy a file in; gives the SHA-256 and the size of exactly what was copied.

        Raises
        ------
        DataError
            Where it is not a regular file.
        IntegrityError
            Where the store has something else under that hash: it was altered.
        """
        with NamedTemporaryFile(dir=self.temporary, delete=False) as copy:
            try:
                digest, size = hashlib.sha256(), 0
                for block in _blocks(source):
                    digest.update(block)
                    size += len(block)
                    copy.write(block)
                copy.flush()
                os.fsync(copy.fileno())
                self._keep(Path(copy.name), digest.hexdigest())
            except BaseException:
                Path(copy.name).unlink(missing_ok=True)
                raise
        return digest.hexdigest(), size

    def put_bytes(self, data: bytes) -> str:
        """Write content that is in memory; gives its SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        with NamedTemporaryFile(dir=self.temporary, delete=False) as copy:
            try:
                copy.write(data)
                copy.flush()
                os.fsync(copy.fileno())
                self._keep(Path(copy.name), sha256)
            except BaseException:
                Path(copy.name).unlink(missing_ok=True)
                raise
        return sha256

    def get_bytes(self, sha256: str) -> bytes:
        """Content that is small; raises `IntegrityError` where it is missing or altered."""
        path = self.path(sha256)
        try:
            data = b"".join(_blocks(path))
        except (FileNotFoundError, DataError):
            raise IntegrityError(f"{self._name(sha256)} is missing") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise IntegrityError(f"{self._name(sha256)} was altered")
        return data

    def stored(self) -> Iterator[Path]:
        """Every path in the store, whatever it is."""
        for base, _, names in os.walk(self.folder):
            yield from (Path(base) / name for name in sorted(names))

    def _name(self, sha256: str) -> str:
        return self.path(sha256).relative_to(self.folder.parent).as_posix()

    def _keep(self, copy: Path, sha256: str) -> None:
        path = self.path(sha256)
        if path.exists():
            if sha256_of(path)[0] != sha256:
                raise IntegrityError(f"{self._name(sha256)} was altered; run foretaste ledger verify")
            copy.unlink()
            return
        make_folder(path.parent)
        copy.chmod(0o666 & ~_umask())  # temporary files are readable by their owner only
        rename(copy, path)


def sha256_of(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a regular file; raises `DataError` where it is none (links are not followed)."""
    require_regular(path)
    with path.open("rb", buffering=0) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return digest, stream.tell()


def _blocks(path: Path) -> Iterator[bytes]:
    require_regular(path)
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            yield block


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def require_regular(path: Path) -> None:
    """Raise `DataError` unless this is a regular file; links are not followed."""
    if not stat.S_ISREG(path.lstat().st_mode):  # a pipe would never end
        raise DataError("it is not a regular file (links are not followed)", file=path)
