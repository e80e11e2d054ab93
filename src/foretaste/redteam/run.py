"""Run a campaign: in parallel, one line per run, and only what is missing when it is run again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from foretaste.attacks.poisoned import Poisoned
from foretaste.attacks.registry import find_attack
from foretaste.data import Dataset
from foretaste.data.atomic import appearing
from foretaste.errors import ForetasteError
from foretaste.redteam.defences import Defended, find_defence
from foretaste.redteam.learners import find_learner
from foretaste.redteam.plan import Plan, Trial

TEST_SHARE = 0.2
SCHEMA = pa.schema(
    [
        ("attack", pa.string()),
        ("rate", pa.float64()),
        ("seed", pa.int64()),
        ("learner", pa.string()),
        ("defence", pa.string()),
        ("accuracy", pa.float64()),
        ("attack_success", pa.float64()),
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
        ("verdict", pa.string()),
        ("error", pa.string()),
    ],
    metadata={"schema": "1"},
)

Progress = Callable[[str, int, int], None]


def run_campaign(
    plan: Plan, out: Path, *, jobs: int | None = None, progress: Progress | None = None
) -> pa.Table:
    """Run every trial of a plan that has no lines in ``out`` yet.

    A trial is finished when all its lines are in ``runs.jsonl``; killed at any time, the next call goes on
    with the first trial that is not. ``results.parquet`` is written at the end.

    Parameters
    ----------
    plan : Plan
    out : Path
        Folder of the campaign.
    jobs : int, optional
        Processes; the machine's cores otherwise.
    progress : callable, optional
        Called as ``progress(what, done, total)``.

    Returns
    -------
    pyarrow.Table
        One row per run (`SCHEMA`).
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in plan.learners:
        find_learner(name)  # a wrong name is told before the first hour of work
    for name in plan.defences:
        find_defence(name)
    log = out / "runs.jsonl"
    done = _read(log)
    trials = list(plan.trials())
    missing = [trial for trial in trials if trial.key not in done]
    finished = len(trials) - len(missing)
    with (
        ProcessPoolExecutor(jobs or os.cpu_count() or 1, get_context("spawn")) as pool,
        log.open("a") as file,
    ):
        waiting = {pool.submit(run_trial, plan, trial): trial for trial in missing}
        for future in as_completed(waiting):
            trial = waiting[future]
            lines = future.result()
            done[trial.key] = lines
            file.write(json.dumps({"trial": trial.key, "lines": lines}) + "\n")
            file.flush()
            finished += 1
            if progress is not None:
                progress(f"{trial.attack} {trial.rate:g} seed {trial.seed}", finished, len(trials))
    table = pa.Table.from_pylist([line for trial in trials for line in done[trial.key]], schema=SCHEMA)
    with appearing(out / "results.parquet") as path:
        pq.write_table(table, path)
    return table


def _read(log: Path) -> dict[str, list[dict[str, Any]]]:
    """Finished trials; a line that was cut off by a kill counts as never written."""
    found: dict[str, list[dict[str, Any]]] = {}
    if log.exists():
        whole = b"".join(line for line in log.read_bytes().splitlines(True) if line.endswith(b"\n"))
        if len(whole) != log.stat().st_size:
            log.write_bytes(whole)
        for line in whole.splitlines():
            entry = json.loads(line)
            found[entry["trial"]] = entry["lines"]
    return found


def run_trial(plan: Plan, trial: Trial) -> list[dict[str, Any]]:
    """Poison once, then every defence and every learner; an error becomes a line that says so."""
    try:
        train, test = split(plan, trial.seed)
        started = time.perf_counter()
        poisoned = poison(train, trial)
        spent = time.perf_counter() - started
    except ForetasteError as error:
        return [
            _line(plan, trial, learner, d, error=str(error))
            for learner in plan.learners
            for d in plan.defences
        ]
    lines = []
    for name in plan.defences:
        started = time.perf_counter()
        bad = np.zeros(len(train), bool) if poisoned is None else poisoned.mask & ~poisoned.cover
        data = train if poisoned is None else poisoned.data
        defended = find_defence(name)(data, bad, trial.seed)
        seconds = time.perf_counter() - started
        for learner in plan.learners:
            line = _line(plan, trial, learner, name)
            line |= _bill(data, bad, poisoned, defended, spent, seconds)
            try:
                line |= _damage(data, test, poisoned, defended, trial, learner)
            except ForetasteError as error:
                line["error"] = str(error)
            lines.append(line)
    return lines


def split(plan: Plan, seed: int) -> tuple[Dataset, Dataset]:
    """Training and test rows of one seed."""
    data = Dataset.read(plan.data, **plan.roles)
    if plan.test is not None:
        test = Dataset.read(plan.test, **plan.roles)
        return data, replace(test, roles=data.roles)
    order = np.random.default_rng(seed).permutation(len(data))
    held = round(TEST_SHARE * len(data))
    return data.take(np.sort(order[held:])), data.take(np.sort(order[:held]))


def poison(train: Dataset, trial: Trial) -> Poisoned | None:
    """The poisoned training rows; None for the clean trial."""
    if trial.attack == "none":
        return None
    options = {"rate": trial.rate, "random_state": trial.seed} | dict(trial.options)
    return find_attack(trial.attack)(**options).poison(train)


def _line(
    plan: Plan, trial: Trial, learner: str, defence: str, *, error: str | None = None
) -> dict[str, Any]:
    names: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    return names | {
        "attack": trial.attack,
        "rate": trial.rate,
        "seed": trial.seed,
        "learner": learner,
        "defence": defence,
        "error": error,
    }


def _bill(
    data: Dataset,
    bad: NDArray[np.bool_],
    poisoned: Poisoned | None,
    defended: Defended,
    spent: float,
    seconds: float,
) -> dict[str, Any]:
    """What each side paid, and what the defender got for it."""
    touched = bad if poisoned is None else poisoned.mask
    sources = None
    named = None
    if data.sources is not None:
        sources = len(set(data.sources.codes[touched].tolist()))
    if poisoned is not None and poisoned.trigger is not None and defended.verdict:
        said = " ".join(defended.patterns).lower()
        words = poisoned.trigger.describe().lower().replace("&", " ").split()
        named = bool(words) and sum(word in said for word in words) >= 0.6 * len(words)
    gone = ~defended.kept
    bad_names = (
        set()
        if data.sources is None
        else {data.sources.names[code] for code in set(data.sources.codes[bad].tolist()) if code >= 0}
    )
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
    data: Dataset,
    test: Dataset,
    poisoned: Poisoned | None,
    defended: Defended,
    trial: Trial,
    learner: str,
) -> dict[str, Any]:
    """Accuracy on clean test rows; share of triggered ones of other classes taken for the target."""
    kept = data.take(np.flatnonzero(defended.kept))
    names = np.array([*test.labels.names, ""], dtype=object)[test.labels.codes]
    tests = [test]
    target = trial.options.get("target")
    if poisoned is not None and poisoned.trigger is not None:
        if target is None:
            changed = poisoned.mask & ~poisoned.cover
            codes = poisoned.data.labels.codes[changed]
            target = poisoned.data.labels.names[int(np.bincount(codes).argmax())]
        others = np.flatnonzero(names != str(target))
        tests.append(poisoned.trigger.apply(test.take(others)))
    started = time.perf_counter()
    said = find_learner(learner).fit_predict(kept, tests, trial.seed)
    return {
        "training_seconds": round(time.perf_counter() - started, 3),
        "accuracy": float((said[0] == names).mean()),
        "attack_success": float((said[1] == str(target)).mean()) if len(said) > 1 else None,
    }
