"""The attacker who knows the scan searches, and what it finds is what holds on other rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foretaste.redteam.adaptive import RATES, Attempt, adapt, frontier
from foretaste.redteam.plan import Plan, Trial
from foretaste.redteam.trial import Line


def attempt(rate: float, success: float, *, unseen: bool = True, attack: str = "a") -> Attempt:
    return Attempt(attack, rate, {}, 0.0, unseen, success, 0.9)


def test_the_frontier_is_what_went_unseen_and_is_beaten_by_nothing_cheaper() -> None:
    made = [attempt(0.01, 0.4), attempt(0.02, 0.3), attempt(0.03, 0.8), attempt(0.001, 0.9, unseen=False)]
    assert [(a.rate, a.success) for a in frontier(made)] == [(0.01, 0.4), (0.03, 0.8)]


def test_attacks_are_not_measured_against_each_other() -> None:
    made = [attempt(0.01, 0.4), attempt(0.02, 0.03, attack="flip")]
    assert len(frontier(made)) == 2


def test_the_search_finds_the_blind_spot_of_a_scan_and_repeats_it_on_other_rows() -> None:
    """A scan that sees everything but two rare words, up to one row in a hundred."""
    asked: list[Trial] = []

    def run(trials: Sequence[Trial]) -> list[Line]:
        asked.extend(trials)
        return [answer(trial) for trial in trials]

    def answer(trial: Trial) -> Line:
        blind = trial.options.get("number") == 2 and trial.rate <= 0.01
        luck = 0.1 if trial.seed == 0 else 0.0
        return {
            "error": None, "caught": 0.0 if blind else 1.0, "verdict": "clean" if blind else "poisoned",
            "named": None, "source_named": None, "accuracy": 0.9,
            "turned": min(100 * trial.rate, 0.9) + luck,
        }  # fmt: skip

    plan = Plan(Path("x"), {"label": "y"}, (("word-trigger", (0.01,), {"target": "ham"}),))
    made = adapt(plan, "word-trigger", trials=40, run=run)
    best = frontier(made)[-1]
    assert best.unseen
    assert best.options["number"] == 2
    assert best.rate >= 0.005
    assert best.again_success == min(100 * best.rate, 0.9) < best.success  # without the luck of the draw
    tried = [trial.key for trial in asked if trial.attack != "none"]
    assert len(tried) == len(set(tried)), "no scan is spent twice on the same options"
    assert {trial.rate for trial in asked} <= {0.0, *RATES}
    assert all(trial.options["target"] == "ham" for trial in asked if trial.attack != "none")
