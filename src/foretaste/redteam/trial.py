"""One trial: poison once, then every defence and every learner meets the same rows; one line per run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.poisoned import Poisoned
from foretaste.attacks.registry import find_attack
from foretaste.data import Dataset
from foretaste.errors import ForetasteError
from foretaste.redteam.defences import Defence, Sanitised, find_defence
from foretaste.redteam.learners import find_learner, fit_predict
from foretaste.redteam.plan import TEST_SHARE, Plan, Trial

SCHEMA = pa.schema(
    [
        ("attack", pa.string()),
        ("rate", pa.float64()),
        ("seed", pa.int64()),
        ("learner", pa.string()),
        ("defence", pa.string()),
        ("accuracy", pa.float64()),
        ("attack_success", pa.float64()),
        ("turned", pa.float64()),
        ("test_rows", pa.int64()),
        ("triggered_rows", pa.int64()),
        ("caught", pa.float64()),
        ("lost", pa.int64()),
        ("named", pa.bool_()),
        ("source_named", pa.bool_()),
        ("rows", pa.int64()),
        ("attacker_rows", pa.int64()),
        ("attacker_sources", pa.int64()),
        ("attacker_seconds", pa.float64()),
        ("defender_seconds", pa.float64()),
        ("defender_reviews", pa.int64()),
        ("training_seconds", pa.float64()),
        ("seconds", pa.float64()),
        ("verdict", pa.string()),
        ("error", pa.string()),
    ],
    metadata={"schema": "1"},
)

Line = dict[str, Any]
"""One run, by the names of `SCHEMA`."""

Cell = tuple[str, str]
"""Defence and learner of a run."""


def run_trial(plan: Plan, trial: Trial, cells: Sequence[Cell] | None = None) -> list[Line]:
    """The runs of a trial, all or those of some cells; an error becomes a line that says so."""
    asked = plan.cells() if cells is None else list(cells)
    started = time.perf_counter()
    try:
        train, test = split(plan, trial.seed)
        before = time.perf_counter()
        poisoned = poison(train, trial)
        spent = time.perf_counter() - before
    except ForetasteError as error:
        return [_line(trial, cell, error=str(error)) for cell in asked]
    truth = np.zeros(len(train), bool) if poisoned is None else poisoned.mask & ~poisoned.cover
    data = train if poisoned is None else poisoned.data
    sanitised: dict[str, tuple[Sanitised, float]] = {}
    lines = []
    for cell in asked:
        name, learner = cell
        line = _line(trial, cell)
        try:
            defence = find_defence(name)
            if defence.sanitiser not in sanitised:
                before = time.perf_counter()
                made = _told(f"the sanitiser {name}", defence.sanitise, data, truth, trial.seed)
                sanitised[defence.sanitiser] = made, time.perf_counter() - before
            line |= _bill(data, truth, poisoned, *sanitised[defence.sanitiser], spent)
            kept = data.take(np.flatnonzero(sanitised[defence.sanitiser][0].kept))
            line |= _damage(kept, test, poisoned, defence, trial, learner)
        except ForetasteError as error:
            line["error"] = str(error)
        now = time.perf_counter()
        line["seconds"] = round(now - started, 3)
        started = now
        lines.append(line)
    return lines


def split(plan: Plan, seed: int) -> tuple[Dataset, Dataset]:
    """Training and test rows of one seed."""
    data = Dataset.read(plan.data, **plan.roles)
    order = np.random.default_rng(seed).permutation(len(data))[: plan.rows]
    if plan.test is not None:
        test = Dataset.read(plan.test, **plan.roles)
        return data.take(np.sort(order)), replace(test, roles=data.roles)
    held = round(TEST_SHARE * len(order))
    return data.take(np.sort(order[held:])), data.take(np.sort(order[:held]))


def poison(train: Dataset, trial: Trial) -> Poisoned | None:
    """The poisoned training rows; None for the clean trial."""
    if trial.attack == "none":
        return None
    options = {"rate": trial.rate, "random_state": trial.seed} | dict(trial.options)
    return find_attack(trial.attack)(**options).poison(train)


def _told(what: str, call: Any, *given: Any) -> Any:
    """Call code of the user's; whatever it raises becomes one sentence."""
    try:
        return call(*given)
    except ForetasteError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())[:300]
        raise ForetasteError(f"{what} failed: {type(error).__name__}: {words}") from error


