"""The past in the vocabulary of W3C PROV: entities, activities, agents and how they are related.

References: PROV-DM (W3C Recommendation, 2013); PROV-JSON (W3C Member Submission, 2013).
"""

from __future__ import annotations

import re
from typing import Any

from foretaste.provenance.evidence.past import Past
from foretaste.provenance.lineage.activity import Artefact

_NAMESPACE = "urn:foretaste:"


def document(past: Past) -> dict[str, Any]:
    """The PROV-JSON document."""
    made: dict[str, Any] = {"prefix": {"ft": _NAMESPACE, "xsd": "http://www.w3.org/2001/XMLSchema#"}}
    made |= {
        kind: {} for kind in ("entity", "activity", "agent", "used", "wasGeneratedBy", "wasAttributedTo")
    }
    for artefact in past.artefacts:
        if artefact.kind == "source":
            kind = {"$": "prov:Organization", "type": "prov:QUALIFIED_NAME"}
            made["agent"][_name(artefact)] = {"prov:label": artefact.name, "prov:type": kind}
            continue
        entity: dict[str, Any] = {"prov:label": artefact.name, "ft:kind": artefact.kind}
        if artefact.kind in ("data", "model"):
            entity["ft:sha256"] = artefact.key
        if artefact.rows is not None:
            entity["ft:rows"] = {"$": str(artefact.rows), "type": "xsd:integer"}
        made["entity"][_name(artefact)] = entity
    for step in past.steps:
        activity = f"ft:activity-{step.digest}"
        made["activity"][activity] = {"prov:startTime": step.time, "prov:label": step.name}
        for one in step.inputs:
            if one.kind != "source":
                _relate(made, "used", {"prov:activity": activity, "prov:entity": _name(one)})
        for output in step.outputs:
            _relate(made, "wasGeneratedBy", {"prov:entity": _name(output), "prov:activity": activity})
            for one in step.inputs:
                if one.kind == "source":
                    _relate(made, "wasAttributedTo", {"prov:entity": _name(output), "prov:agent": _name(one)})
    return {key: value for key, value in made.items() if value}


def _relate(made: dict[str, Any], kind: str, what: dict[str, str]) -> None:
    made[kind][f"_:{kind}{len(made[kind]) + 1}"] = what


def _name(artefact: Artefact) -> str:
    """A qualified name; what may not stand in one is written as its code."""
    local = re.sub(r"[^A-Za-z0-9_]", lambda match: f"-{ord(match[0]):x}-", artefact.key)
    return f"ft:{artefact.kind}-{local}"


__all__ = ["document"]
