"""Trusted rows: drift against them, campaigns they explain, labels they recalibrate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from foretaste import scan
from foretaste.attacks import WordTrigger
from foretaste.data import Dataset
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Statistic
from foretaste.detect.reference.drift import Drift
from foretaste.detect.reference.recalibration import conformal_p_values, recalibrate
from foretaste.detect.reference.vouching import vouch
from foretaste.detect.rows.label_audit import LabelAudit
from foretaste.features.patterns import Condition, Values
from foretaste.testing import small_texts

Columns = dict[str, np.ndarray]


def table(
    n: int, rng: np.random.Generator, *, shift: float = 0.0, tied: float = 0.9
) -> dict[str, np.ndarray]:
    """Two correlated numbers, one free number, a colour, and a label two of them tell."""
    a = rng.normal(size=n)
    b = tied * a + np.sqrt(1 - tied**2) * rng.normal(size=n)
    c = rng.normal(size=n) + shift
    colour = rng.choice(["red", "green", "blue"], n)
    return {"a": a, "b": b, "c": c, "colour": colour, "y": np.where(a + c - shift > 0, "p", "q")}


def context(data: Columns, trusted: Columns) -> Context:
    joined = {name: np.concatenate([data[name], trusted[name]]) for name in data}
    n, m = len(data["y"]), len(trusted["y"])
    dataset = Dataset.from_table(pa.table(joined), label="y")
    return Context(dataset, trusted=np.arange(n + m) >= n, jobs=1)


def test_no_drift_is_told_between_two_draws_of_the_same() -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        assert Drift().examine(context(table(600, rng), table(300, rng))).review == []


def test_the_column_that_drifted_is_named() -> None:
    rng = np.random.default_rng(0)
    review = Drift().examine(context(table(600, rng, shift=0.6), table(300, rng))).review
    columns = [item.pattern for item in review if item.rule == "FT601"]
    assert columns == ["c"]
    assert "of trusted ones" in review[0].reason


def test_rows_that_fit_column_by_column_drift_jointly() -> None:
    rng = np.random.default_rng(1)
    review = Drift().examine(context(table(800, rng, tied=0.0), table(400, rng, tied=0.95))).review
    assert "FT602" in [item.rule for item in review]
    assert not {"a", "b", "c"} & {item.pattern for item in review}


def test_without_trusted_rows_nothing_is_compared() -> None:
    found = Drift().examine(Context(small_texts()))
    assert [skip.rule for skip in found.skipped] == ["FT601", "FT602"]
    assert "--trusted" in found.skipped[0].reason


def test_conformal_p_values_of_right_labels_are_uniform() -> None:
    rng = np.random.default_rng(0)
    doubt = rng.beta(1, 8, 4000)
    trusted = np.arange(4000) >= 3000
    p = conformal_p_values(doubt, trusted)[~trusted]
    assert np.abs([(p <= level).mean() - level for level in (0.05, 0.2, 0.5)]).max() < 0.03
    assert p.min() >= 1 / 1001
    among = conformal_p_values(doubt, trusted)[trusted]  # each beside the others
    assert np.sort(among) == pytest.approx(np.arange(1, 1001) / 1000)


def campaign(rows: np.ndarray, target: str, shape: Values | None = None) -> Campaign:
    return Campaign(
        "FT203", rows, target, "c=9", "values", 1e-9, 1e-9, 0.9, len(rows), Statistic("x", 1.0), "because",
        shape=shape,
    )  # fmt: skip


def test_a_campaign_is_kept_only_where_trusted_rows_do_not_explain_it() -> None:
    rng = np.random.default_rng(2)
    data, trusted = table(500, rng), table(300, rng)
    data["c"][:20] = 9.0
    data["y"][:20] = "q"  # c tells p: these are contradicted
    mine = context(data, trusted).without(np.arange(20))
    shape = Values((Condition("c", low=8.9, high=9.1),))
    kept = vouch(mine, Evidence(campaigns=[campaign(np.arange(20), "q", shape)]))
    assert len(kept.campaigns) == 1
    assert "conformal p = 0.001" in kept.campaigns[0].reason

    natural = vouch(mine, Evidence(campaigns=[campaign(np.arange(100, 130), "q")]))  # ordinary rows
    assert [len(natural.campaigns), len(natural.review)] == [0, 1]

    trusted["c"][:10] = 9.0
    trusted["y"][:10] = "q"  # the trusted rows have the pattern, with the same label
    vouched = vouch(context(data, trusted), Evidence(campaigns=[campaign(np.arange(20), "q", shape)]))
    assert "10 of the 10 trusted rows" in vouched.review[0].reason


def test_labels_too_hard_to_judge_are_judged_by_trusted_rows() -> None:
    rng = np.random.default_rng(3)

    def hard(n: int) -> Columns:
        x = rng.normal(size=(n, 3))
        p = 1 / (1 + np.exp(-2.5 * x[:, 0]))
        return {"u": x[:, 0], "v": x[:, 1], "w": x[:, 2], "y": np.where(rng.random(n) < p, "p", "q")}

    data, trusted = hard(400), hard(400)
    far = np.flatnonzero(np.abs(data["u"]) > 1.8)[:10]
    data["y"][far] = np.where(data["u"][far] > 0, "q", "p")
    mine = context(data, trusted)
    alone = LabelAudit().examine(mine).mislabels
    found = recalibrate(mine, None if alone is None else replace(alone, rows=alone.rows[:0]), 0.2)
    flagged = np.array([], int) if found is None else found.rows
    assert not (flagged >= 400).any()  # trusted rows are right
    assert len(flagged)
    assert np.isin(flagged, far).mean() > 0.6


def test_a_trigger_is_found_beside_trusted_rows_and_a_clean_scan_stays_clean() -> None:
    texts = small_texts(700)
    plain = replace(texts, roles=replace(texts.roles, source=None, time=None))
    data, trusted = plain.take(np.arange(500)), plain.take(np.arange(500, 700)).table
    quiet = scan(data, trusted=trusted, decoys=False, jobs=1, select=("FT1", "FT2", "FT6"))
    assert quiet.verdict == "clean"
    assert quiet.rows.num_rows == 500
    attack = WordTrigger(rate=0.04, target="money", random_state=0).poison(data)
    found = scan(attack.data, trusted=trusted, decoys=False, jobs=1, select=("FT1", "FT2", "FT6"))
    assert found.flagged[attack.mask].mean() > 0.9
    assert "conformal p = 0.00" in found.evidence["campaigns"][0]["reason"]
