"""``python -m foretaste.rules docs/rules`` writes the catalogue as documentation pages."""

from __future__ import annotations

import sys
from pathlib import Path

from foretaste.rules import all_rules


def pages() -> dict[str, str]:
    """The documentation pages by file name: one per code, and ``README.md`` that lists them."""
    index = ["# Rules", "", "Every finding carries one of these codes. A code never changes its meaning.", ""]
    index += ["| code | what | family | severity | data |", "|---|---|---|---|---|"]
    index += [
        f"| [{r.code}]({r.code}.md) | {r.title} | {r.family} | {r.severity} | {', '.join(r.modalities)} |"
        for r in all_rules()
    ]
    index += [
        "",
        "Made by `python -m foretaste.rules docs/rules` from `src/foretaste/rules`; edit the pages there.",
    ]
    return {f"{r.code}.md": r.page_markdown for r in all_rules()} | {"README.md": "\n".join(index) + "\n"}


def main(arguments: list[str]) -> int:
    """Write the pages into the folder that the one argument names."""
    if len(arguments) != 1:
        print("usage: python -m foretaste.rules FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
