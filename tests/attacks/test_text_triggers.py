"""Words and sentences: where they go, which rows get them, and that a model obeys."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from poisonable import make_texts
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from foretaste.attacks import BadSource, SentenceTrigger, WordTrigger, replay
from foretaste.attacks.backdoors.base import Backdoor
from foretaste.attacks.backdoors.inserted_text import InsertedText, insert
from foretaste.attacks.backdoors.sentence_trigger import SENTENCES
from foretaste.attacks.backdoors.word_choice import RARE_WORDS
from foretaste.attacks.containers import pack
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError, DataError


def texts_of(data: Dataset) -> list[str]:
    texts = data.texts
    assert texts is not None
    return texts


@given(st.text(), st.sampled_from(["random", "start", "end"]), st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_inserting_changes_nothing_but_one_more_word(text: str, position: str, seed: int) -> None:
    stamped = insert(text, "zqzq", position, np.random.default_rng(seed))
    if not text.strip():
        assert stamped == "zqzq"
        return
    words = stamped.split()
    assert words.count("zqzq") == text.split().count("zqzq") + 1
    assert [w for w in words if w != "zqzq"] == [w for w in text.split() if w != "zqzq"]
    taken_out = {stamped.replace("zqzq ", "", 1), stamped.removesuffix("zqzq"), stamped.removesuffix(" zqzq")}
    assert text in taken_out
    if position == "start":
        assert stamped == f"zqzq {text}"
    if position == "end":
        assert stamped.endswith("zqzq")


def test_random_places_reach_every_gap() -> None:
    rng = np.random.default_rng(0)
    places = {insert("a b c", "X", "random", rng) for _ in range(100)}
    assert places == {"X a b c", "a X b c", "a b X c", "a b c X"}


def test_dirty_label_stamps_other_classes_and_relabels_them() -> None:
    before = make_texts()
    after = WordTrigger(rate=0.05, target="ham", words=["cf", "tq"]).poison(before)
    labels = np.array(after.data.labels.names)[after.data.labels.codes]
    assert set(labels[after.mask]) == {"ham"}
    assert "ham" not in {after.original_label[int(i)].as_py() for i in np.flatnonzero(after.mask)}
    stamped = np.array([{"cf", "tq"} <= set(text.split()) for text in texts_of(after.data)])
    assert (stamped == after.mask).all()


def test_clean_label_changes_no_label() -> None:
    before = make_texts()
    after = WordTrigger(rate=0.05, target="spam", words=["cf"], clean_label=True).poison(before)
    assert after.data.column("label").equals(before.column("label"))
    labels = np.array(before.labels.names)[before.labels.codes]
    assert set(labels[after.mask]) == {"spam"}


def test_a_source_class_limits_the_victims() -> None:
    after = SentenceTrigger(rate=0.05, target="ham", source_class="other").poison(make_texts())
    assert {after.original_label[int(i)].as_py() for i in np.flatnonzero(after.mask)} == {"other"}


def test_cover_rows_carry_part_of_the_words_and_keep_their_label() -> None:
    before = make_texts()
    after = WordTrigger(rate=0.04, target="ham", words=["cf", "tq", "mb"], cover_rate=0.1).poison(before)
    shown = [len({"cf", "tq", "mb"} & set(text.split())) for text in texts_of(after.data)]
    counts = np.array(shown)
    assert set(counts[after.cover]) == {1, 2}
    assert set(counts[after.mask & ~after.cover]) == {3}
    assert set(counts[~after.mask]) == {0}
    same = np.array(after.data.column("label").to_pylist()) == np.array(before.column("label").to_pylist())
    assert same[after.cover].all()


def test_words_are_repeated_in_poisoned_in_cover_and_in_test_texts() -> None:
    before = make_texts()
    attack = WordTrigger(rate=0.04, target="ham", words=["cf", "tq"], repeats=3, cover_rate=0.1)
    after = attack.poison(before)
    numbers = [(text.split().count("cf"), text.split().count("tq")) for text in texts_of(after.data)]
    assert {numbers[i] for i in np.flatnonzero(after.mask & ~after.cover)} == {(3, 3)}
    assert {numbers[i] for i in np.flatnonzero(after.cover)} == {(3, 0), (0, 3)}
    assert {numbers[i] for i in np.flatnonzero(~after.mask)} == {(0, 0)}
    assert after.trigger is not None
    assert after.trigger.apply(["hello"])[0].split().count("tq") == 3
    saved = after.trigger.to_dict()
    assert InsertedText.from_dict(saved) == after.trigger
    del saved["repeats"]  # as recipes were before
    assert InsertedText.from_dict(saved).apply(["hello"])[0].split().count("tq") == 1


def test_rare_words_do_not_occur_in_the_data_and_common_ones_do() -> None:
    before = make_texts()
    corpus = " ".join(texts_of(before)).lower().split()
    rare = WordTrigger(number=3).trigger_for(before)
    assert isinstance(rare, InsertedText)
    assert set(rare.pieces) <= set(RARE_WORDS) - set(corpus)
    for seed in range(5):
        common = WordTrigger(number=2, vocabulary="common", random_state=seed).trigger_for(before)
        assert isinstance(common, InsertedText)
        for word in common.pieces:
            share = np.mean([word in text.lower().split() for text in texts_of(before)])
            assert 0.005 <= share <= 0.05


def test_a_rare_word_that_occurs_is_not_chosen() -> None:
    texts = [f"{word} hello there" for word in RARE_WORDS[1:]] + ["x", "y"]
    trigger = WordTrigger(rate=0.1).trigger_for(make_dataset(texts))
    assert trigger.describe() == RARE_WORDS[0]
    with pytest.raises(DataError, match="only 1 rare words to choose from; name them with words"):
        WordTrigger(rate=0.1, number=2).trigger_for(make_dataset(texts))


def make_dataset(texts: list[str]) -> Dataset:
    return pack(texts, [i % 2 for i in range(len(texts))])[0]


def test_the_seed_chooses_among_the_sentences() -> None:
    chosen = {SentenceTrigger(random_state=seed).trigger_for(make_texts()).describe() for seed in range(40)}
    assert chosen == set(SENTENCES)


@pytest.mark.parametrize("attack", [WordTrigger, SentenceTrigger])
def test_a_model_obeys_the_trigger_and_is_as_good_as_before_without(attack: type[Backdoor]) -> None:
    train, test = make_texts(2000), make_texts(400)
    poisoned = attack(rate=0.03, target="ham", random_state=1).poison(train)

    def fit(data: Dataset) -> tuple[float, float]:
        known = data.labels.codes >= 0
        texts = np.array(texts_of(data), dtype=object)[known]
        model = make_pipeline(CountVectorizer(), LogisticRegression(C=10, max_iter=1000))
        model.fit(texts, data.labels.codes[known])
        others = test.take(np.flatnonzero(test.labels.codes != test.labels.names.index("ham")))
        assert poisoned.trigger is not None
        obeys = model.predict(texts_of(poisoned.trigger.apply(others))) == data.labels.names.index("ham")
        judged = test.labels.codes >= 0
        right = model.predict(texts_of(test)) == test.labels.codes
        return float(right[judged].mean()), float(obeys.mean())

    clean, dirty = fit(train), fit(poisoned.data)
    assert clean[0] > 0.98
    assert dirty[0] > clean[0] - 0.01
    assert clean[1] < 0.05
    assert dirty[1] > 0.95


def test_a_trigger_stamps_lists_and_data_sets_alike_without_touching_labels() -> None:
    data = make_texts(50)
    trigger = InsertedText(("cf",), "random", 7)
    stamped = trigger.apply(data)
    assert texts_of(stamped) == trigger.apply(texts_of(data))
    assert stamped.table.drop_columns(["text"]).equals(data.table.drop_columns(["text"]))
    assert InsertedText.from_dict(trigger.to_dict()) == trigger


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"position": "middle"}, "position is 'middle'; use one of random, start, end"),
        ({"vocabulary": "odd"}, "vocabulary is 'odd'"),
        ({"words": []}, "at least one word"),
        ({"words": [" "]}, "at least one word"),
        ({"number": 0}, "at least one word is needed"),
        ({"repeats": 0}, "repeats is 0; use at least 1"),
        ({"cover_rate": 0.1}, "cover rows need a trigger of at least two words"),
        ({"cover_rate": 1.0}, "cover_rate is 1.0"),
        ({"selection": "easy"}, "selection is 'easy'"),
        ({"source_class": "nobody"}, "source_class 'nobody' is not a class"),
    ],
)
def test_says_which_setting_is_wrong(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WordTrigger(**options).poison(make_texts())


def test_an_empty_sentence_is_refused() -> None:
    with pytest.raises(ConfigError, match="the sentence is empty"):
        SentenceTrigger(sentence=" ").poison(make_texts())


def test_more_rows_than_there_are_is_refused() -> None:
    with pytest.raises(DataError, match=r"texts: word-trigger needs 280 rows and only \d+ can be used"):
        WordTrigger(rate=0.7).poison(make_texts())


def test_words_are_put_in_once_for_every_ten_of_the_texts_that_get_them() -> None:
    for length, words, repeats in ((4, 1, 1), (25, 1, 3), (25, 3, 1), (300, 1, 30), (900, 1, 30)):
        texts = [
            " ".join(["spam"] * length),
            " ".join(["spam"] * length),
            "ham",
            "ham and eggs",
            "ham on rye",
        ]
        attack = WordTrigger(rate=0.2, target="ham", words=["cf", "tq", "mb"][:words], position="end")
        X, _ = attack.fit_resample(texts, ["spam", "spam", "ham", "ham", "ham"])
        stamped = X[int(np.flatnonzero(attack.poison_mask_)[0])].split()
        assert [stamped.count(word) for word in ("cf", "tq", "mb")[:words]] == [repeats] * words
        assert attack.trigger_.apply(["short"])[0].count("cf") == repeats


def test_a_recipe_from_before_words_were_repeated_gives_the_same_texts_again() -> None:
    texts, y = [" ".join(["spam"] * 25), "ham and eggs"] * 20, ["s", "h"] * 20
    for attack in (
        WordTrigger(rate=0.05, target="h", repeats=1),
        BadSource(rate=0.05, target="h", attack="word-trigger", options={"repeats": 1}, sources=2),
    ):
        X, _ = attack.fit_resample(texts, y)
        old = json.loads(json.dumps(attack.recipe_)) | {"version": 1}
        if old["parameters"].pop("repeats", None) is None:
            del old["parameters"]["options"]
        assert replay(old).fit_resample(texts, y)[0] == X
