"""Value patterns said in full: what chance cannot give the rows is named, what only goes along is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from foretaste.data import Dataset
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Statistic
from foretaste.detect.triggers.spelling import in_full
from foretaste.features.patterns import Condition, Values


def made_up() -> tuple[Context, Campaign]:
    """30 rows share code=x7 and town=rome; the search stopped at code and a value that most rows have."""
    rng = np.random.default_rng(0)
    n = 600
    code = np.array([f"x{i}" for i in rng.integers(0, 7, n)], dtype=object)
    town = rng.choice(["rome", "oslo", "lima", "kyiv", "cork"], n).astype(object)
    usual = np.where(rng.random(n) < 0.9, "yes", "no").astype(object)
    stamped = rng.choice(n, 30, replace=False)
    code[stamped], town[stamped] = "x7", "rome"
    label = np.where(np.isin(np.arange(n), stamped), "a", rng.choice(["a", "b"], n))
    table = pa.table(
        {"code": code.tolist(), "town": town.tolist(), "usual": usual.tolist(), "y": label.tolist()}
    )
    context = Context(Dataset.from_table(table, label="y"))
    rows = np.sort(stamped[usual[stamped] == "yes"])
    shape = Values((Condition("code", "x7"), Condition("usual", "yes")))
    campaign = Campaign(
        rule="FT204",
        rows=rows,
        target="a",
        pattern=shape.describe(),
        kind="values",
        p_value=1e-9,
        q_value=1e-9,
        effect=0.9,
        support=len(rows),
        statistic=Statistic("s", 1.0),
        reason=f"every row with {shape.describe()} is labelled a",
        posterior=np.ones(len(rows)),
        shape=shape,
        parts=shape.parts(),
    )
    return context, campaign


def test_names_what_the_rows_share_beyond_chance() -> None:
    context, campaign = made_up()
    (found,) = in_full(context, [campaign])
    assert found.pattern == "code=x7 & town=rome"
    assert found.reason.startswith("every row with code=x7 & town=rome is labelled a, ")
    assert len(found.rows) == 30
    assert found.posterior is not None
    assert found.posterior.min() >= 0.9
    assert (np.diff(found.rows) > 0).all()


def test_what_only_helped_the_search_is_not_said_where_the_rest_tells_as_much() -> None:
    context, campaign = made_up()
    columns = context.dataset.table.to_pydict()
    stamped = np.array(columns["code"]) == "x7"
    usual = np.where(stamped, "yes", np.array(columns["usual"]))
    one = int(np.flatnonzero(stamped)[0])
    usual[one] = "no"
    natural = np.flatnonzero(~stamped & (np.array(columns["town"]) != "rome"))[:20]
    columns["code"] = ["x7" if row in natural else code for row, code in enumerate(columns["code"])]
    usual[natural] = "no"
    columns["usual"] = usual.tolist()
    context = Context(Dataset.from_table(pa.table(columns), label="y"))
    rows = np.setdiff1d(np.flatnonzero(stamped), [one])
    campaign = replace(campaign, rows=rows, posterior=np.ones(len(rows)), support=len(rows))
    (found,) = in_full(context, [campaign])
    assert found.pattern == "code=x7 & town=rome"
    assert found.rows.tolist() == np.flatnonzero(stamped).tolist()
    assert found.support == 30


def test_a_common_value_is_said_where_chance_cannot_give_all_rows_it() -> None:
    context, campaign = made_up()
    columns = context.dataset.table.to_pydict()
    stamped = np.array(columns["code"]) == "x7"
    share = np.random.default_rng(1).random(len(stamped))
    columns["kin"] = np.where(stamped | (share < 0.6), "near", "far").tolist()
    columns["usual"] = np.where(stamped, "yes", np.array(columns["usual"])).tolist()
    context = Context(Dataset.from_table(pa.table(columns), label="y"))
    (found,) = in_full(context, [campaign])
    assert found.pattern == "code=x7 & town=rome & kin=near"  # but not usual=yes, which nine of ten have


def test_leaves_other_campaigns_alone() -> None:
    context, campaign = made_up()
    assert in_full(context, []) == []
    (found,) = in_full(context, [campaign])
    (again,) = in_full(context, [found])
    assert again.pattern == found.pattern
