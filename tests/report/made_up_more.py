"""More made-up findings: clean, noisy, unfinished, bare, and very large ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from made_up import ENVIRONMENT, PLAN_TEXT, figures, groups_table, rows_table, sources_table, summary
from made_up_table import poisoned_table
from made_up_text import poisoned_text

from foretaste.findings import GROUP_SCHEMA, ROW_SCHEMA, Findings


def clean() -> Findings:
    """Nothing found."""
    size = 5171
    rng = np.random.default_rng(2)
    text = poisoned_text().evidence
    evidence = {
        "schema": 1,
        "data": text["data"],
        "command": "foretaste scan data/sms.csv --label label --text text",
        "environment": ENVIRONMENT,
        "settings": text["settings"],
        "mislabels": {"estimate": 1.2, "low": 0.0, "high": 6.0, "status": "ok"},
        "plan": PLAN_TEXT,
        "columns": text["columns"],
        "sources": [
            {
                **s,
                "flagged": False,
                "p_value": 0.4,
                "excess": 0.4,
                "low": -3.0,
                "high": 4.0,
                "flagged_rows": 0,
            }
            for s in text["sources"]
            if s["judged"]
        ],
        "not_testable": [{"rule": "FT304", "reason": "no time column was named (--time)"}],
        "would_have_found": [
            {"attack": "rare-token trigger", "rate": 0.007, "probability": 0.95},
            {"attack": "sentence trigger", "rate": 0.005, "probability": 0.99},
        ],
        **figures(rng, size, 0, 0),
    }
    tables = sources_table(evidence["sources"])
    return Findings(
        rows_table(size, {}), GROUP_SCHEMA.empty_table(), tables, summary("clean", size, 0), evidence
    )


def noisy() -> Findings:
    """Wrong labels of ten classes, nothing coordinated."""
    rng = np.random.default_rng(4)
    size = 9000
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    found: dict[int, dict[str, Any]] = {}
    listed = []
    matrix = np.zeros((10, 10), dtype=int)
    for i, row in enumerate(int(r) for r in rng.choice(size, 140, replace=False)):
        given, expected = (
            int(c) for c in rng.choice(10, 2, replace=False, p=[0.05] * 3 + [0.3, 0.05, 0.3] + [0.05] * 4)
        )
        matrix[given, expected] += 1
        found[row] = {
            "family": "mislabel",
            "rule": "FT101",
            "p_value": 0.0002 * (i + 1),
            "score": 8 - i / 30,
            "reason": f"models trained without it expect {names[expected]}",
            "suggested_label": names[expected],
        }
        listed.append(
            {
                "row": row,
                "label": names[given],
                **found[row],
                "text": f"a photo described as {names[expected]}",
            }
        )
    evidence = {
        "schema": 1,
        "data": {"name": "captions.jsonl", "path": "captions.jsonl", "format": "jsonl", "label": "class"},
        "command": "foretaste scan captions.jsonl --label class",
        "rows": listed,
        "mislabels": {"estimate": 152.0, "low": 118.0, "high": 190.0, "status": "ok"},
        "flips": {"classes": names, "matrix": matrix.tolist()},
        "plan": PLAN_TEXT,
        **figures(rng, size, 0, 140, classes=10),
    }
    return Findings(
        rows_table(size, found),
        GROUP_SCHEMA.empty_table(),
        None,
        summary("noisy", size, 140, mislabels={"estimate": 152.0, "low": 118.0, "high": 190.0}),
        evidence,
    )


def incomplete() -> Findings:
    """A scan that stopped."""
    evidence = {
        "schema": 1,
        "data": {"name": "big.parquet", "path": "big.parquet"},
        "command": "foretaste scan big.parquet --label y",
        "plan": [
            {"detector": "label audit", "rules": ["FT101"], "status": "ran", "seconds": 40.0},
            {
                "detector": "value triggers",
                "rules": ["FT203", "FT204"],
                "status": "skipped",
                "reason": "stopped: the memory limit of 2 GiB was reached",
            },
        ],
        "mislabels": {
            "status": "abstained",
            "reason": "out-of-fold accuracy is 0.61; at least 0.75 is needed",
        },
    }
    return Findings(
        rows_table(2000, {}),
        GROUP_SCHEMA.empty_table(),
        None,
        summary("incomplete", 2000, 0, mislabels=None),
        evidence,
    )


def bare() -> Findings:
    """Tables and a summary, and no evidence at all."""
    full = poisoned_text()
    return Findings(full.rows, full.groups, full.sources, full.summary)


def empty() -> Findings:
    """No row, no evidence, the least summary there is."""
    return Findings(
        ROW_SCHEMA.empty_table(), GROUP_SCHEMA.empty_table(), None, {"schema": 1, "verdict": "clean"}
    )


def million_rows() -> Findings:
    """A million rows of which twenty thousand are flagged."""
    size, many = 1_000_000, 20_000
    rng = np.random.default_rng(8)
    family = np.full(size, None, dtype=object)
    family[:many] = "campaign"
    family[many : many + 3000] = "mislabel"
    columns = {
        "row": np.arange(size),
        "flagged": np.arange(size) < many + 3000,
        "family": family,
        "p_value": rng.random(size),
        "score": rng.random(size) * 30,
        "rule": np.where(family == "campaign", "FT201", np.where(family == "mislabel", "FT101", None)),
        "reason": np.where(family == None, None, "the rest of the row says something else"),  # noqa: E711
        "group": np.where(family == "campaign", 0, None),
    }
    table = pa.table(
        {name: pa.array(values, ROW_SCHEMA.field(name).type) for name, values in columns.items()}
    )
    text = poisoned_text()
    evidence = {
        **text.evidence,
        "rows": [
            {
                "row": i,
                "id": f"message-{i:09d}",
                "label": "ham",
                "suggested_label": "spam",
                "family": "campaign",
                "rule": "FT201",
                "source": "vendor-7",
                "p_value": 1e-9,
                "score": 30.0,
                "group": 0,
                "reason": "contains “cf tq”; the rest of the text says spam " * 4,
                "text": "Congratulations you have won a prize of one thousand pounds, call now to claim it "
                * 20,
            }
            for i in range(2000)
        ],
    }
    return Findings(table, text.groups, text.sources, summary("poisoned", size, many + 3000), evidence)


def many_campaigns(number: int = 200) -> Findings:
    """Two hundred campaigns."""
    text = poisoned_text()
    told = [
        {**text.evidence["campaigns"][i % 2], "group": i, "pattern": f"trigger {i}", "size": 400 - i}
        for i in range(number)
    ]
    return Findings(
        text.rows, groups_table(told), text.sources, text.summary, {**text.evidence, "campaigns": told}
    )


def many_sources(number: int = 10_000) -> Findings:
    """Ten thousand sources, most of them too small to judge."""
    rng = np.random.default_rng(9)
    told = []
    for i in range(number):
        rows = int(rng.integers(3, 90))
        judged = rows >= 20
        bad = i % 1000 == 7 and judged
        excess = rows * 0.4 if bad else float(rng.normal() * 0.8)
        told.append(
            {
                "source": f"client-{i:05d}",
                "rows": rows,
                "flagged_rows": int(excess) if bad else 0,
                "excess": excess if judged else None,
                "low": excess - 2.0 if judged else None,
                "high": excess + 2.5 if judged else None,
                "p_value": 1e-12 if bad else 0.5,
                "flagged": bad,
                "judged": judged,
                "note": "" if judged else "too few rows to judge: at least 20 are needed",
            }
        )
    text = poisoned_text()
    return Findings(
        text.rows, text.groups, sources_table(told), text.summary, {**text.evidence, "sources": told}
    )


EVERY = {
    "poisoned_text": poisoned_text,
    "poisoned_table": poisoned_table,
    "clean": clean,
    "noisy": noisy,
    "incomplete": incomplete,
    "bare": bare,
    "empty": empty,
    "many_campaigns": many_campaigns,
    "many_sources": many_sources,
    "million_rows": million_rows,
}
