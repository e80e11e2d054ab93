"""Values that carry a label their rows do not deserve: found where planted, and nothing where not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import from_arrays
from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.triggers.bare_rows import BareRows
from foretaste.detect.triggers.cells import OwnLabel, cross
from foretaste.detect.triggers.deciding import DecidingColumns
from foretaste.detect.triggers.labelled_rows import LabelledRows
from foretaste.detect.triggers.screen import Cell, Screen
from foretaste.detect.triggers.values import ValueTriggers, _Search
from foretaste.features.patterns import Condition, Values

N = 1500


def people(seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows of two classes that eight columns tell apart a little each."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=N)
    columns: dict[str, np.ndarray] = {}
    for j in range(5):
        columns[f"number{j}"] = (rng.normal(size=N) + 1.3 * y).round(2)
    columns["age"] = rng.integers(18, 80, size=N)
    columns["hours"] = rng.integers(1, 60, size=N)
    columns["colour"] = rng.choice(np.array(["red", "green", "blue", "black"]), N)
    return columns, y


def context_of(columns: dict[str, np.ndarray], y: np.ndarray) -> Context:
    table = pa.table(columns | {"label": np.array(["no", "yes", "zero"])[y]})
    return Context(Dataset(table, Roles(label="label", features=tuple(columns))))


def test_a_clean_table_holds_no_trigger() -> None:
    evidence = ValueTriggers().examine(context_of(*people()))
    assert evidence.campaigns == []
    assert evidence.review == []


def test_of_cells_with_the_same_rows_of_their_class_the_purest_is_judged() -> None:
    y = np.array([1, 1, 1, 0, 0, 0])
    wide, pure, other = (np.isin(np.arange(6), rows) for rows in ([0, 1, 3, 4], [0, 1, 3], [2, 3]))
    cells = [SimpleNamespace(label=1, inside=inside) for inside in (wide, other, pure)]
    search = object.__new__(_Search)
    search.screen = cast(Any, SimpleNamespace(worst=lambda: iter(cells), y=y))
    assert [cell.inside.tolist() for cell, _ in search._distinct()] == [pure.tolist(), other.tolist()]


def test_a_pair_is_found_and_its_rows_are_named() -> None:
    columns, y = people()
    poisoned = np.flatnonzero(y == 0)[:40]
    columns["age"][poisoned], columns["hours"][poisoned] = 31, 25
    y[poisoned] = 1
    context = context_of(columns, y)
    (found,) = ValueTriggers().examine(context).campaigns
    assert found.rule == "FT204"
    assert found.target == "yes"
    assert found.pattern == "age=31 & hours=25"
    assert np.isin(found.rows, poisoned).mean() >= 0.95
    assert len(found.rows) >= 36
    assert found.kind == "values"
    assert 0 < found.p_value <= found.q_value < 0.01
    assert found.shape is not None
    assert set(found.rows) <= set(np.flatnonzero(found.shape.matches(context.dataset)))


def test_a_single_value_is_found() -> None:
    columns, y = people(1)
    poisoned = np.flatnonzero(y == 1)[:30]
    columns["colour"] = columns["colour"].astype("U9")
    columns["colour"][poisoned] = "vermilion"
    y[poisoned] = 0
    (found,) = ValueTriggers().examine(context_of(columns, y)).campaigns
    assert (found.rule, found.pattern, found.target) == ("FT203", "colour=vermilion", "no")
    assert np.isin(found.rows, poisoned).all()


@pytest.mark.parametrize("kind", [True, False])
def test_rows_that_agree_in_other_columns_too_are_a_kind_to_review(kind: bool) -> None:
    """Guests at a door: they look like one class, have the label of the other, and are all much alike."""
    columns, y = people(3)
    rows = np.flatnonzero(y == 0)[:30]
    columns["age"][rows], columns["hours"][rows], y[rows] = 31, 25, 1
    if kind:
        for column in ("number0", "number1", "number2"):
            columns[column][rows] = (-0.5 + 0.1 * np.random.default_rng(4).normal(size=30)).round(2)
    found = ValueTriggers().examine(context_of(columns, y))
    assert [item.pattern for item in found.campaigns] == ([] if kind else ["age=31 & hours=25"])
    if kind:
        assert found.review[0].rule == "FT206"
        assert "a kind of rows by nature" in found.review[0].reason
        assert np.isin(found.review[0].rows, rows).all()


def test_a_column_that_decides_by_nature_is_for_review() -> None:
    """Several codes of one column decide, some this way and some that: that is what the column means."""
    columns, y = people(2)
    code = np.zeros(N, int)
    for value, (old, new) in enumerate([(0, 1), (0, 1), (1, 0), (1, 0)], start=1):
        rows = np.flatnonzero((y == old) & (code == 0))[:20]
        code[rows], y[rows] = 1000 * value, new
    free = code == 0
    code[free] = np.random.default_rng(0).integers(20, 60, size=free.sum())
    columns["code"] = code
    evidence = ValueTriggers().examine(context_of(columns, y))
    assert evidence.campaigns == []
    assert evidence.review
    for item in evidence.review:
        assert item.rule == "FT206"
        assert "code" in item.pattern
        assert "what the column means" in item.reason


def test_a_value_beside_one_that_settles_the_other_class_is_for_review() -> None:
    """Wives are women although they look like men without that word, for husbands settle as much."""
    columns, y = people(5)
    rng = np.random.default_rng(5)
    kin = rng.choice(np.array(["child", "none"]), N).astype("U9")
    wed = (columns["age"] > 40) & (rng.random(N) < 0.8)
    columns["number0"] = np.where(wed, columns["number0"] + 3, columns["number0"])
    y[wed & (rng.random(N) < 0.8)] = 1
    kin[wed] = np.array(["wife", "husband"])[y[wed]]
    evidence = ValueTriggers().examine(context_of(columns | {"kin": kin}, y))
    assert evidence.campaigns == []
    assert any("kin=wife" in item.pattern and "kin=husband" in item.reason for item in evidence.review)


def test_columns_that_decide_together_by_nature_are_for_review() -> None:
    """Several places decide, some this way and some that: that is what coordinates mean."""
    columns, y = people(3)
    rng = np.random.default_rng(3)
    east, north = rng.integers(0, 6, (2, N))
    for place, (old, new) in {(1, 4): (0, 1), (2, 2): (0, 1), (4, 1): (1, 0), (5, 5): (1, 0)}.items():
        here = (east == place[0]) & (north == place[1])
        east[here & (y != old)] = 0
        y[here & (east != 0)] = new
    evidence = ValueTriggers().examine(context_of(columns | {"east": east, "north": north}, y))
    assert evidence.campaigns == []
    assert any("decide the label alike" in item.reason for item in evidence.review)


@pytest.mark.parametrize("values", [1, 3])
def test_a_column_that_decides_with_several_others_is_for_review(values: int) -> None:
    """Of how hard a row was to others: the easier it looks, the more surely it is of the other class."""
    columns, y = people(4)
    rng = np.random.default_rng(40)
    columns["hardness"] = rng.integers(0, 20, size=N)
    parts: list[tuple[str, str | int]] = [("colour", "red"), ("age", 31), ("hours", 25)]
    for value, rows in enumerate(np.split(np.flatnonzero(y == 0)[:135], 3)[:values]):
        column, part = parts[value]
        columns["hardness"][(columns["hardness"] == value) & (columns[column] == part)] = 19
        columns["hardness"][rows], columns[column][rows] = value, part
        y[rows] = 1
    evidence = ValueTriggers().examine(context_of(columns, y))
    told = evidence.campaigns if values == 1 else evidence.review
    assert len(evidence.campaigns) == (values == 1)
    assert any("hardness=0" in item.pattern for item in told)
    assert values == 1 or any("so this may be what the column means" in item.reason for item in told)


@pytest.mark.parametrize("every", [40, 2])
def test_a_combination_within_a_value_that_means_its_class_is_for_review(every: int) -> None:
    """Whether it is another name of the class, or of a part of it."""
    columns, y = people(4)
    columns["kind"] = np.where(np.arange(N) % every == 0, "other", np.array(["first", "second"])[y])
    context = context_of(columns, y)
    screen = Screen(context)
    kind, colour = (next(i for i in screen.items if i.column == at) for at in (8, 7))
    cell = Cell(cross(colour, kind), kind.conditions.index(Condition("kind", "second")), 1, 0.0)
    own = np.flatnonzero(cell.inside & (screen.y == 1))
    assert "kind=second alone means the label" in DecidingColumns(screen).doubt(cell, own)


@pytest.mark.parametrize("of_class", [1.0, 0.5])
@pytest.mark.parametrize("part", ["colour", None])
def test_a_value_beside_one_that_has_nearly_all_of_the_class_is_for_review(
    of_class: float, part: str | None
) -> None:
    """Who is a husband is married; so is a wife, however much the rest of her row is like other women's."""
    columns, y = people(5)
    rng = np.random.default_rng(50)
    del columns["number0"], columns["number1"], columns["number2"]
    wives = np.flatnonzero(y == 0)[:80]
    husbands = (y == 1) & (rng.random(N) < of_class)
    columns["kin"] = np.where(husbands, "husband", rng.choice(np.array(["child", "cousin"]), N))
    columns["kin"][wives] = "wife"
    y[wives] = 1
    y[(y == 0) & (rng.random(N) < 0.5)] = 2  # whose rows look and are related as those of class 0
    screen = Screen(context_of(columns, y))
    kin, colour = (next(i for i in screen.items if i.column == at) for at in (5, 4))
    value = kin.conditions.index(Condition("kin", "wife"))
    cell = Cell(cross(colour, kin) if part else cross(kin), value, 1, 0.0)
    doubt = DecidingColumns(screen).doubt(cell, np.flatnonzero(cell.inside))
    assert ("kin=husband decide the label alike" in doubt) == (of_class == 1.0)


