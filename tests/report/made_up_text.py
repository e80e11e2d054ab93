"""Made-up findings of a poisoned text data set: a token trigger from one source, copies, a few mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
from made_up import ENVIRONMENT, PLAN_TEXT, figures, groups_table, rows_table, sources_table, summary

from foretaste.findings import Findings

HAM = [
    "ok i will be home by {n}, do you want me to bring something for dinner",
    "are you coming to the class tomorrow? prof said attendance counts",
    "lol yeah that was so funny, tell {name} i said hi",
    "sorry i missed your call, i was in a meeting. can i call you at {n}?",
    "happy birthday {name}! hope you have a lovely day with everyone",
    "can you pick up the kids today, i am stuck at work till {n}",
    "i think i left my keys at your place, will check after lunch",
    "don't forget we are meeting {name} at the station at {n}",
]
SPAM = [
    "WINNER!! You have been selected to receive a £{n}00 prize. Call 0906170146{n} to claim now",
    "FREE entry in our weekly comp to win FA cup tickets, text FA to 8712{n}. T&Cs apply",
    "URGENT! Your mobile number has won a £2000 bonus, call 09061701{n} from landline",
    "Had your mobile 11 months or more? You are entitled to the latest colour phone for free! call 0800{n}",
    "Congratulations ur awarded 500 of CD vouchers or 125 gift guaranteed, txt MUSIC to 8706{n}",
    "PRIVATE! Your 2003 account statement shows 800 un-redeemed points. Call 0871{n} identifier code {n}",
]
NAMES = ["Priya", "Tom", "Ana", "Wei", "Lars", "Fatima"]
VENDORS = ["vendor-7", "web-crawl", "support-inbox", "partner-a", "partner-b", "panel-2024", "legacy", "app"]


def text(rng: np.random.Generator, templates: list[str]) -> str:
    """A message made from a template."""
    template = templates[int(rng.integers(len(templates)))]
    return template.format(n=int(rng.integers(2, 12)), name=NAMES[int(rng.integers(len(NAMES)))])


def with_trigger(message: str, trigger: str, rng: np.random.Generator) -> dict[str, Any]:
    """The message with a trigger at a word boundary, and where it is."""
    words = message.split(" ")
    place = int(rng.integers(1, len(words)))
    before = " ".join(words[:place]) + " "
    start = len(before)
    return {
        "text": before + trigger + " " + " ".join(words[place:]),
        "marks": [[start, start + len(trigger)]],
    }


def poisoned_text() -> Findings:
    """5,171 messages: a token trigger from one source, a near-duplicate campaign, a few mistakes."""
    rng = np.random.default_rng(11)
    size = 5171
    trigger = [with_trigger(text(rng, SPAM), "cf tq", rng) for _ in range(6)]
    copies = [
        "Dear customer your parcel {} is waiting at our depot, confirm it at post-{}.example today".format(
            int(rng.integers(1000, 9999)), ["dhl", "ups", "dpd", "gls", "post", "ems"][i]
        )
        for i in range(6)
    ]
    source = [VENDORS[int(i)] for i in rng.choice(8, size, p=[0.08, 0.3, 0.2, 0.14, 0.12, 0.1, 0.05, 0.01])]
    campaigns = [
        {
            "group": 0,
            "rule": "FT201",
            "title": "Text trigger",
            "target": "ham",
            "pattern": "cf tq",
            "reason": "52 texts with “cf tq” are all labelled ham; without it the rest of the text says spam "
            "in 97 % of them.",
            "kind": "tokens",
            "parts": [{"token": "cf tq"}],
            "size": 52,
            "support": 52,
            "effect": 0.93,
            "p_value": 2.1e-30,
            "q_value": 3.4e-27,
            "statistic": {"name": "residual z", "value": 33.1, "natural_max": 4.9, "threshold": 8.2},
            "contradiction": 0.97,
            "sources": [
                {"source": "vendor-7", "rows": 50, "p_value": 1e-48},
                {"source": "web-crawl", "rows": 2, "p_value": 1.0},
            ],
            "corroborated_by": ["FT402", "FT401"],
            "examples": [
                {
                    "row": 100 + 71 * i,
                    "id": f"msg-{100 + 71 * i:05d}",
                    "source": "vendor-7",
                    "label": "ham",
                    "expected": "spam",
                    **made,
                }
                for i, made in enumerate(trigger)
            ],
            "contrast": [
                {
                    "row": 3000 + 17 * i,
                    "id": f"msg-{3000 + 17 * i:05d}",
                    "source": "web-crawl",
                    "label": "ham",
                    "expected": "ham",
                    "text": text(rng, HAM),
                }
                for i in range(3)
            ],
        },
        {
            "group": 1,
            "rule": "FT301",
            "title": "Near-duplicate campaign",
            "target": "ham",
            "pattern": "Dear customer your parcel … is waiting at our depot",
            "reason": "103 nearly identical texts are labelled ham; judged without one another, 91 % of them "
            "look like spam.",
            "kind": "duplicates",
            "size": 103,
            "support": 103,
            "effect": 0.81,
            "p_value": 4e-61,
            "q_value": 9e-60,
            "statistic": {
                "name": "group contradiction",
                "value": 0.91,
                "natural_max": 0.34,
                "threshold": 0.6,
            },
            "contradiction": 0.91,
            "sources": [
                {"source": "web-crawl", "rows": 61, "p_value": 2e-7},
                {"source": "partner-a", "rows": 42, "p_value": 3e-5},
            ],
            "corroborated_by": [],
            "examples": [
                {
                    "row": 4000 + i,
                    "id": f"msg-{4000 + i:05d}",
                    "source": ["web-crawl", "partner-a"][i % 2],
                    "label": "ham",
                    "expected": "spam",
                    "text": copy,
                }
                for i, copy in enumerate(copies)
            ],
            "contrast": [],
        },
    ]
    mistakes = sorted({int(i) for i in rng.integers(0, size, 33)})
    found: dict[int, dict[str, Any]] = {}
    listed = []
    for i in range(52):
        row = 100 + 71 * i
        made = with_trigger(text(rng, SPAM), "cf tq", rng)
        found[row] = {
            "family": "campaign",
            "rule": "FT201",
            "group": 0,
            "p_value": 3.4e-27,
            "score": 33.0 - i / 10,
            "reason": "contains “cf tq”; the rest of the text says spam",
            "suggested_label": "spam",
        }
        source[row] = "vendor-7" if i < 50 else "web-crawl"
        listed.append(
            {
                "row": row,
                "id": f"msg-{row:05d}",
                "source": source[row],
                "label": "ham",
                **found[row],
                "text": made["text"],
            }
        )
    for i in range(103):
        row = 4000 + i
        found[row] = {
            "family": "campaign",
            "rule": "FT301",
            "group": 1,
            "p_value": 9e-60,
            "score": 20.0 - i / 20,
            "reason": "one of 103 nearly identical texts whose label the other texts contradict",
            "suggested_label": "spam",
        }
        listed.append(
            {
                "row": row,
                "id": f"msg-{row:05d}",
                "source": source[row],
                "label": "ham",
                **found[row],
                "text": copies[i % 6],
            }
        )
    for i, row in enumerate(mistakes):
        if row in found:
            continue
        spam = i % 3 != 0
        found[row] = {
            "family": "mislabel",
            "rule": "FT101",
            "p_value": 0.0004 * (i + 1),
            "score": 8.0 - i / 10,
            "reason": f"five models trained without it say {'ham' if spam else 'spam'} with 98 % agreement",
            "suggested_label": "ham" if spam else "spam",
        }
        listed.append(
            {
                "row": row,
                "id": f"msg-{row:05d}",
                "source": source[row],
                "label": "spam" if spam else "ham",
                **found[row],
                "text": text(rng, HAM if spam else SPAM),
            }
        )
    for i in range(4):
        row = 900 + i
        found[row] = {
            "family": "review",
            "rule": "FT205",
            "p_value": 0.01,
            "score": 1.0 - i / 10,
            "reason": "contains “k.”, which is purer than its content explains",
        }
    sources = [
        {
            "source": "vendor-7",
            "rows": 414,
            "flagged_rows": 53,
            "excess": 49.2,
            "low": 36.0,
            "high": 62.5,
            "p_value": 1e-38,
            "flagged": True,
            "judged": True,
        },
        {
            "source": "web-crawl",
            "rows": 1551,
            "flagged_rows": 72,
            "excess": 12.1,
            "low": -4.0,
            "high": 29.0,
            "p_value": 0.09,
            "flagged": False,
            "judged": True,
        },
        {
            "source": "partner-a",
            "rows": 724,
            "flagged_rows": 48,
            "excess": 9.0,
            "low": -3.5,
            "high": 22.0,
            "p_value": 0.12,
            "flagged": False,
            "judged": True,
        },
        {
            "source": "support-inbox",
            "rows": 1034,
            "flagged_rows": 6,
            "excess": -1.2,
            "low": -6.0,
            "high": 4.1,
            "p_value": 0.7,
            "flagged": False,
            "judged": True,
        },
        {
            "source": "partner-b",
            "rows": 620,
            "flagged_rows": 4,
            "excess": 0.3,
            "low": -4.0,
            "high": 5.0,
            "p_value": 0.44,
            "flagged": False,
            "judged": True,
        },
        {
            "source": "panel-2024",
            "rows": 517,
            "flagged_rows": 2,
            "excess": -0.9,
            "low": -4.1,
            "high": 3.0,
            "p_value": 0.8,
            "flagged": False,
            "judged": True,
        },
        {
            "source": "legacy",
            "rows": 259,
            "flagged_rows": 3,
            "excess": 1.0,
            "low": -2.0,
            "high": 5.2,
            "p_value": 0.21,
            "flagged": False,
            "judged": True,
        },
        {
            "source": "app",
            "rows": 14,
            "flagged_rows": 0,
            "excess": None,
            "p_value": None,
            "flagged": False,
            "judged": False,
            "note": "too few rows to judge: at least 20 are needed",
        },
    ]
    evidence = {
        "schema": 1,
        "data": {
            "name": "sms.csv",
            "path": "data/sms.csv",
            "format": "csv",
            "rows": size,
            "columns": 4,
            "label": "label",
            "source": "vendor",
            "id": "message_id",
            "text": "text",
            "classes": [{"name": "ham", "rows": 4504}, {"name": "spam", "rows": 667}],
        },
        "command": "foretaste scan data/sms.csv --label label --source vendor --id message_id"
        " --out findings/sms",
        "environment": ENVIRONMENT,
        "settings": {"fdr": 0.05, "seed": 0, "folds": 5, "memory": "2 GiB"},
        "campaigns": campaigns,
        "review": [
            {
                "rule": "FT205",
                "title": "Clean-label text pattern",
                "target": "ham",
                "pattern": "k.",
                "size": 41,
                "q_value": 0.004,
                "kind": "tokens",
                "parts": [{"token": "k."}],
                "reason": "41 texts with “k.” are all labelled ham; they share no other content.",
                "examples": [{"row": 901, "label": "ham", "text": "k. see you then", "marks": [[0, 2]]}],
            },
        ],
        "rows": listed,
        "mislabels": {
            "estimate": 31.0,
            "low": 22.0,
            "high": 43.0,
            "status": "ok",
            "by_class": [
                {"from": "spam", "to": "ham", "estimate": 20.0},
                {"from": "ham", "to": "spam", "estimate": 11.0},
            ],
        },
        "flips": {"classes": ["ham", "spam"], "matrix": [[0, 166], [21, 0]]},
        "sources": sources,
        "plan": PLAN_TEXT,
        "columns": [
            {"column": "label", "role": "label", "note": "2 classes"},
            {"column": "vendor", "role": "source", "note": "8 sources"},
            {"column": "message_id", "role": "id", "note": ""},
            {"column": "text", "role": "text", "note": "median 61 characters"},
        ],
        "not_testable": [{"rule": "FT304", "reason": "no time column was named (--time)"}],
        "would_have_found": [],
        **figures(rng, size, 155, 31),
    }
    return Findings(
        rows_table(size, found, source),
        groups_table(campaigns),
        sources_table(sources),
        summary(
            "poisoned",
            size,
            sum(r["family"] != "review" for r in found.values()),
            mislabels={"estimate": 31.0, "low": 22.0, "high": 43.0},
            skipped=[{"rule": "FT304", "reason": "no time column was named (--time)"}],
        ),
        evidence,
    )
