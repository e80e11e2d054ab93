"""A bill of materials for machine learning: the model, its data, their suppliers and hashes.

Reference: CycloneDX 1.6 (ECMA-424), components of type ``machine-learning-model`` and ``data``.
"""

from __future__ import annotations

import uuid
from typing import Any

from foretaste import __version__
from foretaste.provenance.evidence.past import Past, Step, uri
from foretaste.provenance.lineage.activity import Artefact

_TYPES = {"model": "machine-learning-model", "data": "data", "version": "data", "deployment": "platform"}


def bill(past: Past) -> dict[str, Any]:
    """The bill of materials as JSON; the same past gives the same bill."""
    suppliers = _suppliers(past)
    components = {
        artefact: _component(artefact, past, suppliers)
        for artefact in past.artefacts
        if artefact.kind != "source"
    }
    main = components.pop(past.subject)
    last = max((step.time for step in past.steps), default="1970-01-01T00:00:00Z")
    serial = uuid.uuid5(uuid.NAMESPACE_URL, uri(past.subject) + "".join(step.digest for step in past.steps))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": last,
            "tools": {"components": [{"type": "application", "name": "foretaste", "version": __version__}]},
            "component": main,
        },
        "components": list(components.values()),
        "dependencies": _dependencies(past),
    }


def _component(artefact: Artefact, past: Past, suppliers: dict[Artefact, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": _TYPES[artefact.kind],
        "bom-ref": uri(artefact),
        "name": artefact.name,
    }
    if artefact.kind == "version":
        found["version"] = artefact.key.rpartition("@")[2]
    if artefact.kind in ("data", "model"):
        found["hashes"] = [{"alg": "SHA-256", "content": artefact.key}]
    names = suppliers.get(artefact, [])
    if names:
        found["supplier"] = {"name": names[0]}
    if artefact.kind in ("data", "version"):
        described: dict[str, Any] = {"type": "dataset", "name": artefact.name}
        if names:
            described["governance"] = {"owners": [{"organization": {"name": name}} for name in names]}
        found["data"] = [described]
    if artefact.kind == "model":
        inputs = [one for step in past.steps if artefact in step.outputs for one in step.inputs]
        datasets = [{"ref": uri(one)} for one in dict.fromkeys(inputs) if one.kind in ("data", "version")]
        found["modelCard"] = {"modelParameters": {"datasets": datasets}}
    if artefact.rows is not None:
        found["properties"] = [{"name": "foretaste:rows", "value": str(artefact.rows)}]
    return found


def _suppliers(past: Past) -> dict[Artefact, list[str]]:
    found: dict[Artefact, list[str]] = {}
    for step in past.steps:
        names = [one.name for one in step.inputs if one.kind == "source"]
        for artefact in step.outputs:
            found.setdefault(artefact, []).extend(
                name for name in names if name not in found.get(artefact, [])
            )
    return found


def _dependencies(past: Past) -> list[dict[str, Any]]:
    needs: dict[str, dict[str, None]] = {uri(a): {} for a in past.artefacts if a.kind != "source"}
    for step in past.steps:
        for output in step.outputs:
            needs[uri(output)] |= {uri(one): None for one in _materials(step) if one != output}
    return [{"ref": ref, "dependsOn": list(on)} if on else {"ref": ref} for ref, on in needs.items()]


def _materials(step: Step) -> list[Artefact]:
    return [one for one in step.inputs if one.kind != "source"]


__all__ = ["bill"]
