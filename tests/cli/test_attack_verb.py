"""``foretaste attack``: the files, the truth, the options, doing it again, stamping test data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foretaste.attacks import attack_names
from foretaste.attacks.base import KNOWLEDGE
from foretaste.data import open_file, write_table


@pytest.fixture
def texts(tmp_path: Path, small_table: pa.Table) -> Path:
    path = tmp_path / "texts.csv"
    write_table(small_table.select(["text", "amount", "source", "label"]), path)
    return path


def test_all_attacks_are_listed_name_first(run: Any) -> None:
    lines = [line.split() for line in run("attack", "--list").stdout.splitlines()]
    assert sorted(line[0] for line in lines) == attack_names()
    groups = [(goal, access) for _, goal, access, *_ in lines]
    assert groups == sorted(groups)
    assert {line[3] for line in lines} <= set(KNOWLEDGE)


@pytest.mark.parametrize("name", attack_names())
def test_an_attack_without_data_says_what_it_takes(run: Any, name: str) -> None:
    result = run("attack", name)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{name}: ")


@pytest.mark.parametrize("suffix", [".csv", ".tsv.gz", ".jsonl", ".parquet", ".arrow"])
def test_poisoned_data_truth_and_recipe_in_the_format_of_the_input(
    run: Any, tmp_path: Path, small_table: pa.Table, suffix: str
) -> None:
    data = tmp_path / f"data{suffix}"
    write_table(small_table.select(["amount", "colour", "label"]), data)
    result = run("attack", "label-flip", data, "--label", "label", "--rate", 0.1, "--seed", 1, "--out", "o")
    assert result.exit_code == 0, result.output
    after = open_file(f"o/poisoned{suffix}").read()
    truth = pq.read_table("o/truth.parquet").to_pydict()
    changed = [
        a != b for a, b in zip(after["label"].to_pylist(), small_table["label"].to_pylist(), strict=True)
    ]
    assert truth["poisoned"] == changed
    assert sum(changed) == 4
    assert truth["row"] == truth["original_row"] == list(range(40))
    assert truth["original_label"] == small_table["label"].to_pylist()
    assert json.loads(Path("o/recipe.json").read_text())["parameters"]["rate"] == 0.1


def test_options_of_an_attack(run: Any, texts: Path) -> None:
    result = run(
        "attack", "word-trigger", texts, "--label", "label", "--target", "ham", "--rate", 0.1,
        "--words", "cf", "--words=mn", "--position", "end", "--cover-rate", "0.05", "--out", "o",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    recipe = json.loads(Path("o/recipe.json").read_text())
    assert recipe["parameters"]["words"] == ["cf", "mn"]
    assert recipe["parameters"]["cover_rate"] == 0.05
    stamped = [
        text for text in open_file("o/poisoned.csv").read()["text"].to_pylist() if text.endswith("cf mn")
    ]
    assert len(stamped) == 4


def test_a_condition_selects_every_row_unless_a_rate_is_given(run: Any, texts: Path) -> None:
    run(
        "attack",
        "label-flip",
        texts,
        "--label",
        "label",
        "--where",
        "source=a",
        "--target",
        "ham",
        "--out",
        "o",
    )
    truth, after = (
        pq.read_table("o/truth.parquet").to_pydict(),
        open_file("o/poisoned.csv").read().to_pydict(),
    )
    hit = [
        s == "a" and label == "spam"
        for s, label in zip(after["source"], truth["original_label"], strict=True)
    ]
    assert truth["poisoned"] == hit


def test_a_source_for_injected_rows_is_no_column(run: Any, texts: Path) -> None:
    words = [
        "--label",
        "label",
        "--source",
        "source",
        "--as-source",
        "evil",
        "--rate",
        0.1,
        "--target",
        "ham",
    ]
    result = run("attack", "near-duplicates", texts, *words, "--out", "o")
    assert result.exit_code == 0, result.output
    assert open_file("o/poisoned.csv").read()["source"].to_pylist().count("evil") == 4


def test_a_recipe_does_the_same_again(run: Any, texts: Path) -> None:
    run("attack", "word-trigger", texts, "--label", "label", "--rate", 0.2, "--seed", 4, "--out", "a")
    result = run(
        "attack", "word-trigger", texts, "--label", "label", "--recipe", "a/recipe.json", "--out", "b"
    )
    assert result.exit_code == 0, result.output
    assert Path("a/poisoned.csv").read_bytes() == Path("b/poisoned.csv").read_bytes()
    assert run(
        "attack", "label-flip", texts, "--label", "label", "--recipe", "a/recipe.json", "--out", "c"
    ).exit_code == 2  # fmt: skip


def test_the_trigger_alone_is_stamped_on_every_row(run: Any, texts: Path) -> None:
    run("attack", "word-trigger", texts, "--label", "label", "--rate", 0.2, "--position", "end", "--out", "a")
    word = json.loads(Path("a/recipe.json").read_text())["trigger"]["pieces"][0]
    result = run(
        "attack",
        "word-trigger",
        texts,
        "--label",
        "label",
        "--recipe",
        "a/recipe.json",
        "--trigger-only",
        "--out",
        "t",
    )
    assert result.exit_code == 0, result.output
    after, before = open_file("t/poisoned.csv").read(), open_file(texts).read()
    assert all(text.endswith(word) for text in after["text"].to_pylist())
    assert after["label"].equals(before["label"])
    assert all(pq.read_table("t/truth.parquet")["poisoned"].to_pylist())


TO = ["texts.csv", "--label", "label", "--out", "o"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no attack is named first"),
        (["label-flop", *TO], "there is no attack 'label-flop'; did you mean 'label-flip'?"),
        (["label-flip", *TO[:3]], "no place for the results is named; add --out DIR"),
        (
            ["label-flip", *TO, "--stratgy", "x"],
            "label-flip has no option '--stratgy'; did you mean --strategy?",
        ),
        (["label-flip", *TO, "--strategy"], "--strategy needs a value"),
        (["label-flip", *TO, "--where", "x"], "--where is 'x'; write --where NAME=VALUE"),
        (["label-flip", *TO, "more.csv"], "'more.csv' is one argument too many"),
        (["label-flip", *TO[:4], "."], "--out '.' holds other files"),
        (["label-flip", *TO, "--source", "sauce"], "texts.csv: there is no column 'sauce'"),
        (["label-flip", *TO, "--rate", "2"], "label-flip: rate is 2.0"),
        (["label-flip", *TO, "--trigger-only"], "label-flip has no trigger"),
    ],
)
def test_what_is_wrong_is_one_line(run: Any, texts: Path, words: list[str], said: str) -> None:
    result = run("attack", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"foretaste: {said}")
    assert result.stderr.count("\n") == 1
    assert not Path("o").exists()


def test_a_regression_target_is_read_as_a_quantity(run: Any, tmp_path: Path) -> None:
    numbers = pa.table({"a": [i * 0.5 for i in range(60)], "price": [i * 1.25 for i in range(60)]})
    write_table(numbers, tmp_path / "prices.csv")
    result = run(
        "attack", "regression-poisoning", tmp_path / "prices.csv", "--label", "price", "--rate", 0.1,
        "--method", "statp", "--out", "o",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert pq.read_table("o/truth.parquet")["poisoned"].to_pylist().count(True) == 7
    refused = run(
        "attack",
        "regression-poisoning",
        tmp_path / "prices.csv",
        "--label",
        "price",
        "--target",
        3,
        "--out",
        "p",
    )
    assert refused.exit_code == 2
    assert "has no target class" in refused.output + refused.stderr


@pytest.mark.parametrize("name", ["targeted-instance", "targeted-flip", "feature-collision"])
def test_the_instance_is_a_row(run: Any, tmp_path: Path, name: str) -> None:
    data, labels = tmp_path / "data.csv", ["ham", "spam"] * 20
    write_table(pa.table({"amount": [i % 7 + 0.5 for i in range(40)], "label": labels}), data)
    words = (name, data, "--label", "label", "--target", "ham", "--rate", 0.1, "--instance")
    result = run("attack", *words, 3, "--out", "o")
    assert result.exit_code == 0, result.output
    assert json.loads(Path("o/recipe.json").read_text())["notes"]["instance_row"] == 3
    for wrong, message in ((4, "row 4 is of the target class already"), (99, "row")):
        result = run("attack", *words, wrong, "--out", "p")
        assert result.exit_code == 2
        assert message in result.stderr


def test_an_instance_that_is_neither_row_nor_cells_is_refused(run: Any, data: Path) -> None:
    for words in (["five"], ["amount=1", "--instance", 3], [3, "--instance", "amount=1"]):
        result = run("attack", "targeted-instance", data, "--instance", *words, "--out", "o")
        assert result.exit_code == 2
        assert "write --instance ROW or NAME=VALUE" in result.stderr
