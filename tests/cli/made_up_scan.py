"""Made-up findings about a data set of twelve rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from foretaste.data import open_file, table_hash
from foretaste.findings import GROUP_SCHEMA, ROW_SCHEMA, SOURCE_SCHEMA, Findings

ROWS = 12


def made_up(
    path: Path | None,
    *,
    campaign: tuple[int, ...] = (),
    mislabel: tuple[int, ...] = (),
    bad_source: bool = False,
    skipped: str = "",
    pattern: str = "amount=7",
) -> Findings:
    """Findings about the twelve rows of ``data``."""
    family = [
        "campaign" if row in campaign else "mislabel" if row in mislabel else None for row in range(ROWS)
    ]
    flagged = [name is not None for name in family]
    verdict = "poisoned" if campaign or bad_source else "noisy" if mislabel else "clean"
    rows = {
        "row": range(ROWS),
        "flagged": flagged,
        "family": family,
        "p_value": [0.001 if flag else 0.5 for flag in flagged],
        "score": np.array(flagged, dtype=float),
        "rule": ["FT203" if name == "campaign" else "FT101" if name else None for name in family],
        "reason": ["it says so" if flag else None for flag in flagged],
        "group": [0 if name == "campaign" else None for name in family],
    }
    table = pa.table(
        {name: pa.array(list(rows[name]), ROW_SCHEMA.field(name).type) for name in ROW_SCHEMA.names}
    )
    table = table.append_column(
        "suggested_label", pa.array(["ham" if row in mislabel else None for row in range(ROWS)])
    )
    group = {
        "group": 0, "rule": "FT203", "size": len(campaign), "target": "spam", "pattern": pattern,
        "p_value": 1e-9, "sources": ["a"],
    }  # fmt: skip
    source = {
        "source": "a",
        "rows": 4,
        "flagged_rows": 3,
        "excess": 3.0,
        "p_value": 1e-6,
        "flagged": bad_source,
    }
    summary = {
        "schema": 1,
        "verdict": "incomplete" if skipped else verdict,
        "rows": ROWS,
        "flagged": sum(flagged),
        "mislabels": {"estimate": len(mislabel), "low": 0, "high": len(mislabel)},
        "would_have_found": [],
        "fdr": 0.05,
        "rules": {},
        "skipped": [{"rule": "FT204", "reason": skipped}] if skipped else [],
        "data": {
            "sha256": "" if path is None else table_hash(open_file(path).read()),
            "rows": ROWS,
            "columns": 3,
        },
        "version": "0",
        "seconds": 0.1,
    }
    return Findings(
        table,
        pa.Table.from_pylist([group] if campaign else [], GROUP_SCHEMA),
        pa.Table.from_pylist([source], SOURCE_SCHEMA),
        summary,
        {"data": {"label": "label", "name": "data.csv", "path": str(path)}},
    )
