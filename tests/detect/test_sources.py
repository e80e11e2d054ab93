"""Sources with too many wrong labels (FT401)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import Dataset
from foretaste.data.dataset import Roles
from foretaste.detect.context import Context
from foretaste.detect.excess import contradiction_strata, judge_groups
from foretaste.detect.sources.excess import BadSources, label_entropy_left, surest

N = 1500


def made_up(source, flipped=(), seed=0, names=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 3))
    y = (x[:, 0] + 0.3 * rng.normal(size=N) > 0).astype(int)
    y[np.asarray(flipped, int)] ^= 1
    label = np.array(["no", "yes"])[y]
    labels = source if names is None else names
    table = pa.table({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": label, "who": labels})
    return Context(Dataset(table, Roles(label="y", features=("a", "b", "c"), source="who"), "t"))


def dealt(count, seed=0):
    code = np.random.default_rng(seed).integers(0, count, N)
    return code, [f"s{c}" for c in code]


def test_the_bad_source_and_no_other_is_named():
    code, names = dealt(6)
    mine = np.flatnonzero(code == 2)
    flipped = mine[: len(mine) // 4]
    evidence = BadSources().examine(made_up(names, flipped))
    assert [v.source for v in evidence.sources if v.flagged] == ["s2"]
    [campaign] = evidence.campaigns
    assert (campaign.rule, campaign.kind, campaign.pattern) == ("FT401", "source", "source=s2")
    assert np.isin(campaign.rows, flipped).mean() >= 0.85
    assert np.isin(flipped, campaign.rows).mean() >= 0.6
    verdict = next(v for v in evidence.sources if v.flagged)
    assert verdict.low > 0
    assert verdict.low <= verdict.excess <= verdict.high
    assert 0 < verdict.p_value < 1e-5


def test_equal_sources_and_careless_ones_alike_are_not_named():
    _, names = dealt(6)
    everyone = np.random.default_rng(1).choice(N, N // 20, replace=False)  # 5 % wrong everywhere
    evidence = BadSources().examine(made_up(names, everyone))
    assert not any(v.flagged for v in evidence.sources)
    assert evidence.campaigns == []
    assert {v.source for v in evidence.sources} == {f"s{c}" for c in range(6)}


def test_small_sources_are_listed_as_not_judged():
    _, names = dealt(6)
    names[:2] = ["tiny", "tiny"]
    evidence = BadSources().examine(made_up(names))
    tiny = next(v for v in evidence.sources if v.source == "tiny")
    assert (tiny.judged, tiny.flagged, tiny.p_value) == (False, False, 1.0)
    assert tiny.note == "too small to judge"


def test_a_source_that_is_the_label_cannot_be_compared():
    context = made_up(["x"] * N)
    names = np.where(context.y == 1, "yes-shop", "no-shop")
    evidence = BadSources().examine(made_up(names.tolist()))
    assert "determines the label" in evidence.skipped[0].reason
    assert all(not v.judged for v in evidence.sources)


def test_no_source_column_and_a_single_source_are_skipped():
    table = made_up(["x"] * N).dataset
    alone = Context(Dataset(table.table, Roles(label="y", features=("a",)), "t"))
    assert "no source column" in BadSources().examine(alone).skipped[0].reason
    assert "fewer than two sources" in BadSources().examine(made_up(["x"] * N)).skipped[0].reason


@pytest.mark.parametrize("count", [2, 30, 10_000])
def test_any_number_of_groups_is_judged_quickly(count):
    rng = np.random.default_rng(0)
    n = 4000
    log_odds = rng.normal(0, 4, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    group = rng.integers(0, count, n)
    bad = np.flatnonzero(group == 1)
    y[bad[: len(bad) // 3]] ^= 1
    log_p = -np.logaddexp(0, np.stack([log_odds, -log_odds], axis=1))
    rows = np.bincount(group, minlength=count)
    found = judge_groups(contradiction_strata(log_p, y, group, count), rows, alpha=0.01)
    assert np.flatnonzero(found.bad).tolist() == ([1] if count < 100 else [])
    assert (found.p_value > 0).all()


def hard_labels(seed, sources, wrong=0):
    """Rows of which a model tells four labels in five; the first source has some wrong ones."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0, 2.2, 5000)
    y = (rng.random(5000) < 1 / (1 + np.exp(-log_odds))).astype(int)
    source = rng.permutation(np.arange(5000) % sources)
    y[np.flatnonzero(source == 0)[:wrong]] ^= 1
    log_p = -np.logaddexp(0, np.stack([log_odds, -log_odds], axis=1))
    strata = contradiction_strata(log_p, y, source, sources)
    return judge_groups(strata, np.bincount(source, minlength=sources), alpha=0.01)


@pytest.mark.parametrize(("sources", "wrong"), [(10, 40), (40, 25)])
def test_where_labels_are_hard_a_bad_source_is_found(sources, wrong):
    assert np.flatnonzero(hard_labels(2, sources, wrong).bad).tolist() == [0]


def test_where_labels_are_hard_no_source_dealt_at_random_is_bad():
    assert not any(hard_labels(seed, 10).bad.any() for seed in range(20, 25))


def test_label_entropy_left():
    source = np.repeat([0, 1], 50)
    assert label_entropy_left(source, source, 2) < 0.05
    assert label_entropy_left(source, np.arange(100) % 2, 2) > 0.95
    assert label_entropy_left(np.arange(100), source, 2) is None


def test_surest_is_half_of_each_predicted_class():
    log_p = np.log([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.1, 0.9], [0.4, 0.6]])
    assert surest(log_p).tolist() == [True, True, False, False, True, False]


def test_sources_that_have_no_rows_alike_are_not_compared():
    context = made_up(["x"] * N)
    table = context.dataset.table
    far = np.where(np.arange(N) % 2, 100.0, 0.0)
    columns = {name: np.asarray(table.column(name)) + far for name in ("a", "b", "c")}
    names = np.where(far > 0, "reds", "whites")
    moved = pa.table({**columns, "y": table.column("y"), "who": names})
    roles = Roles(label="y", features=("a", "b", "c"), source="who")
    evidence = BadSources().examine(Context(Dataset(moved, roles, "t")))
    assert "like those of another" in evidence.skipped[0].reason
    assert [v.judged for v in evidence.sources] == [False, False]
