"""Where results go: checked before the work starts, never written over something else."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from foretaste.errors import ConfigError


def check_folder(out: Path, data: Path, marks: Collection[str]) -> None:
    """Refuse an output folder that cannot be written, holds something else, or lies inside the data.

    Parameters
    ----------
    out : Path
        The folder asked for.
    data : Path
        The data that are read.
    marks : collection of str
        Files one of which says that a folder that is not empty was made by this command.

    Raises
    ------
    ConfigError, OSError
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {str(out)!r} is a file; name a folder")
    if data.is_dir() and out.resolve().is_relative_to(data.resolve()):
        raise ConfigError(f"--out {str(out)!r} lies inside the data {str(data)!r}; name a folder elsewhere")
    if out.is_dir() and any(out.iterdir()) and not any((out / mark).is_file() for mark in marks):
        raise ConfigError(f"--out {str(out)!r} holds other files; name a new or an empty folder")
    for place in {out, out.parent}:
        existing = next(folder for folder in (place, *place.resolve().parents) if folder.exists())
        with tempfile.TemporaryFile(dir=existing):
            pass


@contextmanager
def finishing() -> Iterator[None]:
    """Let nothing interrupt the moment in which finished files take their places: it comes too late."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in kept:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
