"""Wrong labels in one group (FT105): found, and nothing else taken for them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import Dataset
from foretaste.data.dataset import Roles
from foretaste.detect.context import Context
from foretaste.detect.rows.groups import groups_of
from foretaste.detect.rows.one_group import WrongInOneGroup, _Search

N = 1600


def table(*, wrong=None, everywhere=0.0, bias=0.0, regions=False, seed=0):
    """A class that two columns tell, five places; labels ``wrong`` in some rows of place b."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 3))
    place = rng.choice(list("abcde"), N, p=[0.4, 0.2, 0.15, 0.15, 0.1])
    odds = 4 * (x[:, 0] + x[:, 1]) + bias * (place == "b")
    label = (odds + rng.logistic(size=N) > 0).astype(int)
    lot = rng.random(N)
    flipped = lot < everywhere
    if wrong is not None:
        flipped = (place == "b") & (lot < np.where(label == 1, *wrong))
    label ^= flipped
    columns = {f"x{j}": x[:, j] for j in range(3)} | {"y": np.array(["no", "yes"])[label]}
    if regions:  # b and c
        columns["region"] = np.where(np.isin(place, ["b", "c"]), "north", "south")
    columns["place"] = place
    roles = Roles(label="y", features=tuple(name for name in columns if name != "y"))
    return Context(Dataset(pa.table(columns), roles, "t"), jobs=1), place, flipped


def test_wrong_labels_of_one_place_are_found_and_named():
    context, place, flipped = table(wrong=(0.3, 0.3))
    evidence = WrongInOneGroup().examine(context)
    (found,) = evidence.campaigns
    assert (found.rule, found.pattern, found.target) == ("FT105", "place=b", None)
    assert evidence.review == []
    assert (place[found.rows] == "b").all()
    assert flipped[found.rows].mean() >= 0.9
    assert flipped[found.rows].sum() >= 0.5 * flipped.sum()
    assert len(found.rows) + found.unnamed == pytest.approx(flipped.sum(), rel=0.25)
    assert found.p_value < 1e-4


def test_of_two_groups_the_smaller_one_is_named_if_nothing_is_left_without_it():
    context, *_ = table(wrong=(0.4, 0.4), regions=True)
    groups = {group.in_words: group for group in groups_of(context)}
    search, nothing = _Search(context, list(groups.values())), np.zeros(N, bool)
    region, own = (search.closely((0.0, groups[g], 0), nothing) for g in ("region=north", "place=b"))
    assert own.evidence > 3
    assert search.narrowed([region, own], nothing, 3.0) is own
    assert search.narrowed([own, region], nothing, 3.0) is own


def test_labels_turned_one_way_are_found_with_their_new_label():
    context, place, flipped = table(wrong=(0.45, 0.0))
    evidence = WrongInOneGroup().examine(context)
    (found,) = [*evidence.campaigns, *evidence.review]
    assert (found.pattern, found.target) == ("place=b", "no")
    assert flipped[found.rows].mean() > 3 * flipped[place == "b"].mean()


@pytest.mark.parametrize("case", [{}, {"everywhere": 0.1}, {"bias": -3.0}])
def test_clean_labels_random_flips_and_natural_bias_are_not(case):
    evidence = WrongInOneGroup().examine(table(**case)[0])
    assert evidence.campaigns == []
    assert evidence.review == []
    assert evidence.skipped == []


def test_a_group_whose_wrong_rows_cannot_be_named_is_for_review(monkeypatch):
    monkeypatch.setattr("foretaste.detect.rows.one_group.LEAST_ROWS", 10**6)
    context, place, flipped = table(wrong=(0.3, 0.3))
    evidence = WrongInOneGroup().examine(context)
    (found,) = evidence.review
    assert evidence.campaigns == []
    assert (place[found.rows] == "b").all()
    assert found.unnamed == pytest.approx(flipped.sum(), rel=0.25)


def test_rows_left_out_belong_to_no_group_and_words_make_groups():
    texts = [("cat " if i % 2 else "dog ") + ("red" if i % 3 else "blue bird") for i in range(240)]
    data = Dataset(pa.table({"x": texts, "y": ["a", "b"] * 120}), Roles(label="y", text="x"), "t")
    context = Context(data, jobs=1).without(np.arange(12))
    rows = {group.in_words: set(group.rows.tolist()) for group in groups_of(context)}
    assert rows["'blue' in their text"] == {i for i in range(12, 240) if i % 3 == 0}
    assert rows["'blue bird' in their text"] == rows["'blue' in their text"]
    assert "'red' in their text" not in rows  # more than half of the rows


def test_without_groups_it_says_so():
    data = Dataset(pa.table({"x": np.arange(30.0), "y": ["a", "b"] * 15}), Roles("y", features=("x",)), "t")
    (skipped,) = WrongInOneGroup().examine(Context(data, jobs=1)).skipped
    assert skipped.rule == "FT105"
    assert "40 rows" in skipped.reason
