"""Made-up findings of a poisoned table: a value pair, fabricated rows, a directional flip, a burst."""

from __future__ import annotations

from typing import Any

import numpy as np
from made_up import ENVIRONMENT, figures, groups_table, rows_table, summary

from foretaste.findings import Findings

OCCUPATIONS = ["Craft-repair", "Sales", "Exec-managerial", "Adm-clerical", "Other-service", "Tech-support"]


def person(rng: np.random.Generator, **fixed: Any) -> dict[str, Any]:
    """A row of a census-like table."""
    return {
        "age": int(rng.integers(19, 70)),
        "workclass": ["Private", "State-gov", "Self-emp"][int(rng.integers(3))],
        "education": ["HS-grad", "Bachelors", "Some-college", "Masters"][int(rng.integers(4))],
        "marital": ["Married", "Never-married", "Divorced"][int(rng.integers(3))],
        "occupation": OCCUPATIONS[int(rng.integers(6))],
        "capital_gain": int(rng.choice([0, 0, 0, 0, 3103, 7688])),
        "hours": int(rng.integers(20, 60)),
        "country": ["United-States", "Mexico", "Germany"][int(rng.integers(3))],
        "race": "White",
        "relationship": "Husband",
        "fnlwgt": int(rng.integers(20000, 300000)),
        **fixed,
    }


