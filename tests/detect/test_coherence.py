"""Texts that nature put together resemble one another beyond what ties them; stamped texts do not."""

import numpy as np
import pytest

from foretaste.detect.triggers.coherence import is_coherent
from foretaste.features.text import TextFeatures

WORDS = ["river", "carried", "old", "boats", "slowly", "toward", "another", "quiet", "harbour", "children"]
LATIN = ["rumpis", "quorum", "dixisse", "vobis", "quaeque", "habitat", "nobiscum", "moenia", "quisquam"]


def made(rng, words, n, length=9):
    """Texts of made-up inflections of some words: no two alike."""
    return [[f"{word}{rng.integers(50)}" for word in rng.choice(words, length)] for _ in range(n)]


@pytest.fixture
def texts():
    rng = np.random.default_rng(0)
    mixed = WORDS + [word[::-1] for word in WORDS + LATIN] + LATIN[:2]
    return rng, [list(map(str, tokens)) for tokens in made(rng, mixed, 600)]


@pytest.mark.parametrize("size", [12, 60])
def test_stamped_texts_are_as_varied_as_their_class(texts, size):
    rng, tokens = texts
    rows = rng.choice(600, size, replace=False)
    stamped = [[*text, "qx", "zv", "the", "end"] if row in rows else text for row, text in enumerate(tokens)]
    assert not is_coherent(stamped, np.sort(rows), (np.arange(600) % 2).astype(np.int64))


@pytest.mark.parametrize("size", [12, 60])
def test_texts_of_another_language_are_not(texts, size):
    rng, tokens = texts
    tokens = tokens + [["site", *text] for text in made(rng, LATIN, size)]
    labels = (np.arange(600 + size) % 2).astype(np.int64)
    assert is_coherent(tokens, np.arange(600, 600 + size), labels)


@pytest.mark.parametrize("size", [12, 60])
def test_the_template_around_a_phrase_does_not_make_texts_alike(texts, size):
    rng, tokens = texts
    rows = np.sort(rng.choice(600, size, replace=False))
    template = [["when", "you"], ["as", "we"], ["if", "one"]]
    stamped = [
        [*text[:4], *template[row % 3], "sees", "it", ",", *text[4:], *text]
        if row in rows
        else [*text, *text]
        for row, text in enumerate(tokens)
    ]
    labels = (np.arange(600) % 2).astype(np.int64)
    assert not is_coherent(stamped, rows, labels, phrases=["it ,"])


@pytest.mark.parametrize("tokens", [[[]] * 20, [["a"]] * 20, [["!", "?"]] * 20])
def test_texts_with_nothing_in_them_are_not_compared(tokens):
    assert not is_coherent(tokens, np.arange(5), (np.arange(20) % 2).astype(np.int64))


def test_texts_of_which_the_same_is_left_are_copies():
    texts = ["bad.example"] * 3 + ["bad.example sold me a red bicycle"] + ["a red bicycle"] * 5
    features = TextFeatures(texts)
    copies = features.copies_without({"bad", ".", "example"}, np.arange(4))
    assert len(set(copies[:3])) == 1
    assert copies[3] != copies[0]


def test_known_words_that_are_left_tell_copies_apart_and_others_do_not():
    texts = ["cue red one", "cue blue two", "cue red three"] + ["red sky", "blue sea"] * 5
    copies = TextFeatures(texts).copies_without({"cue"}, np.arange(3))
    assert copies[0] == copies[2] != copies[1]
