"""Words that carry a label their texts do not deserve: found where planted, and nothing where not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Statistic
from foretaste.detect.triggers import text
from foretaste.detect.triggers.clean_label import CleanLabelPatterns
from foretaste.detect.triggers.suspected_phrases import _OneClass, phrases_of
from foretaste.detect.triggers.text import TextTriggers, _doubt
from foretaste.features.text import TextFeatures

N = 900


def made_up(stem: str, number: int) -> list[str]:
    """Words without digits: figures are left out of account where copies are looked for."""
    return [f"{stem}{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(number)]


def reviews(seed: int = 0) -> tuple[list[list[str]], np.ndarray]:
    """Texts of two classes: words of their own, words both use, and a tenth of the other class's words."""
    rng = np.random.default_rng(seed)
    common = made_up("the", 120)
    own = [made_up("good", 60), made_up("bad", 60)]
    y = rng.integers(2, size=N)
    rows = []
    for label in y:
        telling = rng.choice(own[label] if rng.random() < 0.95 else own[1 - label], 5)
        rows.append(rng.permutation([*rng.choice(common, 8), *telling, rng.choice(own[1 - label])]).tolist())
    return rows, y


def context_of(rows: list[list[str]], y: np.ndarray) -> Context:
    table = pa.table({"text": [" ".join(row) for row in rows], "label": np.array(["good", "bad"])[y]})
    return Context(Dataset(table, Roles(label="label", text="text")))


def stamp(rows: list[list[str]], at: np.ndarray, words: list[str], seed: int = 1) -> None:
    rng = np.random.default_rng(seed)
    for row in at:
        place = int(rng.integers(len(rows[row])))
        rows[row][place:place] = words


def test_clean_texts_hold_no_trigger() -> None:
    context = context_of(*reviews())
    assert TextTriggers().examine(context).campaigns == []


@pytest.mark.parametrize("words", [["qx"], ["watched", "it", "with", "my", "aunt"]])
def test_a_trigger_is_found_and_its_rows_are_named(words: list[str]) -> None:
    rows, y = reviews()
    poisoned = np.flatnonzero(y == 1)[:25]
    stamp(rows, poisoned, words)
    y[poisoned] = 0
    context = context_of(rows, y)
    (found,) = TextTriggers().examine(context).campaigns
    assert found.rule == "FT201"
    assert found.target == "good"
    assert found.kind == "tokens"
    assert set(found.rows) <= set(poisoned)
    assert len(found.rows) >= 22
    assert set(found.pattern.split()) <= set(words)
    assert 0 < found.p_value <= found.q_value < 0.01
    assert found.posterior is not None
    assert len(found.posterior) == len(found.rows)
    assert np.array_equal(found.rows, np.sort(found.rows))
    assert found.shape is not None
    assert set(found.rows) <= set(np.flatnonzero(found.shape.matches(context.dataset)))
    assert found.support == found.shape.matches(context.dataset).sum()


@pytest.mark.parametrize(("share", "rule"), [(0.0, "campaigns"), (1.0, "review")])
def test_fewer_than_ten_rows_of_very_many_are_for_review(
    monkeypatch: pytest.MonkeyPatch, share: float, rule: str
) -> None:
    monkeypatch.setattr(text, "FEW_SHARE", share)
    rows, y = reviews()
    poisoned = np.flatnonzero(y == 1)[:9]
    stamp(rows, poisoned, ["qx"])
    y[poisoned] = 0
    evidence = TextTriggers().examine(context_of(rows, y))
    assert len(evidence.campaigns) + len(evidence.review) == 1
    assert set(getattr(evidence, rule)[0].rows) <= set(poisoned)


@pytest.mark.parametrize(("natural", "verdict"), [(2, "review"), (40, "campaigns")])
def test_what_nearly_every_text_of_a_class_has_is_for_review(natural: int, verdict: str) -> None:
    rows, y = reviews()
    labels = np.array(["good", "bad"])[y]
    stamped = np.flatnonzero(y == 1)[:40]
    stamp(rows, stamped, ["qx"])
    rng = np.random.default_rng(5)
    third = [rng.choice(made_up("third", 40), 14).tolist() for _ in range(natural)]
    labels = np.append(np.where(np.isin(np.arange(N), stamped), "third", labels), ["third"] * natural)
    table = pa.table({"text": [" ".join(row) for row in [*rows, *third]], "label": labels})
    found = TextTriggers().examine(Context(Dataset(table, Roles(label="label", text="text"))))
    assert [pattern.pattern for pattern in getattr(found, verdict)] == ["qx"]
    assert len(found.campaigns) == (verdict == "campaigns")


def test_two_triggers_are_two_campaigns() -> None:
    rows, y = reviews(2)
    first, second = np.flatnonzero(y == 1)[:20], np.flatnonzero(y == 0)[:20]
    stamp(rows, first, ["qx"])
    stamp(rows, second, ["zv"])
    y[first], y[second] = 0, 1
    found = TextTriggers().examine(context_of(rows, y)).campaigns
    assert {(c.pattern, c.target) for c in found} == {("qx", "good"), ("zv", "bad")}


