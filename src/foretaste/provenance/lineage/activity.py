"""What happened to data: an activity with what went in and what came out.

The vocabulary is that of W3C PROV and OpenLineage: artefacts (sources, data, versions, models, deployments)
and activities that lead from one to the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from foretaste.errors import DataError

ArtefactKind = Literal["source", "data", "version", "model", "deployment"]
KINDS: tuple[str, ...] = get_args(ArtefactKind)


@dataclass(frozen=True)
class Artefact:
    """Something that data came from or became.

    Attributes
    ----------
    kind : {"source", "data", "version", "model", "deployment"}
    key : str
        What identifies it: the name of a source or deployment, the SHA-256 of a file, ``name@number`` of a
        version.
    name : str
        What people call it.
    rows : int or None
        How many rows it has, where that is known.
    """

    kind: str
    key: str
    name: str = ""
    rows: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        found: dict[str, Any] = {"kind": self.kind, "key": self.key, "name": self.name}
        return found | ({} if self.rows is None else {"rows": self.rows})


@dataclass(frozen=True)
class Activity:
    """One thing that happened.

    Attributes
    ----------
    kind : str
        ``ingest``, ``run``, ``train``, ``version``, ``deploy``, ``rollback``, ...
    time : str
        When, in UTC, as ISO 8601 text.
    inputs, outputs : tuple of Artefact
        Every input is taken to be in every output, unless ``links`` says otherwise.
    carried : tuple of (input, output, rows)
        By position: how many rows of that input are in that output, where that is known.
    details : mapping
        Command, environment, exit status and whatever else is worth keeping; JSON without floats.

    Examples
    --------
    >>> batch = Artefact("data", "ab" * 32, "batch.csv", rows=100)
    >>> made = Activity("ingest", "2026-11-26T17:00:00Z", (Artefact("source", "vendor"),), (batch,))
    >>> Activity.from_json(made.as_json()) == made
    True
    """

    kind: str
    time: str
    inputs: tuple[Artefact, ...] = ()
    outputs: tuple[Artefact, ...] = ()
    carried: tuple[tuple[int, int, int], ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "kind": self.kind,
            "time": self.time,
            "inputs": [artefact.as_json() for artefact in self.inputs],
            "outputs": [artefact.as_json() for artefact in self.outputs],
            "carried": [list(link) for link in self.carried],
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, value: Any) -> Activity:
        """Read an activity; raises `DataError` where it is none."""
        try:
            inputs, outputs = (
                tuple(Artefact(**one) for one in value[side]) for side in ("inputs", "outputs")
            )
            carried = tuple((int(i), int(o), int(rows)) for i, o, rows in value["carried"])
            made = cls(value["kind"], value["time"], inputs, outputs, carried, dict(value["details"]))
        except (TypeError, KeyError, ValueError):
            raise DataError("a record of lineage is none of this version of foretaste") from None
        texts = [text for a in (*inputs, *outputs) for text in (a.kind, a.key, a.name)] + [
            made.kind,
            made.time,
        ]
        numbers = [a.rows for a in (*inputs, *outputs) if a.rows is not None]
        if not all(isinstance(text, str) for text in texts) or not all(type(n) is int for n in numbers):
            raise DataError("a record of lineage has a value of a wrong type")
        if {a.kind for a in (*inputs, *outputs)} - set(KINDS):
            raise DataError("a record of lineage names a kind of artefact that there is not")
        return made

    def digest(self) -> str:
        """SHA-256 of what happened: the same activity is recorded once."""
        text = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


__all__ = ["KINDS", "Activity", "Artefact"]