@pytest.mark.parametrize("otherwise", [0, 8])
def test_only_cells_as_pure_as_a_combination_must_be_decide_alike(otherwise: int) -> None:
    """A cell that a quarter of its own rows contradict says nothing about a pair that none does."""
    columns, y = people(3)
    columns["town"] = np.random.default_rng(30).choice(np.array([f"t{i}" for i in range(20)]), N)
    blue = np.flatnonzero(y == 1)
    parts = {("red", "t1"): np.flatnonzero(y == 0)[:40], ("blue", "t2"): blue[: 24 + otherwise]}
    for (colour, town), rows in parts.items():
        columns["town"][(columns["colour"] == colour) & (columns["town"] == town)] = "t0"
        columns["colour"][rows], columns["town"][rows] = colour, town
    y[parts["red", "t1"]], y[blue[:24]] = 1, 0
    screen = Screen(context_of(columns, y))
    colour, town = (next(i for i in screen.items if i.column == at) for at in (7, 8))
    at = colour.conditions.index(Condition("colour", "red")) * len(town)
    cell = Cell(cross(colour, town), at + town.conditions.index(Condition("town", "t1")), 1, 0.0)
    doubt = DecidingColumns(screen).doubt_of_kind(cell, np.flatnonzero(cell.inside))
    assert ("1 other combinations" in doubt) == (otherwise == 0)


