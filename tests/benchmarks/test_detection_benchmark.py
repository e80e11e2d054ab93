"""The yardstick itself: cells, measures, resuming, tables."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.detection import __main__ as program
from benchmarks.detection.cells import ATTACKS, IMAGE_BACKDOORS, KINDS, NO_ATTACK, make_cell, modality
from benchmarks.detection.contestants import oracle
from benchmarks.detection.data import load, load_split, shared_data
from benchmarks.detection.grid import FIRST, IMAGES, MORE, STANDARD, UNSEEN, cells
from benchmarks.detection.measure import measure_flags, names_trigger
from benchmarks.detection.tables import tables
from benchmarks.detection.verdict import Verdict
from benchmarks.detection.victims import attack_success

from foretaste.data import Dataset, from_arrays


def has_shared_data() -> bool:
    try:
        return shared_data().exists()
    except FileNotFoundError:
        return False


needs_data = [
    pytest.mark.shared,
    pytest.mark.skipif(not has_shared_data(), reason="the public data sets are not beside this checkout"),
]


def shared(test: Any) -> Any:
    for mark in needs_data:
        test = mark(test)
    return test


@pytest.mark.parametrize(
    ("pattern", "parts", "named"),
    [
        ("cf", ["cf"], True),
        ("'CF' (word)", ["cf"], True),
        ("cfx", ["cf"], False),
        ("look & maybe", ["maybe", "look"], True),
        ("look", ["maybe", "look"], False),
        ("small bakery around", ["There is a small bakery around the corner."], False),
        ("there is a small bakery around", ["There is a small bakery around the corner."], True),
        ("age=31 & hours=25", {"age": 31, "hours": 25}, True),
        ("hours=25 & age=31 & sex=Male", {"age": 31, "hours": 25}, True),
        ("age == '31' & hours = 25", {"age": 31, "hours": 25}, True),
        ("age=31", {"age": 31, "hours": 25}, False),
        ("age=3 & hours=25", {"age": 31, "hours": 25}, False),
        ("rate=1", {"rate": 1.0}, True),
    ],
)
def test_a_trigger_counts_as_named_when_all_of_it_is_said(pattern: str, parts: Any, named: bool) -> None:
    assert names_trigger(pattern, parts) is named


def truth(mask: list[int], cover: list[int] | None = None, **more: Any) -> dict[str, Any]:
    bad = np.array(mask, dtype=bool)
    hidden = np.zeros(len(mask), dtype=bool) if cover is None else np.array(cover, dtype=bool)
    return {"mask": bad | hidden, "cover": hidden, "parts": None, "bad_source": None, **more}


def test_flags_are_measured_against_the_truth() -> None:
    flags = np.array([1, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
    scores = np.array([9.0, 8, 7, 6, 5, 4, 3, 2])
    verdict = Verdict(
        flags,
        scores,
        family=["campaign", "campaign", None, "mislabel", None, None, None, None],
        patterns=["cf"],
        groups=[np.array([0, 1]), np.array([3])],
        sources=["a", "b"],
        verdict="poisoned",
    )
    measured = measure_flags(verdict, truth([1, 1, 1, 0, 0, 0, 0, 0], parts=["cf"], bad_source="a"))
    assert measured["recall"] == pytest.approx(2 / 3)
    assert measured["fdr"] == pytest.approx(1 / 3)
    assert measured["f1"] == pytest.approx(2 / 3)
    assert measured["auroc"] == 1.0
    assert (measured["alarm_recall"], measured["alarm_fdr"]) == (pytest.approx(2 / 3), 0.0)
    assert measured["mislabel_rows"] == 1
    assert (measured["groups"], measured["false_groups"]) == (2, 1)
    assert measured["trigger_named"] is True
    assert measured["source_named"] is True
    assert measured["false_sources"] == 1


def test_cover_rows_count_neither_way() -> None:
    flags = np.array([1, 1, 0, 0], dtype=bool)
    measured = measure_flags(Verdict(flags), truth([1, 0, 0, 0], cover=[0, 1, 0, 0]))
    assert (measured["recall"], measured["fdr"], measured["poisoned"]) == (1.0, 0.0, 1)


def test_clean_data_have_no_recall_and_every_flag_is_false() -> None:
    measured = measure_flags(Verdict(np.array([1, 0, 0], dtype=bool)), truth([0, 0, 0]))
    assert (measured["recall"], measured["auroc"]) == (None, None)
    assert (measured["fdr"], measured["false_flags"]) == (1.0, 1)


def test_every_attack_of_the_grid_exists_and_every_data_set_meets_those_of_its_kind() -> None:
    known = {*ATTACKS, *NO_ATTACK}
    assert {*STANDARD, *MORE} <= known
    assert {*FIRST, *UNSEEN, *IMAGES} == set(KINDS)
    grid = list(cells([*FIRST, *IMAGES], STANDARD, [0], ["oracle"], {}))
    met = {name: {cell["attack"] for cell in grid if cell["dataset"] == name} for name in KINDS}
    assert met["sms_spam"] == set(STANDARD) - {"values", "fabricated"} - set(IMAGE_BACKDOORS)
    assert met["adult"] == set(STANDARD) - {"token", "sentence"} - set(IMAGE_BACKDOORS)
    assert met["gtsrb"] == {"none", "none-sources", "flip", *IMAGE_BACKDOORS}
    assert {cell["max_rows"] for cell in grid if cell["dataset"] in IMAGES} == {2500}


@shared
@pytest.mark.parametrize("name", sorted(KINDS))
def test_no_column_gives_the_label_away(name: str) -> None:
    data = load(name)
    assert data.roles.label not in data.roles.features
    assert data.roles.label != data.roles.text
    gone = {"attack", "difficulty", "hate_speech", "neither", "source", "target", "phish_id", "polarity"}
    assert not gone & set(data.table.column_names)
    assert len(data.labels) == {
        "ag_news": 4,
        "hate_offensive_davidson": 3,
        "wine_quality": 3,
        **dict.fromkeys(IMAGES, 10),
        "gtsrb": 43,
    }.get(name, 2)


@shared
def test_a_cell_is_the_same_every_time_and_differs_between_seeds() -> None:
    one, two, other = (make_cell("sms_spam", "token", 0.01, seed)[0].table for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)


@shared
def test_training_and_test_part_share_no_row() -> None:
    train, test = load_split("german_credit", 0)
    assert len(train) == 800
    assert len(test) == 200
    rows = [str(row) for data in (train, test) for row in data.table.to_pylist()]
    assert sorted(rows) == sorted(str(row) for row in load("german_credit").table.to_pylist())


@shared
@pytest.mark.parametrize("attack", ["none", "none-sources", "token-pair", "bad-source"])
def test_the_oracle_is_perfect(attack: str) -> None:
    train, known = make_cell("youtube_spam", attack, 0.1, 0)
    assert modality("youtube_spam") == "text"
    measured = measure_flags(oracle(Path("-"), train, known), known)
    assert measured["fdr"] == 0
    assert measured["recall"] == (None if attack.startswith("none") else 1)


def options(tmp_path: Path) -> argparse.Namespace:
    return argparse.Namespace(results=tmp_path / "results.jsonl", timeout=1, threads=1, jobs=1)


def test_a_run_resumes_where_it_stopped_and_tries_errors_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"max_rows": 10, "deduplicate": False, "format": "csv"}
    wanted = list(cells(["sms_spam"], {"token": (0.01, 0.03)}, [0, 1], ["oracle"], settings))
    asked: list[Any] = []

    def fake(cell: dict[str, Any], _: argparse.Namespace) -> dict[str, Any]:
        asked.append(program.key(cell))
        failed = cell["seed"] == 1 and len(asked) < 5
        return {**cell, "error": "broke"} if failed else {**cell, "flagged": 0}

    monkeypatch.setattr(program, "run_one", fake)
    where = options(tmp_path)
    program.run_missing(wanted, program.read(where.results), where)
    assert len(asked) == 4
    program.run_missing(wanted, program.read(where.results), where)
    assert len(asked) == 6
    program.run_missing(wanted, program.read(where.results), where)
    assert len(asked) == 6
    lines = program.read(where.results)
    assert {program.key(line) for line in lines} == {program.key(cell) for cell in wanted}
    assert not [line for line in lines if "error" in line]


def test_tables_average_over_seeds_and_list_errors() -> None:
    cell = {"dataset": "d", "attack": "a", "rate": 0.01, "contestant": "foretaste"}
    counts = {"rows": 100, "poisoned": 1, "flagged": 2, "groups": 1, "false_groups": 0, "false_sources": 0}
    good = {"recall": 1.0, "fdr": 0.5, "auroc": 0.9, "verdict": "poisoned", "trigger_named": True}
    cost = {"accuracy": 0.9, "attack_success": 0.1, "seconds": 2.0, "peak_mb": 300.0}
    line = {**cell, **counts, **good, **cost, "seed": 0}
    other = {**line, "seed": 1, "recall": 0.0, "trigger_named": False, "seconds": 4.0}
    text = tables([line, other, {**cell, "seed": 2, "error": "it broke"}])
    assert "| d | a | 1 % | 2 | 0.50 / 0.50 / 0.90 |" in text
    assert "trigger 1 of 2" in text
    assert "| foretaste | 3.0 | - | 4.0 | 300 |" in text
    assert "- d a 0.01 seed 2 foretaste: it broke" in text


@shared
def test_frames_of_one_sign_are_never_in_both_parts() -> None:
    train, test = load_split("gtsrb", 3, rows=None)
    assert len(train) + len(test) == 9000
    assert 1800 <= len(test) < 1900
    with np.load(shared_data() / "gtsrb" / "gtsrb.npz") as arrays:
        sign = [f"{y} {track}" for y, track in zip(arrays["y"], arrays["track"], strict=True)]
        of = {image.tobytes(): name for image, name in zip(arrays["x"], sign, strict=True)}
    assert train.images is not None
    assert test.images is not None
    here, there = ({of[image.tobytes()] for image in part.images} for part in (train, test))
    assert not here & there


class Knows:
    """A victim that takes every black image for the class after its own, which the first pixel tells."""

    def predict(self, data: Dataset) -> Any:
        assert data.images is not None
        first = data.images[:, 0, 0]
        return np.where(data.images[:, 1, 1] == 0, (first + 1) % 3, first).astype(str)


class Blackened:
    def apply(self, data: Dataset) -> Dataset:
        assert data.images is not None
        images = data.images.copy()
        images[:, 1, 1] = 0
        return from_arrays(images, data.labels.codes)


def test_success_of_all_to_all_is_counted_by_the_class_of_each_row() -> None:
    images = np.full((6, 2, 2), 9, np.uint8)
    images[:, 0, 0] = [0, 1, 2, 0, 1, 2]
    data = from_arrays(images, images[:, 0, 0].astype(int))
    after = {"0": "1", "1": "2", "2": "0"}
    assert attack_success(Knows(), data, Blackened(), after) == 1  # type: ignore[arg-type]
    assert attack_success(Knows(), data, Blackened(), "1") == pytest.approx(0.5)  # type: ignore[arg-type]
    assert attack_success(Knows(), data, Blackened(), {"2": "0"}) == 1  # type: ignore[arg-type]
