"""Any pipeline can be attacked: an estimator, a torch module, a command line."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import Dataset, as_dataset
from foretaste.errors import ConfigError, ForetasteError
from foretaste.redteam.learners import Estimator, TorchModule, find_learner, fit_predict
from foretaste.redteam.plan import Plan, Trial
from foretaste.redteam.programs import Program
from foretaste.redteam.trial import run_trial
from foretaste.testing import small_table, small_texts


def digits(n: int) -> Dataset:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return as_dataset(((X[:n] * 15).astype(np.uint8).reshape(-1, 8, 8), y[:n]))


def names(data: Dataset) -> np.ndarray:
    return np.array(data.labels.names, object)[data.labels.codes]


def test_an_estimator_can_be_the_learner() -> None:
    from sklearn.dummy import DummyClassifier

    data = small_table(200)
    learner = Estimator(lambda: DummyClassifier(strategy="most_frequent"))
    labels, counts = np.unique(data.column("label").to_pylist(), return_counts=True)
    for said in fit_predict(learner, data, [data, data.take([0, 1])], 0):
        assert set(said) == {labels[counts.argmax()]}
    with pytest.raises(ConfigError, match="dict, which cannot fit and predict"):
        fit_predict(Estimator(dict), data, [data], 0)


def test_a_module_beside_the_user_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_learner.py").write_text(
        "from sklearn.feature_extraction.text import CountVectorizer\n"
        "from sklearn.naive_bayes import MultinomialNB\n"
        "from sklearn.pipeline import make_pipeline\n"
        "def make():\n    return make_pipeline(CountVectorizer(), MultinomialNB())\n"
        "number = 1\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    data = small_texts()
    (said,) = fit_predict(find_learner("my_learner:make"), data, [data], 0)
    assert (said == names(data)).mean() > 0.85
    for name, told in (
        ("my_learner:maek", "cannot be imported.*maek"),
        ("no_such_module:make", "cannot be imported.*no_such_module"),
        ("my_learner:number", "no class or function"),
        ("nobody", "there is no learner 'nobody'"),
    ):
        with pytest.raises(ConfigError, match=told):
            find_learner(name)


def test_a_command_line_can_be_the_learner(tmp_path: Path) -> None:
    data = small_table(200)
    train = replace(data, table=data.table.set_column(5, "label", pa.array(np.arange(200) % 2 + 7)))
    program = tmp_path / "train.py"
    program.write_text(
        "import sys, pyarrow.parquet as pq\n"
        "train, test = (pq.read_table(p) for p in sys.argv[1:3])\n"
        "assert 'label' not in test.column_names\n"
        "assert train['label'].to_pylist()[:3] == [7, 8, 7], 'labels as they were'\n"
        "lines = ['8'] * (test.num_rows - 1) + ['something else']\n"
        "open(sys.argv[3], 'w').write('\\n'.join(lines))\n"
    )
    learner = find_learner(f"command:{sys.executable} {program} {{train}} {{test}} {{predictions}}")
    first, second = fit_predict(learner, train, [train, train.take([0, 1])], 0)
    assert set(first) == {"8"}
    assert second.tolist() == ["8", ""]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("python train.py {train} {test}", r"does not say \{predictions\}"),
        ("no-such-program {train} {test} {predictions}", "there is no program 'no-such-program'"),
        ("python 'train.py {train} {test} {predictions}", "cannot be split into words"),
    ],
)
def test_a_wrong_command_is_told_before_any_work(line: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Program(line)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise SystemExit('boo')", "ended with 1: boo"),
        ("pass", "wrote no"),
        ("import sys; open(sys.argv[3], 'w').write('high\\nlow')", "2 predictions for 100 rows"),
        ("import sys; open(sys.argv[3], 'w').write('0\\n' * 100)", "no class there is; it wrote '0'"),
    ],
)
def test_a_broken_program_is_told_in_a_sentence(code: str, told: str, tmp_path: Path) -> None:
    data = small_table(100)
    (tmp_path / "p.py").write_text(code)
    with pytest.raises(ConfigError, match=told):
        fit_predict(
            Program(f"{sys.executable} {tmp_path}/p.py {{train}} {{test}} {{predictions}}"), data, [data], 0
        )


def test_a_learner_that_fails_is_a_line_not_a_crash(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(small_texts(100).table.select(["text", "label"]), tmp_path / "t.parquet")
    plan = Plan(tmp_path / "t.parquet", {"label": "label", "text": "text"}, (), learners=("sklearn.svm:SVC",))
    line = run_trial(plan, Trial("none", 0.0, 0), [("none", "sklearn.svm:SVC")])[0]
    assert "the learner sklearn.svm:SVC under the defence none failed: ValueError" in line["error"]


def test_a_torch_module_can_be_the_learner() -> None:
    torch = pytest.importorskip("torch")
    images = digits(600)

    def make(shape: tuple[int, ...], n: int) -> object:
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(int(np.prod(shape)), n))

    (said,) = fit_predict(TorchModule(make, epochs=10), images, [images], 0)
    assert (said == names(images)).mean() > 0.7
    for wrong, told in (
        (lambda shape, n: 3, "int, not a torch module"),
        (lambda shape, n: make(shape, 3), r"gives \[2, 3\] for 2 images of 10 classes"),
    ):
        with pytest.raises(ForetasteError, match=told):
            fit_predict(TorchModule(wrong), images, [images], 0)
    with pytest.raises(ConfigError, match="needs images"):
        fit_predict(TorchModule(make), small_table(60), [small_table(60)], 0)


def test_without_torch_images_have_a_victim_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    images = digits(500)
    monkeypatch.setitem(sys.modules, "torch", None)
    (said,) = fit_predict(
        find_learner("default"), images.take(np.arange(400)), [images.take(np.arange(400, 500))], 0
    )
    assert (said == names(images)[400:]).mean() > 0.85
