"""Made-up but realistic findings, for looking at every report and for testing it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from foretaste.findings import GROUP_SCHEMA, ROW_SCHEMA, SOURCE_SCHEMA


def rows_table(size: int, found: dict[int, dict[str, Any]], sources: list[str] | None = None) -> pa.Table:
    """A rows table of ``size`` rows in which ``found`` gives the ones with a finding."""
    rng = np.random.default_rng(5)
    columns: dict[str, list[Any]] = {name: [None] * size for name in ROW_SCHEMA.names}
    columns["row"] = list(range(size))
    columns["flagged"] = [False] * size
    columns["p_value"] = list(np.clip(rng.random(size), 1e-9, 1.0))
    columns["score"] = list(rng.random(size))
    suggested: list[str | None] = [None] * size
    for row, values in found.items():
        for name, value in values.items():
            if name in columns:
                columns[name][row] = value
        columns["flagged"][row] = values.get("family") in ("campaign", "mislabel")
        suggested[row] = values.get("suggested_label")
    table = pa.table(columns, schema=ROW_SCHEMA).append_column(
        "suggested_label", pa.array(suggested, pa.string())
    )
    return table if sources is None else table.append_column("source", pa.array(sources, pa.string()))


def groups_table(campaigns: list[dict[str, Any]]) -> pa.Table:
    """The groups table of campaigns in evidence form."""
    return pa.Table.from_pylist(
        [
            {
                "group": c["group"],
                "rule": c["rule"],
                "size": c.get("size"),
                "target": c.get("target"),
                "pattern": c.get("pattern"),
                "p_value": c.get("p_value"),
                "sources": [s["source"] for s in c.get("sources", [])],
            }
            for c in campaigns
        ],
        schema=GROUP_SCHEMA,
    )


def sources_table(sources: list[dict[str, Any]]) -> pa.Table:
    """The sources table of sources in evidence form."""
    return pa.Table.from_pylist(
        [{n: s.get(n) for n in SOURCE_SCHEMA.names} for s in sources], schema=SOURCE_SCHEMA
    )


def summary(verdict: str, rows: int, flagged: int, **more: Any) -> dict[str, Any]:
    """A summary.json."""
    return {
        "schema": 1,
        "verdict": verdict,
        "rows": rows,
        "flagged": flagged,
        "mislabels": more.pop("mislabels", {"estimate": 0.0, "low": 0.0, "high": 6.0}),
        "would_have_found": [],
        "fdr": 0.05,
        "rules": {},
        "skipped": more.pop("skipped", []),
        "data": {"sha256": "9f2c" + "0d7be1a4" * 7 + "51ac", "rows": rows, "columns": 3},
        "version": "0.1.0",
        "seconds": 11.4,
        **more,
    }


ENVIRONMENT = {
    "foretaste": "0.1.0",
    "python": "3.11.9",
    "numpy": "2.4.6",
    "scikit-learn": "1.9.1",
    "pyarrow": "26.0.1",
    "blas": "OpenBLAS 0.3.31 Haswell, 2 threads",
    "platform": "Linux x86_64",
}

PLAN_TEXT = [
    {"detector": "features", "rules": [], "status": "ran", "seconds": 1.3, "rows_per_second": 4000},
    {
        "detector": "label audit",
        "rules": ["FT101", "FT102", "FT103", "FT104"],
        "status": "ran",
        "seconds": 4.1,
        "rows_per_second": 1261,
    },
    {
        "detector": "text triggers",
        "rules": ["FT201", "FT202"],
        "status": "ran",
        "seconds": 1.9,
        "rows_per_second": 2721,
    },
    {
        "detector": "clean-label patterns",
        "rules": ["FT205"],
        "status": "ran",
        "seconds": 0.6,
        "rows_per_second": 8618,
    },
    {
        "detector": "near-duplicates",
        "rules": ["FT301", "FT302"],
        "status": "ran",
        "seconds": 1.2,
        "rows_per_second": 4309,
    },
    {
        "detector": "sources",
        "rules": ["FT401", "FT402"],
        "status": "ran",
        "seconds": 1.1,
        "rows_per_second": 4700,
    },
    {
        "detector": "value triggers",
        "rules": ["FT203", "FT204", "FT206"],
        "status": "skipped",
        "reason": "there are no feature columns beside the text",
    },
    {
        "detector": "fabricated rows",
        "rules": ["FT303"],
        "status": "skipped",
        "reason": "there are no feature columns beside the text",
    },
    {
        "detector": "bursts",
        "rules": ["FT304"],
        "status": "skipped",
        "reason": "no time column was named (--time)",
    },
]


def figures(
    rng: np.random.Generator, size: int, campaign: int, mislabel: int, classes: int = 2
) -> dict[str, Any]:
    """Distribution and map of a scan with that many flagged rows."""
    edges = np.linspace(-4, 12, 33)
    middle = (edges[:-1] + edges[1:]) / 2
    null = size * 0.5 * np.exp(-(middle**2) / 2) / math.sqrt(2 * math.pi)
    observed = rng.poisson(null).astype(float)
    observed += (
        np.histogram(rng.normal(8, 1, campaign), edges)[0]
        + np.histogram(rng.normal(5, 0.8, mislabel), edges)[0]
    )
    n = min(size, 1500)
    label = (rng.random(n) < 0.2).astype(int) if classes == 2 else rng.integers(0, classes, n)
    centre = np.column_stack([np.cos(label * 2.4) * 3, np.sin(label * 2.4) * 2])
    xy = centre + rng.normal(size=(n, 2)) * [1.5, 0.9]
    family: list[str | None] = [None] * n
    group: list[int | None] = [None] * n
    for i in range(min(campaign, 52)):
        family[i], group[i] = "campaign", i % 2
        xy[i] = [1.2 + rng.normal() * 0.9, 2.6 + rng.normal() * 0.4]
    for i in range(60, 60 + min(mislabel, 40)):
        family[i] = "mislabel"
    return {
        "distribution": {
            "title": "How strongly the rest of each row contradicts its label (log-odds)",
            "edges": edges.tolist(),
            "observed": observed.tolist(),
            "expected": null.round(3).tolist(),
            "threshold": 4.5,
        },
        "map": {
            "x": xy[:, 0].round(3).tolist(),
            "y": xy[:, 1].round(3).tolist(),
            "row": rng.permutation(size)[:n].tolist(),
            "label": label.tolist(),
            "family": family,
            "group": group,
        },
    }
