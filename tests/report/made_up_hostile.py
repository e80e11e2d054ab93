"""Made-up findings in which an attacker wrote every text."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from made_up import groups_table, sources_table, summary
from made_up_table import poisoned_table
from made_up_text import poisoned_text

from foretaste.findings import Findings

PAYLOADS = [
    "<script>window.pwned=1;document.title='PWNED'</script>",
    "</script><script>window.pwned=2</script>",
    "</style><img src=x onerror=\"window.pwned=3;document.title='PWNED'\">",
    '"><svg onload=window.pwned=4>',
    "' onmouseover='window.pwned=5' x='",
    "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "javascript:window.pwned=6",
    '=HYPERLINK("http://evil.example","click")',
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "\x1b]0;PWNED\x07\x1b[2J\x1b[31mred\x1b[0m\x9b31m",
    "\u202eexe.fdp\u202c \u2066x\u2069 a\u200bb\ufeff",
    "nul\x00 bell\x07 back\x08 del\x7f",
    "\ud800 lone \udfff surrogates",
    "[click](https://evil.example) ![i](https://evil.example/x.png) <https://evil.example> @me #1 {0} {{1}}",
    "`code` ``more`` ```fence``` | a | b |\n\n# heading\n- list\n<!-- c --> ]]> <![CDATA[ x ]]> &amp; &#x3c;",
    "👨‍👩‍👧‍👦 مرحبا שלום 日本語 Z̸̗̞̯̯̗̪̖͔̳͈̳̈́̈́̈́͂̓̋͠a𝖑𝖌𝖔",
    "[bold red]markup[/bold red] [link=file:///etc/passwd]x[/link]",
    "pаypal with a Cyrillic а",
    "w" * 1_000_000,
]


def hostile(text: Callable[[], str] | None = None) -> Findings:
    """Findings whose every string is replaced by ``text()``, by default by the payloads in turn."""
    turn = iter(range(10**9))
    produce = text or (lambda: PAYLOADS[next(turn) % len(PAYLOADS)])
    evidence: dict[str, Any] = {"schema": 1}
    for key, value in {**poisoned_table().evidence, **poisoned_text().evidence}.items():
        evidence[key] = _replaced(value, produce, key)
    evidence["campaigns"] += _replaced(poisoned_table().evidence["campaigns"], produce, "campaigns")
    for position, campaign in enumerate(evidence["campaigns"]):
        campaign["group"] = position
    evidence["timeline"] = _replaced(poisoned_table().evidence["timeline"], produce, "timeline")
    evidence["rows"] = evidence["rows"][:60]
    base = poisoned_text()
    storable = [_storable(item) for item in evidence["campaigns"]]
    rows = base.rows.set_column(
        base.rows.schema.get_field_index("reason"),
        "reason",
        pa.array([_utf8(produce())[:500] if found else None for found in base.rows["reason"].to_pylist()]),
    )
    skipped = [{"rule": produce(), "reason": produce()}]
    told_summary = {**base.summary, "version": produce(), "skipped": skipped}
    return Findings(
        rows, groups_table(storable), sources_table(_storable(evidence["sources"])), told_summary, evidence
    )


KEPT = {"family", "status", "op", "kind", "rule", "rules", "corroborated_by"}


def _replaced(value: Any, produce: Callable[[], str], key: str = "") -> Any:
    if isinstance(value, dict):
        renamed = key in ("values", "environment", "settings")
        return {
            (produce() if renamed else name): _replaced(item, produce, name) for name, item in value.items()
        }
    if isinstance(value, list):
        return [_replaced(item, produce, key) for item in value]
    return produce() if isinstance(value, str) and key not in KEPT else copy.copy(value)


def _storable(value: Any) -> Any:
    """As Arrow can hold it: valid UTF-8."""
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return _utf8(value) if isinstance(value, str) else value


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def tiny(text: Callable[[], str]) -> Findings:
    """A few rows, one of everything, every string made by ``text``: small enough for many random examples."""
    told = {key: _replaced(value, text, key) for key, value in copy.deepcopy(_short()).items()}
    rows = pa.table(
        {
            "row": pa.array([0, 1, 2], pa.int64()),
            "flagged": [True, True, False],
            "family": pa.array(["campaign", "mislabel", None]),
            "p_value": [1e-9, 0.01, 0.5],
            "score": [9.0, 2.0, 0.0],
            "rule": pa.array(["FT201", "FT101", None]),
            "reason": pa.array([_utf8(text()), _utf8(text()), None]),
            "group": pa.array([0, None, None], pa.int64()),
            "suggested_label": pa.array([_utf8(text()), None, None]),
            "id": pa.array([_utf8(text())] * 3),
            "source": pa.array([_utf8(text())] * 3),
        }
    )
    skipped = [{"rule": text(), "reason": text()}]
    told_summary = {**summary("poisoned", 3, 2, skipped=skipped), "version": text()}
    groups = groups_table([_storable(item) for item in told["campaigns"]])
    return Findings(rows, groups, sources_table(_storable(told["sources"])), told_summary, told)


@functools.cache
def _short() -> dict[str, Any]:
    """Evidence with one text and one value campaign and the first two of everything else."""
    table, text = poisoned_table().evidence, poisoned_text().evidence
    short = {
        key: value[:2] if isinstance(value, list) and key != "not_testable" else value
        for key, value in {**table, **text}.items()
    }
    short["campaigns"] = [
        {**text["campaigns"][0], "group": 0},
        {**table["campaigns"][0], "group": 1},
    ]
    short["map"] = {key: value[:4] for key, value in text["map"].items()}
    return short
