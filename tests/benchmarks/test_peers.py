"""Other people's detectors: each is given what it is meant to be given, and finds what it is made for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.detection import peers
from benchmarks.detection.__main__ import takes_part
from benchmarks.detection.contestants import CONTESTANTS
from benchmarks.detection.vectors import representations, standardised
from sklearn.metrics import roc_auc_score

from foretaste.data import Dataset, from_arrays

FILE = Path("unused")


def outliers(planted: int = 6) -> tuple[Dataset, dict[str, Any]]:
    """Two plain classes, a few rows of the first far out; column 2 spans nine orders of magnitude."""
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b"], 200)
    X = rng.normal(size=(400, 5)) + (y == "b")[:, None] * 3.0
    X[:, 2] = 10 ** rng.uniform(0, 9, 400)
    mask = np.zeros(400, bool)
    mask[:planted] = True
    X[mask] *= np.where(rng.random((planted, 5)) < 0.5, -6.0, 6.0)
    return from_arrays(X, y), {"mask": mask, "cover": np.zeros(400, bool)}


def second_bunch() -> tuple[Dataset, dict[str, Any]]:
    """A class a tenth of which comes from the middle of the other one: what activation methods look for."""
    rng = np.random.default_rng(1)
    y = np.repeat(["a", "b"], 300)
    X = rng.normal(size=(600, 6)) + np.where(y == "a", -4.0, 4.0)[:, None]
    mask = np.zeros(600, bool)
    mask[:30] = True
    X[mask] = rng.normal(size=(30, 6)) + 4.0
    X[mask, 0] += 12.0
    return from_arrays(X, y), {"mask": mask, "cover": np.zeros(600, bool)}


def test_a_peer_told_the_rate_flags_as_many_rows_as_are_poisoned() -> None:
    train, truth = outliers()
    verdict = peers.lof(FILE, train, truth)
    assert int(verdict.flags.sum()) == 6
    assert int((verdict.flags & truth["mask"]).sum()) >= 5


def test_a_peer_told_there_is_no_poison_flags_nothing() -> None:
    train, truth = outliers(0)
    assert not peers.lof(FILE, train, truth).flags.any()


def test_a_column_of_large_numbers_does_not_drown_the_others() -> None:
    X = standardised(outliers()[0])
    assert X.std(axis=0) == pytest.approx(np.ones(5))
    assert np.quantile(np.abs(X[:, 2]), 0.5) == pytest.approx(0.67, abs=0.1)  # a normal distribution


def test_a_net_taught_the_labels_tells_classes_apart() -> None:
    train, truth = second_bunch()
    hidden = representations(train)[~truth["mask"]]
    first = train.labels.codes[~truth["mask"]] == 0
    apart = np.linalg.norm(hidden[first].mean(axis=0) - hidden[~first].mean(axis=0))
    assert apart > 2 * hidden[first].std(axis=0).max()


@pytest.mark.parametrize("name", ["ecod", "copod"])
def test_outliers_are_found_by_tails(name: str) -> None:
    pytest.importorskip("pyod")
    train, truth = outliers()
    verdict = CONTESTANTS[name](FILE, train, truth)
    assert int(verdict.flags.sum()) == 6
    assert verdict.scores is not None
    assert roc_auc_score(truth["mask"], verdict.scores) > 0.95


def test_the_second_bunch_of_a_class_is_found_by_its_activations() -> None:
    pytest.importorskip("art")
    train, truth = second_bunch()
    verdict = CONTESTANTS["art-activations"](FILE, train, truth)
    assert verdict.flags[truth["mask"]].mean() > 0.9


def test_spectral_signatures_look_at_the_representations_of_each_class() -> None:
    pytest.importorskip("art")
    train, truth = second_bunch()
    verdict = CONTESTANTS["art-spectral"](FILE, train, truth)
    first = train.labels.codes == 0
    hidden = representations(train)[first]
    direction = np.linalg.svd(hidden - hidden.mean(axis=0), full_matrices=False)[2][0]
    expected = np.abs(hidden @ direction)  # ART does not centre the rows it scores
    assert verdict.scores is not None
    assert verdict.scores[first] == pytest.approx(expected, rel=1e-3)
    share = 1.5 * truth["mask"].mean()  # what ART makes of the rate, class by class
    assert verdict.flags[first].mean() == pytest.approx(share, abs=0.01)
    assert set(np.flatnonzero(verdict.flags[first])) <= set(np.argsort(-expected)[: round(share * 300) + 1])


def test_a_peer_that_is_not_installed_is_left_out_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda module: None if module == "art" else object())
    assert not takes_part("art-spectral")
    assert takes_part("lof")
    assert takes_part("foretaste")
    assert capsys.readouterr().err == (
        "art-spectral is left out: art is not installed "
        "(pip install adversarial-robustness-toolbox==1.20.1 torch)\n"
    )
