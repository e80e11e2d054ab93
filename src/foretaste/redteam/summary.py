"""What a campaign's runs say: how poisonable the pipeline is, what it takes, and what it cost both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from foretaste.redteam.curves import Curve, curves, grouped
from foretaste.redteam.trial import Line


@dataclass(frozen=True)
class Bill:
    """What both sides paid for one attack under one defence, means over its runs."""

    attack: str
    defence: str
    attacker_rows: float
    attacker_sources: float | None
    attacker_seconds: float
    defender_seconds: float
    training_seconds: float
    defender_reviews: float
    rows_lost: float
    caught: float | None


@dataclass(frozen=True)
class Summary:
    """A campaign in numbers.

    Attributes
    ----------
    curves : tuple of Curve
        Weakest spot first.
    bills : tuple of Bill
    clean_accuracy : dict of (learner, defence) to float
    runs : int
    errors : tuple of (str, int)
        What went wrong, and in how many runs.
    words : tuple of str
        For a manager, one sentence each.
    """

    curves: tuple[Curve, ...]
    bills: tuple[Bill, ...]
    clean_accuracy: dict[tuple[str, str], float]
    runs: int
    errors: tuple[tuple[str, int], ...]
    words: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """``summary.json``."""
        told = [
            asdict(curve)
            | {
                "breaks_at": curve.breaks_at,
                "may_break_at": curve.may_break_at,
                "surely_breaks_at": curve.surely_breaks_at,
            }
            for curve in self.curves
        ]
        return {
            "schema": 1,
            "words": self.words,
            "curves": told,
            "bills": [asdict(bill) for bill in self.bills],
            "clean_accuracy": [
                {"learner": learner, "defence": defence, "accuracy": accuracy}
                for (learner, defence), accuracy in self.clean_accuracy.items()
            ],
            "runs": self.runs,
            "errors": [{"error": error, "runs": count} for error, count in self.errors],
        }


def summarise(runs: pa.Table) -> Summary:
    """Everything the report of a campaign shows, from ``results.parquet``."""
    lines = runs.to_pylist()
    good = [line for line in lines if line["error"] is None and line["accuracy"] is not None]
    clean = {
        (str(learner), str(defence)): float(np.mean([line["accuracy"] for line in found]))
        for (learner, defence), found in grouped(
            [line for line in good if line["attack"] == "none"], "learner", "defence"
        ).items()
    }
    found = curves(good)
    attacked = [line for line in good if line["attack"] != "none"]
    place = {curve.attack: number for number, curve in reversed(list(enumerate(found)))}
    bills = [
        _bill(attack, defence, here)
        for (attack, defence), here in grouped(attacked, "attack", "defence").items()
    ]
    bills.sort(key=lambda bill: place.get(bill.attack, len(place)))
    errors: dict[str, int] = {}
    for line in lines:
        if line["error"]:
            errors[line["error"]] = errors.get(line["error"], 0) + 1
    told = tuple(_words(found, clean, bills))
    return Summary(tuple(found), tuple(bills), clean, len(lines), tuple(errors.items()), told)


def _bill(attack: str, defence: str, lines: Sequence[Line]) -> Bill:
    def mean(name: str) -> float | None:
        values = [line[name] for line in lines if line[name] is not None]
        return float(np.mean(values)) if values else None

    return Bill(
        attack,
        defence,
        mean("attacker_rows") or 0.0,
        mean("attacker_sources"),
        mean("attacker_seconds") or 0.0,
        mean("defender_seconds") or 0.0,
        mean("training_seconds") or 0.0,
        mean("defender_reviews") or 0.0,
        mean("lost") or 0.0,
        mean("caught"),
    )


def _words(found: Sequence[Curve], clean: dict[tuple[str, str], float], bills: Sequence[Bill]) -> list[str]:
    """What a manager has to know, in the order she has to know it."""
    told = [*_undefended([curve for curve in found if curve.defence == "none"])]
    told += _scanned([curve for curve in found if curve.defence == "scan"])
    without, beside = ([a for (_, d), a in clean.items() if d == which] for which in ("none", "scan"))
    if without and beside:
        change = 100 * float(np.mean(beside) - np.mean(without))
        told.append(
            "On data nobody attacked, the defence leaves accuracy as it is."
            if abs(change) < 0.05
            else f"On data nobody attacked, the defence changes accuracy by {change:+.1f} points."
        )
    ours = [bill for bill in bills if bill.defence == "scan"]
    if ours:
        rows, seconds, lost = (
            float(np.mean([getattr(bill, name) for bill in ours]))
            for name in ("attacker_rows", "defender_seconds", "rows_lost")
        )
        told.append(
            f"The attacker had to place {rows:.0f} rows on average; the defender paid {seconds:.0f} seconds "
            f"and {lost:.0f} good row{'' if round(lost) == 1 else 's'} for each data set."
        )
    return told


def _undefended(bare: Sequence[Curve]) -> list[str]:
    broken = [curve for curve in bare if curve.breaks_at is not None]
    if not broken:
        tried = _percent(max((dose.rate for curve in bare for dose in curve.doses), default=0))
        return (
            [f"Without a defence, nothing that was tried, up to {tried} of the rows, broke it."]
            if bare
            else []
        )
    first = broken[0]
    assert first.breaks_at is not None
    dose = next(dose for dose in first.doses if dose.rate == first.breaks_at)
    what = (
        f"then obeys a hidden trigger in {_percent(dose.success)} of cases "
        f"({_percent(dose.low)} to {_percent(dose.high)})"
        if first.has_trigger
        else f"then loses {100 * dose.success:.1f} points of accuracy "
        f"({100 * max(dose.low, 0):.1f} to {100 * dose.high:.1f})"
    )
    smallest = all(curve.doses[0].rate >= first.breaks_at for curve in bare)
    told = [
        f"Without a defence this pipeline is poisonable: one bad row in {round(1 / first.breaks_at):,} is "
        f"enough. The model {what}; the attack is {first.attack}."
    ]
    if smallest:
        told.append("That was the smallest dose tried: less may do.")
    return told


def _scanned(scanned: Sequence[Curve]) -> list[str]:
    if not scanned:
        return []
    open_ = [curve for curve in scanned if curve.breaks_at is not None]
    if not open_:
        told = ["With foretaste scan and clean before training, none of the attacks breaks it any more."]
        triggers = [(dose.success, dose.rate, curve) for curve in scanned for dose in curve.doses]
        triggers = [entry for entry in triggers if entry[2].has_trigger]
        if triggers:
            success, rate, curve = max(triggers, key=lambda entry: entry[0])
            told.append(
                f"What is left of the worst hidden trigger: {_percent(success)} of cases "
                f"({curve.attack}, {_percent(rate)} of the rows)."
            )
        return told
    parts = [f"{curve.attack} from {_percent(curve.breaks_at or 0)} of the rows" for curve in open_]
    return [f"foretaste scan and clean do not stop everything: {', '.join(parts)} still breaks it."]


def _percent(share: float) -> str:
    """With two digits, or all three of 100."""
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"
