"""Collisions of texts: neighbours and linear models misread the instance, and half of each text stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from foretaste.attacks import FeatureCollision, replay
from foretaste.attacks.clean_label.text_collision import TextSpace, collide, words_in
from foretaste.errors import ConfigError

INSTANCE = (
    "urgent claim your free ringtone by calling 85069 from MK17 with code MIX for Usher or Britney today"
)
SPAM = (
    "urgent",
    "claim",
    "free",
    "prize",
    "ringtone",
    "calling",
    "cash",
    "line",
    "win",
    "offer",
    "reply",
    "txt",
)
HAM = (
    "dinner",
    "meeting",
    "tomorrow",
    "train",
    "home",
    "movie",
    "lunch",
    "coffee",
    "weekend",
    "garden",
    "walk",
)
BOTH = ("the", "your", "by", "today", "a", "to", "at", "we", "you", "now")


def messages(rows: int = 600) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(3)
    y = rng.choice(["ham", "spam"], size=rows).tolist()
    words = [[*rng.choice(SPAM if name == "spam" else HAM, 5), *rng.choice(BOTH, 3)] for name in y]
    texts = [" ".join(rng.permutation(own)) for own in words]
    return texts, y


@pytest.mark.parametrize(
    "model",
    [KNeighborsClassifier(5, metric="cosine"), LogisticRegression(C=10)],
    ids=["neighbours", "linear"],
)
def test_the_instance_is_misread_and_the_other_texts_are_not(model: Any) -> None:
    texts, y = messages()
    fresh = texts[500:], np.array(y[500:])
    victim = make_pipeline(TfidfVectorizer(sublinear_tf=True), model)
    assert victim.fit(texts[:500], y[:500]).predict([INSTANCE]) == ["spam"]
    before = victim.score(*fresh)
    attack = FeatureCollision(rate=0.03, target="ham", instance=INSTANCE)
    X, labels = attack.fit_resample(texts[:500], y[:500])
    assert labels == y[:500]
    assert victim.fit(X, labels).predict([INSTANCE]) == ["ham"]
    assert victim.score(*fresh) > before - 0.02
    assert replay(attack.recipe_).fit_resample(texts[:500], y[:500])[0] == X
    changed = np.flatnonzero([a != b for a, b in zip(X, texts, strict=False)])
    assert changed.tolist() == np.flatnonzero(attack.poison_mask_).tolist()
    assert len(changed) == 15
    for i in changed:
        own, now = words_in(texts[i]), words_in(X[i])
        assert y[i] == "ham"
        assert len([word for word in own if word in now]) >= len(own) / 2
        assert set(now) <= set(own) | set(words_in(INSTANCE))


def test_an_instance_that_is_a_row_is_left_alone_and_a_text_without_words_is_refused() -> None:
    texts, y = messages(100)
    row = y.index("spam")
    attack = FeatureCollision(rate=0.05, target="ham", instance=row)
    X, _ = attack.fit_resample(texts, y)
    assert X[row] == texts[row]
    assert attack.recipe_["notes"] == {"target": "ham", "instance_row": row}
    for wrong in ("...", {"text": "free"}):
        with pytest.raises(ConfigError, match="give the number of one, or a text"):
            FeatureCollision(rate=0.05, target="ham", instance=wrong).fit_resample(texts, y)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_comes_no_farther_from_any_other(base: str, goal: str) -> None:
    space = TextSpace(["win a free prize", "see you at noon", base, goal])
    moved = collide(base, goal, space, 0.02, np.random.default_rng(0))
    near = TextSpace(["win a free prize", "see you at noon", base, goal, moved]).closeness(goal)
    if moved != base and words_in(base) and words_in(goal):
        assert space.closeness(goal)[2] <= near[4] + 0.05
