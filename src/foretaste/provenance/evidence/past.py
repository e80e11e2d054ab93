"""The past of a file, version, model or deployment: what it was made from, step by step."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from foretaste.errors import DataError
from foretaste.provenance.lineage.activity import Artefact
from foretaste.provenance.lineage.graph import LineageGraph

_ABOVE = (
    "WITH RECURSIVE above (id) AS (SELECT CAST(? AS BIGINT)"
    " UNION SELECT edge.parent FROM edge JOIN above ON edge.child = above.id)"
)
_ARTEFACTS = " SELECT a.id, a.kind, a.key, a.name, a.rows FROM above JOIN artefact a ON a.id = above.id"
_STEPS = (
    " SELECT e.activity, e.parent, e.child, e.rows, v.kind, v.time, v.digest, v.entry, v.details"
    " FROM above JOIN edge e ON e.child = above.id JOIN activity v ON v.id = e.activity ORDER BY e.activity"
)


@dataclass
class Step:
    """One activity: what went in, what came out, and how many rows were carried from one to the other."""

    kind: str
    time: str
    digest: str
    entry: int | None
    details: dict[str, Any]
    inputs: list[Artefact] = field(default_factory=list)
    outputs: list[Artefact] = field(default_factory=list)

    @property
    def id(self) -> str:
        """A UUID that is the same for the same activity."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:foretaste:activity:{self.digest}"))

    @property
    def name(self) -> str:
        """The kind and, for a command, its first words."""
        command = self.details.get("command")
        words = " ".join(str(word) for word in command[:3]) if isinstance(command, list) else ""
        return f"{self.kind}: {words}"[:200] if words else self.kind


@dataclass
class Past:
    """A subject, everything it was made from (itself included), and the steps in between, oldest first."""

    subject: Artefact
    artefacts: list[Artefact]
    steps: list[Step]


def past(graph: LineageGraph, name: str) -> Past:
    """Look up the past of something by its name or hash.

    Raises
    ------
    DataError
        Where there is no such thing, or several.
    """
    found = [artefact for artefact in graph.find(name) if artefact.kind != "source"]
    if len(found) != 1:
        what = f"{len(found)} things are called {name!r}" if found else f"nothing is recorded about {name!r}"
        raise DataError(what, hint="name a file, a hash, a version such as train@3, or a deployment")
    subject = found[0]
    ((start,),) = graph.query(
        "SELECT id FROM artefact WHERE kind = ? AND key = ?", (subject.kind, subject.key)
    )
    artefacts = {row[0]: Artefact(*row[1:]) for row in graph.query(_ABOVE + _ARTEFACTS, (start,))}
    steps: dict[int, Step] = {}
    for activity, parent, child, _, kind, time, digest, entry, details in graph.query(
        _ABOVE + _STEPS, (start,)
    ):
        step = steps.setdefault(activity, Step(kind, time, digest, entry, json.loads(details)))
        for side, number in ((step.inputs, parent), (step.outputs, child)):
            if artefacts[number] not in side:
                side.append(artefacts[number])
    ordered = [artefact for _, artefact in sorted(artefacts.items())]
    return Past(subject, ordered, sorted(steps.values(), key=lambda step: (step.time, step.digest)))


def uri(artefact: Artefact) -> str:
    """A URI for an artefact."""
    from urllib.parse import quote

    if artefact.kind in ("data", "model"):
        return f"urn:foretaste:sha256:{artefact.key}"
    return f"urn:foretaste:{artefact.kind}:{quote(artefact.key, safe='')}"


__all__ = ["Past", "Step", "past", "uri"]
