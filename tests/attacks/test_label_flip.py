"""Label flipping: which rows, to what, and what it does to a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from poisonable import make_table, make_texts
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from foretaste.attacks import LabelFlip
from foretaste.attacks.containers import pack
from foretaste.attacks.surrogate import held_out_probabilities
from foretaste.errors import ConfigError, DataError


def test_random_flips_spread_evenly_over_the_other_classes() -> None:
    X, y = load_iris(return_X_y=True)
    X, y = np.tile(X, (20, 1)), np.tile(y, 20)
    attack = LabelFlip(rate=0.3, random_state=1)
    new = attack.fit_resample(X, y)[1]
    flipped = attack.poison_mask_
    assert (new != y).sum() == flipped.sum() == 900
    assert (attack.original_label_ == y).all()
    pairs = np.bincount(3 * y[flipped] + new[flipped], minlength=9).reshape(3, 3)
    assert (np.diag(pairs) == 0).all()
    assert pairs[~np.eye(3, dtype=bool)].min() > 120  # 150 expected, standard deviation 11


def test_class_pair_flips_go_one_way_only() -> None:
    before = make_texts()
    after = LabelFlip(rate=0.1, source_class="spam", target="ham").poison(before)
    old, new = (data.column("label").to_pylist() for data in (before, after.data))
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert changed == [("spam", "ham")] * 40


def test_a_keyword_selects_whatever_the_case() -> None:
    texts = ["FREE prize", "free tea", "hello", "a freedom march", "bye"]
    attack = LabelFlip(rate=None, keyword="Free", target="ham")
    new = attack.fit_resample(texts, ["spam", "spam", "spam", "ham", "ham"])[1]
    assert new == ["ham", "ham", "spam", "ham", "ham"]


def test_a_condition_selects_by_value_and_takes_text_for_a_number() -> None:
    before = make_table()
    for where in ({"colour": "red", "weight": 3}, {"colour": "red", "weight": "3"}):
        after = LabelFlip(rate=None, where=where).poison(before)
        rows = before.table.select(["colour", "weight"]).to_pylist()
        meets = [row["colour"] == "red" and row["weight"] == 3 for row in rows]
        assert after.mask.tolist() == meets


def test_conditions_compare_with_numbers_columns_and_values() -> None:
    before = make_table()
    after = LabelFlip(rate=None, condition=["count>weight", "size<=0.5", "colour!=red"]).poison(before)
    rows = before.table.select(["count", "weight", "size", "colour"]).to_pylist()
    meets = [
        row["count"] > row["weight"]
        and row["size"] is not None
        and row["size"] <= 0.5
        and row["colour"] != "red"
        for row in rows
    ]
    assert after.mask.tolist() == meets


def test_topic_flips_take_whole_topics() -> None:
    words = [["goal", "match", "team"], ["bread", "oven", "salt"], ["rain", "wind", "storm"]]
    texts = [" ".join(words[i % 3]) + f" {words[i % 3][i % 2]}" for i in range(300)]
    attack = LabelFlip(rate=0.2, strategy="topic")
    attack.fit_resample(texts, [i % 2 for i in range(300)])
    per_topic = np.bincount(np.flatnonzero(attack.poison_mask_) % 3, minlength=3)
    assert sorted(per_topic.tolist())[-1] >= 50  # a topic of 100 falls into at most two clusters
    assert (per_topic == 0).any()


def test_within_a_source_touches_no_other() -> None:
    before = make_texts()
    after = LabelFlip(rate=0.05, within_source="site 1").poison(before)
    assert set(np.array(before.column("source").to_pylist())[after.mask]) == {"site 1"}


def test_boundary_flips_take_rows_that_another_model_finds_hard_too() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    judge = make_pipeline(StandardScaler(), LogisticRegression())
    sure = np.abs(cross_val_predict(judge, X, y, cv=5, method="decision_function"))
    hardness = {}
    for strategy in ("random", "boundary"):
        attack = LabelFlip(rate=0.05, strategy=strategy, random_state=0)
        attack.fit_resample(X, y)
        hardness[strategy] = float(np.median(sure[attack.poison_mask_]))
    assert hardness["boundary"] < 0.35 * hardness["random"]


def test_boundary_flips_take_the_runner_up_class() -> None:
    X, y = load_iris(return_X_y=True)
    attack = LabelFlip(rate=0.04, strategy="boundary")
    new = attack.fit_resample(X, y)[1]
    pairs = set(zip(y[attack.poison_mask_].tolist(), new[attack.poison_mask_].tolist(), strict=True))
    assert pairs <= {(1, 2), (2, 1)}  # setosa is far from both


def test_held_out_probabilities_do_not_know_the_labels_they_judge() -> None:
    rng = np.random.default_rng(0)
    dataset = pack(rng.normal(size=(300, 4)), rng.integers(2, size=300))[0]
    chances = held_out_probabilities(dataset)
    guess = chances.argmax(axis=1) == dataset.labels.codes
    assert np.allclose(chances.sum(axis=1), 1)
    assert 0.4 < guess.mean() < 0.6  # pure noise: a model that had seen the label would be right


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rate": None}, ConfigError, "only with keyword or where"),
        ({"strategy": "worst"}, ConfigError, "strategy is 'worst'"),
        ({"where": {"nowhere": 1}}, ConfigError, "no column 'nowhere'"),
        ({"where": {"colour": "pink"}}, ConfigError, "'pink' does not occur in column 'colour'"),
        ({"condition": ["size"]}, ConfigError, "condition 'size' cannot be read"),
        ({"condition": ["nowhere>3"]}, ConfigError, "with a column of"),
        ({"condition": ["colour>3"]}, ConfigError, "'colour' holds .* no order"),
        ({"condition": ["size>big"]}, ConfigError, "'big' is neither a column nor a number"),
        ({"keyword": "free"}, DataError, "needs a text column"),
        ({"within_source": "a"}, DataError, "no source column; name it with --source"),
        ({"rate": 0.5, "source_class": 1}, DataError, "needs 300 rows and only"),
        ({"rate": 0.9, "strategy": "boundary"}, DataError, "that a model has right"),
    ],
)
def test_says_what_cannot_be_flipped(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        LabelFlip(**options).poison(make_table())


def test_an_unknown_source_or_an_unmet_condition_is_said() -> None:
    with pytest.raises(ConfigError, match="'site 9' is not a source; they are 'site 0', 'site 1'"):
        LabelFlip(within_source="site 9").poison(make_texts())
    with pytest.raises(DataError, match="no row meets the condition"):
        LabelFlip(rate=None, keyword="zzz").poison(make_texts())


def test_a_class_with_one_row_has_no_boundary() -> None:
    with pytest.raises(DataError, match="a class has a single row"):
        LabelFlip(rate=0.3, strategy="boundary").fit_resample(["a", "b", "c", "d"], [0, 0, 0, 1])
