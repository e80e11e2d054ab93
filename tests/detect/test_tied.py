"""Campaigns are tied to the sources that supply them (FT402)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import Dataset
from foretaste.data.dataset import Roles
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Statistic
from foretaste.detect.sources.tied import MOST_SOURCES, tie_to_sources

N = 2000


def context_of(source, label=None):
    label = np.arange(len(source)) % 2 if label is None else label
    table = pa.table({"x": np.zeros(len(source)), "y": [str(v) for v in label], "source": source})
    return Context(Dataset(table, Roles(label="y", features=("x",), source="source"), "t"))


def campaign_of(rows, target="1"):
    rows = np.sort(np.asarray(rows, np.int64))
    return Campaign(
        "FT201", rows, target, "xyzzy", "tokens", 1e-9, 1e-9, 1.0, len(rows), Statistic("s", 1.0), "because"
    )


def sources(count, seed=0):
    code = np.random.default_rng(seed).integers(0, count, N)
    return code, [f"s{c}" for c in code]


def rows_from(code, wanted, size, seed=1):
    fitting = np.flatnonzero(np.isin(code, wanted) & (np.arange(N) % 2 == 1))
    return np.random.default_rng(seed).choice(fitting, size, replace=False)


@pytest.mark.parametrize(
    ("guilty", "size"), [([3], 20), ([3, 5], 60), ([3, 5, 7], 60), ([0, 1, 2, 3, 4], 250)]
)
def test_the_sources_of_a_campaign_are_named(guilty, size):
    code, names = sources(10)
    [ties] = tie_to_sources(context_of(names), [campaign_of(rows_from(code, guilty, size))])
    assert {tie.source for tie in ties if tie.tied} == {f"s{g}" for g in guilty}
    assert sum(tie.rows for tie in ties) == size
    assert all(0 < tie.p_value <= 0.01 for tie in ties if tie.tied)


@pytest.mark.parametrize("seed", range(20))
def test_a_campaign_spread_over_all_sources_is_tied_to_none(seed):
    code, names = sources(10, seed)
    campaigns = [campaign_of(rows_from(code, range(10), size, seed)) for size in (10, 40, 200)]
    for ties in tie_to_sources(context_of(names), campaigns):
        assert not any(tie.tied for tie in ties)


def test_a_large_source_needs_more_than_its_size():
    source = np.array(["big"] * 1100 + ["small"] * 900)
    spread = np.concatenate([np.arange(1, 601, 2), np.arange(1101, 1501, 2)])  # 60 % of it from the 55 %
    assert not any(tie.tied for tie in tie_to_sources(context_of(source), [campaign_of(spread)])[0])
    within = tie_to_sources(context_of(source), [campaign_of(np.arange(1, 201, 2))])[0]
    assert [(tie.source, tie.rows, tie.tied) for tie in within] == [("big", 100, True)]


def test_the_only_supplier_of_a_label_is_not_blamed_for_it():
    source = np.array(["a"] * 500 + ["b"] * 1500)
    label = (np.arange(N) < 500).astype(int)
    [ties] = tie_to_sources(context_of(source, label), [campaign_of(np.arange(0, 400, 4))])
    assert [(tie.source, tie.tied) for tie in ties] == [("a", False)]


def test_at_most_twenty_sources_most_rows_first_and_missing_ones_left_out():
    code, names = sources(60)
    names = [None if c == 0 else name for c, name in zip(code, names, strict=True)]
    [ties] = tie_to_sources(context_of(names), [campaign_of(np.arange(1, N, 2))])
    rows = [tie.rows for tie in ties]
    assert len(ties) == MOST_SOURCES
    assert rows == sorted(rows, reverse=True)
    assert "s0" not in {tie.source for tie in ties}


def test_without_sources_there_are_no_ties():
    table = pa.table({"x": np.zeros(20), "y": ["0", "1"] * 10})
    context = Context(Dataset(table, Roles(label="y", features=("x",)), "t"))
    assert tie_to_sources(context, [campaign_of([1, 3])]) == [[]]
    assert tie_to_sources(context_of(["a"] * 20), []) == []
