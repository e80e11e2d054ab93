"""Results as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from benchmarks.detection.peers import TOLD

Lines = list[dict[str, Any]]
BOUNDS = ("leave-alone", "oracle")


def environment() -> str:
    """What the figures were measured on: versions, the BLAS and the machine."""
    peers = ("cleanlab", "pyod", "adversarial-robustness-toolbox")
    names = ("foretaste", "numpy", "scipy", "scikit-learn", "pyarrow", *peers)
    versions = ", ".join(f"{name} {_version(name)}" for name in names)
    fields = ("user_api", "internal_api", "version", "architecture")
    pools = {" ".join(str(pool.get(field) or "") for field in fields).strip() for pool in _thread_pools()}
    machine = f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores"
    return f"Python {platform.python_version()}, {versions}; {'; '.join(sorted(pools))}; {machine}\n"


def _thread_pools() -> Lines:
    import scipy.linalg  # noqa: F401  (loads the BLAS that is to be named)
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_info

    found: Lines = threadpool_info()
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def tables(lines: Lines) -> str:
    """Detection, false alarms, naming, the effect of cleaning and the cost; means over seeds."""
    good = [line for line in lines if "error" not in line]
    broken = [line for line in lines if "error" in line]
    parts = [_detection(good), _clean(good), _named(good), _repair(good), _cost(good)]
    if broken:
        parts.append("\n".join(["### Errors", *(_error(line) for line in broken)]))
    return "\n\n".join(part for part in parts if part)


def _error(line: dict[str, Any]) -> str:
    cell = f"{line['dataset']} {line['attack']} {line['rate']:g} seed {line['seed']} {line['contestant']}"
    return f"- {cell}: {line['error'][:200]}"


def _detection(lines: Lines) -> str:
    def cell(group: Lines) -> str:
        return " / ".join(_mean(group, field) for field in ("recall", "fdr", "auroc"))

    poisoned = [line for line in lines if line["poisoned"]]
    told = [name for name in _order(line["contestant"] for line in poisoned) if name in TOLD]
    title = "Rows: recall / realised false-discovery rate / AUROC"
    if told:
        title += f" ({', '.join(told)}: told the poison rate)"
    return _table(title, poisoned, cell, hidden=BOUNDS)


def _clean(lines: Lines) -> str:
    def cell(group: Lines) -> str:
        text = f"{100 * np.mean([line['flagged'] / line['rows'] for line in group]):.2f} %"
        if group[0]["contestant"] == "foretaste":
            text += f", {_sum(group, 'groups')} campaigns, {_sum(group, 'false_sources')} sources"
        return text

    clean = [line for line in lines if not line["poisoned"]]
    return _table("Clean data: share of rows flagged", clean, cell, hidden=BOUNDS)


def _named(lines: Lines) -> str:
    def cell(group: Lines) -> str:
        parts = ["/".join(str(line["verdict"]) for line in group)]
        for field, word in (("trigger_named", "trigger"), ("source_named", "source")):
            told = [line[field] for line in group if field in line]
            if told:
                parts.append(f"{word} {sum(told)} of {len(told)}")
        parts.append(f"campaign rows {_mean(group, 'alarm_recall')} / {_mean(group, 'alarm_fdr')}")
        wrong = (_sum(group, "false_groups"), _sum(group, "false_sources"))
        parts.append(f"false campaigns {wrong[0]}, false sources {wrong[1]}")
        return "; ".join(parts)

    own = [line for line in lines if line["contestant"] == "foretaste" and line["poisoned"]]
    return _table("Verdicts, names, and campaign rows (recall / false-discovery rate)", own, cell)


def _repair(lines: Lines) -> str:
    def cell(group: Lines) -> str:
        return f"{_mean(group, 'accuracy', 3)} / {_mean(group, 'attack_success')}"

    return _table("Victim retrained without the flagged rows: accuracy / attack success", lines, cell)


def _cost(lines: Lines) -> str:
    head = "| contestant | mean s | mean CPU s | worst s | worst peak MB |"
    rows = ["### Cost of one scan", head, "|---|---|---|---|---|"]
    for name in _order(line["contestant"] for line in lines if line["contestant"] not in BOUNDS):
        own = [line for line in lines if line["contestant"] == name]
        seconds = [line["seconds"] for line in own]
        peak = max(line["peak_mb"] for line in own)
        cpu = _mean(own, "cpu_seconds", 1)
        rows.append(f"| {name} | {np.mean(seconds):.1f} | {cpu} | {max(seconds):.1f} | {peak:.0f} |")
    return "\n".join(rows) if len(rows) > 3 else ""


def _table(title: str, lines: Lines, cell: Callable[[Lines], str], hidden: tuple[str, ...] = ()) -> str:
    shown = [line for line in lines if line["contestant"] not in hidden]
    if not shown:
        return ""
    contestants = _order(line["contestant"] for line in shown)
    rows = [f"### {title}", "| data | attack | rate | seeds | " + " | ".join(contestants) + " |"]
    rows.append("|---" * (4 + len(contestants)) + "|")
    for key in _order(_cell_of(line) for line in shown):
        here = [line for line in shown if _cell_of(line) == key]
        groups = [[line for line in here if line["contestant"] == name] for name in contestants]
        texts = [cell(group) if group else "" for group in groups]
        seeds = len({line["seed"] for line in here})
        rows.append(f"| {key[0]} | {key[1]} | {100 * key[2]:g} % | {seeds} | {' | '.join(texts)} |")
    return "\n".join(rows)


def _cell_of(line: dict[str, Any]) -> tuple[str, str, float]:
    return line["dataset"], line["attack"], line["rate"]


def _order(items: Any) -> list[Any]:
    return list(dict.fromkeys(items))


def _mean(group: Lines, field: str, digits: int = 2) -> str:
    values = [line[field] for line in group if line.get(field) is not None]
    return f"{np.mean(values):.{digits}f}" if values else "-"


def _sum(group: Lines, field: str) -> int:
    return int(sum(line.get(field) or 0 for line in group))