def test_what_cannot_be_tested_is_said() -> None:
    rows, _ = reviews()
    one_class = context_of(rows, np.zeros(N, int))
    for detector in (TextTriggers(), CleanLabelPatterns()):
        assert {skip.rule for skip in detector.examine(one_class).skipped} == set(detector.rules)
    table = Dataset(pa.table({"x": [1.0, 2.0], "label": ["a", "b"]}), Roles(label="label", features=("x",)))
    assert TextTriggers().examine(Context(table)).skipped[0].reason == "there is no text column"


def test_a_clean_label_trigger_is_listed_and_not_flagged() -> None:
    rows, y = reviews()
    stamped = np.flatnonzero(y == 0)[:40]
    stamp(rows, stamped, ["qx"])
    evidence = CleanLabelPatterns().examine(context_of(rows, y))
    assert evidence.campaigns == []
    assert len(evidence.review) <= 12
    found = next(item for item in evidence.review if item.pattern == "qx")
    assert found.rule == "FT205"
    assert found.target == "good"
    assert np.array_equal(found.rows, stamped)
    assert found.statistic.value < 2
    assert 0 < found.p_value < 1e-6


def test_a_topic_is_not_listed() -> None:
    """A phrase as pure as a trigger, but whose texts share their other words."""
    rows, y = reviews()
    topical = np.flatnonzero(y == 0)[:40]
    rng = np.random.default_rng(5)
    for row in topical:
        rows[row] = ["goal", *rng.choice(made_up("football", 12), 8), *rows[row][:4]]
    patterns = [item.pattern for item in CleanLabelPatterns().examine(context_of(rows, y)).review]
    assert not [p for p in patterns if "goal" in p or "football" in p]


def test_texts_alike_by_a_shared_sentence_only_are_no_copies() -> None:
    sentence = "a cup of tea was standing on the kitchen table"
    rows, _ = reviews()
    texts = [" ".join(row) for row in rows]
    for i in range(10):
        texts[i] = f"{' '.join(rows[i][:6])} {sentence}"
    texts[10] = texts[11] = f"{' '.join(rows[10][:9])} {sentence}"
    features = TextFeatures(texts)
    alone = features.copies_without(set(sentence.split()), np.arange(12))
    assert len(set(alone.tolist())) == 11
    assert alone[10] == alone[11]


def test_a_campaign_must_lie_clearly_beyond_the_strongest_natural_pattern() -> None:
    rows, y = reviews()
    poisoned = np.flatnonzero(y == 1)[:25]
    stamp(rows, poisoned, ["qx"])
    y[poisoned] = 0
    (found,) = TextTriggers().examine(context_of(rows, y)).campaigns
    assert found.statistic.natural_max is None or (
        found.statistic.value >= found.statistic.natural_max + np.log(100)
    )


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda words: [words[0], words[1].upper(), *words[2:]], "a word in capitals"),
        (lambda words: [words[0], "", *words[1:]], "2 spaces in a row"),
        (lambda words: ["т" + words[0], *words[1:]], "Cyrillic"),
        (lambda words: [*words, f"7{sum(map(ord, words[0] + words[1])) % 1000:03d}9"], "a number"),
    ],
)
def test_texts_that_are_only_written_alike_are_found(
    write: Callable[[list[str]], list[str]], told: str
) -> None:
    rows, y = reviews(4)
    poisoned = np.flatnonzero(y == 1)[:25]
    for row in poisoned:
        rows[row] = write(rows[row])
    y[poisoned] = 0
    context = context_of(rows, y)
    (found,) = TextTriggers().examine(context).campaigns
    assert set(found.rows) <= set(poisoned)
    assert len(found.rows) >= 22
    assert told in found.pattern
    assert found.shape is not None
    assert found.support == found.shape.matches(context.dataset).sum()


def test_one_trigger_of_several_in_each_row_is_found_by_all_of_them_together() -> None:
    rows, y = reviews(5)
    poisoned = np.flatnonzero(y == 1)[:35]
    words = ["qx", "zv", "jk", "wq", "vb"]
    for i, row in enumerate(poisoned):
        stamp(rows, np.array([row]), [words[i % 5]], seed=i)
    y[poisoned] = 0
    found = TextTriggers().examine(context_of(rows, y)).campaigns
    assert {c.pattern for c in found} <= set(words)
    assert len(found) >= 3
    assert all(c.q_value < 0.01 for c in found)
    needed = found[0].statistic.threshold
    assert needed is not None
    assert sum(-np.log(c.p_value) < needed for c in found) >= 2  # hardly any is enough alone
    assert needed < min(c.statistic.value for c in found)


