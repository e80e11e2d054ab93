"""The main job, end to end, on data the tests make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import foretaste
from foretaste._scan import scan
from foretaste.attacks import find_attack
from foretaste.data import Dataset
from foretaste.detect.rows.label_audit import LabelAudit
from foretaste.errors import ConfigError, DataError
from foretaste.findings import GROUP_SCHEMA, ROW_SCHEMA, SOURCE_SCHEMA, Findings
from foretaste.report import FORMATS, render
from foretaste.testing import small_table, small_texts


@pytest.fixture(scope="module")
def poisoned() -> Any:
    """Texts with a planted word."""
    attack = find_attack("word-trigger")(rate=0.04, random_state=0, target="money")
    return attack.poison(small_texts(600))


@pytest.fixture(scope="module")
def found(poisoned: Any) -> Findings:
    return scan(poisoned.data)


def test_finds_a_planted_word_and_says_it(poisoned: Any, found: Findings) -> None:
    assert found.verdict == "poisoned"
    groups = found.groups.to_pylist()
    assert [group["rule"] for group in groups] == ["FT201"]
    assert groups[0]["target"] == "money"
    assert groups[0]["pattern"] in poisoned.trigger.describe()
    assert (found.flagged & poisoned.mask).sum() >= 0.95 * poisoned.mask.sum()
    assert (found.flagged & ~poisoned.mask).sum() <= 0.05 * found.flagged.sum()


def test_tables_keep_the_contract(poisoned: Any, found: Findings) -> None:
    n = len(poisoned.data)
    names = found.rows.column_names
    assert names == [*ROW_SCHEMA.names, "suggested_label", "source"]
    assert found.rows.column("row").to_pylist() == list(range(n))
    p_value = found.rows.column("p_value").to_numpy()
    assert ((p_value > 0) & (p_value <= 1)).all()
    family = np.array(found.rows.column("family").to_pylist(), dtype=object)
    assert set(family[found.flagged]) <= {"campaign", "mislabel"}
    assert set(family[~found.flagged]) <= {None, "review"}
    score = found.rows.column("score").to_numpy()
    assert score[found.flagged].min() > score[~found.flagged].max()
    group = found.rows.column("group")
    assert (group.to_numpy(zero_copy_only=False)[family == "campaign"] == 0).all()
    suggested = found.rows.column("suggested_label").to_pylist()
    assert {suggested[row] for row in np.flatnonzero(family == "campaign")} == {"sport"}
    assert found.groups.schema == GROUP_SCHEMA
    assert found.sources is not None
    assert found.sources.schema == SOURCE_SCHEMA
    assert sum(found.sources.column("rows").to_pylist()) == n
    summary = found.summary
    assert summary["rows"] == n
    assert summary["flagged"] == int(found.flagged.sum())
    assert summary["data"]["columns"] == poisoned.data.table.num_columns
    assert len(summary["data"]["sha256"]) == 64


def test_writes_reads_and_renders(found: Findings, tmp_path: Path) -> None:
    found.write(tmp_path / "out")
    again = Findings.read(tmp_path / "out")
    assert again.rows.equals(found.rows)
    assert again.evidence == found.evidence
    for name in FORMATS:
        assert render(again, name) == render(found, name)
    assert again.evidence["campaigns"][0]["examples"][0]["marks"]


def test_same_input_same_bytes(poisoned: Any, found: Findings, tmp_path: Path) -> None:
    second = scan(poisoned.data)
    found.write(tmp_path / "a")
    second.write(tmp_path / "b")
    for name in ("findings.parquet", "groups.parquet", "sources.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_clean_data_are_clean() -> None:
    for dataset in (small_texts(600), small_table(600)):
        found = scan(dataset)
        assert found.groups.num_rows == 0, found.groups.to_pylist()
        assert found.verdict in ("clean", "noisy")
        assert found.flagged.mean() <= 0.005


def test_wrong_labels_are_counted_but_are_no_alarm() -> None:
    poisoned = find_attack("label-flip")(rate=0.06, random_state=2).poison(small_texts(900))
    found = scan(poisoned.data)
    assert found.verdict == "noisy"
    assert found.groups.num_rows == 0
    right = found.flagged & poisoned.mask
    assert right.sum() >= 0.8 * poisoned.mask.sum()
    assert right.sum() >= 0.85 * found.flagged.sum()
    count = found.summary["mislabels"]
    assert count["low"] <= poisoned.mask.sum() <= count["high"]
    reason = found.rows.column("reason")[int(np.flatnonzero(right)[0])].as_py()
    assert "models that never saw this row say" in reason


def test_takes_files_frames_and_arrays(tmp_path: Path) -> None:
    dataset = small_table(120)
    dataset = Dataset.from_table(dataset.table.drop_columns(["when"]), label="label", source="source")
    pq.write_table(dataset.table, tmp_path / "a.parquet")
    by_path = scan(tmp_path / "a.parquet", label="label", source="source")
    by_table = scan(dataset.table, label="label", source="source")
    by_frame = scan(dataset.table.to_pandas(), label="label", source="source")
    assert by_path.rows.equals(by_table.rows)
    assert by_path.summary["data"] == by_table.summary["data"] == by_frame.summary["data"]
    X = np.random.default_rng(0).normal(size=(80, 3))
    assert len(scan((X, X[:, 0] > 0))) == 80
    assert foretaste.scan is scan


def test_says_what_is_missing() -> None:
    with pytest.raises(DataError, match=r"no label column is named; the columns are 'a'.*--label"):
        scan({"a": [1.0, 2.0], "b": ["x", "y"]})
    with pytest.raises(ConfigError, match="fdr"):
        scan(small_table(), fdr=0)
    with pytest.raises(ConfigError, match="no rule that begins with 'FT9x'"):
        scan(small_table(), select=["FT9x"])


def test_one_rule_code_needs_no_list() -> None:
    plans = [scan(small_table(), select=codes, decoys=False).evidence["plan"] for codes in ("FT4", ["FT4"])]
    assert [step["status"] for step in plans[0]] == [step["status"] for step in plans[1]]
    with pytest.raises(ConfigError, match="memory"):
        scan(small_table(), memory=1000)


@pytest.mark.parametrize(
    "table",
    [
        {"x": [1.0, 2.0], "y": ["a", "b"]},
        {"x": np.arange(50.0), "y": ["a"] * 50},
        {"x": np.arange(50.0), "y": [None] * 49 + ["a"]},
        {"x": np.full(60, np.nan), "y": ["a", "b"] * 30},
        {"x": np.where(np.arange(60) % 3, np.inf, -np.inf), "y": ["a", "b"] * 30},
        {"t": ["same text"] * 60, "y": ["a", "b"] * 30},
        {"t": ["", None] * 30, "y": ["a", "b"] * 30},
        {"t": [chr(0x202E) + "=cmd()<script>" + str(i) for i in range(60)], "y": ["a", "b"] * 30},
        {"x": np.arange(3000.0), "z": np.arange(3000.0)[::-1] % 7, "y": [f"c{i}" for i in range(3000)]},
        {"y": ["a", "b"] * 10},
    ],
    ids=["two", "one-class", "unlabelled", "nan", "inf", "same", "empty", "hostile", "3000-classes", "no-x"],
)
def test_odd_data_give_a_verdict(table: dict[str, Any]) -> None:
    found = scan(pa.table(table), label="y")
    assert found.groups.num_rows == 0
    assert len(found) == len(table["y"])
    assert found.verdict in ("clean", "noisy", "incomplete")


def test_nothing_tested_is_not_clean() -> None:
    found = scan(pa.table({"x": np.arange(20.0), "y": ["a"] * 20}), label="y")
    assert found.verdict == "incomplete"
    assert found.summary["skipped"]
    assert found.summary["mislabels"]["estimate"] is None


def test_select_and_ignore() -> None:
    found = scan(small_table(), select=["FT1"])
    ran = [step["detector"] for step in found.evidence["plan"] if step["status"] == "ran" and step["rules"]]
    assert "label audit" in ran
    assert "value triggers" not in ran
    found = scan(small_table(), ignore=["FT101", "FT102", "FT103", "FT104", "FT105"])
    assert found.summary["mislabels"]["estimate"] is None


def test_a_test_that_breaks_makes_the_scan_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: LabelAudit, context: Any) -> Any:
        raise ZeroDivisionError("a\nb" + "x" * 500)

    monkeypatch.setattr(LabelAudit, "examine", broken)
    found = scan(small_table())
    assert found.verdict == "incomplete"
    reasons = [skip["reason"] for skip in found.summary["skipped"] if skip["rule"] == "FT101"]
    assert reasons[0].startswith("this test broke: ZeroDivisionError: a b")
    assert len(reasons[0]) < 250


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    scan(small_table(120), progress=lambda *step: told.append(step))
    assert told[0][0] == "features"
    assert told[-1][0] == "report"
    assert told[-1][1] == told[-1][2] - 1
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert all(done < total for _, done, total in told)


def test_trusted_rows_are_never_flagged() -> None:
    whole = small_texts(600)
    poisoned = find_attack("label-flip")(rate=0.08, random_state=0).poison(whole.take(np.arange(400)))
    found = scan(poisoned.data, trusted=whole.take(np.arange(400, 600)).table)
    assert len(found) == 400
    assert (found.flagged & poisoned.mask).sum() >= 0.3 * poisoned.mask.sum()
    with pytest.raises(DataError, match="is not in the trusted rows"):
        scan(poisoned.data, trusted=pa.table({"label": ["sport"], "other": [1]}))


def test_a_large_file_is_judged_by_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attack = find_attack("word-trigger")(rate=0.04, random_state=0, target="money")
    poisoned = attack.poison(small_texts(1500))
    pq.write_table(poisoned.data.table, tmp_path / "a.parquet", row_group_size=100)
    monkeypatch.setattr("foretaste._scan.large.SMALLEST_SAMPLE", 600)
    monkeypatch.setattr("foretaste._scan.large.WORKING_BYTES", 10**5)
    roles = {"label": "label", "source": "source"}
    found = scan(tmp_path / "a.parquet", memory=2**30, **roles)
    assert len(found) == 1500
    assert any(
        "judged by a sample of 600 of its 1,500 rows" in gap["reason"]
        for gap in found.evidence["not_testable"]
    )
    assert (found.flagged & poisoned.mask).sum() >= 0.95 * poisoned.mask.sum()
    assert found.summary["data"]["sha256"] == scan_hash(poisoned.data)
    assert found.sources is not None
    assert sum(found.sources.column("rows").to_pylist()) == 1500
    assert all(row < 1500 for row in found.evidence["map"]["row"])


def scan_hash(dataset: Dataset) -> str:
    from foretaste.data import table_hash

    return table_hash(dataset.table)
