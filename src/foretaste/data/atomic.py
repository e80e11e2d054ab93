"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; what was written there takes its place on success.

    The path does not exist yet: write a file there or make a folder. On an exception it is removed and
    ``target`` stays as it was. A folder takes the place of an existing folder only where that is empty.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}-", dir=target.parent))
    path = staging / target.name
    try:
        yield path
        os.replace(path, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
