"""How long it takes to start: ``import foretaste`` and ``foretaste --help``; best of five.

python -m benchmarks.startup
"""

from __future__ import annotations

import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import foretaste": ["-c", "import foretaste"],
    "foretaste --help": ["-m", "foretaste", "--help"],
    "foretaste scan --help": ["-m", "foretaste", "scan", "--help"],
}
REPEATS = 5


def main() -> None:
    for name, words in COMMANDS.items():
        print(f"{name:<24}{min(seconds(words) for _ in range(REPEATS)):6.3f} s")


def seconds(words: list[str]) -> float:
    """Wall time of one fresh interpreter."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
