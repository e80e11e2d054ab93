"""Campaigns: plans are checked, runs resume, learners and defences plug in, the page says what happened."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foretaste.errors import ConfigError
from foretaste.redteam.adaptive import Attempt, frontier
from foretaste.redteam.defences import _sanitiser, find_defence
from foretaste.redteam.learners import Command, Estimator, TorchModule, find_learner
from foretaste.redteam.plan import Plan, Trial, quick_plan, read_plan
from foretaste.redteam.run import SCHEMA, run_campaign, run_trial
from foretaste.redteam.summary import summarise
from foretaste.report.campaign_page import render
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
        ("not toml", "cannot be read"),
    ):
        (folder / "plan.toml").write_text(wrong)
        with pytest.raises(ConfigError, match=told):
            read_plan(folder / "plan.toml")


def test_an_unknown_learner_or_defence_is_told_before_any_work(folder: Path) -> None:
    plan = read_plan(folder / "plan.toml")
    for wrong in (replace(plan, learners=("nobody",)), replace(plan, defences=("magic",))):
        with pytest.raises(ConfigError, match="there is no"):
            run_campaign(wrong, folder / "out", jobs=1)
    assert not (folder / "out" / "runs.jsonl").exists()


def test_only_what_is_missing_runs_again_after_a_kill(folder: Path) -> None:
    plan = read_plan(folder / "plan.toml")
    first = run_campaign(plan, folder / "out", jobs=1)
    assert first.schema.names == SCHEMA.names
    assert first.num_rows == 3 * 2
    log = folder / "out" / "runs.jsonl"
    lines = log.read_bytes().splitlines(True)
    log.write_bytes(lines[0] + lines[1] + lines[2][: len(lines[2]) // 2])  # killed while writing the third
    told: list[tuple[str, int, int]] = []
    again = run_campaign(plan, folder / "out", jobs=1, progress=lambda *step: told.append(step))
    assert [done for _, done, _ in told] == [3]
    columns = ["attack", "rate", "defence", "accuracy", "attack_success", "caught"]
    assert again.select(columns).equals(first.select(columns))
    assert len(log.read_bytes().splitlines()) == 3
    run = {(r["rate"], r["defence"]): r for r in again.to_pylist()}
    assert run[0.1, "none"]["attack_success"] > run[0.1, "oracle"]["attack_success"] + 0.3
    assert run[0.1, "oracle"]["caught"] == 1.0
    assert run[0.1, "none"]["attacker_rows"] == 32


def test_any_pipeline_can_be_the_learner(folder: Path) -> None:
    data = small_table(200)
    from sklearn.dummy import DummyClassifier

    said = Estimator(lambda: DummyClassifier(strategy="most_frequent")).fit_predict(data, [data], 0)[0]
    names, counts = np.unique(data.column("label").to_pylist(), return_counts=True)
    assert set(said) == {names[counts.argmax()]}

    program = folder / "train.py"
    program.write_text(
        "import sys, pyarrow.parquet as pq\n"
        "train, test = (pq.read_table(p) for p in sys.argv[1:3])\n"
        "assert 'label' not in test.column_names\n"
        "open(sys.argv[3], 'w').write('high\\n' * test.num_rows)\n"
    )
    line = f"{sys.executable} {program} {{train}} {{test}} {{predictions}}"
    assert set(find_learner(f"command:{line}").fit_predict(data, [data], 0)[0]) == {"high"}
    with pytest.raises(ConfigError, match="does not say"):
        Command("python train.py {train} {test}")
    with pytest.raises(ConfigError, match="ended with 3"):
        Command(f"{sys.executable} -c 'raise SystemExit(3)' {{train}} {{test}} {{predictions}}").fit_predict(
            data, [data], 0
        )


def test_a_torch_module_can_be_the_learner() -> None:
    torch = pytest.importorskip("torch")
    from sklearn.datasets import load_digits

    from foretaste.data import as_dataset

    X, y = load_digits(return_X_y=True)
    images = as_dataset(((X[:600] * 15).astype(np.uint8).reshape(-1, 8, 8), y[:600]))

    def make(shape: tuple[int, ...], n: int) -> object:
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(int(np.prod(shape)), n))

    said = TorchModule(make, epochs=10).fit_predict(images, [images], 0)[0]
    assert (said == np.array(images.labels.names, object)[images.labels.codes]).mean() > 0.7


def test_without_torch_images_have_a_victim_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.datasets import load_digits

    from foretaste.data import as_dataset

    X, y = load_digits(return_X_y=True)
    images = as_dataset(((X[:500] * 15).astype(np.uint8).reshape(-1, 8, 8), y[:500]))
    monkeypatch.setitem(sys.modules, "torch", None)
    said = find_learner("default").fit_predict(images, [images.take(np.arange(100))], 0)[0]
    assert (said == np.array(images.labels.names, object)[images.labels.codes[:100]]).mean() > 0.9


def test_sanitisers_of_others_are_defences() -> None:
    class EveryOther:
        def fit_resample(self, X: pa.Table, y: list[str]) -> None:
            assert "label" not in X.column_names
            self.sample_indices_ = np.arange(0, len(y), 2)

    data = small_texts()
    assert _sanitiser(EveryOther)(data, np.zeros(len(data), bool), 0).kept.sum() == len(data) // 2
    assert find_defence("random")(data, np.arange(len(data)) < 10, 0).kept.sum() == len(data) - 10


def test_an_attack_these_data_cannot_carry_is_a_line_not_a_crash(folder: Path) -> None:
    plan = read_plan(folder / "plan.toml")
    lines = run_trial(plan, Trial("value-trigger", 0.01, 0))
    assert len(lines) == 2
    assert all("works on tabular data" in line["error"] for line in lines)


def runs(*lines: tuple[str, float, str, float, float | None]) -> pa.Table:
    rows = [
        dict.fromkeys(SCHEMA.names)
        | {"attack": a, "rate": r, "defence": d, "accuracy": acc, "attack_success": s, "learner": "default"}
        | {"seed": 0, "attacker_rows": 10, "lost": 1}
        for a, r, d, acc, s in lines
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def test_the_smallest_dose_that_breaks_it_comes_first() -> None:
    summary = summarise(
        runs(
            ("none", 0.0, "none", 0.95, None), ("none", 0.0, "scan", 0.94, None),
            ("slow", 0.01, "none", 0.95, 0.1), ("slow", 0.05, "none", 0.95, 0.9),
            ("fast", 0.01, "none", 0.95, 0.6), ("fast", 0.05, "none", 0.95, 0.7),
            ("fast", 0.01, "scan", 0.95, 0.0), ("flip", 0.05, "none", 0.90, None),
        )
    )  # fmt: skip
    assert [(c.attack, c.defence, c.breaks_at) for c in summary.curves] == [
        ("fast", "none", 0.01), ("fast", "scan", None), ("slow", "none", 0.05), ("flip", "none", 0.05),
    ]  # fmt: skip
    assert "one bad row in 100 is enough for fast" in summary.words[0]
    assert any("-1.0 points" in line for line in summary.words)
    flip = next(c for c in summary.curves if c.attack == "flip")
    assert flip.worst == pytest.approx(0.05)  # accuracy lost, for want of a trigger


def test_the_frontier_is_what_went_unseen_and_is_beaten_by_nothing_cheaper() -> None:
    def attempt(rate: float, success: float, *, unseen: bool = True) -> Attempt:
        return Attempt("a", rate, {}, 0.0, unseen, success, 0.9)

    made = [attempt(0.01, 0.4), attempt(0.02, 0.3), attempt(0.03, 0.8), attempt(0.001, 0.9, unseen=False)]
    assert [(a.rate, a.success) for a in frontier(made)] == [(0.01, 0.4), (0.03, 0.8)]


def test_hostile_names_are_inert_on_the_page() -> None:
    evil = "<script>alert(1)</script>\u202e"
    summary = summarise(runs((evil, 0.01, evil, 0.9, 0.6), ("none", 0.0, "none", 0.9, None)))
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
