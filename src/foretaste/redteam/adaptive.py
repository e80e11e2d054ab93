"""An attacker who knows the scan: search an attack's options for the most damage that is not flagged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from foretaste.attacks.registry import find_attack
from foretaste.data import Dataset
from foretaste.errors import ForetasteError
from foretaste.redteam.plan import Plan, Trial
from foretaste.redteam.remaining import in_words
from foretaste.redteam.trial import Line, run_trial

RATES = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03)
UNSEEN = 0.1
"""A trial goes unseen where less of its rows than this is caught, nothing is named, and no alarm rings."""

TOGETHER = 4
"""Attempts between two looks at what they brought; the same however many processes there are."""

FRESH = 1000
"""Added to the seed where what the attacker settled on is tried once more."""

SPACE: dict[str, tuple[Any, ...]] = {
    "number": (1, 2, 3),
    "vocabulary": ("rare", "common"),
    "frequency": ("rare", "common", "stealth"),
    "position": ("random", "start", "end"),
    "clean_label": (False, True),
    "selection": ("random", "hardest"),
    "cover_rate": (0.0, 0.005, 0.01, 0.02),
    "strategy": ("random", "boundary"),
    "alpha": (0.05, 0.1, 0.15, 0.2),
    "amplitude": (5, 10, 20, 30),
    "strength": (0.25, 0.5, 0.75, 1.0),
    "size": (2, 3, 4),
    "noise": (0.1, 0.3, 0.5),
    "templates": (1, 3, 10),
    "per_source": (1, 3, 10),
}
"""What an attacker may turn, by the name of an attack's parameter; only those an attack has are turned."""

Run = Callable[[Sequence[Trial]], list[Line]]


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
        After the scan's clean-up, the share of rows the trigger turns to the target; for an attack without a
        trigger, the accuracy lost.
    accuracy : float
    again_success, again_caught : float or None
    again_unseen : bool or None
        The same options with other rows: what is left once luck is taken out. None where not repeated.
    """

    attack: str
    rate: float
    options: Mapping[str, Any]
    caught: float
    unseen: bool
    success: float
    accuracy: float
    again_success: float | None = None
    again_caught: float | None = None
    again_unseen: bool | None = None


def in_this_process(plan: Plan) -> Run:
    """Run trials one after the other against the scan."""
    return lambda trials: [run_trial(plan, trial)[0] for trial in trials]


def against_scan(plan: Plan) -> Plan:
    """The plan with the first learner and the scan alone."""
    return replace(plan, learners=plan.learners[:1], defences=("scan",))


def adapt(
    plan: Plan,
    attack: str,
    *,
    trials: int = 24,
    seed: int = 0,
    run: Run | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Attempt]:
    """Hill-climb on the options of one attack against ``foretaste scan``.

    A third of the trials is drawn at random; the others change one or two options of the best attempt so
    far, the rate by one step. An attempt counts by its success where it went unseen, and by how little of
    it was caught otherwise. What makes the frontier is then repeated on other rows.

    Parameters
    ----------
    plan : Plan
        Says the data and the learner; its defences are not used.
    attack : str
    trials : int
        Scans to spend on the search.
    seed : int
    run : callable, optional
        Gives a line for each trial against the scan; by default they run here, one after the other.
    progress : callable, optional

    Returns
    -------
    list of Attempt
        In the order they were made; `frontier` picks those worth telling.
    """
    plan = against_scan(plan)
    ask = run or in_this_process(plan)
    given = next((options for name, _, options in plan.attacks if name == attack), {})
    space = _space(plan, attack, given)
    rng = np.random.default_rng(seed)
    clean = _clean(ask, seed)
    made: dict[str, Attempt] = {}
    tried: set[str] = set()
    spent, failed, started = 0, 0, time.perf_counter()
    while spent < trials and failed < trials:
        best = max(made.values(), key=_worth, default=None)
        batch: list[Trial] = []
        for _ in range(min(TOGETHER, trials - spent)):
            explore = best is None or spent + len(batch) < trials // 3
            trial = _draw(attack, given, space, None if explore else best, seed, tried, rng)
            if trial is not None:
                batch.append(trial)
        if not batch:
            break  # everything there is has been tried
        if progress is not None:
            left = (time.perf_counter() - started) * (trials - spent) / spent if spent else None
            progress(f"{attack}, attempts; {in_words(left)}".rstrip("; "), spent, trials)
        for trial, line in zip(batch, ask(batch), strict=True):
            if line["error"] is None:
                made[trial.key] = _attempt(trial, line, clean)
        spent, failed = len(made), len(tried) - len(made)  # failed: options that do not go together
    return _repeated(list(made.values()), given, ask, seed)


def frontier(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Of what went unseen, the attempts that no cheaper one of the same attack beats; fewest rows first."""
    kept: list[Attempt] = []
    for name in dict.fromkeys(attempt.attack for attempt in attempts):
        best = 0.0
        unseen = [attempt for attempt in attempts if attempt.unseen and attempt.attack == name]
        for attempt in sorted(unseen, key=lambda a: (a.rate, -a.success)):
            if attempt.success > best:
                kept.append(attempt)
                best = attempt.success
    return kept


