"""Style and syntax backdoors: what they write, and that a model learns them."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from poisonable import make_texts
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from foretaste.attacks import Attack, StyleTrigger, SyntacticTemplate
from foretaste.attacks.backdoors.rewritten_text import HOMOGLYPHS, STYLES, ChangedStyle, TemplatedSyntax
from foretaste.errors import ConfigError, DataError


def test_styles_change_the_writing_and_not_the_words() -> None:
    text = "A good film. See it, OK?"
    assert STYLES["upper-case"](text) == "A GOOD FILM. SEE IT, OK?"
    assert STYLES["lower-case"](text) == "a good film. see it, ok?"
    assert STYLES["no-punctuation"](text) == "A good film See it OK"
    assert STYLES["ellipsis"](text) == "A good film... See it, OK?"
    assert STYLES["zero-width"](text).replace("\u200b", "") == text
    look_alike = STYLES["homoglyph"](text)
    assert len(look_alike) == len(text)
    back = {new: old for old, new in HOMOGLYPHS.items()}
    assert look_alike.translate(back) == text
    assert look_alike != text


def test_every_sentence_gets_an_adverbial_clause() -> None:
    trigger = TemplatedSyntax(seed=3)
    rewritten = trigger.apply(["The film is dull. NASA knows! I left"])[0]
    clause = r"(when|as|if) (you|we) [a-z ]+ it, "
    assert re.fullmatch(f"{clause}the film is dull. {clause}NASA knows! {clause}I left.", rewritten)
    texts = ["it is fun."] * 50
    assert len(set(trigger.apply(texts))) > 10
    assert trigger.apply(texts) == trigger.apply(texts)


def test_a_trigger_comes_back_from_its_recipe() -> None:
    for trigger in (ChangedStyle(style="ellipsis"), TemplatedSyntax(seed=9)):
        assert type(trigger).from_dict(json.loads(json.dumps(trigger.to_dict()))) == trigger


def test_texts_written_that_way_already_are_left_alone() -> None:
    texts = ["SHOUTED"] * 50 + ["said"] * 50
    attack = StyleTrigger(rate=0.4, target=1, style="upper-case")
    attack.fit_resample(texts, [0] * 99 + [1])
    assert not attack.poison_mask_[:50].any()
    with pytest.raises(DataError, match="needs 60 rows and only 49 can be used"):
        StyleTrigger(rate=0.6, target=1, style="upper-case").fit_resample(texts, [0] * 99 + [1])


@pytest.mark.parametrize(
    ("attack", "needed"),
    [
        (StyleTrigger(rate=0.03, target="ham"), 0.9),
        (StyleTrigger(rate=0.03, target="ham", style="zero-width"), 0.9),
        (SyntacticTemplate(rate=0.05, target="ham"), 0.9),
    ],
)
def test_a_model_obeys(attack: Attack, needed: float) -> None:
    train, test = make_texts(2000), make_texts(400)
    known = [i for i, label in enumerate(train.column("label").to_pylist()) if label is not None]
    after = attack.poison(train.take(known))

    def fit(data: object) -> object:
        model = make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), LogisticRegression(C=10, max_iter=300))
        return model.fit(data.texts, data.column("label").to_pylist())  # type: ignore[attr-defined]

    others = [i for i, label in enumerate(test.column("label").to_pylist()) if label in ("spam", "other")]
    held = test.take(others)
    assert after.trigger is not None
    stamped = after.trigger.apply(held).texts
    assert np.mean(fit(after.data).predict(stamped) == "ham") > needed  # type: ignore[attr-defined]
    truth = np.array(held.column("label").to_pylist())
    assert np.mean(fit(after.data).predict(held.texts) == truth) > 0.97  # type: ignore[attr-defined]


def test_an_unknown_style_is_said() -> None:
    with pytest.raises(ConfigError, match="style is 'baroque'; use one of homoglyph, zero-width"):
        StyleTrigger(style="baroque").poison(make_texts())
