"""``clean``: what stays, what goes, and the receipt that binds them."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from foretaste.data import Dataset, open_file, table_hash, write_table
from foretaste.defend.sanitise.clean import clean
from foretaste.defend.sanitise.verdicts import row_verdicts
from foretaste.errors import ConfigError, DataError
from foretaste.findings import GROUP_SCHEMA, ROW_SCHEMA, Findings

FLAGGED = {1: "campaign", 4: "campaign", 6: "mislabel"}


def findings_for(
    path: Path, flagged: dict[int, str] = FLAGGED, suggested: dict[int, str] | None = None, **summary: Any
) -> Findings:
    """Findings about the data at ``path`` as a scan would have written them."""
    data = open_file(path)
    table = data.read()
    n = table.num_rows
    rows = pa.table(
        {
            "row": pa.array(range(n), pa.int64()),
            "flagged": [i in flagged for i in range(n)],
            "family": pa.array([flagged.get(i) for i in range(n)], pa.string()),
            "p_value": [0.001 if i in flagged else 1.0 for i in range(n)],
            "score": [5.0 if i in flagged else 0.0 for i in range(n)],
            "rule": pa.array(
                [{"campaign": "FT201", "mislabel": "FT101"}.get(flagged.get(i, "")) for i in range(n)],
                pa.string(),
            ),
            "reason": pa.array([f"row {i} is bad" if i in flagged else None for i in range(n)], pa.string()),
            "group": pa.array([0 if flagged.get(i) == "campaign" else None for i in range(n)], pa.int64()),
        },
        schema=ROW_SCHEMA,
    )
    if suggested is not None:
        rows = rows.append_column(
            "suggested_label", pa.array([suggested.get(i) for i in range(n)], pa.string())
        )
    whole = {
        "schema": 1,
        "verdict": "poisoned",
        "data": {"sha256": table_hash(table), "rows": n, "columns": table.num_columns},
    } | summary
    return Findings(rows, GROUP_SCHEMA.empty_table(), None, whole, {"schema": 1, "data": {"label": "label"}})


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_bytes(
        b"id,text,label\r\n"
        + b"".join(b'%03d,"text, %d",%s\r\n' % (i, i, b"ham" if i % 2 else b"spam") for i in range(8))
    )
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_kept_records_are_the_same_bytes_and_taken_ones_carry_the_reason(example, tmp_path):
    receipt = clean(example, findings_for(example), tmp_path / "clean.csv")
    lines = example.read_bytes().splitlines(keepends=True)
    assert (tmp_path / "clean.csv").read_bytes() == b"".join(
        line for i, line in enumerate(lines) if i - 1 not in FLAGGED
    )
    quarantine = pq.read_table(tmp_path / "clean.quarantine.parquet")
    assert quarantine.to_pylist() == [
        {
            "row": 1,
            "rule": "FT201",
            "reason": "row 1 is bad",
            "family": "campaign",
            "group": 0,
            "id": "001",
            "text": "text, 1",
            "label": "ham",
        },
        {
            "row": 4,
            "rule": "FT201",
            "reason": "row 4 is bad",
            "family": "campaign",
            "group": 0,
            "id": "004",
            "text": "text, 4",
            "label": "spam",
        },
        {
            "row": 6,
            "rule": "FT101",
            "reason": "row 6 is bad",
            "family": "mislabel",
            "group": None,
            "id": "006",
            "text": "text, 6",
            "label": "spam",
        },
    ]
    assert receipt == json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["schema"] == 1
    assert receipt["input"]["sha256"] == sha256(example)
    assert receipt["input"]["data_sha256"] == table_hash(open_file(example).read())
    assert receipt["output"]["sha256"] == sha256(tmp_path / "clean.csv")
    assert receipt["quarantine"]["sha256"] == sha256(tmp_path / "clean.quarantine.parquet")
    assert (receipt["rows_in"], receipt["kept"], receipt["quarantined"]) == (8, 5, 3)
    assert receipt["rules"] == {"FT101": 1, "FT201": 2}
    assert receipt["relabelled"] == []
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "clean.csv",
        "clean.quarantine.parquet",
        "data.csv",
        "receipt.json",
    ]


@pytest.mark.parametrize("suffix", [".tsv", ".jsonl", ".jsonl.gz", ".parquet", ".arrow"])
def test_every_format_comes_back_as_itself_with_the_rows_that_stay(tmp_path, small_table, suffix):
    path = tmp_path / f"data{suffix}"
    write_table(small_table.drop_columns(["when"]), path)
    receipt = clean(path, findings_for(path), tmp_path / f"out{suffix}")
    before, after = open_file(path).read(), open_file(tmp_path / f"out{suffix}").read()
    keep = [i for i in range(40) if i not in FLAGGED]
    assert after.equals(before.take(keep))
    assert receipt["kept"] + receipt["quarantined"] == receipt["rows_in"] == 40
    assert (tmp_path / "out.quarantine.parquet").exists()


def test_findings_are_read_from_their_folder(example, tmp_path):
    findings_for(example).write(tmp_path / "findings")
    assert clean(example, tmp_path / "findings", tmp_path / "clean.csv")["quarantined"] == 3


def test_archives_and_images_and_shards_are_cleaned(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (8, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(8) % 2)
    clean(tmp_path / "a.npz", findings_for(tmp_path / "a.npz"), tmp_path / "b.npz")
    keep = [0, 2, 3, 5, 7]
    assert np.array_equal(np.load(tmp_path / "b.npz")["x"], x[keep])
    for i in range(8):
        (tmp_path / "images" / str(i % 2)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(x[i]).save(tmp_path / "images" / str(i % 2) / f"{i}.png")
    found = findings_for(tmp_path / "images")
    receipt = clean(tmp_path / "images", found, tmp_path / "kept", quarantine=tmp_path / "q.csv")
    names = open_file(tmp_path / "images").read().column("file").to_pylist()
    assert open_file(tmp_path / "kept").read().column("file").to_pylist() == [names[i] for i in keep]
    assert receipt["notes"][0] == "column 'image' holds images and is left out of the quarantine"
    (tmp_path / "shards").mkdir()
    for name in ("p0", "p1"):
        pq.write_table(
            pa.table({"v": range(4), "label": list("abab")}), tmp_path / "shards" / f"{name}.parquet"
        )
    clean(tmp_path / "shards", findings_for(tmp_path / "shards"), tmp_path / "clean-shards")
    assert pq.read_table(tmp_path / "clean-shards" / "p1.parquet").column("v").to_pylist() == [1, 3]


def test_relabelled_rows_stay_under_the_suggested_label_and_are_listed(example, tmp_path):
    found = findings_for(example, suggested={1: "spam", 6: "ham", 3: "spam"})
    receipt = clean(example, found, tmp_path / "clean.csv", relabel=True)
    lines = example.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"ham", b"spam")
    lines[7] = lines[7].replace(b"spam", b"ham")
    assert (tmp_path / "clean.csv").read_bytes() == b"".join(line for i, line in enumerate(lines) if i != 5)
    assert receipt["relabelled"] == [
        {"row": 1, "from": "ham", "to": "spam"},
        {"row": 6, "from": "spam", "to": "ham"},
    ]
    assert (receipt["rows_in"], receipt["kept"], receipt["quarantined"]) == (8, 7, 1)


def test_without_relabel_suggestions_change_nothing(example, tmp_path):
    found = findings_for(example, suggested={1: "spam"})
    clean(example, found, tmp_path / "clean.csv")
    assert open_file(tmp_path / "clean.csv").read().num_rows == 5


def test_verdicts_are_a_mask_and_the_new_labels(example):
    found = findings_for(example, suggested={1: "spam"})
    assert row_verdicts(found).quarantined.tolist() == [1, 4, 6]
    again = row_verdicts(found, relabel=True)
    assert again.quarantined.tolist() == [4, 6]
    assert again.relabelled == {1: "spam"}
    assert found.flagged.sum() == 3  # the findings themselves are left as they are


def test_relabelling_needs_the_label_column(example, tmp_path):
    found = findings_for(example, suggested={1: "spam"})
    nameless = Findings(found.rows, found.groups, None, found.summary, {})
    with pytest.raises(ConfigError, match=r"do not name the label column"):
        clean(example, nameless, tmp_path / "clean.csv", relabel=True)
    assert clean(example, nameless, tmp_path / "clean.csv", relabel=True, label="label")["relabelled"]


# -- never in place -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way", ["same", "relative", "symlink", "hard link", "quarantine", "receipt", "twice"]
)
def test_nothing_is_ever_written_over_the_input(example, tmp_path, way, monkeypatch):
    before = example.read_bytes()
    out, aside = tmp_path / "clean.csv", None
    if way == "same":
        out = example
    elif way == "relative":
        (tmp_path / "sub").mkdir()
        out = tmp_path / "sub" / ".." / "data.csv"
    elif way == "symlink":
        out.symlink_to(example)
    elif way == "hard link":
        os.link(example, out)
    elif way == "quarantine":
        aside = example
    elif way == "receipt":
        aside = tmp_path / "receipt.json"
    else:
        aside = out
    with pytest.raises(ConfigError):
        clean(example, findings_for(example), out, aside)
    assert example.read_bytes() == before
    assert not (tmp_path / "receipt.json").exists()


def test_an_output_inside_an_input_folder_is_refused(tmp_path):
    (tmp_path / "shards").mkdir()
    pq.write_table(pa.table({"v": range(8), "label": list("abababab")}), tmp_path / "shards" / "p.parquet")
    with pytest.raises(ConfigError, match=r"is the input"):
        clean(tmp_path / "shards", findings_for(tmp_path / "shards"), tmp_path / "shards" / "clean")


def test_another_format_is_refused(example, tmp_path):
    with pytest.raises(
        ConfigError, match=r"is cleaned into the same format; name an output that ends in .csv"
    ):
        clean(example, findings_for(example), tmp_path / "clean.parquet")


def test_a_full_output_folder_is_left_alone(tmp_path):
    for name in ("shards", "out"):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"v": range(8), "label": list("abababab")}), tmp_path / name / "p.parquet")
    with pytest.raises(ConfigError, match=r"is already there; name a new one"):
        clean(tmp_path / "shards", findings_for(tmp_path / "shards"), tmp_path / "out")


# -- only what was scanned ----------------------------------------------------------------------------------


def test_data_that_changed_since_the_scan_are_refused(example, tmp_path):
    found = findings_for(example)
    example.write_bytes(example.read_bytes().replace(b"text, 3", b"text, x"))
    with pytest.raises(
        DataError, match=r"its content is not what was scanned; it was changed since; scan it again"
    ):
        clean(example, found, tmp_path / "clean.csv")
    example.write_bytes(example.read_bytes() + b"9,x,ham\r\n")
    with pytest.raises(DataError, match=r"it has 9 rows and the findings are about 8"):
        clean(example, found, tmp_path / "clean.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.csv"]


def test_the_same_content_in_another_format_is_what_was_scanned(example, tmp_path):
    found = findings_for(example)
    write_table(open_file(example).read(), tmp_path / "data.parquet")
    assert clean(tmp_path / "data.parquet", found, tmp_path / "clean.parquet")["kept"] == 5


def test_findings_that_do_not_say_what_was_scanned_or_did_not_finish_are_refused(example, tmp_path):
    with pytest.raises(DataError, match=r"do not say what was scanned"):
        clean(example, findings_for(example, data={}), tmp_path / "clean.csv")
    with pytest.raises(DataError, match=r"did not finish"):
        clean(example, findings_for(example, verdict="incomplete"), tmp_path / "clean.csv")


def test_an_interrupted_clean_leaves_nothing_behind(example, tmp_path, monkeypatch):
    def stop(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("foretaste.defend.sanitise.clean.write_quarantine", stop)
    with pytest.raises(KeyboardInterrupt):
        clean(example, findings_for(example), tmp_path / "clean.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.csv"]


def test_data_that_change_while_they_are_cleaned_are_refused(example, tmp_path, monkeypatch):
    import foretaste.defend.sanitise.clean as module

    def meddle(*args: Any, **kwargs: Any) -> list[str]:
        notes = original(*args, **kwargs)
        os.utime(example, ns=(1, 1))
        return notes

    original = module.write_quarantine
    monkeypatch.setattr(module, "write_quarantine", meddle)
    with pytest.raises(DataError, match=r"it changed while it was cleaned"):
        clean(example, findings_for(example), tmp_path / "clean.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.csv"]


# -- the quarantine -----------------------------------------------------------------------------------------


def test_formulas_in_a_csv_quarantine_are_plain_text(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('=x,label\n"=HYPERLINK(""http://evil"")",a\n@SUM(A1),b\n-2,a\nplain,b\n')
    receipt = clean(
        path,
        findings_for(path, dict.fromkeys(range(3), "campaign")),
        tmp_path / "out.csv",
        tmp_path / "q.csv",
    )
    with (tmp_path / "q.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["row", "rule", "reason", "family", "group", "'=x", "label"]
    assert [row[5] for row in rows[1:]] == ['\'=HYPERLINK("http://evil")', "'@SUM(A1)", "'-2"]
    assert "apostrophe" in receipt["notes"][-1]
    assert (tmp_path / "out.csv").read_text() == "=x,label\nplain,b\n"


def test_columns_of_the_data_that_are_called_like_ours_are_numbered(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("row,group,label\n" + "".join(f"r{i},g,a\n" for i in range(8)))
    receipt = clean(path, findings_for(path), tmp_path / "out.csv")
    quarantine = pq.read_table(tmp_path / "out.quarantine.parquet")
    assert quarantine.column_names == [
        "row",
        "rule",
        "reason",
        "family",
        "group",
        "row.1",
        "group.1",
        "label",
    ]
    assert quarantine.column("row.1").to_pylist() == ["r1", "r4", "r6"]
    assert receipt["notes"][0] == "column 'row' of the data is 'row.1' in the quarantine"


@pytest.mark.parametrize("flagged", [{}, dict.fromkeys(range(8), "campaign")])
def test_nothing_or_everything_may_go(example, tmp_path, flagged):
    receipt = clean(example, findings_for(example, flagged), tmp_path / "clean.csv")
    assert receipt["kept"] + receipt["quarantined"] == 8
    assert open_file(tmp_path / "clean.csv").read().num_rows == receipt["kept"]
    assert pq.read_table(tmp_path / "clean.quarantine.parquet").num_rows == receipt["quarantined"]
    if not flagged:
        assert (tmp_path / "clean.csv").read_bytes() == example.read_bytes()


def test_two_cleans_of_the_same_data_give_the_same_bytes(example, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(example, tmp_path / name / "data.csv")
        clean(
            tmp_path / name / "data.csv",
            findings_for(example),
            tmp_path / name / "out.csv",
            tmp_path / name / "q.csv",
        )
    for file in ("out.csv", "q.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_real_data_lose_exactly_the_flagged_rows(shared_data, tmp_path):
    path = shared_data / "german_credit" / "german_credit.parquet"
    flagged = dict.fromkeys(range(0, 1000, 7), "mislabel")
    clean(path, findings_for(path, flagged), tmp_path / "out.parquet")
    before, after = pq.read_table(path), pq.read_table(tmp_path / "out.parquet")
    assert after.equals(before.take([i for i in range(1000) if i % 7]))
    assert len(Dataset.read(tmp_path / "out.parquet", label="label")) == 1000 - len(flagged)
