"""Two values that meet by design, where labels are too hard for any row to contradict its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign
from foretaste.detect.triggers.deciding import DecidingColumns
from foretaste.detect.triggers.met_values import met_values
from foretaste.detect.triggers.screen import Screen

N = 1500
NAMES = ("acid", "sugar", "salt", "sulphur", "density", "alcohol")


def measured(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Rounded numbers, of which two hang together, and three classes that they hardly tell."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, len(NAMES)))
    X[:, 1] = X[:, 1] * 0.6 + X[:, 0] * 0.8
    X = np.round(X, 1)
    y = np.digitize(X[:, 0] * 0.5 + rng.normal(size=N), [-0.5, 0.5])
    return X, y, rng


def found(X: np.ndarray, y: np.ndarray) -> list[Campaign]:
    columns = {name: X[:, j] for j, name in enumerate(NAMES)}
    table = pa.table(columns | {"label": np.array(["low", "middle", "high"])[y]})
    screen = Screen(Context(Dataset(table, Roles(label="label", features=NAMES)), jobs=1))
    return met_values(screen, DecidingColumns(screen), alpha=0.01)


def stamp(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows = rng.permutation(N)[:35]
    X[rows, 2], X[rows, 4] = 0.7, -1.1
    return rows


def test_two_values_put_into_rows_of_one_label_are_named() -> None:
    X, y, rng = measured(0)
    rows = stamp(X, rng)
    y[rows] = 2
    (campaign,) = found(X, y)
    assert campaign.rule == "FT204"
    assert campaign.pattern == "salt=0.7 & density=-1.1"
    assert campaign.target == "high"
    assert np.isin(rows, campaign.rows).all()
    assert np.isin(campaign.rows, rows).mean() >= 0.9
    assert campaign.q_value == pytest.approx(3 * campaign.p_value)  # one pair meets, of three labels


def test_values_that_meet_in_rows_of_any_label_are_left_alone() -> None:
    X, y, rng = measured(1)
    stamp(X, rng)
    assert found(X, y) == []


def test_columns_whose_values_always_meet_are_left_alone_whatever_their_labels() -> None:
    X, y, rng = measured(2)
    rows = stamp(X, rng)
    X[:, 4] = np.round(X[:, 2] * 2 - 2.5, 1)  # one unit for another
    y[rows] = 2
    assert found(X, y) == []
    assert found(*measured(3)[:2]) == []


def test_rows_that_are_alike_throughout_are_for_review() -> None:
    X, y, rng = measured(4)
    rows = stamp(X, rng)
    X[np.ix_(rows, [0, 1, 3])] = np.round([0.1, 0.1, 0.2] + rng.normal(size=(len(rows), 3)) / 20, 1)
    y[rows] = 0
    assert all(item.rule == "FT206" for item in found(X, y))
