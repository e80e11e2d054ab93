"""The examples of ``docs/redteam.md`` do what the page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from foretaste.data import Dataset, as_dataset
from foretaste.redteam.defences import find_defence
from foretaste.redteam.learners import find_learner, fit_predict
from foretaste.redteam.plan import read_plan
from foretaste.testing import small_texts

PAGE = (Path(__file__).parents[2] / "docs" / "redteam.md").read_text("utf-8")
MODELS, PROGRAM, DEFENCE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mymodels.py").write_text(MODELS)
    (tmp_path / "train.py").write_text(PROGRAM)
    (tmp_path / "my_package.py").write_text(DEFENCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("mymodels", "my_package"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def accuracy(learner: str, data: Dataset) -> float:
    (said,) = fit_predict(find_learner(learner), data, [data], 0)
    return float((said == np.array(data.labels.names, object)[data.labels.codes]).mean())


def test_the_estimator_and_the_program_learn(folder: Path) -> None:
    assert accuracy("mymodels:make_classifier", small_texts()) > 0.95
    line = "command:" + sys.executable + " train.py {train} {test} {predictions}"
    assert accuracy(line, small_texts()) > 0.95


def test_the_network_learns(folder: Path) -> None:
    pytest.importorskip("torch")
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    images = as_dataset(((X[:600] * 15).astype(np.uint8).reshape(-1, 8, 8), y[:600]))
    assert accuracy("torch:mymodels:make_network", images) > 0.5


def test_the_plan_and_the_defence_are_understood(folder: Path) -> None:
    (folder / "plan.toml").write_text(re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL).group(1))
    pq.write_table(small_texts().table, folder / "train.parquet")
    plan = read_plan(folder / "plan.toml")
    assert (plan.rows, len(list(plan.trials()))) == (5000, 3 * (1 + 3 + 1))
    for name in plan.defences:
        assert find_defence(name).name == name
    data = small_texts()
    long = data.with_column(
        "text", [f"{text} word" * (9 if i == 3 else 1) for i, text in enumerate(data.texts)]
    )
    kept = find_defence("my_package:KeepShort").sanitise(long, np.zeros(len(data), bool), 0).kept
    assert np.flatnonzero(~kept).tolist() == [3]
