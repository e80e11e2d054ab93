"""The steps as OpenLineage run events, with the hashes in a facet of our own.

Reference: OpenLineage 2-0-2 (https://openlineage.io/spec/2-0-2/OpenLineage.json).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from foretaste import __version__
from foretaste.provenance.evidence.past import Past, Step, uri
from foretaste.provenance.lineage.activity import Artefact

_SPEC = "https://openlineage.io/spec"
_PRODUCER = f"urn:foretaste:{__version__}"
_FACETS = "urn:foretaste:facets:1"


def events(past: Past, namespace: str = "foretaste") -> Iterator[dict[str, Any]]:
    """Two events per step, START and COMPLETE or FAIL, oldest first."""
    for step in past.steps:
        for kind in ("START", "FAIL" if step.details.get("exit") else "COMPLETE"):
            yield {
                "eventType": kind,
                "eventTime": step.time,
                "producer": _PRODUCER,
                "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
                "run": {"runId": step.id, "facets": _run(step)},
                "job": {"namespace": namespace, "name": step.name, "facets": {}},
                "inputs": [_dataset(one, namespace) for one in step.inputs],
                "outputs": [_dataset(one, namespace) for one in step.outputs],
            }


def _run(step: Step) -> dict[str, Any]:
    said = {"activity": f"sha256:{step.digest}", "exit": step.details.get("exit", 0)}
    if step.entry is not None:
        said["ledgerEntry"] = step.entry
    return {"foretaste": _facet(said)}


def _dataset(artefact: Artefact, namespace: str) -> dict[str, Any]:
    facets: dict[str, Any] = {"foretaste": _facet({"kind": artefact.kind, "uri": uri(artefact)})}
    version = artefact.key if artefact.kind == "version" else f"sha256:{artefact.key}"
    if artefact.kind in ("data", "model", "version"):
        facets["version"] = {
            "_producer": _PRODUCER,
            "_schemaURL": f"{_SPEC}/facets/1-0-0/DatasetVersionDatasetFacet.json",
            "datasetVersion": version,
        }
    return {"namespace": namespace, "name": artefact.name, "facets": facets}


def _facet(said: dict[str, Any]) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": _FACETS, **said}


__all__ = ["events"]
