"""Rows whose columns were drawn independently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foretaste.attacks import FabricatedRows as Attack
from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.rows import fabricated
from foretaste.detect.rows.fabricated import FabricatedRows, flat_tail, tail_posterior
from foretaste.detect.rows.shuffled import Shuffled, shuffled_rows, shuffled_scores


def dependent(n: int = 2500, seed: int = 0) -> Dataset:
    """Ten columns that follow two hidden ones, and a label that follows them too."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 2))
    X = hidden @ rng.normal(size=(2, 10)) + 0.2 * rng.normal(size=(n, 10))
    columns = {f"x{j}": X[:, j] for j in range(10)}
    label = np.where(hidden[:, 0] + 0.2 * rng.normal(size=n) > 0, "yes", "no")
    return Dataset(pa.table({**columns, "y": label.tolist()}), Roles(label="y", features=tuple(columns)))


def test_a_fabricated_block_is_found() -> None:
    poisoned = Attack(rate=0.03, target="yes", random_state=0).poison(dependent())
    (campaign,) = FabricatedRows().examine(Context(poisoned.data)).campaigns
    assert campaign.rule == "FT303"
    assert campaign.target == "yes"
    assert 0 < campaign.p_value <= 1e-3
    assert poisoned.mask[campaign.rows].mean() >= 0.9
    assert len(campaign.rows) >= 0.25 * poisoned.mask.sum()
    assert campaign.posterior is not None
    assert len(campaign.posterior) == len(campaign.rows)


def test_rows_left_out_of_training_do_not_count() -> None:
    poisoned = Attack(rate=0.03, target="yes", random_state=0).poison(dependent())
    context = Context(poisoned.data).without(np.flatnonzero(poisoned.mask))
    assert not FabricatedRows().examine(context).campaigns


def test_clean_rows_are_not_fabricated() -> None:
    found = FabricatedRows().examine(Context(dependent(1500, seed=1)))
    assert not found.campaigns
    assert not found.skipped


def test_independent_columns_are_said_to_be_untestable() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 5))
    columns = {f"x{j}": X[:, j] for j in range(5)}
    data = Dataset(
        pa.table({**columns, "y": rng.choice(["a", "b"], 600).tolist()}),
        Roles(label="y", features=tuple(columns)),
    )
    (skip,) = FabricatedRows().examine(Context(data)).skipped
    assert "cannot be told" in skip.reason


def test_small_or_narrow_data_are_said_to_be_untestable() -> None:
    few = FabricatedRows().examine(Context(dependent(120)))
    assert "too few" in few.skipped[0].reason
    data = dependent(400)
    narrow = Dataset(data.table.select(["x0", "x1", "y"]), Roles(label="y", features=("x0", "x1")))
    assert "feature columns" in FabricatedRows().examine(Context(narrow)).skipped[0].reason


def test_a_falling_tail_is_natural_and_a_flat_one_is_not() -> None:
    rng = np.random.default_rng(0)
    shuffled, natural = rng.normal(4, 1, 5000), rng.normal(-2, 1, 5000)
    assert flat_tail(natural, shuffled).p_value > 0.1
    block = np.concatenate([natural[:4900], rng.normal(4, 1, 100)])
    found = flat_tail(block, shuffled)
    assert found.p_value < 1e-4
    assert found.low <= 0.02 <= 1.5 * found.share
    posterior = tail_posterior(block, shuffled, 100)
    assert posterior[4900:].mean() > 0.5 > 0.02 > posterior[:4900].mean()


def test_scores_are_the_same_again_and_twins_share_a_fold() -> None:
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(200, 4)).astype(np.float32), 2, axis=0)
    X[:, 3] = X[:, 0] > 0
    twin = np.repeat(np.arange(200), 2)
    fake = shuffled_rows(X)
    scores = shuffled_scores(X, fake, twin)
    assert np.array_equal(scores.real[::2], scores.real[1::2])
    again = shuffled_scores(X, fake, twin, jobs=1)
    assert np.array_equal(scores.real, again.real)
    assert np.array_equal(scores.shuffled, again.shuffled)
    assert set(np.unique(scores.label)) == {0, 1}


def test_many_rows_of_one_content_are_no_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty equal rows that look as shuffled as can be; were they different, they would be a block."""
    data = dependent()
    rng = np.random.default_rng(0)
    odd = pa.table({**{f"x{j}": rng.normal(3, 1, 60) for j in range(10)}, "y": ["yes"] * 60})
    fake = rng.normal(4, 1, 5000), rng.integers(2, size=5000)
    real = np.concatenate([rng.normal(-2, 1, len(data)), rng.normal(5, 0.5, 60)])
    monkeypatch.setattr(fabricated, "shuffled_scores", lambda *_, **__: Shuffled(real, *fake))
    found = []
    for part in (odd, pa.concat_tables([odd.slice(0, 1)] * 60)):
        whole = Dataset(pa.concat_tables([data.table, part]), data.roles)
        found.append(FabricatedRows().examine(Context(whole)).campaigns)
    assert found[0]
    assert not found[1]


@pytest.mark.parametrize(("rows", "alarm"), [(60, True), (8, False)])
def test_a_block_of_a_few_rows_is_for_review(monkeypatch: pytest.MonkeyPatch, rows: int, alarm: bool) -> None:
    data = dependent()
    rng = np.random.default_rng(0)
    odd = pa.table({**{f"x{j}": rng.normal(3, 1, rows) for j in range(10)}, "y": ["yes"] * rows})
    fake = rng.normal(4, 1, 5000), rng.integers(2, size=5000)
    real = np.concatenate([rng.normal(-2, 1, len(data)), rng.normal(5, 0.5, rows)])
    monkeypatch.setattr(fabricated, "shuffled_scores", lambda *_, **__: Shuffled(real, *fake))
    found = FabricatedRows().examine(Context(Dataset(pa.concat_tables([data.table, odd]), data.roles)))
    (block,) = found.campaigns if alarm else found.review
    assert not (found.review if alarm else found.campaigns)
    assert (block.rows >= len(data)).mean() >= 0.85


def test_a_block_is_found_where_every_row_of_it_comes_twice() -> None:
    poisoned = Attack(rate=0.03, target="yes", random_state=0).poison(dependent())
    twice = poisoned.data.table.filter(pa.array(poisoned.mask))
    data = Dataset(pa.concat_tables([poisoned.data.table, twice]), poisoned.data.roles)
    (campaign,) = FabricatedRows().examine(Context(data)).campaigns
    mask = np.append(poisoned.mask, np.ones(len(twice), bool))
    assert mask[campaign.rows].mean() >= 0.9
    assert len(campaign.rows) >= 0.25 * mask.sum()


def test_fabricated_connections_are_found(shared_data: Path) -> None:
    table = pq.read_table(shared_data / "nsl_kdd" / "train20.parquet").slice(0, 4000)
    dropped = [name for name in ("attack", "difficulty", "difficulty_level") if name in table.column_names]
    table = table.drop_columns(dropped)
    features = tuple(name for name in table.column_names if name != "label")
    clean = Dataset(table, Roles(label="label", features=features))
    assert not FabricatedRows().examine(Context(clean)).campaigns
    poisoned = Attack(rate=0.03, random_state=0).poison(clean)
    (campaign,) = FabricatedRows().examine(Context(poisoned.data)).campaigns
    assert poisoned.mask[campaign.rows].mean() >= 0.9
    assert len(campaign.rows) >= 0.7 * poisoned.mask.sum()
