"""Plans are checked, figures have intervals, the page says what happened."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foretaste.errors import ConfigError
from foretaste.redteam.adaptive import Attempt
from foretaste.redteam.curves import Dose, curves
from foretaste.redteam.plan import Plan, Trial, quick_plan, read_plan
from foretaste.redteam.summary import summarise
from foretaste.redteam.trial import SCHEMA, run_trial
from foretaste.report.campaign_page import render
from foretaste.stats.intervals import newcombe, wilson
from foretaste.testing import small_table, small_texts

PLAN = """
seeds = [0]
defences = ["none", "oracle"]

[data]
path = "texts.parquet"
label = "label"
text = "text"

[[attack]]
name = "word-trigger"
target = "money"
rates = [0.02, 0.1]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pq.write_table(small_texts(400).table.select(["text", "label"]), tmp_path / "texts.parquet")
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path


def test_a_plan_says_what_is_wrong_with_it(folder: Path) -> None:
    plan = read_plan(folder / "plan.toml")
    assert [(t.attack, t.rate) for t in plan.trials()] == [
        ("none", 0.0), ("word-trigger", 0.02), ("word-trigger", 0.1),
    ]  # fmt: skip
    for wrong, told in (
        ("seeds = [0]\nsuggestion = 1", "there is no 'suggestion'"),
        ("[data]\nlabel = 'x'", "needs path and label"),
        (PLAN.replace("target", "tarjet"), "has no option 'tarjet'"),
        (PLAN.replace("[0.02, 0.1]", "[2.0]"), "between 0 and 1"),
        (PLAN.replace("[0]", "[-1]"), "whole numbers"),
        (PLAN.replace("[data]", "[data]\nrows = 3"), "rows of"),
        ("not toml", "this is no TOML"),
    ):
        (folder / "plan.toml").write_text(wrong)
        with pytest.raises(ConfigError, match=told):
            read_plan(folder / "plan.toml")


def test_an_attack_these_data_cannot_carry_is_a_line_not_a_crash(folder: Path) -> None:
    plan = read_plan(folder / "plan.toml")
    lines = run_trial(plan, Trial("value-trigger", 0.01, 0))
    assert len(lines) == 2
    assert all("works on tabular data" in line["error"] for line in lines)


def runs(*lines: tuple[str, float, str, float, float | None], seed: int = 0) -> list[dict[str, object]]:
    return [
        dict.fromkeys(SCHEMA.names)
        | {"attack": a, "rate": r, "defence": d, "accuracy": acc, "turned": s, "learner": "default"}
        | {"seed": seed, "attacker_rows": 10, "lost": 1, "test_rows": 400, "triggered_rows": 200}
        for a, r, d, acc, s in lines
    ]


def table(lines: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(lines, schema=SCHEMA)


def test_the_smallest_dose_that_breaks_it_comes_first() -> None:
    summary = summarise(table(
        runs(
            ("none", 0.0, "none", 0.95, None), ("none", 0.0, "scan", 0.94, None),
            ("slow", 0.01, "none", 0.95, 0.1), ("slow", 0.05, "none", 0.95, 0.9),
            ("fast", 0.01, "none", 0.95, 0.6), ("fast", 0.05, "none", 0.95, 0.7),
            ("fast", 0.01, "scan", 0.95, 0.3), ("flip", 0.05, "none", 0.90, None),
        )
    ))  # fmt: skip
    assert [(c.attack, c.defence, c.breaks_at) for c in summary.curves] == [
        ("fast", "none", 0.01), ("fast", "scan", None), ("slow", "none", 0.05), ("flip", "none", 0.05),
    ]  # fmt: skip
    assert "one bad row in 100 is enough" in summary.words[0]
    assert "fast" in summary.words[0]
    assert any("-1.0 points" in line for line in summary.words)
    assert any("worst hidden trigger: 30 % of cases (fast, 1 %" in line for line in summary.words)
    flip = next(c for c in summary.curves if c.attack == "flip")
    assert flip.worst.success == pytest.approx(0.05)  # accuracy lost, for want of a trigger


def test_with_one_seed_the_band_is_that_of_the_test_rows() -> None:
    (curve,) = curves(runs(("none", 0.0, "none", 0.9, None), ("a", 0.01, "none", 0.9, 0.5)))
    low, high = wilson(0.5, 200)
    assert (curve.doses[0].low, curve.doses[0].high) == pytest.approx((low, high))
    (curve,) = curves(runs(("none", 0.0, "none", 0.9, None), ("flip", 0.01, "none", 0.85, None)))
    assert (curve.doses[0].low, curve.doses[0].high) == pytest.approx(newcombe(0.9, 0.85, 400))


def test_with_several_seeds_the_band_is_students_but_never_narrower() -> None:
    def over(*values: float) -> Dose:
        lines = [
            line for seed, v in enumerate(values) for line in runs(("a", 0.01, "none", 0.9, v), seed=seed)
        ]
        return curves(lines)[0].doses[0]

    apart = over(0.5, 0.6, 0.7)
    assert (apart.low, apart.high) == pytest.approx(
        (0.6 - 4.3027 * 0.1 / 3**0.5, 0.6 + 4.3027 * 0.1 / 3**0.5), abs=1e-4
    )
    together = over(
        1.0, 1.0, 1.0
    )  # Student's interval would have no width: as if nothing were left to chance
    assert together.low == pytest.approx(wilson(1.0, 200)[0])


def test_the_loss_of_a_seed_is_measured_against_the_clean_run_of_that_seed() -> None:
    lines = [
        *runs(("none", 0.0, "none", 0.9, None), ("flip", 0.05, "none", 0.88, None), seed=0),
        *runs(("none", 0.0, "none", 0.8, None), ("flip", 0.05, "none", 0.78, None), seed=1),
    ]
    assert curves(lines)[0].doses[0].success == pytest.approx(0.02)
    assert curves(lines[:3])[0].doses[0].seeds == 1  # seed 1 has no clean run: it says nothing


def test_the_smallest_dose_has_an_interval() -> None:
    lines = runs(
        ("a", 0.01, "none", 0.9, 0.48), ("a", 0.02, "none", 0.9, 0.53), ("a", 0.03, "none", 0.9, 0.9)
    )
    (curve,) = curves(lines)
    assert (curve.may_break_at, curve.breaks_at, curve.surely_breaks_at) == (0.01, 0.02, 0.03)
    page = render(summarise(table(lines)), "x").decode()
    assert "2 % (1 % to 3 %)" in page


def test_hostile_names_are_inert_on_the_page() -> None:
    evil = "<script>alert(1)</script>\u202e"
    summary = summarise(table(runs((evil, 0.01, evil, 0.9, 0.6), ("none", 0.0, "none", 0.9, None))))
    page = render(summary, evil, [Attempt(evil, 0.01, {evil: evil}, 0.0, True, 0.5, 0.9)]).decode()
    assert "<script" not in page
    assert "\u202e" not in page


def test_a_quick_plan_fits_the_data() -> None:
    text = quick_plan(Path("x.csv"), small_texts())
    assert {name for name, _, _ in text.attacks} == {"word-trigger", "sentence-trigger", "label-flip"}
    table = quick_plan(Path("x.csv"), small_table())
    assert {name for name, _, _ in table.attacks} == {"value-trigger", "label-flip"}
    assert json.dumps(dict(table.roles))
    assert isinstance(table, Plan)
