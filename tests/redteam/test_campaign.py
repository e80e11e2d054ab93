"""A campaign runs what is missing, and only that, whatever happened before."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from foretaste.errors import ConfigError, DataError
from foretaste.redteam.plan import Plan, Trial
from foretaste.redteam.remaining import Remaining
from foretaste.redteam.run import run_campaign
from foretaste.redteam.trial import SCHEMA
from foretaste.testing import small_texts

FIGURES = ["attack", "rate", "defence", "accuracy", "attack_success", "turned", "caught", "attacker_rows"]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    pq.write_table(small_texts(400).table.select(["text", "label"]), tmp_path / "texts.parquet")
    return Plan(
        tmp_path / "texts.parquet",
        {"label": "label", "text": "text"},
        (("word-trigger", (0.02, 0.1), {"target": "money"}),),
        defences=("none", "oracle"),
        seeds=(0,),
    )


def test_only_what_is_missing_runs_again(plan: Plan, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run_campaign(plan, out, jobs=1)
    assert first.schema.names == SCHEMA.names
    assert first.num_rows == 3 * 2
    log = out / "runs.jsonl"
    lines = log.read_bytes().splitlines(True)
    log.write_bytes(b"".join(lines[:4]) + lines[4][: len(lines[4]) // 2])  # killed while it wrote the fifth
    told: list[tuple[str, int, int]] = []
    again = run_campaign(plan, out, jobs=1, progress=lambda *step: told.append(step))
    assert [(done, total) for _, done, total in told] == [(4, 6), (6, 6)]
    assert "less than a minute left" in told[0][0]
    assert again.select(FIGURES).equals(first.select(FIGURES))
    assert len(log.read_bytes().splitlines()) == 6
    run = {(r["rate"], r["defence"]): r for r in again.to_pylist()}
    assert run[0.1, "none"]["turned"] > run[0.1, "oracle"]["turned"] + 0.3
    assert run[0.1, "oracle"]["caught"] == 1.0
    assert run[0.1, "none"]["attacker_rows"] == 32
    wider = run_campaign(replace(plan, defences=("none", "oracle", "random")), out, jobs=1)
    assert len(log.read_bytes().splitlines()) == 9  # of a larger plan, what is new
    assert wider.num_rows == 9
    pq.write_table(small_texts(500).table.select(["text", "label"]), plan.data)
    run_campaign(plan, out, jobs=1)
    assert len(log.read_bytes().splitlines()) == 15  # of other data, everything


WAITING = """
import os, time
from sklearn.dummy import DummyClassifier

def make():
    with open("made", "a") as file:
        file.write(f"{os.getpid():9}\\n")
        file.flush()
        number = file.tell() // 10
    if number > 3 and not os.path.exists("go"):
        time.sleep(60)
    return DummyClassifier()
"""
CAMPAIGN = """
import pickle, sys
from pathlib import Path
from foretaste.redteam import run_campaign

if __name__ == "__main__":
    run_campaign(pickle.loads(bytes.fromhex(sys.argv[1])), Path("out"), jobs=2)
"""


def test_a_campaign_killed_in_the_middle_goes_on_where_it_was(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three trials of two trainings, the first to end is done, and the fourth training on waits."""
    (tmp_path / "waiting_learner.py").write_text(WAITING)
    (tmp_path / "campaign.py").write_text(CAMPAIGN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    asked = replace(plan, learners=("waiting_learner:make",))
    running = subprocess.Popen([sys.executable, "campaign.py", pickle.dumps(asked).hex()])
    log, made = tmp_path / "out" / "runs.jsonl", tmp_path / "made"
    while not (made.exists() and made.stat().st_size == 50 and log.exists() and log.stat().st_size):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = log.read_bytes()
    assert len(before.splitlines()) == 2
    for worker in set(map(int, made.read_text().split())):
        while running_still(worker):  # none outlives its campaign
            time.sleep(0.02)
    (tmp_path / "go").touch()
    table = run_campaign(asked, tmp_path / "out", jobs=1)
    after = log.read_bytes()
    assert after.startswith(before)
    assert len(after.splitlines()) == table.num_rows == 6
    assert table.column("error").null_count == 6


def running_still(process: int) -> bool:
    try:
        return not Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].startswith(" Z")
    except FileNotFoundError:
        return False


def test_a_log_of_something_else_is_not_written_over(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"runs\.jsonl, row 0: this is no line of a campaign"):
        run_campaign(plan, tmp_path / "out", jobs=1)


def test_a_run_that_failed_is_tried_anew(plan: Plan, tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text("raise SystemExit('not yet')")
    line = f"command:{sys.executable} {program} {{train}} {{test}} {{predictions}}"
    asked = replace(plan, learners=(line,), attacks=(), defences=("none",))
    assert "not yet" in run_campaign(asked, tmp_path / "out", jobs=1)["error"][0].as_py()
    program.write_text(
        "import sys, pyarrow.parquet as pq\n"
        "open(sys.argv[3], 'w').write('sport\\n' * pq.read_table(sys.argv[2]).num_rows)\n"
    )
    assert run_campaign(asked, tmp_path / "out", jobs=1)["error"][0].as_py() is None


def test_a_wrong_name_is_told_before_any_work(plan: Plan, tmp_path: Path) -> None:
    for wrong in (replace(plan, learners=("nobody",)), replace(plan, defences=("magic",))):
        with pytest.raises(ConfigError, match="there is no"):
            run_campaign(wrong, tmp_path / "out", jobs=1)
    assert not (tmp_path / "out").exists()


def test_the_time_that_is_left_is_told_by_runs_of_the_same_kind() -> None:
    clock = Remaining(jobs=2)
    assert clock.left([[("a", "scan", "default")]]) is None

    def finished(attack: str, defence: str, seconds: float, error: str | None = None) -> None:
        clock.finished(
            {"attack": attack, "defence": defence, "learner": "default", "seconds": seconds, "error": error}
        )

    for seconds in (30.0, 50.0):
        finished("a", "scan", seconds)
    finished("a", "none", 2.0)
    finished("b", "none", 0.01, "it broke")
    assert clock.left([[("a", "scan", "default")]] * 4) == 80.0  # two at a time
    assert (
        clock.left([[("b", "scan", "default")]]) == 40.0
    )  # as with other attacks; one job has nothing to do
    assert clock.left([[("b", "new", "default")] * 3]) == pytest.approx(30 + 50 + 2)


def test_a_trial_is_known_by_what_it_is() -> None:
    assert Trial("a", 0.1, 0, {"x": 1, "y": 2}).key == Trial("a", 0.1, 0, {"y": 2, "x": 1}).key
    assert Trial("a", 0.1, 0).key != Trial("a", 0.1, 1).key
