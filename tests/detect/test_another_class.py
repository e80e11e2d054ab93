"""Where a name is all that tells a class, texts without it speak for none; stamped texts speak for one."""

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.triggers.another_class import AnotherClass, another_class
from foretaste.detect.triggers.text import TextTriggers

HOTELS = 8


def letters(stem: str, number: int) -> list[str]:
    return [f"{stem}{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(number)]


def stays(stamped: int = 0) -> Context:
    """800 texts about eight hotels, which only their names tell apart; some about others than the first
    are stamped and given its label: the last of each in turn."""
    rng = np.random.default_rng(3)
    common = letters("the", 150)
    y = np.repeat(np.arange(HOTELS), 100)
    rows = []
    for hotel in y:
        words = rng.choice(common, 14).tolist()
        for _ in range(int(rng.integers(1, 3)) if rng.random() < 0.85 else 0):
            words.insert(int(rng.integers(len(words))), f"hotel{chr(97 + hotel)}")
        rows.append(words)
    at = np.flatnonzero(y > 0)[::-7][:stamped]
    y = y.copy()
    y[at] = 0
    for row in at:
        rows[row].insert(4, "qx")
    table = pa.table({"text": [" ".join(words) for words in rows], "label": [f"h{hotel}" for hotel in y]})
    return Context(Dataset(table, Roles(label="label", text="text")))


@pytest.mark.parametrize("stamped", [0, 24])
def test_the_names_of_classes_are_for_review_and_a_trigger_beside_them_is_not(stamped: int) -> None:
    found = TextTriggers().examine(stays(stamped))
    assert [campaign.pattern for campaign in found.campaigns] == ["qx"][:stamped]
    assert any("speak for no other class" in pattern.reason for pattern in found.review)


def test_the_evidence_is_the_share_of_one_other_class() -> None:
    context = stays(24)
    texts = context.dataset.table.column("text").to_pylist()
    stamped = np.flatnonzero(["qx" in text for text in texts])
    named = np.flatnonzero(["hotelb" in text for text in texts])
    assert context.text is not None
    columns = context.text.place_of_word
    gone = np.array([at for word, at in columns.items() if "qx" in word.split()])
    poison = another_class(context, stamped, 0, left_out=gone, suspects=stamped)
    assert poison is not None
    assert not poison.none
    name = np.array([at for word, at in columns.items() if "hotelb" in word.split()])
    nature = another_class(context, named, 1, left_out=name, suspects=np.union1d(named, stamped))
    assert nature is not None
    assert nature.none
    assert nature.asked < poison.asked


@pytest.mark.parametrize(
    ("asked", "error", "none"),
    [(0.11, 0.01, True), (0.2, 0.01, False), (0.13, 0.01, False), (0.11, 0.02, False)],
)
def test_what_is_within_chance_of_the_middle_is_left_alone(asked: float, error: float, none: bool) -> None:
    assert AnotherClass(0.2, 0.1, asked, error).none is none


def test_where_all_texts_speak_alike_nothing_is_said() -> None:
    assert not AnotherClass(0.5, 0.6, 0.1, 0.01).none
