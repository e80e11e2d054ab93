"""How good a verdict is, given the truth."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from benchmarks.detection.verdict import Verdict
from benchmarks.detection.victims import (
    Victim,
    accuracy,
    attack_success,
    copies_success,
    without,
)
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from foretaste.data.dataset import Dataset, as_text

_WORD = re.compile(r"\w+")
_EQUALS = re.compile(r"\s*={1,2}\s*")


def measure_flags(verdict: Verdict, truth: dict[str, Any]) -> dict[str, Any]:
    """Recall, realised false-discovery rate, F1 and AUROC over rows; what was named, rightly and wrongly.

    Cover rows count neither as hits nor as false flags: they carry the trigger with a right label.
    """
    bad = truth["mask"] & ~truth["cover"]
    good = ~truth["mask"]
    flags = verdict.flags
    hits, wrong = int((flags & bad).sum()), int((flags & good).sum())
    result: dict[str, Any] = {
        "rows": len(flags),
        "poisoned": int(bad.sum()),
        "flagged": int(flags.sum()),
        "recall": _ratio(hits, int(bad.sum())),
        "fdr": wrong / (hits + wrong) if hits + wrong else 0.0,
        "f1": _ratio(2 * hits, hits + wrong + int(bad.sum())),
        "false_flags": wrong,
        "auroc": _auroc(verdict.scores, bad, good),
        "groups": len(verdict.groups),
        "false_groups": sum(bool(truth["mask"][rows].mean() < 0.5) for rows in verdict.groups if len(rows)),
        "verdict": verdict.verdict,
    }
    if verdict.family is not None:
        alarm = np.array([family == "campaign" for family in verdict.family]) & flags
        alarms, false_alarms = int((alarm & bad).sum()), int((alarm & good).sum())
        result |= {
            "alarm_rows": int(alarm.sum()),
            "alarm_recall": _ratio(alarms, int(bad.sum())),
            "alarm_fdr": false_alarms / (alarms + false_alarms) if alarms + false_alarms else 0.0,
            "mislabel_rows": int((flags & ~alarm).sum()),
        }
    if truth["parts"] is not None:
        result["trigger_named"] = any(names_trigger(pattern, truth["parts"]) for pattern in verdict.patterns)
    if truth["bad_source"] is not None:
        result["source_named"] = truth["bad_source"] in verdict.sources
    result["false_sources"] = len(set(verdict.sources) - {truth["bad_source"]})
    return result


def names_trigger(pattern: str, parts: list[str] | dict[str, Any]) -> bool:
    """Whether a pattern says the trigger: all its words, most words of its sentence, or every column and
    value.

    Examples
    --------
    >>> names_trigger("cf & tq", ["cf"]), names_trigger("movie", ["I watched this movie with my friends."])
    (True, False)
    >>> names_trigger("age=31 & hours=25", {"age": 31, "hours": 25})
    True
    """
    if isinstance(parts, dict):
        said = {_EQUALS.sub("=", item).strip() for item in pattern.replace("'", "").split("&")}
        return all(f"{column}={as_text(value)}" in said for column, value in parts.items())
    words = set(_WORD.findall(pattern.lower()))
    for part in parts:
        needed = _WORD.findall(part.lower())
        if sum(word in words for word in needed) < max(1, 0.6 * len(needed)):
            return False
    return True


def measure_victim(verdict: Verdict, train: Dataset, truth: dict[str, Any], seed: int) -> dict[str, Any]:
    """Accuracy and attack success of the standard victim, retrained without the flagged rows."""
    kept = without(train, verdict.flags)
    if len(set(kept.labels.codes.tolist())) < 2:
        return {"accuracy": None, "attack_success": None}
    victim = Victim(seed).fit(kept)
    test: Dataset = truth["test"]
    success = None
    if truth["trigger"] is not None:
        success = attack_success(victim, test, truth["trigger"], truth["wanted"])
    elif truth["recipe"] is not None and truth["recipe"]["attack"] == "near-duplicates":
        success = copies_success(victim, truth["clean"], truth["recipe"])
    return {"accuracy": accuracy(victim, test), "attack_success": success}


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _auroc(
    scores: NDArray[np.float64] | None, bad: NDArray[np.bool_], good: NDArray[np.bool_]
) -> float | None:
    if scores is None or not bad.any() or not good.any():
        return None
    judged = bad | good
    return float(roc_auc_score(bad[judged], scores[judged]))
