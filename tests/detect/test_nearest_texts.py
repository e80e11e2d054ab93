"""Texts like those of a pattern tell whether its label is news."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from foretaste.detect.triggers.nearest_texts import NearestLabels, nearest_labels


@pytest.fixture
def topics() -> tuple[list[list[str]], NDArray[np.bool_]]:
    """600 texts of two topics with 12 words each; the first half is of the pattern's label."""
    rng = np.random.default_rng(0)
    own = np.arange(600) < 300
    return [[f"{'a' if side else 'b'}{i}" for i in rng.integers(0, 150, 12)] for side in own], own


def judged(texts: list[list[str]], rows: NDArray[np.int64], own: NDArray[np.bool_]) -> NearestLabels | None:
    vectors = TfidfVectorizer(analyzer=lambda words: words)
    words = vectors.fit_transform(texts).tocsr()
    return nearest_labels(words, rows, own, left_out=np.array([vectors.vocabulary_["cf"]]))


def test_texts_with_neighbours_of_their_own_label_are_of_a_kind(
    topics: tuple[list[list[str]], NDArray[np.bool_]],
) -> None:
    texts, own = topics
    rows = np.arange(40)
    found = judged([[*text, "cf"] if i < 40 else text for i, text in enumerate(texts)], rows, own)
    assert found is not None
    assert found.own
    assert not found.another


def test_stamped_texts_of_another_class_have_neighbours_there(
    topics: tuple[list[list[str]], NDArray[np.bool_]],
) -> None:
    texts, own = topics
    rows = np.arange(300, 340)
    own = own | np.isin(np.arange(600), rows)
    found = judged([[*text, "cf"] if i in rows else text for i, text in enumerate(texts)], rows, own)
    assert found is not None
    assert found.another
    assert not found.own


def test_texts_between_the_classes_side_with_none() -> None:
    assert not NearestLabels(0.85, 0.53, 0.62, 0.02).another  # little of another class than the label's own
    assert not NearestLabels(0.85, 0.53, 0.62, 0.02).own
    assert not NearestLabels(0.9, 0.1, 0.4, 0.02).another
    assert not NearestLabels(0.9, 0.1, 0.51, 0.02).own  # within chance of the middle


def test_what_the_pattern_itself_shares_with_its_class_does_not_count(
    topics: tuple[list[list[str]], NDArray[np.bool_]],
) -> None:
    """A trigger word that a class has by nature, too."""
    texts, own = topics
    rows = np.arange(300, 340)
    marked = [[*text, *["cf"] * 8] if i in rows or i < 60 else text for i, text in enumerate(texts)]
    found = judged(marked, rows, own | np.isin(np.arange(600), rows))
    assert found is not None
    assert found.another


def test_too_few_texts_say_nothing(topics: tuple[list[list[str]], NDArray[np.bool_]]) -> None:
    texts, own = topics
    assert judged([[*text, "cf"] for text in texts], np.arange(5), own) is None