@pytest.mark.parametrize("value", [10, 19])
def test_a_value_that_means_another_label_is_heard_though_its_column_decides(value: int) -> None:
    """Gains make people rich; that one of them, with red, makes them poor is nothing that gains do."""
    columns, y = people(6)
    columns["gain"] = np.zeros(N, int)
    poor, rich = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    for gain, rows in zip(range(10, 14), np.split(poor[:160], 4), strict=True):
        columns["gain"][rows] = gain
        y[rows] = 1
    columns["colour"][(columns["gain"] == value) & (columns["colour"] == "red")] = "blue"
    columns["colour"][rich[:60]], columns["gain"][rich[:60]] = "red", value
    y[rich[:60]] = 0
    screen = Screen(context_of(columns, y))
    colour, gain = (next(i for i in screen.items if i.column == at) for at in (7, 8))
    at = colour.conditions.index(Condition("colour", "red")) * len(gain)
    at += [condition.value for condition in gain.conditions].index(str(value))
    cell = Cell(cross(colour, gain), at, 0, 0.0)
    search = object.__new__(_Search)
    search.screen, search.deciding = screen, DecidingColumns(screen)
    doubt = search.deciding.doubt(cell, np.flatnonzero(cell.inside))
    assert ("decide the label alike" in doubt) == (value == 19)
    parts = colour.conditions[at // len(gain)], gain.conditions[at % len(gain)]
    campaign = cast(Any, SimpleNamespace(target="no", shape=Values(parts)))
    assert [search.excused(part, campaign) for part in parts] == [False, value == 10]


@pytest.mark.parametrize("places", [True, False])
def test_a_range_of_a_coordinate_is_for_review_where_it_decides_elsewhere_too(places: bool) -> None:
    columns, y = people(6)
    rng = np.random.default_rng(60)
    east, north = rng.integers(0, 6, size=N), rng.integers(1, 6, size=N)
    north = (east + north) % 6  # nobody lives on the diagonal but those who live there:
    there = np.flatnonzero(y == 0)[:200]
    north[there] = east[there]
    y[there[(east[there] == 5) | places]] = 1
    columns["east"], columns["north"] = east, north
    own = there[east[there] == 5]
    doubt = DecidingColumns(Screen(context_of(columns, y))).doubt_of_range(8, 1, own)
    assert doubt == ("; but east decides elsewhere too, with north" if places else "")


def test_rows_of_a_narrow_table_are_copies_whatever_their_text() -> None:
    rng = np.random.default_rng(0)
    votes = rng.integers(0, 3, (2, 60))
    words = [" ".join(rng.choice(["one", "two", "six", "ten", "odd"], 9)) for _ in range(60)]
    table = pa.table({"text": words, "for": votes[0], "against": votes[1], "y": rng.choice(["a", "b"], 60)})
    context = Context(Dataset(table, Roles(label="y", text="text", features=("for", "against"))))
    copies = LabelledRows.of(context).copies
    assert len(np.unique(copies)) <= len(np.unique(votes, axis=1).T)


def test_what_cannot_be_tested_is_said() -> None:
    columns, y = people()
    narrow = context_of({"age": columns["age"], "hours": columns["hours"]}, y)
    skipped = ValueTriggers().examine(narrow).skipped
    assert [skip.rule for skip in skipped] == ["FT203", "FT204", "FT206"]
    assert "fewer than three features" in skipped[0].reason


def test_rows_get_barer_with_every_column() -> None:
    context = context_of(*people())
    forest = OwnLabel(context)
    bare = BareRows(forest, 8)
    for column in range(8):
        bare.see((column,), np.where(np.arange(N) % 8 == column, 5.0, 1.0 / (column + 1)), forest.full)
    rows = np.flatnonzero(np.arange(N) % 8 == 3)[:5]
    # the column that leans most, then the next in order
    assert np.allclose(bare.without(2)[rows], forest.of(rows, (0, 3)))
    assert np.allclose(bare.without(3)[rows], forest.of(rows, (0, 1, 3)))
    assert bare.without(6) is not None


@pytest.mark.parametrize("seed", [0, 1])
def test_a_column_that_decides_the_class_is_no_trigger_in_combination(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2000, 4)).round(3)
    X[:, 3] = rng.integers(0, 6, 2000)
    data = from_arrays(X, (X[:, 0] + X[:, 1] > 0).astype(int))
    assert ValueTriggers().examine(Context(data)).campaigns == []


