"""What changed between two versions, against a slow difference of multisets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.data import write_table
from foretaste.errors import DataError
from foretaste.provenance.difference import compare
from foretaste.provenance.manifest import build_manifest

Row = tuple[int, str, str]
ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from("xy")), max_size=12)


def write(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [row[i] for row in rows] for i, name in enumerate(("value", "source", "label"))}
    types = {"value": pa.int64(), "source": pa.string(), "label": pa.string()}
    write_table(pa.table({name: pa.array(columns[name], kind) for name, kind in types.items()}), path)
    return path


@given(ROWS, ROWS)
def test_the_difference_is_that_of_multisets_with_relabelled_rows_paired(
    tmp_path_factory: pytest.TempPathFactory, old: list[Row], new: list[Row]
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    one, other = write(folder / "old.parquet", old), write(folder / "new.parquet", new)
    found = compare(one, other, label="label", source="source")
    gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
    without_label = [
        Counter((value, source) for value, source, _ in side.elements()) for side in (gone, come)
    ]
    relabelled = without_label[0] & without_label[1]
    assert found.unchanged == (Counter(old) & Counter(new)).total()
    assert found.counts() == {
        "added": come.total() - relabelled.total(),
        "removed": gone.total() - relabelled.total(),
        "label": relabelled.total(),
        "features": 0,
    }
    for row in found.rows.to_pylist():
        before = None if row["old_row"] is None else old[row["old_row"]]
        after = None if row["new_row"] is None else new[row["new_row"]]
        assert (row["old_label"], row["new_label"]) == (before and before[2], after and after[2])
        assert row["source"] == (after or before or ("", "", ""))[1]
        if row["change"] == "label":
            assert before is not None
            assert after is not None
            assert before[:2] == after[:2]
            assert before[2] != after[2]


def test_with_an_identifier_changed_values_are_told_from_added_and_removed_rows(tmp_path: Path) -> None:
    old = {"id": [1, 2, 3, 4], "value": [1, 2, 3, 4], "label": ["a", "a", "b", "b"]}
    new = {"id": [1, 2, 3, 5], "value": [1, 9, 3, 4], "label": ["b", "a", "b", "b"]}
    write_table(pa.table(old), tmp_path / "old.csv")
    write_table(pa.table(new), tmp_path / "new.jsonl")
    found = compare(tmp_path / "old.csv", tmp_path / "new.jsonl", label="label", id="id")
    changes = {(row["change"], row["old_row"], row["new_row"], row["id"]) for row in found.rows.to_pylist()}
    assert changes == {
        ("label", 0, 0, "1"),
        ("features", 1, 1, "2"),
        ("added", None, 3, "5"),
        ("removed", 3, None, "4"),
    }
    assert found.relabelled() == {("a", "b"): 1}
    assert found.notes == ()
    assert (
        "without an identifier"
        in compare(tmp_path / "old.csv", tmp_path / "new.jsonl", label="label").notes[0]
    )


def test_order_and_format_and_column_order_are_no_change(tmp_path: Path) -> None:
    rows = [(1, "a", "x"), (1, "a", "x"), (2, "b", "y")]
    one, other = write(tmp_path / "one.csv", rows), write(tmp_path / "other.parquet", rows[::-1])
    found = compare(one, other, label="label")
    assert (found.unchanged, found.rows.num_rows) == (3, 0)
    assert compare(one, write(tmp_path / "less.csv", rows[1:]), label="label").counts()["removed"] == 1


def test_rows_are_counted_across_shards_of_which_some_are_the_same_file(tmp_path: Path) -> None:
    for version, last in (("old", "y"), ("new", "x")):
        write(tmp_path / version / "0.parquet", [(0, "a", "x"), (1, "a", "x")])
        write(tmp_path / version / "1.parquet", [(2, "a", last), (3, "a", "x")])
    found = compare(tmp_path / "old", tmp_path / "new", label="label", source="source")
    assert (found.unchanged, found.counts()["label"], found.counts()["added"]) == (3, 1, 0)
    assert found.rows.to_pylist()[0]["new_row"] == 2
    assert found.by_source() == {"a": {"added": 0, "removed": 0, "label": 1, "features": 0}}
    assert found.notes[0].endswith("not read: 2")


def test_an_image_in_another_class_folder_is_a_changed_label(tmp_path: Path) -> None:
    for version in ("old", "new"):
        for name, content in (("cat/1.png", "1"), ("dog/2.png", "2"), ("dog/3.png", "3")):
            (tmp_path / version / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / version / name).write_text(content)
    (tmp_path / "new" / "dog" / "2.png").rename(tmp_path / "new" / "cat" / "2.png")
    (tmp_path / "new" / "dog" / "3.png").write_text("stamped")
    (tmp_path / "new" / "dog" / "4.png").write_text("4")
    found = compare(tmp_path / "old", tmp_path / "new")
    assert found.counts() == {"added": 1, "removed": 0, "label": 1, "features": 1}
    assert found.relabelled() == {("dog", "cat"): 1}


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", [(1, "a", "x")])
    write_table(pa.table({"other": [1], "label": ["x"]}), tmp_path / "two.csv")
    with pytest.raises(DataError, match=r"two\.csv: its columns differ .*'other'"):
        compare(one, tmp_path / "two.csv")
    with pytest.raises(DataError, match="did you mean 'label'"):
        compare(one, one, label="labl")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="name two folders"):
        compare(one, tmp_path / "folder")


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_with_manifests_only_pieces_that_differ_are_read(tmp_path: Path, suffix: str) -> None:
    ids = np.arange(30_000)
    old, new = (tmp_path / f"{name}.{suffix}" for name in ("old", "new"))
    labels = np.where(ids % 3 == 0, "spam", "ham")
    write_table(pa.table({"id": ids, "label": labels}), old)
    changed = labels.copy()
    changed[[100, 15_000]] = "eggs"
    rows = np.concatenate([ids[:20_000], np.arange(90_000, 90_007), ids[20_000:-5]])
    at = np.concatenate([changed[:20_000], ["ham"] * 7, changed[20_000:-5]])
    write_table(pa.table({"id": rows, "label": at}), new)
    trees = [build_manifest(path).manifest for path in (old, new)]
    plain, quick = (compare(old, new, label="label", id="id", manifests=m) for m in ((None, None), trees))
    assert quick.counts() == plain.counts() == {"added": 7, "removed": 5, "label": 2, "features": 0}
    assert quick.unchanged == plain.unchanged == 30_000 - 7
    assert quick.rows.sort_by("old_row").equals(plain.rows.sort_by("old_row"))
    assert int(quick.notes[0].rpartition(" ")[2].replace(",", "")) > 5_000
    write_table(pa.table({"id": rows[::-1], "label": at}), new)  # no longer what the manifest is about
    assert (
        compare(old, new, label="label", manifests=trees).counts()
        == compare(old, new, label="label").counts()
    )
