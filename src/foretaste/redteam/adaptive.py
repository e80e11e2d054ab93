"""An attacker who knows the scan: search an attack's options for the most damage that is not flagged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from foretaste.attacks.registry import find_attack
from foretaste.errors import ForetasteError
from foretaste.redteam.plan import Plan, Trial
from foretaste.redteam.run import run_trial

RATES = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03)
COVERS = (0.0, 0.005, 0.01, 0.02)
UNSEEN = 0.1
"""A trial goes unseen where less than this share of its rows is caught and no trigger and source is named."""

SPACE: dict[str, tuple[Any, ...]] = {
    "number": (1, 2, 3),
    "vocabulary": ("rare", "common"),
    "frequency": ("rare", "common"),
    "position": ("random", "start", "end"),
    "clean_label": (False, True),
    "selection": ("random", "hardest"),
    "cover_rate": COVERS,
    "strategy": ("random", "boundary"),
    "alpha": (0.05, 0.1, 0.15, 0.2),
    "amplitude": (5, 10, 20, 30),
    "strength": (0.25, 0.5, 0.75, 1.0),
    "size": (2, 3, 4),
    "noise": (0.1, 0.3, 0.5),
}
"""What an attacker may turn, by the name of an attack's parameter; only those an attack has are turned."""


@dataclass(frozen=True)
class Attempt:
    """One trial of the attacker.

    Attributes
    ----------
    attack : str
    rate : float
    options : dict
    caught : float
        Share of the attacker's rows that the scan flags.
    unseen : bool
    success : float
        Attack success after the scan's clean-up; for an attack without a trigger, the accuracy lost.
    accuracy : float
    """

    attack: str
    rate: float
    options: dict[str, Any]
    caught: float
    unseen: bool
    success: float
    accuracy: float


def adapt(
    plan: Plan,
    attack: str,
    *,
    trials: int = 24,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Attempt]:
    """Hill-climb on the options of one attack against ``foretaste scan``.

    Half of the trials are drawn at random; the others change one option of the best attempt so far. An
    attempt counts by its success where it went unseen, and by how little of it was caught otherwise.

    Parameters
    ----------
    plan : Plan
        Says the data and the learner; its defences are not used.
    attack : str
    trials : int
        Scans to spend.
    seed : int
    progress : callable, optional

    Returns
    -------
    list of Attempt
        In the order they were made; `frontier` picks those worth telling.
    """
    given = next((options for name, _, options in plan.attacks if name == attack), {})
    known = set(find_attack(attack)().get_params()) - set(given)
    space = {name: values for name, values in SPACE.items() if name in known} | {"rate": RATES}
    rng = np.random.default_rng(seed)
    clean = _measure(plan, Trial("none", 0.0, seed))
    made: dict[str, Attempt] = {}
    tried: set[str] = set()
    for number in range(trials):
        if progress is not None:
            progress(f"{attack}, attempt {number + 1}", number, trials)
        best = max(made.values(), key=_worth, default=None)
        if best is None or number < trials // 2:
            choice = {name: values[int(rng.integers(len(values)))] for name, values in space.items()}
        else:
            choice = {"rate": best.rate} | {k: v for k, v in best.options.items() if k in space}
            turned = sorted(space)[int(rng.integers(len(space)))]
            choice[turned] = space[turned][int(rng.integers(len(space[turned])))]
        trial = Trial(attack, choice["rate"], seed, given | {k: v for k, v in choice.items() if k != "rate"})
        if trial.key in tried:
            continue
        tried.add(trial.key)
        try:
            line = _measure(plan, trial)
        except ForetasteError:
            continue  # options that do not go together
        made[trial.key] = _attempt(trial, line, clean)
    return list(made.values())


def frontier(attempts: list[Attempt]) -> list[Attempt]:
    """Of the attempts that went unseen, those that no cheaper one beats; fewest rows first."""
    kept: list[Attempt] = []
    for attempt in sorted((a for a in attempts if a.unseen), key=lambda a: (a.rate, -a.success)):
        if not kept or attempt.success > kept[-1].success:
            kept.append(attempt)
    return kept


def _measure(plan: Plan, trial: Trial) -> dict[str, Any]:
    asked = Plan(plan.data, plan.roles, plan.attacks, plan.test, plan.learners[:1], ("scan",), plan.seeds)
    line = run_trial(asked, trial)[0]
    if line["error"]:
        raise ForetasteError(line["error"])
    return line


def _attempt(trial: Trial, line: dict[str, Any], clean: dict[str, Any]) -> Attempt:
    caught = float(line["caught"] or 0.0)
    seen = caught >= UNSEEN or bool(line["named"]) or bool(line["source_named"])
    success = line["attack_success"]
    if success is None:
        success = max(float(clean["accuracy"]) - float(line["accuracy"]), 0.0)
    return Attempt(
        trial.attack,
        trial.rate,
        dict(trial.options),
        caught,
        not seen,
        float(success),
        float(line["accuracy"]),
    )


def _worth(attempt: Attempt) -> tuple[bool, float]:
    return attempt.unseen, attempt.success if attempt.unseen else -attempt.caught
