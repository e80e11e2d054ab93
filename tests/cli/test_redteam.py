"""``foretaste redteam`` answers in words, and says in one line what is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from foretaste.cli.app import app
from foretaste.testing import small_texts


def redteam(*words: object) -> Result:
    return CliRunner().invoke(app, ["redteam", *map(str, words)])


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    pq.write_table(small_texts(400).table.select(["text", "label"]), tmp_path / "texts.parquet")
    return tmp_path / "texts.parquet"


def test_quick_says_how_poisonable_the_pipeline_is(texts: Path) -> None:
    words = ("--quick", texts, "--label", "label", "--defence", "none", "--defence", "oracle", "--jobs", 1)
    said = redteam(*words, "--out", "campaign")
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith("Without a defence this pipeline is poisonable: one bad row in ")
    assert said.stderr == ""
    told = json.loads(Path("campaign/summary.json").read_text())
    assert told["schema"] == 1
    curve = told["curves"][0]
    assert curve["breaks_at"] == next(d["rate"] for d in curve["doses"] if d["success"] >= 0.5)
    assert all(d["low"] <= d["success"] <= d["high"] for c in told["curves"] for d in c["doses"])
    assert told["words"][0] in Path("campaign/report.html").read_text()
    assert (
        pq.read_table("campaign/results.parquet").num_rows == told["runs"] == 2 * (1 + 2 * 3 + 2)
    )  # no dose of less than one row


def test_what_is_wrong_is_said_in_one_line(texts: Path) -> None:
    quick = ("--quick", texts, "--label", "label", "--out", "campaign")
    for words, told in (
        ((), "name a plan, or write"),
        ((texts,), "is no plan (.toml); for data write foretaste redteam --quick"),
        (("plan.toml",), "plan.toml: this plan cannot be read: No such file"),
        (("plan.toml", "--label", "x"), "go with --quick"),
        (("--quick", texts, "--label", "labl"), "did you mean 'label'?"),
        ((*quick, "--learner", "nobody"), "there is no learner 'nobody'"),
        ((*quick, "--defence", "magic"), "there is no defence 'magic'"),
        ((*quick, "--learner", "command:python {train} {test}"), "does not say {predictions}"),
    ):
        said = redteam(*words)
        assert said.exit_code == 2
        assert told in said.stderr
        assert len(said.stderr.splitlines()) == 1
    assert not Path("campaign").exists()


def test_a_campaign_without_any_figures_is_an_error(texts: Path) -> None:
    words = ("--quick", texts, "--label", "label", "--defence", "none", "--jobs", 1)
    said = redteam(*words, "--learner", "sklearn.svm:SVC")
    assert said.exit_code == 2
    assert "11 of 11" in said.stderr or "the learner sklearn.svm:SVC" in said.stderr
    assert said.stderr.splitlines()[-1] == "foretaste: no run has any figures"
