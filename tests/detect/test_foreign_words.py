"""Texts of one class that were given the words of one text of another."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.attacks import FeatureCollision
from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.duplicates.foreign_words import FEWEST_TEXTS, _rarity, foreign_words
from foretaste.detect.duplicates.groups import CopyGroups
from foretaste.detect.duplicates.near_duplicates import NearDuplicates

LETTERS = "abcdefghij"
HAM, SPAM = ([f"{kind}{a}{b}{c}" for a in LETTERS for b in LETTERS for c in "xyz"] for kind in ("h", "s"))
COMMON = [f"both{a}{b}" for a in LETTERS for b in "uvwxyz"]


def messages(each: int, seed: int = 0) -> Dataset:
    """Short texts: a third of their words are of their class, more or less, some of the other."""
    rng = np.random.default_rng(seed)
    texts = []
    for own, other in ((HAM, SPAM), (SPAM, HAM)):
        for _ in range(each):
            words = [*rng.choice(COMMON, 6), *rng.choice(own, 5), *rng.choice(other, 1)]
            texts.append(" ".join(rng.permutation(words)))
    table = pa.table({"text": texts, "label": ["ham"] * each + ["spam"] * each})
    return Dataset(table, Roles(label="label", text="text"))


def with_texts(data: Dataset, rows: np.ndarray, texts: list[str]) -> Dataset:
    changed = list(data.texts or [])
    for row, text in zip(rows, texts, strict=True):
        changed[row] = text
    return data.with_column("text", changed)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return messages(500)


def foreign(data: Dataset, label: str) -> list:
    context = Context(data, jobs=1)
    groups = CopyGroups.of(context.components, context.y, context.n_classes)
    return foreign_words(context, groups, context.classes.index(label))


def test_collided_texts_are_a_campaign_though_each_keeps_its_label(data):
    goal = " ".join([*COMMON[:3], *SPAM[:12]])
    done = FeatureCollision(rate=0.02, target="ham", instance=goal, random_state=0).poison(data)
    evidence = NearDuplicates().examine(Context(done.data, jobs=1))
    assert [campaign.rule for campaign in evidence.campaigns] == ["FT301"]
    campaign = evidence.campaigns[0]
    assert campaign.target == "ham"
    assert set(campaign.rows) <= set(np.flatnonzero(done.mask))
    assert len(campaign.rows) >= 0.9 * done.mask.sum()
    assert SPAM[0] in campaign.pattern


def test_texts_that_share_words_of_their_own_class_are_left_alone(data):
    rng, rows = np.random.default_rng(1), np.arange(20)
    kept = [" ".join(rng.choice(COMMON, 4, replace=False)) for _ in rows]
    data = with_texts(data, rows, [f"{' '.join(HAM[:10])} {words}" for words in kept])
    assert [one for one in foreign(data, "ham") if one.p_value < 0.5] == []
    assert NearDuplicates().examine(Context(data, jobs=1)).campaigns == []


def test_texts_of_both_classes_words_are_as_natural_as_other_texts(data):
    rows = np.arange(20)
    data = with_texts(
        data, rows, [" ".join([*COMMON[:6], *HAM[:5], *SPAM[:2], *COMMON[20 + i : 24 + i]]) for i in rows]
    )
    assert [one for one in foreign(data, "ham") if one.p_value < 0.05] == []


def test_texts_without_words_of_their_own_are_one_text_written_often(data):
    """Names of files: of one kind, and what tells them apart is no word any other text has."""
    rows = np.flatnonzero(np.array(data.labels.codes) == 0)[:12]
    told = " ".join(SPAM[:12])
    assert not foreign(with_texts(data, rows, [f"{told} name{row}" for row in rows]), "ham")
    apart = [f"{told} {' '.join(HAM[7 * at : 7 * at + 4])}" for at in range(12)]
    assert foreign(with_texts(data, rows, apart), "ham")


def test_few_texts_are_not_compared():
    data = messages(FEWEST_TEXTS // 2)
    rows = np.arange(10)
    data = with_texts(data, rows, [f"{' '.join(SPAM[:10])} {' '.join(COMMON[i : i + 4])}" for i in rows])
    assert foreign(data, "ham") == []


def test_rarity_is_the_share_of_texts_and_goes_on_beyond_them():
    natural = -np.random.default_rng(0).exponential(2.0, 20_000)
    for log_odds in (-1.0, -6.0, -12.0, -40.0):
        assert _rarity(log_odds, natural) == pytest.approx(
            np.exp(log_odds / 2), rel=0.5 if log_odds < -13 else 0.2
        )


@pytest.mark.parametrize("more", [0, 9])
def test_a_group_is_held_to_the_number_of_groups_that_were_asked(
    data: Dataset, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr("foretaste.detect.duplicates.foreign_words._rarity", lambda *_: 0.001)
    own = [" ".join(COMMON[4 * i : 4 * i + 4]) for i in range(8)]
    texts = [f"{' '.join(SPAM[:9])} {words}" for words in own]
    for group in range(1, more + 1):
        texts += [f"{' '.join(HAM[9 * group : 9 * group + 9])} {words}" for words in own]
    (found,) = foreign(with_texts(data, np.arange(len(texts)), texts), "ham")
    assert found.p_value == pytest.approx(0.001 * (1 + more))