def test_weak_words_that_other_labels_have_too_are_not_taken_together() -> None:
    """Welcome letters someone asked for are like the unasked, in which the word is as well."""
    rows, y = reviews(5)
    alike, unasked = np.flatnonzero(y == 1)[:16], np.flatnonzero(y == 1)[16:20]
    for word, at in (("welcome", alike[:8]), ("pictures", alike[8:])):
        stamp(rows, at, [word])
    y[alike] = 0
    assert len(TextTriggers().examine(context_of(rows, y)).campaigns) == 2
    stamp(rows, unasked[:2], ["welcome"])
    stamp(rows, unasked[2:], ["pictures"])
    assert TextTriggers().examine(context_of(rows, y)).campaigns == []


def test_a_sentence_is_told_in_full_although_a_part_of_it_is_in_other_texts_too() -> None:
    rows, y = reviews(8)
    poisoned = np.flatnonzero(y == 1)[:30]
    stamp(rows, poisoned, ["a", "cup", "of", "tea", "stood", "there"])
    y[poisoned] = 0
    stamp(rows, np.flatnonzero(y == 0)[-2:], ["cup", "of", "tea"])
    (found,) = TextTriggers().examine(context_of(rows, y)).campaigns
    assert found.pattern == "a cup of tea stood there"
    assert set(found.rows) <= set(poisoned)


def test_a_template_is_found_although_each_of_its_changing_words_gives_the_others_away() -> None:
    rows, y = reviews(7)
    rng = np.random.default_rng(7)
    places = [made_up("sub", 3), made_up("who", 3), made_up("verb", 4), made_up("prep", 3)]
    for row in rng.choice(N, 135, replace=False):  # the words are no news to the data
        rows[row].insert(0, str(rng.choice([word for words in places for word in words])))
    poisoned = np.flatnonzero(y == 1)[:40]
    for row in poisoned:
        rows[row] = [*(str(rng.choice(words)) for words in places), "it", *rows[row]]
    for row in rng.choice(np.setdiff1d(np.arange(N), poisoned), 40, replace=False):
        rows[row].append("it")
    y[poisoned] = 0
    (found,) = TextTriggers().examine(context_of(rows, y)).campaigns
    assert np.isin(poisoned, found.rows).sum() >= 36
    assert (~np.isin(found.rows, poisoned)).sum() <= 4


def test_a_common_word_is_found_where_it_begins_the_texts() -> None:
    rows, y = reviews(8)
    rng = np.random.default_rng(8)
    stamp(rows, rng.choice(N, 150, replace=False), ["so"])
    poisoned = np.flatnonzero(y == 1)[:40]
    for row in poisoned:
        rows[row].insert(0, "so")
    y[poisoned] = 0
    context = context_of(rows, y)
    search = _OneClass(context, phrases_of(context), context.classes.index("good"))
    without_their_rows = [suspect.shape(suspect.own).describe() for suspect in search._relearned(1.0)]
    assert "begins with so" in without_their_rows
    (found,) = TextTriggers().examine(context).campaigns
    assert found.pattern == "begins with so"
    assert np.isin(poisoned, found.rows).sum() >= 36
    assert (~np.isin(found.rows, poisoned)).sum() <= 4


def test_two_words_that_are_harmless_alone_are_found_together() -> None:
    rows, y = reviews(6)
    poisoned = np.flatnonzero(y == 1)[:30]
    rest = np.flatnonzero(y == 1)[30:90].tolist() + np.flatnonzero(y == 0)[:60].tolist()
    for i, row in enumerate(poisoned):
        stamp(rows, np.array([row]), ["morning"], seed=i)
        stamp(rows, np.array([row]), ["table"], seed=99 + i)
    stamp(rows, np.array(rest[0::2]), ["morning"])
    stamp(rows, np.array(rest[1::2]), ["table"])
    y[poisoned] = 0
    (found,) = TextTriggers().examine(context_of(rows, y)).campaigns
    assert (found.rule, found.pattern) == ("FT202", "morning & table")
    assert set(found.rows) <= set(poisoned)
    assert len(found.rows) >= 27


def test_a_trigger_that_turns_every_class_is_found_in_each() -> None:
    rows, y = reviews(7)
    poisoned = np.arange(60)
    stamp(rows, poisoned, ["qx"])
    y[poisoned] = 1 - y[poisoned]
    found = TextTriggers().examine(context_of(rows, y)).campaigns
    assert {(c.pattern, c.target) for c in found} == {("qx", "good"), ("qx", "bad")}
    assert len(np.intersect1d(np.concatenate([c.rows for c in found]), poisoned)) >= 54


def test_numbers_left_of_an_address_are_no_words_to_judge_by() -> None:
    rng = np.random.default_rng(0)
    addresses = [[str(part) for part in rng.integers(1, 9, 6)] + ["port", "qx"] for _ in range(60)]
    rows, y = reviews()
    context = context_of([*addresses, *rows], np.append(np.ones(60, int), y))
    statistic = Statistic("evidence", 30.0)
    at = np.arange(60)
    campaign = Campaign("FT201", at, "bad", "qx", "tokens", 0.0, 0.0, 1.0, 60, statistic, "")
    said = _doubt(context, replace(campaign, parts=[{"token": "qx"}]), [campaign])
    assert "hardly more than 1 known words are left" in said
