"""Dose and response: what each share of poisoned rows does, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foretaste.redteam.trial import Line
from foretaste.stats.intervals import newcombe, student, wilson

BROKEN = 0.5
"""Share of the rows that a trigger has to turn for the pipeline to count as broken."""

HARM = 0.02
"""Loss of accuracy from which it counts as broken by an attack without a trigger."""


@dataclass(frozen=True)
class Dose:
    """One attack at one rate under one defence, over all seeds.

    Attributes
    ----------
    rate : float
    success : float
        Mean share of rows the trigger turns to the target; for an attack without a trigger, mean accuracy
        lost against the undefended model on clean data (below 0 where it gained).
    low, high : float
        95 % confidence interval. With several seeds Student's over seeds, but never narrower than the
        interval over the test rows of one; with one seed that over its test rows: Wilson's, and Newcombe's
        for a loss of accuracy.
    accuracy : float
    seeds : int
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
    def limit(self) -> float:
        """Response from which the pipeline counts as broken."""
        return BROKEN if self.has_trigger else HARM

    @property
    def breaks_at(self) -> float | None:
        """The smallest rate whose mean response breaks the pipeline; None where none does."""
        return next((dose.rate for dose in self.doses if dose.success >= self.limit), None)

    @property
    def may_break_at(self) -> float | None:
        """The smallest rate whose interval reaches the limit."""
        return next((dose.rate for dose in self.doses if dose.high >= self.limit), None)

    @property
    def surely_breaks_at(self) -> float | None:
        """The smallest rate whose whole interval is beyond the limit."""
        return next((dose.rate for dose in self.doses if dose.low >= self.limit), None)

    @property
    def worst(self) -> Dose:
        """The dose with the largest response."""
        return max(self.doses, key=lambda dose: dose.success)


def curves(lines: Sequence[Line]) -> list[Curve]:
    """A curve for every attack, learner and defence; weakest spot first.

    First comes the attack that breaks the undefended pipeline with the smallest dose, then the worst case;
    the defences of one attack stay together, in their order.

    Parameters
    ----------
    lines : sequence of dict
        Runs that have figures, those on clean data (attack ``none``) among them.
    """
    clean = {
        (line["seed"], line["learner"], line["defence"]): line for line in lines if line["attack"] == "none"
    }
    attacked = [line for line in lines if line["attack"] != "none"]
    found = []
    for (attack, learner, defence), runs in grouped(attacked, "attack", "learner", "defence").items():
        has_trigger = any(line["turned"] is not None for line in runs)
        doses = [
            dose
            for (rate,), here in sorted(grouped(runs, "rate").items())
            if (dose := _dose(rate, here, has_trigger, clean)) is not None
        ]
        if doses:
            found.append(Curve(attack, learner, defence, has_trigger, tuple(doses)))
    weakness = {
        (curve.attack, curve.learner): (curve.breaks_at or 9.0, -curve.worst.success)
        for curve in found
        if curve.defence == "none"
    }
    nothing = (9.0, 0.0)
    return sorted(found, key=lambda c: (weakness.get((c.attack, c.learner), nothing), c.attack, c.learner))


def grouped(lines: Iterable[Line], *names: str) -> dict[tuple[Any, ...], list[Line]]:
    """Lines by their values of some columns, in the order they come."""
    groups: dict[tuple[Any, ...], list[Line]] = defaultdict(list)
    for line in lines:
        groups[tuple(line[name] for name in names)].append(line)
    return groups


def _dose(
    rate: float, lines: Sequence[Line], has_trigger: bool, clean: Mapping[tuple[int, str, str], Line]
) -> Dose | None:
    values, ends = [], []
    for line in lines:
        if has_trigger:
            if line["turned"] is None:
                continue
            values.append(float(line["turned"]))
            ends.append(wilson(values[-1], max(line["triggered_rows"] or 0, 1)))
        else:
            beside = clean.get((line["seed"], line["learner"], "none")) or clean.get(
                (line["seed"], line["learner"], line["defence"])
            )
            if beside is None:
                continue
            values.append(float(beside["accuracy"]) - float(line["accuracy"]))
            ends.append(newcombe(beside["accuracy"], line["accuracy"], max(line["test_rows"] or 0, 1)))
    if not values:
        return None
    mean = float(np.mean(values))
    widths = np.array(ends) - np.array(values)[:, None]
    low, high = (mean + widths.mean(axis=0)).tolist()
    if len(values) > 1:
        over_seeds = student(values)
        low, high = min(low, over_seeds[0]), max(high, over_seeds[1])
    accuracy = float(np.mean([line["accuracy"] for line in lines]))
    least = 0.0 if has_trigger else -1.0
    return Dose(rate, mean, max(low, least), min(high, 1.0), accuracy, len(values))
