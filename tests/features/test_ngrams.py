"""Counting by numbers gives what scikit-learn's vectorizer gives, column for column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from foretaste.features.ngrams import Counts, TokenNumbers
from foretaste.features.text import tokenize

TEXTS = st.lists(st.text(alphabet="abA1 .é\u200b東\x01", max_size=25), min_size=1, max_size=12)


def same(found: Counts, vectorizer: CountVectorizer, documents: list[object]) -> None:
    try:
        counts = vectorizer.fit_transform(documents).tocsr()
    except ValueError:  # nothing is left to count
        assert found[0].shape == (len(documents), 1)
        assert not found[0].nnz
        return
    assert found[1].tolist() == vectorizer.get_feature_names_out().tolist()
    assert np.array_equal(found[0].toarray(), counts.toarray())
    assert found[0].has_sorted_indices
    assert found[0].dtype == np.float32


def runs(longest: int):  # type: ignore[no-untyped-def]
    def analyze(tokens: list[str]) -> list[str]:
        return [
            " ".join(tokens[i : i + size])
            for size in range(1, longest + 1)
            for i in range(len(tokens) - size + 1)
        ]

    return analyze


@settings(max_examples=40)
@given(TEXTS, st.integers(1, 3), st.integers(1, 2))
def test_phrases_are_counted_as_by_scikit_learn(texts: list[str], longest: int, least: int) -> None:
    tokens = [tokenize(text) for text in texts]
    vectorizer = CountVectorizer(analyzer=runs(longest), min_df=min(least, len(texts)), dtype=np.float32)
    same(TokenNumbers(tokens).phrases(longest, min(least, len(texts))), vectorizer, tokens)


@settings(max_examples=40)
@given(TEXTS, st.integers(1, 2))
def test_characters_are_counted_as_by_scikit_learn(texts: list[str], least: int) -> None:
    tokens = [tokenize(text) for text in texts]
    vectorizer = CountVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), min_df=min(least, len(texts)), dtype=np.float32
    )
    found = TokenNumbers(tokens).characters((2, 4), min(least, len(texts)), 1000)
    same(found, vectorizer, [" ".join(some) for some in tokens])


def test_tokens_renamed_alike_are_one() -> None:
    counts, names = TokenNumbers([["a1", "a2", "b"], ["a3"]]).mapped(lambda word: word[:1], 1)
    assert names.tolist() == ["a", "b"]
    assert counts.toarray().tolist() == [[2, 1], [1, 0]]


def test_only_the_most_frequent_characters_stay() -> None:
    counts, names = TokenNumbers([["ab"], ["ab"], ["ab", "xy"]]).characters((2, 2), 1, 3)
    assert names.tolist() == [" a", "ab", "b "]
    assert counts.sum() == pytest.approx(9)
