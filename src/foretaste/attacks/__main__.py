"""``python -m foretaste.attacks docs/attacks`` writes the documentation pages of the attacks."""

from __future__ import annotations

import sys
from pathlib import Path

from foretaste.attacks.pages import pages


def main(arguments: list[str]) -> int:
    """Write the pages into the folder that the one argument names."""
    if len(arguments) != 1:
        print("usage: python -m foretaste.attacks FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
