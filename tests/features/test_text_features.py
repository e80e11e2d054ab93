"""Tokens, phrases and the patterns made of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.triggers.phrases import phrase_table
from foretaste.detect.triggers.wording import spell
from foretaste.features.patterns import Phrases
from foretaste.features.plain_reading import plain_reading
from foretaste.features.text import MAX_CHARACTERS, TextFeatures, tokenize


def of_texts(texts: list[str]) -> Dataset:
    return Dataset(
        pa.table({"text": texts, "label": ["a", "b"] * (len(texts) // 2) + ["a"] * (len(texts) % 2)}),
        Roles(label="label", text="text"),
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Win £1000 now!", ["win", "£", "1000", "now", "!"]),
        ("don't", ["don", "'", "t"]),
        ("東京で会う", ["東", "京", "で", "会", "う"]),
        ("a\u200bb \u200b", ["ab", "\u200b"]),
        (" \n\t", []),
        ("😀😀", ["😀", "😀"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_no_mark_is_lost(text: str) -> None:
    assert "".join(tokenize(text)) == "".join(plain_reading(text).lower().split())


def test_a_long_text_keeps_both_ends() -> None:
    tokens = tokenize("first " + "filler " * MAX_CHARACTERS + " last")
    assert tokens[0] == "first"
    assert tokens[-1] == "last"


def test_phrases_are_the_runs_of_a_row() -> None:
    features = TextFeatures(["cf is here", "is here cf", "nothing else"])
    names = list(features.phrase_names)
    assert set(names) == {"cf", "is", "here", "is here"}
    assert features.phrases.toarray().sum(axis=1).tolist() == [4, 4, 0]
    table = phrase_table(features.phrases, features.phrase_names, 2)
    assert len(table.names) == 1  # all four in the same rows: one pattern
    assert sorted(table.names[0]) == sorted(names)


def test_representations_have_unit_rows() -> None:
    features = TextFeatures([f"word{i % 7} word{i % 5} common text number {i}" for i in range(60)])
    for matrix in (features.word_tfidf, features.character_tfidf):
        length = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
        assert length == pytest.approx(np.ones(60), abs=1e-5)
    assert np.square(features.semantic).sum(axis=1) == pytest.approx(np.ones(60), abs=1e-5)


def test_a_phrase_matches_the_rows_the_features_saw() -> None:
    rng = np.random.default_rng(0)
    words = np.array(["Win", "now", "£", "cf", "it's", "x-y", "ÄRGER", "の", "!"])
    texts = [" ".join(rng.choice(words, 7)) for _ in range(80)]
    dataset, features = of_texts(texts), TextFeatures(texts)
    for column, name in enumerate(features.phrase_names):
        seen = features.phrases[:, [column]].toarray().ravel() > 0
        assert np.array_equal(Phrases((str(name),)).matches(dataset), seen), name


def test_all_phrases_of_a_pattern_are_needed() -> None:
    dataset = of_texts(["red sun", "red moon", "sun red", "infrared sun"])
    assert Phrases(("red", "sun")).matches(dataset).tolist() == [True, False, True, False]
    assert Phrases(("red sun",)).matches(dataset).tolist() == [True, False, False, False]
    assert Phrases(("red", "sun")).describe() == "red & sun"


def test_a_pattern_is_spelled_as_its_longest_runs() -> None:
    tokens = ["so", "i", "watched", "this", "3d", "movie", "today"]
    assert spell(["i watched", "watched this 3d", "today"], tokens) == ["i watched this 3d", "today"]
    assert spell(["gone"], tokens) == ["gone"]
