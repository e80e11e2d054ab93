"""Writing that survives a power cut: a file is on the disk, under its name, when the call returns."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_SYNC_ALL_FROM = 64
"""Files from which on one sync of everything is cheaper than one per file."""


def replace_file(path: Path, data: bytes, temporary: Path) -> None:
    """Put a file in place, whole or not at all.

    Parameters
    ----------
    path : Path
    data : bytes
    temporary : Path
        A path on the same file system that nobody else writes to.
    """
    write_file(temporary, data)
    rename(temporary, path)


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write files that nobody reads yet; when it returns, all of them are on the disk."""
    folders = {folder for path in files for folder in _make_folder(path.parent)}
    together = _together(files)
    for path, data in files.items():
        write_file(path, data, sync=not together)
    if together:
        os.sync()
    else:
        sync_folders(folders)


def write_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write one file; its name is not on the disk before its folder was synced."""
    with path.open("wb") as stream:
        stream.write(data)
        if sync:
            stream.flush()
            os.fsync(stream.fileno())


def rename(old: Path, new: Path) -> None:
    """Rename a file that is on the disk; when it returns, so is its new name."""
    os.replace(old, new)
    sync_folder(new.parent)


def sync_files(paths: Collection[Path]) -> None:
    """Wait until what was written to files is on the disk; their names need not be."""
    if _together(paths):
        os.sync()
        return
    for path in paths:
        with path.open("r+b") as stream:
            os.fsync(stream.fileno())


def sync_folders(folders: Collection[Path]) -> None:
    """Wait until the names in folders are on the disk."""
    if _together(folders):
        os.sync()
        return
    for folder in folders:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    if os.name == "nt":  # there a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _together(paths: Collection[Path]) -> bool:
    """Whether to sync everything at once; other systems than Linux may not wait for that."""
    return len(paths) >= _SYNC_ALL_FROM and sys.platform == "linux"


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; when it returns, they are on the disk."""
    for changed in _make_folder(folder):
        sync_folder(changed)


def _make_folder(folder: Path) -> set[Path]:
    """Make a folder; gives it and every folder that has a new name in it."""
    changed = {folder}
    missing = folder
    while not missing.exists():
        missing = missing.parent
        changed.add(missing)
    folder.mkdir(parents=True, exist_ok=True)
    return changed


@contextmanager
def locked(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold the lock of a folder: one writer alone, or any number of readers.

    The operating system releases it when the process ends, however it ends. It binds programs on one machine.
    """
    if not path.exists() and not alone:  # a copy that nobody writes to
        yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT if alone else os.O_RDONLY, 0o666)
    try:
        _lock(descriptor, alone)
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, alone: bool) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
                return
            except OSError:  # it gave up after ten seconds
                continue

else:
    import fcntl

    def _lock(descriptor: int, alone: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