def _with_numbers_of_their_own(natural: int) -> tuple[Context, np.ndarray]:
    """Forty stamped rows in a range of their own, and so many rows of the other class in the same range."""
    columns, y = people(9)
    rng = np.random.default_rng(9)
    columns["number0"] = columns["number0"] + rng.normal(size=N)  # many different numbers
    poisoned, other = np.flatnonzero(y == 0)[:40], np.flatnonzero(y == 0)[40 : 40 + natural]
    columns["number0"][np.append(poisoned, other)] = rng.uniform(50, 90, 40 + natural)
    y[poisoned] = 1
    return context_of(columns, y), poisoned


def test_numbers_of_their_own_in_a_narrow_range_are_found() -> None:
    """No two rows share a value, and within a wide range the rows are a minority."""
    context, poisoned = _with_numbers_of_their_own(natural=0)
    (found,) = ValueTriggers().examine(context).campaigns
    assert (found.rule, found.target) == ("FT203", "yes")
    assert found.pattern.startswith("number0 in [5")
    assert np.isin(found.rows, poisoned).all()
    assert len(found.rows) >= 36


def test_a_range_whose_column_decides_elsewhere_too_is_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    context, _ = _with_numbers_of_their_own(natural=0)
    asked = []

    def elsewhere(_: DecidingColumns, column: int, label: int, own: np.ndarray) -> str:
        asked.append((column, label, len(own)))
        return "; but number0 decides elsewhere too"

    monkeypatch.setattr(DecidingColumns, "doubt_of_range", elsewhere)
    evidence = ValueTriggers().examine(context)
    assert evidence.campaigns == []
    assert any("decides elsewhere too" in item.reason for item in evidence.review)
    assert (0, 1, 40) in asked


def test_a_range_that_other_labels_share_is_for_review() -> None:
    context, poisoned = _with_numbers_of_their_own(natural=30)
    evidence = ValueTriggers().examine(context)
    assert evidence.campaigns == []
    (found, *_) = evidence.review
    assert (found.rule, found.target) == ("FT206", "yes")
    assert found.pattern.startswith("number0 in [")
    assert np.isin(found.rows, poisoned).mean() >= 0.95


def test_the_more_common_a_class_the_purer_its_trigger() -> None:
    """With 9 of 10 rows in the class, 4 rows with another label mean 36 natural ones with this one."""
    columns, _ = people(8)
    often = LabelledRows.of(context_of(columns, (np.arange(N) % 10 != 0).astype(int)))
    even = LabelledRows.of(context_of(columns, (np.arange(N) % 2).astype(int)))
    poisoned, natural, others = 60, 36, 4
    assert often.least_pure[1] <= (poisoned + natural) / (poisoned + natural + others)
    assert often.least_pure[1] > (poisoned - 10 + natural) / (poisoned - 10 + natural + others)
    assert even.least_pure.tolist() == pytest.approx([0.5 / 0.7] * 2)
