"""The detection floor says what a scan would have found, and changes nothing it finds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sklearn.datasets import load_digits

from foretaste import scan
from foretaste._scan.floor import Floor, Planted, detection_floor, never_falling, without_power
from foretaste.attacks import LabelFlip, WordTrigger
from foretaste.data import Dataset

TOPICS = {
    "ham": [f"home{i}" for i in range(15)],
    "spam": [f"prize{i}" for i in range(15)],
}


def messages(n: int, *, told: bool = True, seed: int = 0) -> Dataset:
    """Short texts of two topics; the label is the topic, or a coin."""
    rng = np.random.default_rng(seed)
    filler = [f"w{i}" for i in range(300)]
    labels, texts = [], []
    for _ in range(n):
        topic = str(rng.choice(["ham", "spam"]))
        words = [*rng.choice(TOPICS[topic], 5), *rng.choice(filler, 6)]
        texts.append(" ".join(rng.permutation(words)))
        labels.append(topic if told else str(rng.choice(["ham", "spam"])))
    return Dataset.from_table(pa.table({"text": texts, "label": labels}), label="label", text="text")


def by_rate(floors: list[Floor], attack: str) -> dict[float, Floor]:
    return {floor.rate: floor for floor in floors if floor.attack == attack}


def test_a_dose_is_never_harder_to_find_than_a_smaller_one() -> None:
    assert never_falling(np.array([2, 0]), np.array([2, 2])).tolist() == [0.5, 0.5]  # pooled: 2 of 4
    assert never_falling(np.array([0, 4]), np.array([4, 4])).tolist() == [0.1, 0.9]
    chance = never_falling(np.array([1, 0, 3, 2, 4]), np.array([4] * 5))
    assert (np.diff(chance) >= 0).all()


def test_triggers_are_found_where_the_words_tell_the_label() -> None:
    floors = by_rate(detection_floor(messages(1200)), "word-trigger")
    assert sorted(floors) == [0.005, 0.01]  # a quarter per cent would be three rows
    assert floors[0.01].found == floors[0.01].trials == 2
    assert floors[0.01].probability > 0.8


def test_no_power_is_said_aloud_where_labels_are_coins() -> None:
    floors = detection_floor(messages(800, told=False))
    assert max(floor.probability for floor in floors if floor.attack == "word-trigger") < 0.5
    assert any("word-trigger at 0.01" in gap["reason"] for gap in without_power(floors))


def test_what_nobody_asked_for_is_not_planted() -> None:
    floors = detection_floor(messages(600), wants=lambda rule: rule == "FT101")
    assert {floor.attack for floor in floors} == {"label-flip"}


def test_decoys_change_no_finding_and_reach_the_report() -> None:
    poisoned = WordTrigger(rate=0.03, target="ham", random_state=3).poison(messages(800)).data
    with_decoys = scan(poisoned, jobs=1)
    without = scan(poisoned, jobs=1, decoys=False)
    assert with_decoys.rows.equals(without.rows)
    assert with_decoys.groups.equals(without.groups)
    assert without.summary["would_have_found"] == []
    told = with_decoys.summary["would_have_found"]
    assert {"attack", "rate", "probability"} <= set(told[0])
    assert with_decoys.evidence["would_have_found"] == told


def test_rows_of_an_earlier_decoy_are_followed() -> None:
    X, y = load_digits(return_X_y=True)
    table = pa.table({f"p{j}": X[:, j] for j in range(8, 24)} | {"y": y.astype(str)})
    planted = Planted(Dataset.from_table(table, label="y"))
    first = planted.add(LabelFlip(rate=0.02, random_state=0))
    second = planted.add(LabelFlip(rate=0.02, random_state=1))
    assert (first, second) == (0, 1)
    rows = np.flatnonzero(planted.owner == 1)
    assert len(rows) == round(0.02 * len(y))
    assert planted.is_in(1, rows)
    assert not planted.is_in(0, rows)
    assert planted.add(LabelFlip(rate=1e-6)) is None  # less than one row
