"""Whatever the data hold: findings or one sentence, no other error, no poisoned verdict on noise."""

from __future__ import annotations

import datetime
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foretaste._scan import scan
from foretaste.data import as_dataset, write_table
from foretaste.detect.context import Context
from foretaste.detect.duplicates.near_duplicates import NearDuplicates
from foretaste.errors import ConfigError, ForetasteError
from foretaste.findings import Findings
from foretaste.report import FORMATS, render
from foretaste.testing import small_texts

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egpj.exe",
    "nul\x00byte",
    "{{7*7}}]]><!--",
)
NAMES = ("a", "b", "", "=1+1", "<i>", "\x1b[2J", "\u202e", "label")


def column(draw: st.DrawFn, n: int) -> pa.Array:
    """A column of any type, some of its cells missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(list(MAKERS)))
    missing = draw(st.sampled_from([0.0, 0.0, 0.2, 0.9]))
    cells = [None if rng.random() < missing else MAKERS[kind][0](rng) for _ in range(n)]
    array = pa.array(cells, MAKERS[kind][1])
    return array.dictionary_encode() if draw(st.booleans()) and kind == "class" else array


def extreme(rng: np.random.Generator) -> float:
    return float(rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, -1e308, 5e-324]))


MAKERS: dict[str, tuple[Any, pa.DataType]] = {
    "null": (lambda rng: None, pa.null()),
    "number": (lambda rng: float(rng.normal()), pa.float64()),
    "extreme": (extreme, pa.float64()),
    "huge": (lambda rng: int(rng.integers(-(2**63), 2**63 - 1)), pa.int64()),
    "small": (lambda rng: int(rng.integers(0, 3)), pa.int8()),
    "flag": (lambda rng: bool(rng.random() < 0.5), pa.bool_()),
    "class": (lambda rng: str(rng.choice(["x", "y", "", *HOSTILE])), pa.string()),
    "two": (lambda rng: str(rng.choice(["x", "y"])), pa.string()),
    "long": (lambda rng: "w" * int(rng.integers(0, 20_000)), pa.large_string()),
    "text": (
        lambda rng: " ".join(rng.choice(["one", "two", "é", *HOSTILE], rng.integers(0, 12))),
        pa.string(),
    ),
    "moment": (lambda rng: int(rng.integers(-(2**40), 2**40)), pa.timestamp("us")),
    "day": (lambda rng: datetime.date(2020, 1, 1 + int(rng.integers(0, 28))), pa.date32()),
    "bytes": (lambda rng: bytes(rng.integers(0, 255, 5, dtype=np.uint8)), pa.binary()),
    "surrogate": (lambda rng: b"\xed\xa0\x80", pa.binary()),
    "list": (lambda rng: [1, 2], pa.list_(pa.int64())),
    "decimal": (lambda rng: Decimal(int(rng.integers(0, 5))), pa.decimal128(38, 2)),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[pa.Table, dict[str, Any]]:
    n = draw(st.one_of(st.integers(0, 60), st.integers(100, 140)))
    label = draw(st.sampled_from(["two", "two", "flag", "small", "class", "day", *MAKERS]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    own = pa.array(
        [None if rng.random() < 0.05 else MAKERS[label][0](rng) for _ in range(n)], MAKERS[label][1]
    )
    others = [column(draw, n) for _ in range(draw(st.integers(0, 5)))]
    names = ["target", *(draw(st.sampled_from(NAMES)) for _ in others)]
    roles: dict[str, Any] = {"label": "target"}
    free = sorted(set(names[1:]) - {""})
    for role in ("source", "time", "id"):
        if free and draw(st.integers(0, 3)) == 0:
            roles[role] = free.pop()
    return pa.Table.from_arrays([own, *others], names=names), roles


def check(found: Findings, n: int) -> None:
    """The tables are sound and every report can be rendered."""
    assert found.rows.column("row").to_pylist() == list(range(n))
    p_value = found.rows.column("p_value").to_numpy()
    assert ((p_value > 0) & (p_value <= 1)).all()
    assert found.verdict in ("clean", "noisy", "poisoned", "incomplete")
    json.dumps([found.summary, found.evidence], allow_nan=False)
    for name in FORMATS:
        render(found, name)


@settings(
    max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(tables())
def test_any_table_gives_findings_or_one_sentence(case: tuple[pa.Table, dict[str, Any]]) -> None:
    table, roles = case
    try:
        found = scan(table, jobs=1, **roles)
    except ForetasteError as error:
        said = str(error)
    else:
        check(found, table.num_rows)
        assert found.verdict != "poisoned"
        assert [skip for skip in found.summary["skipped"] if "broke" in skip["reason"]] == []
        return
    assert "\n" not in said


@pytest.mark.parametrize("trigger", HOSTILE[:4])
def test_a_hostile_trigger_is_inert_in_every_report(trigger: str, tmp_path: Path) -> None:
    table = small_texts(600).table
    rng = np.random.default_rng(0)
    texts, labels = table.column("text").to_pylist(), np.array(table.column("label").to_pylist(), object)
    planted = rng.choice(np.flatnonzero(labels == "sport"), 24, replace=False)
    for row in planted:
        words = texts[row].split(" ")
        words.insert(int(rng.integers(0, len(words))), trigger)
        texts[row], labels[row] = " ".join(words), "money"
    source = [f"{trigger}{i}" for i in rng.integers(0, 3, 600)]
    table = pa.table({"text": texts, "label": [f"{y}{trigger}" for y in labels], trigger: source})
    path = tmp_path / f"{trigger.replace('/', '_').replace(chr(0), '_')}.parquet"
    write_table(table, path)
    found = scan(path, label="label", text="text", source=trigger, jobs=1)
    check(found, 600)
    assert found.verdict == "poisoned"
    assert found.flagged[planted].mean() > 0.9
    out = found.write(tmp_path / "out", {FORMATS[name]: render(found, name) for name in FORMATS})
    for name, file in FORMATS.items():
        text = (out / file).read_bytes().decode("utf-8", "strict")
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text), name
        if name in ("html", "junit", "markdown"):  # what stands in a code span of Markdown is only text
            assert "<script>alert" not in re.sub("(`+)[^`\n]+\\1", "", text), name
        if name == "csv":
            assert not re.search(r'(^|,)"?[=@]', text, re.MULTILINE)


@pytest.mark.parametrize(
    ("n", "columns", "gap", "seed"), [(2000, 2, 1.0, 0), (5000, 3, 1.0, 0), (3000, 1, 1.0, 1)]
)
def test_a_dense_table_holds_no_copies(n: int, columns: int, gap: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, columns))
    X[:, 0] += gap * y
    assert NearDuplicates().examine(Context(as_dataset((X, y)), jobs=1)).campaigns == []


def test_few_categories_hold_no_copies() -> None:
    rng = np.random.default_rng(0)
    table = {f"c{i}": [f"v{value}" for value in rng.integers(0, 8, 2000)] for i in range(3)}
    labels = [str((value > "v3") ^ (rng.random() < 0.3)) for value in table["c0"]]
    dataset = as_dataset(pa.table(table | {"label": labels}), label="label")
    assert NearDuplicates().examine(Context(dataset, jobs=1)).campaigns == []


def test_images_of_noise_accuse_nobody() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (150, 6, 6), dtype=np.uint8)
    found = scan((images, rng.integers(0, 2, 150)), jobs=1)
    assert found.summary["flagged"] == 0
    assert any(gap["rule"] == "FT101" for gap in found.evidence["not_testable"])


def test_a_selection_that_tests_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="leave no rule"):
        scan(pa.table({"a": [1, 2], "y": ["u", "v"]}), label="y", select=("FT901",))


def test_more_sources_than_rows_each_can_be_told_apart() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    table = pa.table({"a": rng.normal(size=400), "b": rng.normal(size=400), "y": y, "s": np.arange(400) // 2})
    found = scan(table, label="y", source="s", jobs=1)
    check(found, 400)
    assert found.verdict != "poisoned"
    assert found.sources is not None
    assert found.sources.num_rows == 200


def test_many_columns_are_profiled_in_linear_time() -> None:
    names = [f"c{i}" for i in range(20_000)]
    table = pa.table([pa.array([i % 7.0, 1.5]) for i in range(20_000)], names=names)
    assert len(as_dataset(table.append_column("y", pa.array(["u", "v"])), label="y").columns) == 20_001
