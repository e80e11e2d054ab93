"""How something was made, as an in-toto statement with a SLSA provenance predicate.

References: in-toto Attestation Framework, Statement v1; SLSA Provenance v1 (https://slsa.dev/provenance/v1).
"""

from __future__ import annotations

from typing import Any

from foretaste import __version__
from foretaste.errors import DataError
from foretaste.provenance.evidence.past import Past, uri
from foretaste.provenance.statement import Statement, Subject

PREDICATE = "https://slsa.dev/provenance/v1"


def statement(past: Past) -> Statement:
    """The statement about the last step that made the subject.

    Raises
    ------
    DataError
        Where the subject is no file, or no step is recorded that made it.
    """
    if past.subject.kind not in ("data", "model"):
        raise DataError(f"an in-toto statement is about files; {past.subject.key!r} is a {past.subject.kind}")
    made = [step for step in past.steps if past.subject in step.outputs]
    if not made:
        raise DataError(f"no step is recorded that made {past.subject.name!r}")
    step = made[-1]
    dependencies = [
        {"name": one.name, "uri": uri(one)}
        | ({"digest": {"sha256": one.key}} if one.kind in ("data", "model") else {})
        for one in step.inputs
    ]
    environment = {k: v for k, v in step.details.get("environment", {}).items() if k != "packages"}
    predicate: dict[str, Any] = {
        "buildDefinition": {
            "buildType": f"urn:foretaste:{step.kind}:v1",
            "externalParameters": {"command": step.details.get("command", [])},
            "internalParameters": {"environment": environment},
            "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": {"id": "urn:foretaste:run", "version": {"foretaste": __version__}},
            "metadata": {"invocationId": f"urn:uuid:{step.id}", "startedOn": step.time},
        },
    }
    subjects = tuple(Subject(one.name, one.key) for one in step.outputs if one.kind in ("data", "model"))
    return Statement(subjects, PREDICATE, predicate)


__all__ = ["PREDICATE", "statement"]
