"""Delta Lake tables: only the current version is read, versions are written, a forged log is found out."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from foretaste.data import open_file, write_table
from foretaste.errors import DataError, MissingExtraError
from foretaste.provenance.difference import compare
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.versions import commit
from foretaste.provenance.versions.delta import write_delta
from foretaste.provenance.versions.pointers import pointers

deltalake = pytest.importorskip("deltalake")


def table(*rows: int) -> pa.Table:
    return pa.table({"id": list(rows), "label": ["spam" if row % 2 else "ham" for row in rows]})


def test_only_the_files_of_the_current_version_are_read(tmp_path: Path) -> None:
    deltalake.write_deltalake(tmp_path / "t", table(1, 2, 3))
    deltalake.write_deltalake(tmp_path / "t", table(7, 8), mode="overwrite")
    deltalake.write_deltalake(tmp_path / "t", table(9), mode="append")
    assert sorted(open_file(tmp_path / "t").read().column("id").to_pylist()) == [7, 8, 9]
    assert len(list((tmp_path / "t").glob("*.parquet"))) == 3


def test_versions_become_versions_of_a_table_and_come_back(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    for number, rows in enumerate((table(1, 2), table(2, 3, 4))):
        write_table(rows, file)
        made = commit(ledger, "train", [file])
        assert write_delta(ledger, made, tmp_path / "t") == number
    assert not compare(file, tmp_path / "t").rows.num_rows
    said = deltalake.DeltaTable(tmp_path / "t").history(1)[0]
    assert (said["foretaste.version"], said["foretaste.roots"]) == ("train@2", made.roots[0])
    assert pointers(tmp_path / "t") == {"delta": "version:1"}
    back = commit(ledger, "from-delta", [tmp_path / "t"])
    assert back.row_count == 3
    with pytest.raises(DataError, match="no Delta table"):
        write_delta(ledger, made, ledger.folder)


def test_an_edited_log_and_a_flipped_label_are_found_out(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    for rows in (table(1, 2), table(1, 2, 3)):
        write_table(rows, file)
        write_delta(ledger, commit(ledger, "train", [file]), tmp_path / "t")
    log = tmp_path / "t" / "_delta_log" / "00000000000000000001.json"
    text = log.read_text()
    first = re.findall(r'"path":"([^"]+)"', (log.with_name(f"{0:020}.json")).read_text())[-1]
    second = next(path for path in re.findall(r'"path":"([^"]+)"', text) if path != first)
    assert second in text
    lines = [json.loads(line) for line in text.splitlines()]
    lines = [line for line in lines if "remove" not in line]  # now what was taken out is in again
    log.write_text("\n".join(map(json.dumps, lines)))
    assert compare(file, tmp_path / "t").counts()["added"] == 2


def test_a_log_that_names_files_elsewhere_is_refused(tmp_path: Path) -> None:
    deltalake.write_deltalake(tmp_path / "t", table(1, 2))
    write_table(table(5), tmp_path / "secret.parquet")
    log = tmp_path / "t" / "_delta_log" / "00000000000000000000.json"
    log.write_text(re.sub(r'"path":"[^"]+"', '"path":"../secret.parquet"', log.read_text()))
    with pytest.raises(DataError):
        open_file(tmp_path / "t")
    log.write_text("{")
    with pytest.raises(DataError, match="cannot be read as a Delta table"):
        open_file(tmp_path / "t")
    deltalake.write_deltalake(tmp_path / "p", table(1, 2), partition_by="label")
    with pytest.raises(DataError, match="with partitions"):
        open_file(tmp_path / "p")


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deltalake.write_deltalake(tmp_path / "t", table(1, 2))
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(MissingExtraError, match=r"foretaste\[delta\]"):
        open_file(tmp_path / "t")
