"""Campaigns over time, over sources and on the web."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from poisonable import make_table, make_texts

from foretaste.attacks import Drip, FrontRunning, SplitView, Sybil
from foretaste.attacks.injection.sybil import new_names
from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import ConfigError, DataError


def days(after: Any) -> Any:
    first = datetime.date(2026, 1, 1)
    dates = after.data.column("day").to_pylist()
    return np.array([(date - first).days for date in dates])[after.mask]


def test_a_steady_drip_gives_every_period_the_same() -> None:
    found = np.bincount(days(Drip(rate=0.3).poison(make_texts())) // 7, minlength=4)
    assert found.min() > 0.8 * found.max()


def test_a_growing_drip_gives_later_periods_more() -> None:
    found = np.bincount(days(Drip(rate=0.3, schedule="growing").poison(make_texts())) // 7, minlength=4)
    assert (np.diff(found) > 0).all()
    assert found[3] / found[0] == pytest.approx(7, rel=0.4)  # areas under a line: 1, 3, 5, 7


def test_a_burst_lies_within_a_day_or_two() -> None:
    found = days(Drip(rate=0.1, schedule="burst").poison(make_texts()))
    assert np.ptp(found) <= 1


def test_no_sybil_sends_more_than_its_share() -> None:
    before = make_texts()
    after = Sybil(rate=0.1, per_source=3).poison(before)
    names = np.array(after.data.column("source").to_pylist())[after.mask]
    found, counts = np.unique(names, return_counts=True)
    assert counts.max() == 3
    assert len(found) == -(-int(after.mask.sum()) // 3)
    assert not set(found) & set(before.column("source").to_pylist())
    assert all(name.startswith("site ") for name in found)


def test_made_up_names_follow_those_there_are() -> None:
    rng = np.random.default_rng(0)
    assert new_names(pa.array([4, 9]), 2, rng) == [10, 11]
    bare = new_names(pa.array(["anna", "bob"]), 30, rng)
    assert len(set(bare)) == 30
    assert all(name.rstrip("0123456789") in ("anna", "bob") for name in bare)


def test_split_view_takes_whole_domains_and_keeps_labels() -> None:
    before = make_texts()
    after = SplitView(rate=0.3, payload="Lies.").poison(before)
    texts = np.array(after.data.column("text").to_pylist())
    assert ((texts == "Lies.") == after.mask).all()
    domains = np.array(before.column("source").to_pylist())
    share = [after.mask[domains == f"site {i}"].mean() for i in range(4)]
    assert sorted(share)[0] == sorted(share)[1] == 0
    assert sorted(share)[3] > 0.97  # all but rows without a label
    assert after.data.column("label").to_pylist() == before.column("label").to_pylist()
    assert days(after).min() >= 21  # the last fifth of 28 days


def test_front_running_edits_come_last() -> None:
    before = make_texts()
    after = FrontRunning(rate=0.02, payload="Lies.").poison(before)
    for row in np.flatnonzero(after.mask):
        assert after.data.column("text")[row].as_py() == before.column("text")[row].as_py() + " Lies."
    assert days(after).min() == 27


def test_texts_alone_get_domains_and_times() -> None:
    pages = Dataset(pa.table({"text": [f"page {i}" for i in range(500)]}), Roles(text="text"))
    after = SplitView(rate=0.02, domains=20).poison(pages)
    assert after.data.table.column_names == ["text", "source", "time"]
    assert after.recipe["notes"]["sources"] == sorted(
        set(after.data.column("source").filter(pa.array(after.mask)).to_pylist())
    )
    sizes = np.bincount(after.data.sources.codes)  # type: ignore[union-attr]
    assert len(sizes) == 20
    assert sizes.max() > 5 * sizes.min()


def test_a_target_fills_pages_with_its_texts() -> None:
    before = make_texts()
    after = SplitView(rate=0.05, target="spam").poison(before)
    spam = set(
        before.table.filter(pa.array([v == "spam" for v in before.column("label").to_pylist()]))[
            "text"
        ].to_pylist()
    )
    assert set(after.data.table.filter(pa.array(after.mask))["text"].to_pylist()) <= spam


@pytest.mark.parametrize(
    ("attack", "error", "message"),
    [
        (Drip(schedule="never"), ConfigError, "schedule is 'never'; use one of steady, growing, burst"),
        (Sybil(per_source=0), ConfigError, "per_source is 0"),
        (SplitView(mode="maybe"), ConfigError, "mode is 'maybe'; use replace or append"),
        (SplitView(domains=1), ConfigError, "use at least two"),
        (SplitView(payload=" "), ConfigError, "the payload is empty"),
        (FrontRunning(window=0.0), ConfigError, "window is 0.0"),
    ],
)
def test_says_what_cannot_be_done(attack: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attack.poison(make_texts())


def test_columns_that_must_be_named_are() -> None:
    with pytest.raises(DataError, match="drip needs a time column; name it with --time"):
        Drip().poison(make_table())
    with pytest.raises(DataError, match="sybil needs a source column; name it with --source"):
        Sybil().poison(replace(make_texts(), roles=replace(make_texts().roles, source=None)))
