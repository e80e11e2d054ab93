"""One bad source: only its rows are bad, and the others are what was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from poisonable import make_table, make_texts

from foretaste.attacks import BadSource
from foretaste.attacks.backdoors.inserted_text import InsertedText
from foretaste.errors import ConfigError, DataError


@pytest.mark.parametrize("attack", ["label-flip", "value-trigger"])
def test_every_bad_row_is_from_the_bad_source(attack: str) -> None:
    after = BadSource(rate=0.02, attack=attack, random_state=2).poison(make_table())
    sources = np.array(after.data.column("source").to_pylist())
    bad = after.recipe["notes"]["bad_source"]
    assert set(sources[after.mask]) == {bad}
    assert after.recipe["notes"]["rows_of_bad_source"] == (sources == bad).sum()
    assert after.data.roles.source == "source"


def test_equal_sources_differ_by_one_row_at_most() -> None:
    after = BadSource(rate=0.01, sources=7).poison(make_table())
    sizes = np.unique(after.data.column("source").to_pylist(), return_counts=True)[1]
    assert len(sizes) == 7
    assert sizes.max() - sizes.min() <= 1


def test_zipf_sources_shrink_with_their_rank() -> None:
    after = BadSource(rate=0.005, sources=4, sizes="zipf", bad="s1").poison(make_table(2500))
    names, sizes = np.unique(after.data.column("source").to_pylist(), return_counts=True)
    assert names.tolist() == ["s1", "s2", "s3", "s4"]
    assert sizes.tolist() == [1200, 600, 400, 300]


def test_skewed_sources_differ_in_their_classes_and_others_do_not() -> None:
    spread = {}
    for skew in (0.0, 1.0):
        after = BadSource(rate=0.001, skew=skew, random_state=0).poison(make_table(5000))
        sources = np.array(after.data.column("source").to_pylist())
        labels = np.array(after.data.column("class").to_pylist())
        spread[skew] = np.std([labels[sources == name].mean() for name in np.unique(sources)])
    assert spread[0.0] < 0.04
    assert spread[1.0] > 0.08


def test_sources_the_data_have_can_be_used() -> None:
    before = make_texts()
    after = BadSource(rate=0.02, sources=None, bad="site 3", attack="sentence-trigger").poison(before)
    assert after.data.column("source").equals(before.column("source"))
    assert set(np.array(before.column("source").to_pylist())[after.mask]) == {"site 3"}


def test_options_reach_the_attack_inside() -> None:
    attack = BadSource(rate=0.02, attack="word-trigger", target="spam", options={"words": ["cf"]})
    after = attack.poison(make_texts())
    assert after.trigger == InsertedText(("cf",), "random", after.trigger.seed)  # type: ignore[union-attr]
    assert after.recipe["notes"]["inside"] == {"target": "spam"}
    assert BadSource.load_trigger(after.recipe) == after.trigger


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"attack": "arson"}, ConfigError, "attack is 'arson'; use one of label-flip"),
        ({"sources": 1}, ConfigError, "sources is 1"),
        ({"sources": 601}, ConfigError, "2 up to the number of rows"),
        ({"sizes": "odd"}, ConfigError, "sizes is 'odd'"),
        ({"skew": -1}, ConfigError, "skew is -1"),
        ({"bad": "s11"}, ConfigError, "'s11' is not a source"),
        ({"sources": None}, DataError, "no source column"),
        ({"options": {"wrods": 1}}, ConfigError, "'wrods' is not an option of label-flip"),
        ({"options": {"within_source": "s1"}}, ConfigError, "'within_source' is not an option"),
        ({"rate": 0.2}, DataError, "label-flip needs 120 rows and only 60 can be used"),
    ],
)
def test_says_which_setting_is_wrong(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        BadSource(**options).poison(make_table())


def test_a_column_called_source_is_not_overwritten() -> None:
    data = make_table()
    taken = data.with_column("source", data.column("town"))
    with pytest.raises(DataError, match="there is a column 'source' already"):
        BadSource().poison(taken)
