"""What a campaign's runs say: the smallest dose that breaks the pipeline, the weakest spot, the bill."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

BROKEN = 0.5
"""Attack success from which a pipeline counts as broken."""

HARM = 0.02
"""Loss of accuracy from which it counts as broken by an attack without a trigger."""


@dataclass(frozen=True)
class Dose:
    """All seeds of one attack at one rate under one defence: mean and range.

    ``success`` is the attack success, or the accuracy lost where the attack has no trigger.
    """

    rate: float
    success: float
    low: float
    high: float
    accuracy: float
    seeds: int


@dataclass(frozen=True)
class Curve:
    """Dose and response of one attack on one learner under one defence."""

    attack: str
    learner: str
    defence: str
    has_trigger: bool
    doses: tuple[Dose, ...]

    @property
    def breaks_at(self) -> float | None:
        """The smallest rate whose mean success breaks the pipeline; None where none does."""
        limit = BROKEN if self.has_trigger else HARM
        return next((dose.rate for dose in self.doses if dose.success >= limit), None)

    @property
    def worst(self) -> float:
        return max((dose.success for dose in self.doses), default=0.0)


@dataclass(frozen=True)
class Bill:
    """What both sides paid for one attack under one defence, means over its runs."""

    attack: str
    defence: str
    attacker_rows: float
    attacker_seconds: float
    defender_seconds: float
    defender_reviews: float
    rows_lost: float
    caught: float | None


@dataclass(frozen=True)
class Summary:
    """A campaign in numbers.

    Attributes
    ----------
    curves : tuple of Curve
        Weakest spot first: by the smallest dose that breaks the undefended pipeline, then by its worst case.
    bills : tuple of Bill
    clean_accuracy : dict of (learner, defence) to float
    runs, errors : int
    words : tuple of str
        For a manager, one sentence each.
    """

    curves: tuple[Curve, ...]
    bills: tuple[Bill, ...]
    clean_accuracy: dict[tuple[str, str], float]
    runs: int
    errors: tuple[str, ...]
    words: tuple[str, ...]


def summarise(runs: pa.Table) -> Summary:
    """Everything the report of a campaign shows, from ``results.parquet``."""
    lines = runs.to_pylist()
    good = [line for line in lines if line["error"] is None and line["accuracy"] is not None]
    clean: dict[tuple[str, str], float] = {}
    for key, found in _by(good, "learner", "defence").items():
        bare = [line["accuracy"] for line in found if line["attack"] == "none"]
        if bare:
            clean[key] = float(np.mean(bare))
    attacked = [line for line in good if line["attack"] != "none"]
    curves = [
        _curve(attack, learner, defence, found, clean)
        for (attack, learner, defence), found in _by(attacked, "attack", "learner", "defence").items()
    ]
    weakest = {
        (c.attack, c.learner): (c.breaks_at if c.breaks_at is not None else 9.0, -c.worst)
        for c in curves
        if c.defence == "none"
    }
    curves.sort(key=lambda c: (weakest.get((c.attack, c.learner), (9.0, -c.worst)), c.attack, c.learner))
    by_bill = _by(attacked, "attack", "defence")
    bills = [_bill(attack, defence, found) for (attack, defence), found in by_bill.items()]
    errors = tuple(dict.fromkeys(line["error"] for line in lines if line["error"]))
    told = tuple(_words(curves, clean, bills))
    return Summary(tuple(curves), tuple(bills), clean, len(lines), errors, told)


def _by(lines: list[dict[str, Any]], *names: str) -> dict[Any, list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        groups[tuple(line[name] for name in names)].append(line)
    return groups


def _curve(
    attack: str,
    learner: str,
    defence: str,
    lines: list[dict[str, Any]],
    clean: dict[tuple[str, str], float],
) -> Curve:
    has_trigger = any(line["attack_success"] is not None for line in lines)
    base = clean.get((learner, "none"), clean.get((learner, defence), 1.0))
    doses = []
    for (rate,), found in sorted(_by(lines, "rate").items()):
        values = [
            line["attack_success"] if has_trigger else max(base - line["accuracy"], 0.0) for line in found
        ]
        values = [value for value in values if value is not None]
        if values:
            accuracy = float(np.mean([line["accuracy"] for line in found]))
            mean = float(np.mean(values))
            doses.append(Dose(rate, mean, min(values), max(values), accuracy, len(values)))
    return Curve(attack, learner, defence, has_trigger, tuple(doses))


def _bill(attack: str, defence: str, lines: list[dict[str, Any]]) -> Bill:
    def mean(name: str) -> float:
        values = [line[name] for line in lines if line[name] is not None]
        return float(np.mean(values)) if values else 0.0

    caught = [line["caught"] for line in lines if line["caught"] is not None]
    return Bill(
        attack,
        defence,
        mean("attacker_rows"),
        mean("attacker_seconds"),
        mean("defender_seconds"),
        mean("defender_reviews"),
        mean("lost"),
        float(np.mean(caught)) if caught else None,
    )


def _words(curves: list[Curve], clean: dict[tuple[str, str], float], bills: list[Bill]) -> list[str]:
    """What a manager has to know, in the order she has to know it."""
    told = []
    bare = [curve for curve in curves if curve.defence == "none" and curve.breaks_at is not None]
    if bare:
        first = bare[0]
        assert first.breaks_at is not None
        one_in = round(1 / first.breaks_at)
        what = (
            f"makes the model obey it in {first.worst:.0%} of cases"
            if first.has_trigger
            else f"costs up to {first.worst:.1%} of accuracy"
        )
        told.append(
            f"Without a defence this pipeline is broken: one bad row in {one_in:,} is enough for "
            f"{first.attack}, which {what}."
        )
    elif any(curve.defence == "none" for curve in curves):
        told.append("Without a defence, none of the attacks tried broke this pipeline at the rates tried.")
    scanned = [curve for curve in curves if curve.defence == "scan"]
    open_ = [curve for curve in scanned if curve.breaks_at is not None]
    if scanned and not open_:
        told.append("With foretaste scan and clean before training, none of them breaks it any more.")
    elif open_:
        names = ", ".join(dict.fromkeys(curve.attack for curve in open_))
        told.append(f"foretaste scan and clean do not stop everything: {names} still breaks it.")
    without, beside = ([a for (_, d), a in clean.items() if d == which] for which in ("none", "scan"))
    if without and beside:
        change = float(np.mean(beside) - np.mean(without))
        told.append(f"On data nobody attacked, the defence changes accuracy by {100 * change:+.1f} points.")
    ours = [bill for bill in bills if bill.defence == "scan"]
    if ours:
        rows = float(np.mean([bill.attacker_rows for bill in ours]))
        seconds = float(np.mean([bill.defender_seconds for bill in ours]))
        lost = float(np.mean([bill.rows_lost for bill in ours]))
        told.append(
            f"The attacker had to place {rows:.0f} rows on average; the defender paid {seconds:.0f} seconds "
            f"and {lost:.0f} good rows for each data set."
        )
    return told
