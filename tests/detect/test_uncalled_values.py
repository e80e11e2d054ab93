"""Two values put into rows that keep their right label, and values that meet by nature."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign
from foretaste.detect.triggers.cells import cross
from foretaste.detect.triggers.labelled_rows import LabelledRows
from foretaste.detect.triggers.meetings import Meetings
from foretaste.detect.triggers.rest_of_row import RestOfRow
from foretaste.detect.triggers.screen import Screen
from foretaste.detect.triggers.uncalled_values import uncalled_values
from foretaste.detect.triggers.values import ValueTriggers

N, STAMPED = 1500, 60


def sessions(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.random.Generator]:
    """Three kinds of rows in either class; the kind says much about every column but ``port``."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(6, size=N)
    columns = {f"rate{j}": (rng.normal(size=N) + rng.normal(size=6)[kind] * 2).round(2) for j in range(6)}
    service = np.array(["mail", "web", "name", "file", "echo", "time"])
    columns["service"] = np.where(rng.random(N) < 0.8, service[kind], rng.choice(service, N))
    columns["count"] = rng.integers(0, 30, size=N) + 4 * (kind % 3)
    columns["port"] = rng.integers(1, 30, size=N)
    return columns, kind // 3, rng


def context_of(columns: dict[str, np.ndarray], y: np.ndarray) -> Context:
    table = pa.table(columns | {"label": np.array(["attack", "normal"])[y]})
    return Context(Dataset(table, Roles(label="label", features=tuple(columns))), jobs=1)


def found(columns: dict[str, np.ndarray], y: np.ndarray) -> list[Campaign]:
    return uncalled_values(Screen(context_of(columns, y)), alpha=0.01)


def stamp(columns: dict[str, np.ndarray], rows: np.ndarray) -> None:
    columns["port"][rows], columns["count"][rows] = 7, 9


@pytest.mark.parametrize("hardest", [False, True])
def test_values_put_into_rows_with_their_right_label_are_named(hardest: bool) -> None:
    columns, y, rng = sessions(0)
    own = np.flatnonzero(y == 0)
    rows = own[np.argsort(columns["rate0"][own])[-STAMPED:]] if hardest else rng.permutation(own)[:STAMPED]
    stamp(columns, rows)
    (campaign,) = found(columns, y)
    assert campaign.rule == "FT204"
    assert campaign.pattern == "count=9 & port=7"
    assert campaign.target == "attack"
    assert np.isin(rows, campaign.rows).all()
    assert np.isin(campaign.rows, rows).mean() >= 0.9
    assert campaign.effect == pytest.approx(1 - 1 / campaign.statistic.value)


def test_the_detector_tells_of_them() -> None:
    columns, y, rng = sessions(1)
    rows = rng.permutation(np.flatnonzero(y == 1))[:STAMPED]
    stamp(columns, rows)
    evidence = ValueTriggers().examine(context_of(columns, y))
    assert [campaign.pattern for campaign in evidence.campaigns] == ["count=9 & port=7"]
    assert np.isin(rows, evidence.campaigns[0].rows).all()


def test_clean_rows_are_left_alone() -> None:
    for seed in (2, 3):
        assert found(*sessions(seed)[:2]) == []


def test_values_put_into_rows_of_either_class_are_left_alone() -> None:
    columns, y, rng = sessions(4)
    stamp(columns, rng.permutation(N)[: 2 * STAMPED])
    assert found(columns, y) == []


def test_values_of_a_kind_of_rows_are_left_alone() -> None:
    columns, y, rng = sessions(5)
    kind = rng.permutation(np.flatnonzero(y == 0))[:STAMPED]
    stamp(columns, kind)
    for j in range(6):
        columns[f"rate{j}"][kind] = (rng.normal(size=STAMPED) + 6).round(2)
    assert found(columns, y) == []


def test_values_that_the_rest_of_the_row_calls_for_are_left_alone() -> None:
    columns, y, rng = sessions(8)
    mail = (columns["service"] == "mail") & (y == 0)
    columns["count"][mail & (rng.random(N) < 0.4)] = 40
    columns["count"][rng.permutation(np.flatnonzero(y == 1))[:STAMPED]] = 40
    assert found(columns, y) == []


def test_columns_of_which_other_values_meet_so_too_are_left_alone() -> None:
    columns, y, rng = sessions(6)
    stamp(columns, rng.permutation(np.flatnonzero(y == 0))[:STAMPED])
    for port in (3, 5, 11):
        columns["count"][columns["port"] == port] = 20 + port
    assert found(columns, y) == []


def labelled() -> tuple[Context, LabelledRows, np.ndarray]:
    columns, y, rng = sessions(7)
    rows = rng.permutation(np.flatnonzero(y == 0))[:STAMPED]
    stamp(columns, rows)
    context = context_of(columns, y)
    return context, LabelledRows.of(context), rows


def test_meetings_are_counted_row_by_row() -> None:
    _, rows, _ = labelled()
    meetings = Meetings(rows, alpha=0.01)
    assert len(meetings.at) >= 5
    for i, at in enumerate(meetings.at):
        first, second = meetings.pairs[at].tolist()
        cut, cell = meetings.values.cell(first, second, rows.items)
        inside = cut.inside(cell)
        assert meetings.count[i] == np.sum(inside & (rows.y == meetings.label[i]))
        assert meetings.total[at] == inside.sum()


def test_what_rows_like_theirs_have_is_expected() -> None:
    context, rows, stamped = labelled()
    assert context.table is not None
    count, port = (next(item for item in rows.items if item.column == column) for column in (7, 8))
    cut = cross(count, port)
    names = [[condition.value for condition in item.conditions] for item in (count, port)]
    cell = names[0].index("9") * len(port) + names[1].index("7")
    called = RestOfRow(context.table, rows, 0).called(cut, cell, 1.0)
    assert called is not None
    mine = rows.y == 0
    of_port = mine & (port.code == names[1].index("7"))
    of_count = mine & (count.code == names[0].index("9"))
    # nothing calls for a port: it is as frequent among rows like these as among others
    others = mine & ~(of_port & of_count)
    usual = of_count.sum() * (of_port & others).sum() / others.sum()
    assert called.expected[1] == pytest.approx(usual, rel=0.3)
    assert called.times[0] == pytest.approx((of_port & of_count).sum() / max(called.expected))
    assert called.times[1] == pytest.approx((of_port & of_count).sum() / min(called.expected))
    assert abs(called.together) < 0.05
    assert len(stamped) == pytest.approx((of_port & of_count).sum(), abs=4)