def _line(trial: Trial, cell: Cell, *, error: str | None = None) -> Line:
    names: Line = dict.fromkeys(SCHEMA.names)
    return names | {
        "attack": trial.attack,
        "rate": trial.rate,
        "seed": trial.seed,
        "learner": cell[1],
        "defence": cell[0],
        "error": error,
    }


def _bill(
    data: Dataset,
    bad: NDArray[np.bool_],
    poisoned: Poisoned | None,
    defended: Sanitised,
    seconds: float,
    spent: float,
) -> Line:
    """What each side paid before training, and what the defender got for it."""
    touched = bad if poisoned is None else poisoned.mask
    sources = named = None
    bad_names: set[str] = set()
    if data.sources is not None:
        sources = len(set(data.sources.codes[touched].tolist()))
        bad_names = {data.sources.names[code] for code in set(data.sources.codes[bad].tolist()) if code >= 0}
    if poisoned is not None and poisoned.trigger is not None and defended.verdict:
        said = " ".join(defended.patterns).lower()
        words = poisoned.trigger.describe().lower().replace("&", " ").split()
        named = bool(words) and sum(word in said for word in words) >= 0.6 * len(words)
    gone = ~defended.kept
    return {
        "rows": len(data),
        "attacker_rows": int(touched.sum()),
        "attacker_sources": sources,
        "attacker_seconds": round(spent, 3),
        "defender_seconds": round(seconds, 3),
        "defender_reviews": defended.reviewed,
        "caught": float(gone[bad].mean()) if bad.any() else None,
        "lost": int((gone & ~touched).sum()),
        "named": named,
        "source_named": bool(bad_names & set(defended.sources)) if defended.sources else None,
        "verdict": defended.verdict or None,
    }


def _damage(
    kept: Dataset, test: Dataset, poisoned: Poisoned | None, defence: Defence, trial: Trial, learner: str
) -> Line:
    """Accuracy on clean test rows, and what the trigger does to those of other classes than the target."""
    names = np.array([*test.labels.names, ""], dtype=object)[test.labels.codes]
    tests, target = [test], trial.options.get("target")
    others = np.zeros(len(test), bool)
    if poisoned is not None and poisoned.trigger is not None:
        if target is None:
            codes = poisoned.data.labels.codes[poisoned.mask & ~poisoned.cover]
            target = poisoned.data.labels.names[int(np.bincount(codes).argmax())]
        others = names != str(target)
        tests.append(poisoned.trigger.apply(test.take(np.flatnonzero(others))))
    started = time.perf_counter()
    what = f"the learner {learner} under the defence {defence.name}"
    said = _told(what, _predict, learner, defence, kept, tests, trial)
    line: Line = {
        "training_seconds": round(time.perf_counter() - started, 3),
        "accuracy": float((said[0] == names).mean()),
        "test_rows": len(test),
    }
    if others.any():
        hit, elsewhere = said[1] == str(target), said[0][others] != str(target)
        line["attack_success"] = float(hit.mean())
        line["turned"] = float(hit[elsewhere].mean()) if elsewhere.any() else 0.0
        line["triggered_rows"] = int(elsewhere.sum())
    return line


def _predict(
    learner: str, defence: Defence, kept: Dataset, tests: list[Dataset], trial: Trial
) -> list[NDArray[Any]]:
    return fit_predict(
        find_learner(learner),
        kept,
        tests,
        trial.seed,
        trained=lambda plain: defence.trained(plain, trial.seed),
        repaired=defence.repaired,
    )
