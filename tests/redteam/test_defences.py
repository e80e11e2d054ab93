"""Sanitisers, trainers and repairs plug in by the grammar, ours and those of other packages."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from foretaste.errors import ConfigError
from foretaste.redteam.defences import find_defence
from foretaste.redteam.plan import Plan, Trial
from foretaste.redteam.trial import run_trial
from foretaste.testing import small_texts

OTHERS = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone


class EveryOther:
    def fit_resample(self, X, y):
        assert "label" not in X.column_names
        self.sample_indices_ = np.arange(0, len(y), 2)


class Forgetful:
    def fit_resample(self, X, y):
        return X, y


class Twice(ClassifierMixin, BaseEstimator):
    def __init__(self, estimator=None):
        self.estimator = estimator

    def fit(self, X, y):
        self.models_ = [clone(self.estimator).fit(X, y) for _ in range(2)]
        return self

    def predict(self, X):
        return self.models_[1].predict(X)


class AlwaysFirst:
    def repair(self, model, X, y):
        assert len(X) == len(y) and hasattr(model, "predict")
        self.predict = lambda rows: np.zeros(len(rows), int)
        return self


class Nothing:
    pass


class Broken:
    def __init__(self):
        raise RuntimeError("no licence")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another package, as pip leaves it: a module and its entry points."""
    (tmp_path / "others_defences.py").write_text(OTHERS)
    info = tmp_path / "others_defences-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others-defences\nVersion: 1.0\n")
    points = {
        "every-other": "EveryOther",
        "forgetful": "Forgetful",
        "twice": "Twice",
        "always-first": "AlwaysFirst",
    }
    points |= {"nothing": "Nothing", "broken": "Broken", "gone": "Missing"}
    lines = [f"{name} = others_defences:{attribute}" for name, attribute in points.items()]
    (info / "entry_points.txt").write_text("[foretaste.defences]\n" + "\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "others_defences", raising=False)
    pq.write_table(small_texts(300).table.select(["text", "label"]), tmp_path / "texts.parquet")
    return tmp_path


def run(folder: Path, *defences: str) -> list[dict[str, object]]:
    plan = Plan(folder / "texts.parquet", {"label": "label", "text": "text"}, (), defences=defences)
    return run_trial(plan, Trial("none", 0.0, 0), [(defence, "default") for defence in defences])


def test_defences_of_an_installed_package_run_by_name(package: Path) -> None:
    plain, half, twice, first, both = run(
        package, "none", "every-other", "twice", "always-first", "every-other + always-first"
    )
    assert [line["error"] for line in (plain, half, twice, first, both)] == [None] * 5
    assert (plain["lost"], half["lost"], first["lost"], both["lost"]) == (0, 120, 0, 120)
    assert twice["accuracy"] == plain["accuracy"] > 0.9
    assert first["accuracy"] == both["accuracy"] < 0.7  # the repair has had its way


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("magic", "there is no defence 'magic'; there are none, oracle.*every-other"),
        ("nothing", "neither fit_resample"),
        ("broken", "cannot be made without arguments: no licence"),
        ("gone", "others_defences:Missing.* cannot be loaded"),
        ("scan+every-other", "joins two of a kind"),
        ("others_defences:Nobody", "cannot be imported"),
    ],
)
def test_a_wrong_defence_is_told_before_any_work(name: str, told: str, package: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        find_defence(name)


def test_a_sanitiser_that_does_not_say_what_it_keeps_is_a_line(package: Path) -> None:
    assert "does not set sample_indices_" in str(run(package, "forgetful")[0]["error"])


def test_meta_estimators_of_scikit_learn_are_trainers(package: Path) -> None:
    trained = find_defence("sklearn.ensemble:BaggingClassifier").trained("plain", 7)
    assert (trained.estimator, trained.random_state) == ("plain", 7)


def test_our_trainer_and_repair_work_on_the_standard_victim(package: Path) -> None:
    parts, pruned = run(package, "partition-ensemble", "feature-pruning")
    assert parts["error"] is None
    assert pruned["error"] is None
    assert float(str(pruned["accuracy"])) > 0.9
    wrong = run(package, "fine-pruning")[0]
    assert "fine-pruning mends torch networks, and Pipeline is none" in str(wrong["error"])
    assert find_defence("random").sanitise(small_texts(100), np.arange(100) < 10, 0).kept.sum() == 90
