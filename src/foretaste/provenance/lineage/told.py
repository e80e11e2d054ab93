"""Activities that somebody tells us of, because no command line shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from foretaste.data import file_sha256
from foretaste.errors import DataError
from foretaste.provenance.lineage.activity import Activity, Artefact
from foretaste.provenance.lineage.capture import MODELS
from foretaste.provenance.lineage.carried import shape


def moment() -> str:
    """Now, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ingested(file: Path, source: str, time: str | None = None) -> Activity:
    """A file that came from a source."""
    if not file.exists():
        raise DataError("there is no such file or folder", file=file)
    table = shape(file) if file.suffix.lower() not in MODELS else None
    rows = None if table is None else table.rows
    made = Artefact("data", file_sha256(file), file.name, rows)
    carried = () if rows is None else ((0, 0, rows),)
    return Activity("ingest", time or moment(), (Artefact("source", source, source),), (made,), carried)


def deployed(model: Path, deployment: str, time: str | None = None) -> Activity:
    """A model that serves somewhere from now on."""
    if not model.is_file():
        raise DataError("there is no such model file", file=model)
    served = Artefact("model", file_sha256(model), model.name)
    target = Artefact("deployment", deployment, deployment)
    return Activity("deploy", time or moment(), (served,), (target,))


__all__ = ["deployed", "ingested", "moment"]
