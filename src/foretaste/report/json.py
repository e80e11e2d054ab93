"""One JSON document with everything: summary, campaigns, sources, rows with a finding, and the evidence."""

from __future__ import annotations

import json
from typing import Any

from foretaste.findings import SCHEMA, Findings
from foretaste.report.safe import json_value
from foretaste.report.tables import strongest


def render(findings: Findings) -> bytes:
    """Strict JSON (RFC 8259), ASCII only; what is not a finite number or valid text is null or replaced.

    ``rows`` holds the rows that carry a finding, strongest first; ``findings.parquet`` has the others too.
    """
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "summary": findings.summary,
        "groups": findings.groups.to_pylist(),
        "sources": None if findings.sources is None else findings.sources.to_pylist(),
        "rows": strongest(findings.rows).to_pylist(),
        "evidence": findings.evidence,
    }
    return json.dumps(json_value(document), indent=1, ensure_ascii=True, allow_nan=False).encode() + b"\n"