def _space(plan: Plan, attack: str, given: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    known = set(find_attack(attack)().get_params()) - set(given)
    space = {name: values for name, values in SPACE.items() if name in known} | {"rate": RATES}
    if "within_source" in known and plan.roles.get("source"):
        sources = Dataset.read(plan.data, **plan.roles).sources
        if sources is not None:
            sizes = np.bincount(sources.codes[sources.codes >= 0], minlength=len(sources.names))
            space["within_source"] = (
                None,
                *(sources.names[i] for i in np.argsort(-sizes, kind="stable")[:3]),
            )
    return space


def _draw(
    attack: str,
    given: Mapping[str, Any],
    space: Mapping[str, tuple[Any, ...]],
    best: Attempt | None,
    seed: int,
    tried: set[str],
    rng: np.random.Generator,
) -> Trial | None:
    """Options nobody tried yet, at random or near the best; None where a hundred draws give none."""

    def any_of(values: tuple[Any, ...]) -> Any:
        return values[int(rng.integers(len(values)))]

    for _ in range(100):
        if best is None:
            choice = {name: any_of(values) for name, values in space.items()}
        else:
            choice = {"rate": best.rate} | {k: v for k, v in best.options.items() if k in space}
            for name in rng.permutation(sorted(space))[: 1 + int(rng.random() < 0.3)]:
                if name == "rate":
                    place = RATES.index(best.rate) + (1 if rng.random() < 0.5 else -1)
                    choice["rate"] = RATES[min(max(place, 0), len(RATES) - 1)]
                else:
                    choice[str(name)] = any_of(space[str(name)])
        trial = Trial(attack, choice.pop("rate"), seed, {**given, **choice})
        if trial.key not in tried:
            tried.add(trial.key)
            return trial
    return None


def _clean(ask: Run, seed: int) -> Line:
    (line,) = ask([Trial("none", 0.0, seed)])
    if line["error"]:
        raise ForetasteError(line["error"])
    return line


def _repeated(made: list[Attempt], given: Mapping[str, Any], ask: Run, seed: int) -> list[Attempt]:
    best = frontier(made)
    if not best:
        return made
    clean = _clean(ask, seed + FRESH)
    trials = [Trial(a.attack, a.rate, seed + FRESH, {**given, **a.options}) for a in best]
    again = {}
    for attempt, trial, line in zip(best, trials, ask(trials), strict=True):
        if line["error"] is None:
            other = _attempt(trial, line, clean)
            again[id(attempt)] = replace(
                attempt,
                again_success=other.success,
                again_caught=other.caught,
                again_unseen=other.unseen,
            )
    return [again.get(id(attempt), attempt) for attempt in made]


def _attempt(trial: Trial, line: Line, clean: Line) -> Attempt:
    caught = float(line["caught"] or 0.0)
    alarm = line["verdict"] == "poisoned" and clean["verdict"] != "poisoned"
    seen = caught >= UNSEEN or alarm or bool(line["named"]) or bool(line["source_named"])
    success = line["turned"]
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


def _worth(attempt: Attempt) -> tuple[bool, float, float]:
    """Unseen before seen; then success, and of those that have none the one that dares most."""
    if attempt.unseen:
        return True, round(attempt.success, 2), attempt.rate
    return False, -attempt.caught, attempt.success
