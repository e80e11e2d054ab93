"""Formats that describe objects in JSON inside a zip: skops and Keras 3; and Keras' older HDF5.

They bring no pickles, but they name classes and functions, and Keras can carry Python bytecode
(CVE-2024-3660, CVE-2025-1550); skops chose types by a field that another field could contradict
(CVE-2025-54412, CVE-2025-54413).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from foretaste.provenance.model_files.imports import danger, harmless
from foretaste.provenance.model_files.part import Part

JSON_BYTES = 64 * 2**20
NODES = 5_000_000
_KERAS = re.compile(r"(?:keras|keras_core|keras_hub|tensorflow|tf_keras)(?:\.[\w.]+)?")
_CALLS = frozenset({"OperatorFuncNode", "MethodNode", "PartialNode", "ReduceNode"})
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"(?:__lambda__|Lambda)"|"__lambda__"')


def examine_description(part: Part) -> None:
    """Judge every type that a ``schema.json`` (skops) or ``config.json`` (Keras 3) names."""
    content = part.bytes(0, JSON_BYTES)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        if part.member.endswith("schema.json"):
            part.report("malformed", "bad-description", "it is no sound JSON")
        return
    told: set[str] = set()
    for node in _nodes(document):
        if "__module__" in node and "__class__" in node:
            part.inspection.holds("skops")
            _skops(part, node, told)
        elif "class_name" in node and ("config" in node or "module" in node):
            part.inspection.holds("Keras")
            _keras(part, node, told)


def _skops(part: Part, node: dict[str, Any], told: set[str]) -> None:
    module, name = str(node["__module__"]), str(node["__class__"])
    whole = f"{module}.{name}"
    if whole in told:
        return
    told.add(whole)
    part.inspection.imports[whole] = part.inspection.imports.get(whole, 0) + 1
    loader = str(node.get("__loader__"))
    if (why := danger(module, name)) is not None and whole not in part.allowed:
        part.report("dangerous", "dangerous-import", f"it names {whole!r}, which {why}")
    elif loader in _CALLS and whole not in part.allowed:
        part.report("unknown", "unknown-import", f"it calls something of {whole!r} while loading ({loader})")
    elif not harmless(module, name, part.allowed) and module not in ("numpy", "builtins"):
        part.report("unknown", "unknown-import", f"it names {whole!r}, which is not known to be harmless")


def _keras(part: Part, node: dict[str, Any], told: set[str]) -> None:
    name = str(node["class_name"])
    module = node.get("module")
    if name in ("Lambda", "__lambda__") and "lambda" not in told:
        told.add("lambda")
        part.report(
            "dangerous", "lambda-layer", "it has a Lambda layer, which runs code that the file brings along"
        )
    if isinstance(module, str) and module and module not in told:
        told.add(module)
        if not _KERAS.fullmatch(module) and f"{module}.*" not in part.allowed:
            why = danger(module, name)
            level = "dangerous" if why else "unknown"
            reason = f"it names {module}.{name}, which {why or 'is not part of Keras'}"
            part.report(level, "dangerous-import" if why else "unknown-import", reason)  # type: ignore[arg-type]


def examine_hdf5(part: Part) -> None:
    """Look for Lambda layers in the configuration that Keras writes into HDF5."""
    part.inspection.holds("HDF5")
    for at in range(part.start, part.end, 2**24):
        found = _LAMBDA.search(part.data[at : min(part.end, at + 2**24 + 64)])
        if found:
            reason = "it has a Lambda layer, which runs code that the file brings along"
            part.report("dangerous", "lambda-layer", reason, at + found.start() - part.start)
            return


def _nodes(document: Any) -> Iterator[dict[str, Any]]:
    waiting, left = [document], NODES
    while waiting and left:
        left -= 1
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


__all__ = ["examine_description", "examine_hdf5"]
