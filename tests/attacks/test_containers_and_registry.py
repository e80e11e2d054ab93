"""Plain containers in, the same out; attacks found by name."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from poisonable import make_table

from foretaste.attacks import (
    FabricatedRows,
    LabelFlip,
    NearDuplicates,
    ValueTrigger,
    WordTrigger,
    attack_names,
    catalogue,
    find_attack,
    registry,
    replay,
)
from foretaste.errors import ConfigError, DataError

TEXTS = [f"hello number {i} there" for i in range(40)]
LABELS = ["a", "b"] * 20


@pytest.mark.parametrize("wrap", [list, tuple, np.array, pd.Series, lambda x: np.array(x, dtype=object)])
def test_texts_come_back_as_they_were_given(wrap: Any) -> None:
    X, y = wrap(TEXTS), wrap(LABELS)
    attack = WordTrigger(rate=0.1, words=["unheard-of-and-long-word"], target="b")
    new, labels = attack.fit_resample(X, y)
    assert list(X) == TEXTS
    kind = list if wrap is tuple else type(X)
    assert type(new) is kind
    assert type(labels) is kind
    assert [text for text, bad in zip(new, attack.poison_mask_, strict=True) if not bad] == [
        text for text, bad in zip(TEXTS, attack.poison_mask_, strict=True) if not bad
    ]
    assert sum("unheard-of-and-long-word" in text for text in new) == 4  # a fixed-width array must not cut it


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, bool])
def test_a_matrix_keeps_its_dtype(dtype: Any) -> None:
    X = np.random.default_rng(0).integers(2, size=(60, 3)).astype(dtype)
    y = np.arange(60) % 3
    new, labels = FabricatedRows(rate=0.25).fit_resample(X, y)
    assert new.dtype == X.dtype
    assert labels.dtype == y.dtype
    assert new.shape == (80, 3)
    new, labels = LabelFlip(rate=0.1).fit_resample(X, y.astype(np.uint8))
    assert (new == X).all()
    assert labels.dtype == np.uint8


def test_missing_numbers_stay_missing() -> None:
    X = np.random.default_rng(0).normal(size=(50, 2))
    X[3, 1] = np.nan
    new, _ = ValueTrigger(rate=0.1, number=1, columns=["x0"]).fit_resample(X, np.arange(50) % 2)
    assert np.isnan(new[3, 1])
    assert np.isnan(new).sum() == 1


def test_a_frame_keeps_columns_and_dtypes() -> None:
    frame = make_table().table.drop_columns(["class", "since"]).to_pandas()
    frame["kind"] = pd.Categorical(["u", "v"] * 300)
    y = pd.Series([0, 1] * 300, name="target")
    attack = NearDuplicates(rate=0.1, target=1)
    new, labels = attack.fit_resample(frame, y)
    assert new.dtypes.equals(frame.dtypes)
    assert labels.name == "target"
    assert len(new) == len(labels) == 667
    old = new[~attack.poison_mask_].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, frame)


def test_numbered_frame_columns_come_back_numbered() -> None:
    frame = pd.DataFrame(np.arange(40).reshape(20, 2))
    new, _ = ValueTrigger(rate=0.1, number=1).fit_resample(frame, [0, 1] * 10)
    assert list(new.columns) == [0, 1]


def test_an_arrow_table_comes_back_as_one() -> None:
    table = make_table().table.drop_columns(["class"])
    new, labels = ValueTrigger(rate=0.05).fit_resample(table, pa.array([0, 1] * 300).to_pylist())
    assert isinstance(new, pa.Table)
    assert new.schema == table.schema
    assert len(labels) == 600


def test_images_pass_through_a_label_attack() -> None:
    images = np.random.default_rng(0).integers(256, size=(30, 4, 4, 3), dtype=np.uint8)
    attack = LabelFlip(rate=0.1)
    new, labels = attack.fit_resample(images, np.arange(30) % 3)
    assert new.dtype == np.uint8
    assert (new == images).all()
    assert (labels != np.arange(30) % 3).sum() == 3


def test_attributes_describe_what_fit_resample_did() -> None:
    attack = NearDuplicates(rate=0.2, target="b", templates=2, noise=0.0)
    X, y = attack.fit_resample(TEXTS, LABELS)
    assert len(X) == 50
    assert attack.poison_mask_.sum() == 10
    assert (attack.original_row_[attack.poison_mask_] == -1).all()
    assert [X[i] for i in np.flatnonzero(~attack.poison_mask_)] == TEXTS
    assert set(attack.original_label_[attack.poison_mask_]) == {None}
    assert attack.original_label_[~attack.poison_mask_].tolist() == LABELS
    assert {y[i] for i in np.flatnonzero(attack.poison_mask_)} == {"b"}


def test_labels_before_keep_their_type_beside_added_rows() -> None:
    attack = FabricatedRows(rate=0.2)
    attack.fit_resample(np.zeros((8, 2)), [0, 1] * 4)
    assert [type(label) for label in attack.original_label_[~attack.poison_mask_]] == [int] * 8


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("one text", ["a"], "X is a str"),
        ({"a": 1}, [1], "X is a dict"),
        ([1, 2], [0, 1], "other than str"),
        (["a", None], [0, 1], "other than str"),
        (["a", "b"], [0], "X has 2 rows and y has 1"),
        (["a", "b"], np.zeros((2, 1)), "y has 2 dimensions"),
        (["a", "b"], ["a", object()], "mixes types"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), [0, 1], "same name"),
    ],
)
def test_says_what_is_wrong_with_a_container(X: Any, y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        LabelFlip(rate=0.5).fit_resample(X, y)


def test_the_catalogue_has_one_line_for_each_attack() -> None:
    entries = catalogue()
    assert [entry.name for entry in entries] == attack_names() == sorted(registry.BUILT_IN)
    assert all(entry.summary.endswith(".") and "\n" not in entry.summary for entry in entries)


def test_an_unknown_attack_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no attack 'badnetz'; there are .*'bad-source', .*'word-trigger'"):
        find_attack("badnetz")


class Outside(LabelFlip):
    name = "outside-flip"


def test_other_packages_add_attacks_but_replace_none(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("outside-flip", f"{__name__}:Outside", registry.GROUP),
        EntryPoint("label-flip", f"{__name__}:Outside", registry.GROUP),
        EntryPoint("not-an-attack", "json:loads", registry.GROUP),
    ]

    def fake(group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == "foretaste.attacks"
        return [point for point in points if name in (None, point.name)]

    monkeypatch.setattr(registry, "entry_points", fake)
    assert "outside-flip" in attack_names()
    assert find_attack("outside-flip") is Outside
    assert find_attack("label-flip") is LabelFlip
    with pytest.raises(ConfigError, match="not an attack class"):
        find_attack("not-an-attack")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 2"),
        ({"attack": "nothing"}, "no attack 'nothing'"),
        ({"version": 9}, "label-flip version 9, this is label-flip version 1"),
        ({"parameters": {"rate": 0.1, "evil": 1}}, "sets 'evil', which label-flip does not have"),
        ({"parameters": None}, "has no parameters"),
    ],
)
def test_a_recipe_of_another_kind_is_refused(change: dict[str, Any], message: str) -> None:
    recipe = LabelFlip().poison(make_table()).recipe
    with pytest.raises(ConfigError, match=message):
        replay(recipe | change)


@pytest.mark.parametrize("trigger", [{}, {"pieces": 3, "position": "end", "seed": 0}, "cf", [1]])
@pytest.mark.parametrize("name", ["word-trigger", "bad-source"])
def test_a_trigger_that_cannot_be_read_is_refused(name: str, trigger: Any) -> None:
    recipe = {"parameters": {"attack": "word-trigger"}, "trigger": trigger}
    with pytest.raises(ConfigError, match="holds a trigger that cannot be read"):
        find_attack(name).load_trigger(recipe)


def test_a_bad_source_recipe_without_its_attack_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not say what the source did"):
        find_attack("bad-source").load_trigger({"parameters": {}, "trigger": {}})


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (ValueTrigger(number="2"), "number is '2'; use a whole number"),  # type: ignore[arg-type]
        (ValueTrigger(number=True), "number is True; use a whole number"),
        (ValueTrigger(clean_label="no"), "clean_label is 'no'; use True or False"),  # type: ignore[arg-type]
        (ValueTrigger(cover_rate="0"), "cover_rate is '0'; use a number"),  # type: ignore[arg-type]
        (LabelFlip(strategy=None), "strategy is None; use text"),  # type: ignore[arg-type]
    ],
)
def test_a_parameter_of_the_wrong_type_is_named(attack: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        attack.poison(make_table())


def test_all_is_sorted_and_complete() -> None:
    import foretaste.attacks as package

    assert package.__all__ == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)
