"""The store: copies of files under the hash of their content, ``store/ab/cdef...``."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.durable import sync_files, sync_folders

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
        """Copy a file in; see `put_all`."""
        return self.put_all([source])[0]

    def put_all(self, sources: Sequence[Path]) -> list[tuple[str, int]]:
        """Copy files in; when it returns, all of them are on the disk.

        Returns
        -------
        list
            The SHA-256 and the size of exactly what was copied, per file.

        Raises
        ------
        DataError
            Where one is not a regular file.
        IntegrityError
            Where the store has something else under such a hash: it was altered.
        """
        return self._put([_blocks(source) for source in sources])

    def put_bytes(self, data: bytes) -> str:
        """Keep content that is in memory; gives its SHA-256."""
        return self._put([iter([data])])[0][0]

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

    def _put(self, contents: Sequence[Iterator[bytes]]) -> list[tuple[str, int]]:
        """Copy everything beside the store, wait for the disk, and only then give it its names."""
        copies: list[Path] = []
        try:
            found = []
            for blocks in contents:
                with NamedTemporaryFile(dir=self.temporary, delete=False) as copy:
                    copies.append(Path(copy.name))
                    digest, size = hashlib.sha256(), 0
                    for block in blocks:
                        digest.update(block)
                        size += len(block)
                        copy.write(block)
                found.append((digest.hexdigest(), size))
            sync_files(copies)
            folders = {self._name_copy(copy, sha256) for copy, (sha256, _) in zip(copies, found, strict=True)}
            sync_folders({*folders, self.folder})
        except BaseException:
            for copy_path in copies:
                copy_path.unlink(missing_ok=True)
            raise
        return found

    def _name_copy(self, copy: Path, sha256: str) -> Path:
        """Move a copy to its place in the store, unless it is there already; gives the folder it is in."""
        path = self.path(sha256)
        if path.exists():
            if sha256_of(path)[0] != sha256:
                raise IntegrityError(f"{self._name(sha256)} was altered; run foretaste ledger verify")
            copy.unlink()
            return path.parent
        path.parent.mkdir(parents=True, exist_ok=True)
        copy.chmod(0o666 & ~_umask())  # temporary files are readable by their owner only
        os.replace(copy, path)
        return path.parent


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
