"""Progress of long attacks: a bar on a terminal, silence in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator


def steps(count: int, title: str) -> Iterator[int]:
    """``range(count)``, with a bar on the standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield from range(count)
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(range(count), title, console=Console(stderr=True), transient=True)
