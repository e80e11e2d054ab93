"""The floors of the house: imports point down, never up, and never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import foretaste

SOURCE = Path(foretaste.__file__).parent
FLOORS = (
    ("__main__",),
    ("cli",),
    ("report", "demonstration", "testing"),
    ("redteam",),
    ("_scan", "provenance"),  # side by side
    ("attacks", "detect", "defend"),  # side by side: they do not know each other
    ("learners",),
    ("features",),
    ("stats",),
    ("data",),
    ("findings", "rules"),
    ("errors",),
)
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
LAZY = {"__init__", "findings"}
"""Modules that may look up inside a function: the public names, and the notebook view of findings."""


def modules() -> dict[str, Path]:
    """Dotted name below the package of every module, a package by its own name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path], *, inside_functions: bool = True) -> Iterator[str]:
    """Modules of the package that a file imports; not what is imported for type checkers only."""
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not inside_functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "foretaste":
            base = (node.module or "").removeprefix("foretaste").removeprefix(".")
            for alias in node.names:
                name = f"{base}.{alias.name}".removeprefix(".")
                yield name if name in known else base
        elif isinstance(node, ast.Import):
            yield from (
                a.name.removeprefix("foretaste.") for a in node.names if a.name.startswith("foretaste.")
            )
        nodes.extend(ast.iter_child_nodes(node))


def test_every_module_lives_on_a_floor() -> None:
    homeless = {name.split(".")[0] for name in modules()} - set(FLOOR_OF) - {"__init__"}
    assert not homeless, f"say in FLOORS where these live: {sorted(homeless)}"


def test_imports_point_down() -> None:
    known = modules()
    wrong = []
    for name, path in known.items():
        home = name.split(".")[0]
        if home == "__init__":
            continue
        for target in imports(path, known, inside_functions=name not in LAZY):
            other = target.split(".")[0]
            if other in FLOOR_OF and other != home and FLOOR_OF[other] <= FLOOR_OF[home]:
                wrong.append(f"{name} imports {target}")
    assert not wrong, "\n".join(wrong)


def test_no_circles() -> None:
    known = modules()
    graph = {
        name: {target for target in imports(path, known, inside_functions=name not in LAZY) if target != name}
        for name, path in known.items()
    }
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError and names the circle
