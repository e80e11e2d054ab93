"""The documentation page of every attack, made from its docstring."""

from __future__ import annotations

import inspect
import re
from itertools import groupby

from foretaste.attacks.base import KNOWLEDGE, Attack
from foretaste.attacks.registry import BUILT_IN, Entry, catalogue, find_attack

GOALS = {
    "availability": "make the model worse",
    "integrity-backdoor": "make the model obey a trigger",
    "targeted": "make the model misjudge one thing",
    "privacy": "make the model tell who it learned from",
}
ACCESS = {
    "label": "change labels",
    "data": "change what is in rows, and their labels where the attack says so",
    "injection": "add rows",
}
_HEADING = re.compile(r"^(.+)\n-{3,}$", re.MULTILINE)
_ENTRY = re.compile(r"^(\S.*?) ?: (.+)$")


def pages() -> dict[str, str]:
    """The pages by file name: one per built-in attack, and ``README.md`` that lists them."""
    entries = [entry for entry in catalogue() if entry.name in BUILT_IN]
    return {f"{entry.name}.md": page(entry) for entry in entries} | {"README.md": _index(entries)}


def page(entry: Entry) -> str:
    """One page: what the attack does, what it assumes, its parameters, an example, the papers."""
    kind = find_attack(entry.name)
    introduction, sections = _sections(inspect.getdoc(kind) or "")
    lines = [f"# {entry.name}", "", introduction, "", *_facts(entry, kind), ""]
    lines += ["## On the command line", "", *_code([_command(entry)]), ""]
    for heading, body in sections.items():
        lines += [f"## {heading}", ""]
        if heading in ("Parameters", "Attributes"):
            lines += _parameters(body)
        elif heading == "Examples":
            lines += _code([f"from {kind.__module__} import {kind.__name__}", "", *_plain(body)])
        else:
            lines += [_inline(body)]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def _facts(entry: Entry, kind: type[Attack]) -> list[str]:
    lines = [
        "| | |",
        "|---|---|",
        f"| goal | {entry.goal}: {GOALS.get(entry.goal, '')} |",
        f"| access | {entry.access}: {ACCESS.get(entry.access, '')} |",
        f"| knowledge | {entry.knowledge}: {KNOWLEDGE.get(entry.knowledge, '')} |",
        f"| data | {', '.join(entry.modalities)} |",
        f"| paper | {entry.paper} |",
    ]
    return [*lines, f"| needs | the extra `{kind.extra}` |"] if kind.extra else lines


def _index(entries: list[Entry]) -> str:
    lines = ["# Attacks", "", "Poison your own data before someone else does: `foretaste attack NAME DATA`."]
    ordered = sorted(entries, key=lambda entry: (entry.goal, entry.access, entry.name))
    for goal, group in groupby(ordered, key=lambda entry: entry.goal):
        lines += ["", f"## {goal.capitalize()}: {GOALS.get(goal, '')}", ""]
        lines += ["| attack | access | knowledge | data | what it does |", "|---|---|---|---|---|"]
        lines += [
            f"| [{entry.name}]({entry.name}.md) | {entry.access} | {entry.knowledge} "
            f"| {', '.join(entry.modalities)} | {_inline(entry.summary)} |"
            for entry in group
        ]
    for title, meaning in (("Access", ACCESS), ("Knowledge", KNOWLEDGE)):
        lines += ["", f"## {title}", "", f"| {title.lower()} | the attacker |", "|---|---|"]
        can = "can" if title == "Access" else "knows"
        lines += [f"| {name} | {can} {text} |" for name, text in meaning.items()]
    lines += ["", "Made by `python -m foretaste.attacks docs/attacks` from the docstrings; edit them there."]
    return "\n".join(lines) + "\n"


def _command(entry: Entry) -> str:
    kind = find_attack(entry.name)
    known = inspect.signature(kind).parameters
    target = " --target CLASS" if "target" in known else ""
    rate = "" if known["rate"].default is None else " --rate 0.01"
    return f"foretaste attack {entry.name} DATA --label COL{target}{rate} --out DIR"


def _sections(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the first heading, and what stands under each."""
    parts = _HEADING.split(text)
    return _inline(parts[0].strip()), {
        heading: body.strip("\n") for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def _parameters(body: str) -> list[str]:
    """Numpy's layout of parameters as a list."""
    lines: list[str] = []
    for line in body.splitlines():
        found = _ENTRY.match(line)
        if found is not None:
            lines.append(f"- `{found[1]}` ({_inline(found[2])})")
        elif line and not line[0].isspace():
            lines.append(f"- `{line.strip()}`")
        elif line.strip():
            lines.append(f"  {_inline(line.strip())}")
    return lines


def _code(lines: list[str]) -> list[str]:
    return [f"    {line}".rstrip() for line in lines]


def _plain(body: str) -> list[str]:
    return [re.sub(r" *# doctest: \+SKIP$", "", line) for line in body.strip("\n").splitlines()]


def _inline(text: str) -> str:
    """Double backquotes as markdown has them; a bar would end a table cell."""
    return text.replace("``", "`")
