"""The ``foretaste`` command: one module per verb; they parse, call and print."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn


def main() -> None:
    """Entry point of the ``foretaste`` command."""
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else whoever started us ignores it
        signal.signal(signal.SIGINT, stop)
    # Work is shared out to threads of our own; OpenMP below them would only wait for itself, far slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from foretaste.cli.app import run

    run()


def stop(*_: Any) -> NoReturn:
    """End in order, whatever is being done: half-written files are taken away on the way out."""
    sys.stderr.write("foretaste: interrupted; nothing was written\n")
    sys.exit(2)