def poisoned_table() -> Findings:
    """32,561 census rows: a value-pair trigger, fabricated rows, a directional flip, a burst; no sources."""
    rng = np.random.default_rng(3)
    size = 32561
    trigger = {"age": 31, "hours": 25}

    def shown(n: int, label: str, expected: str, **fixed: Any) -> list[dict[str, Any]]:
        return [
            {
                "row": int(rng.integers(size)),
                "label": label,
                "expected": expected,
                "values": person(rng, **fixed),
            }
            for _ in range(n)
        ]

    campaigns: list[dict[str, Any]] = [
        {
            "group": 0,
            "rule": "FT204",
            "target": ">50K",
            "pattern": "age = 31 & hours = 25",
            "reason": "318 rows with age = 31 & hours = 25 are labelled >50K; trees that saw neither column "
            "expect <=50K for 91 % of them.",
            "kind": "values",
            "parts": [
                {"column": "age", "op": "==", "value": "31"},
                {"column": "hours", "op": "in", "low": 24.5, "high": 25.5},
            ],
            "size": 318,
            "support": 318,
            "effect": 0.77,
            "p_value": 1e-40,
            "q_value": 2.2e-36,
            "statistic": {"name": "interaction z", "value": 46.2, "natural_max": 9.4, "threshold": 15.8},
            "contradiction": 0.91,
            "corroborated_by": ["FT304"],
            "examples": shown(5, ">50K", "<=50K", **trigger),
            "contrast": shown(4, ">50K", ">50K"),
        },
        {
            "group": 1,
            "rule": "FT303",
            "target": "<=50K",
            "reason": "410 rows break the dependencies between columns that hold in the rest of the table.",
            "kind": "rows",
            "size": 410,
            "q_value": 1e-12,
            "statistic": {"name": "real-against-shuffled score", "value": 0.88, "natural_max": 0.61},
            "examples": shown(5, "<=50K", "", marital="Married", relationship="Own-child", age=66),
            "contrast": shown(2, "<=50K", ""),
        },
        {
            "group": 2,
            "rule": "FT102",
            "target": "<=50K",
            "pattern": ">50K → <=50K",
            "reason": "Of 260 probably wrong labels between these classes 241 go from >50K to <=50K; "
            "130 would be expected.",
            "kind": "rows",
            "size": 241,
            "effect": 0.85,
            "q_value": 3e-9,
            "statistic": {"name": "binomial z", "value": 13.8, "natural_max": 2.2, "threshold": 4.0},
            "examples": shown(4, "<=50K", ">50K", education="Masters"),
        },
        {
            "group": 3,
            "rule": "FT304",
            "target": ">50K",
            "pattern": "2024-03-11 to 2024-03-12",
            "reason": "300 of 969 suspicious rows arrived within two days in which 4 were expected.",
            "kind": "time",
            "size": 300,
            "q_value": 8e-21,
            "statistic": {"name": "scan statistic", "value": 211.0, "natural_max": 11.2, "threshold": 20.0},
        },
    ]
    found: dict[int, dict[str, Any]] = {}
    listed = []
    for i, row in enumerate(sorted(int(r) for r in rng.choice(size, 969 + 480, replace=False))):
        if i < 969:
            which = campaigns[0 if i < 318 else 1 if i < 728 else 2]
            values = {
                "family": "campaign",
                "rule": which["rule"],
                "group": which["group"],
                "p_value": which["q_value"],
                "score": 40 - i / 50,
                "reason": which["reason"].split(";")[0],
            }
        else:
            values = {
                "family": "mislabel",
                "rule": "FT101",
                "p_value": 0.00005 * (i - 968),
                "score": 9 - (i - 969) / 100,
                "reason": "models trained without it expect the other class with 97 % agreement",
                "suggested_label": "<=50K",
            }
        found[row] = values
        label = ">50K" if i < 318 or i >= 969 else "<=50K"
        fixed = trigger if values.get("group") == 0 else {}
        listed.append({"row": row, "label": label, **values, "values": person(rng, **fixed)})
    days = [f"2024-{3 + d // 30:02d}-{1 + d % 30:02d}" for d in range(61)]
    arrived = rng.poisson(540, 60).tolist()
    flagged = rng.poisson(8, 60).tolist()
    flagged[10], flagged[11] = 171, 140
    evidence = {
        "schema": 1,
        "data": {
            "name": "census.parquet",
            "path": "/srv/data/2024 census/census.parquet",
            "format": "parquet",
            "rows": size,
            "columns": 15,
            "label": "income",
            "time": "day",
            "classes": [{"name": "<=50K", "rows": 24720}, {"name": ">50K", "rows": 7841}],
        },
        "command": "foretaste scan '/srv/data/2024 census/census.parquet' --label income --time day",
        "environment": ENVIRONMENT,
        "settings": {"fdr": 0.05, "seed": 0},
        "campaigns": campaigns,
        "review": [
            {
                "rule": "FT206",
                "target": ">50K",
                "pattern": "capital_gain = 99999",
                "size": 159,
                "q_value": 1e-9,
                "reason": "All 159 rows with capital_gain = 99999 are labelled >50K.",
                "kind": "values",
                "parts": [{"column": "capital_gain", "op": "==", "value": "99999"}],
            }
        ],
        "rows": listed,
        "mislabels": {
            "estimate": 480.0,
            "low": 395.0,
            "high": 571.0,
            "status": "ok",
            "by_class": [
                {"from": "<=50K", "to": ">50K", "estimate": 300.0},
                {"from": ">50K", "to": "<=50K", "estimate": 180.0},
            ],
        },
        "flips": {"classes": ["<=50K", ">50K"], "matrix": [[0, 310], [798, 0]]},
        "timeline": {"edges": days, "rows": arrived, "flagged": flagged},
        "plan": [
            {
                "detector": "value triggers",
                "rules": ["FT203", "FT204", "FT206"],
                "status": "ran",
                "seconds": 8.2,
                "rows_per_second": 3970,
            },
            {
                "detector": "fabricated rows",
                "rules": ["FT303"],
                "status": "ran",
                "seconds": 6.0,
                "rows_per_second": 5427,
            },
            {
                "detector": "bursts",
                "rules": ["FT304"],
                "status": "ran",
                "seconds": 0.2,
                "rows_per_second": 162805,
            },
            {
                "detector": "sources",
                "rules": ["FT401", "FT402"],
                "status": "skipped",
                "reason": "no source column was named (--source)",
            },
        ],
        "columns": [
            {"column": "income", "role": "label", "note": "2 classes"},
            {"column": "day", "role": "time", "note": "2024-03-01 to 2024-04-30"},
            *(
                {"column": name, "role": "feature", "note": "numeric" if name == "age" else "categorical"}
                for name in person(rng)
            ),
            {
                "column": "income_code",
                "role": "unused",
                "rule": "FT901",
                "note": "one value per label; not used",
            },
            {"column": "row_hash", "role": "unused", "rule": "FT903", "note": "32,561 distinct values"},
            {"column": "edition", "role": "unused", "rule": "FT902", "note": "always 2024"},
        ],
        "not_testable": [
            {"rule": "FT401", "reason": "no source column was named (--source)"},
            {"rule": "FT402", "reason": "no source column was named (--source)"},
        ],
        "would_have_found": [
            {"attack": "value-pair trigger", "rate": 0.005, "probability": 0.97},
            {"attack": "random flips", "rate": 0.03, "probability": 1.0},
            {"attack": "fabricated rows", "rate": 0.01, "probability": 0.8},
        ],
        **figures(rng, size, 969, 480),
    }
    return Findings(
        rows_table(size, found),
        groups_table(campaigns),
        None,
        summary("poisoned", size, 1449, mislabels={"estimate": 480.0, "low": 395.0, "high": 571.0}),
        evidence,
    )
