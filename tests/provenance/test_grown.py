"""A file that grew: the same tree as from scratch, and only the rows around the change are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.data import Limits, open_file, row_hashes
from foretaste.data.formats.csv import DelimitedData
from foretaste.data.formats.jsonl import JsonLinesData
from foretaste.data.formats.jsonl_quick import QuickParser
from foretaste.errors import DataError
from foretaste.provenance import comparable
from foretaste.provenance import manifest as module
from foretaste.provenance.difference import compare
from foretaste.provenance.manifest import Built, Manifest, build_manifest
from foretaste.provenance.pieces import LEAST, MOST, cut

ROWS = 12_000


def table(ids: np.ndarray) -> pa.Table:
    return pa.table({"id": ids, "text": [f"row {i * 7919 % 1009}" for i in ids.tolist()]})


def parquet(path: Path, data: pa.Table) -> None:
    pq.write_table(data, path, row_group_size=2000)


def csv(path: Path, data: pa.Table) -> None:
    rows = zip(*(data.column(name).to_pylist() for name in data.column_names), strict=True)
    lines = [",".join(data.column_names), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def jsonl(path: Path, data: pa.Table) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in data.to_pylist()))


def arrow(path: Path, data: pa.Table) -> None:
    with pa.ipc.new_file(str(path), data.schema) as writer:
        writer.write_table(data, max_chunksize=2000)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text files are read in blocks of 16 MiB; here of 32 KiB."""
    readers = {"csv": DelimitedData, "jsonl": JsonLinesData}

    def small(path: Path) -> object:
        opened = open_file(path)
        reader = readers.get(opened.format)
        return reader(path, Limits(block_bytes=2**15)) if reader else opened

    monkeypatch.setattr(module, "open_file", small)
    monkeypatch.setattr(comparable, "open_file", small)


def again(path: Path, write: Callable[[Path, pa.Table], None], ids: np.ndarray, before: Manifest) -> Built:
    """The manifest of a file that now has these rows; the same as if nothing had been known."""
    write(path, table(ids))
    built = build_manifest(path, previous=Manifest.parse(before.encode()))
    assert built.manifest == build_manifest(path).manifest
    return built


@pytest.mark.parametrize(
    ("name", "write"), [("x.parquet", parquet), ("x.csv", csv), ("x.jsonl", jsonl), ("x.arrow", arrow)]
)
def test_only_the_end_of_a_file_that_grew_is_read(
    tmp_path: Path, name: str, write: Callable[[Path, pa.Table], None]
) -> None:
    ids = np.arange(ROWS)
    write(tmp_path / name, table(ids))
    before = build_manifest(tmp_path / name).manifest
    assert again(tmp_path / name, write, ids, before).rows_read == 0
    more = again(tmp_path / name, write, np.arange(ROWS + 120), before)
    pieces, pieces_before = more.manifest.shards[0].pieces, before.shards[0].pieces
    assert pieces is not None
    assert pieces_before is not None
    assert pieces[: len(pieces_before) - 1] == pieces_before[:-1]
    assert more.rows_read <= ROWS + 120 - sum(piece.rows for piece in pieces_before[:-1])
    assert again(tmp_path / name, write, np.arange(9000), before).manifest.rows == 9000


def test_row_groups_after_a_change_are_not_read_again(tmp_path: Path) -> None:
    path, ids = tmp_path / "x.parquet", np.arange(40_000)
    parquet(path, table(ids))
    before = build_manifest(path).manifest
    ids[4321] = 99_999  # one changed row in the third row group of twenty
    built = again(path, parquet, ids, before)
    ends = np.cumsum([piece.rows for piece in before.shards[0].pieces or ()])
    assert built.rows_read == ends[ends >= 6000].min() - ends[ends <= 4000].max(initial=0) < len(ids)


def test_a_value_that_changes_the_type_of_a_column_changes_every_row(tmp_path: Path) -> None:
    csv(tmp_path / "x.csv", table(np.arange(ROWS)))
    before = build_manifest(tmp_path / "x.csv").manifest
    with (tmp_path / "x.csv").open("a") as file:
        file.write("none of it,a number\n")  # now all identifiers are text
    built = build_manifest(tmp_path / "x.csv", previous=before)
    assert built.rows_read == ROWS + 1
    assert built.manifest == build_manifest(tmp_path / "x.csv").manifest
    with (tmp_path / "x.csv").open("ab") as file:
        file.write(b"1,caf\xe9\n")  # and now all of it is Latin-1
    latin = build_manifest(tmp_path / "x.csv", previous=built.manifest)
    assert latin.manifest == build_manifest(tmp_path / "x.csv").manifest
    assert latin.rows_read == ROWS + 2


@pytest.mark.parametrize(
    "line", ['{"id": "none of it", "text": "a number"}', '{"id": 1.5, "text": ["a"]}', '{"more": null}', "{}"]
)
def test_a_line_that_changes_columns_or_types_gives_the_tree_from_scratch(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    jsonl(path, table(np.arange(4000)))
    plain = path.read_text().splitlines()
    for at in (4000, 2000, 0):
        jsonl(path, table(np.arange(4000)))
        before = build_manifest(path).manifest
        path.write_text("\n".join([*plain[:at], line, *plain[at:]]))
        built = build_manifest(path, previous=before).manifest
        assert built == build_manifest(path).manifest
        jsonl(path, table(np.arange(4000)))  # and taken away again
        assert build_manifest(path, previous=built).manifest == before


def test_a_line_is_appended_to_json_lines_without_parsing_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.jsonl"
    jsonl(path, table(np.arange(ROWS)))
    before = build_manifest(path).manifest
    with path.open("a") as file:
        file.write('{"id": 12000, "text": "one more"}\n')
    parsed: list[int] = []
    parse = QuickParser.parse
    monkeypatch.setattr(QuickParser, "parse", lambda self, block, *rest: (
        parsed.append(len(block)), parse(self, block, *rest))[1])  # fmt: skip
    build_manifest(path, previous=before)
    assert 0 < sum(parsed) < path.stat().st_size / 2


def test_json_lines_are_compared_without_parsing_what_both_versions_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    ids = np.arange(ROWS)
    jsonl(old, table(ids))
    ids[100] = 99_999
    jsonl(new, table(ids))
    manifests = (build_manifest(old).manifest, build_manifest(new).manifest)
    parsed: list[int] = []
    parse = QuickParser.parse
    monkeypatch.setattr(QuickParser, "parse", lambda self, block, *rest: (
        parsed.append(len(block)), parse(self, block, *rest))[1])  # fmt: skip
    found = compare(old, new, id="id", manifests=manifests)
    some = sum(parsed)
    assert 0 < some < old.stat().st_size / 2
    full = compare(old, new, id="id")
    assert found.counts() == full.counts() == {"added": 1, "removed": 1, "label": 0, "features": 0}
    assert (found.unchanged, found.rows) == (full.unchanged, full.rows)
    assert sum(parsed) - some > 4 * old.stat().st_size


def test_batches_with_dictionaries_and_streams_are_read_as_a_whole(tmp_path: Path) -> None:
    coded = table(np.arange(500))
    coded = coded.set_column(1, "text", coded.column("text").dictionary_encode())
    arrow(tmp_path / "coded.arrow", coded)
    with pa.ipc.new_stream(str(tmp_path / "stream.arrow"), coded.schema) as writer:
        writer.write_table(coded)
    for name in ("coded.arrow", "stream.arrow"):
        (shard,) = build_manifest(tmp_path / name).manifest.shards
        assert (shard.rows, shard.extents) == (500, ())


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_damaged_arrow_file_is_refused_or_hashed_as_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "x.arrow"
    arrow(path, table(np.arange(3000)))
    before, sound = build_manifest(path).manifest, path.read_bytes()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.one_of(st.integers(1, 700), st.integers(0, len(sound) - 1)))
        damaged = bytearray(sound)
        damaged[-at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(damaged)
        outcomes = []
        for previous in (before, None):
            try:
                outcomes.append(build_manifest(path, previous=previous).manifest.root)
            except DataError:
                outcomes.append("refused")
        assert outcomes[0] == outcomes[1]


def test_a_flipped_byte_in_a_row_group_is_never_taken_for_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(
        table(np.arange(ROWS)), path, row_group_size=2000, compression="none", use_dictionary=False
    )
    before = build_manifest(path).manifest
    data = bytearray(path.read_bytes())
    at = data.index(b"row 1008")
    data[at : at + 8] = b"row 1009"
    path.write_bytes(data)
    built = build_manifest(path, previous=before)
    assert built.manifest.root != before.root
    assert built.manifest == build_manifest(path).manifest


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_was_edited_the_tree_is_that_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("edited") / "x.parquet"
    ids = np.arange(data.draw(st.integers(0, 6000)))
    parquet(path, table(ids))
    before = build_manifest(path).manifest
    for _ in range(data.draw(st.integers(1, 3))):
        at, out = data.draw(st.integers(0, len(ids))), data.draw(st.integers(0, 3000))
        new = np.arange(10**6, 10**6 + data.draw(st.sampled_from([0, 1, 300, 2000])))
        ids = np.concatenate([ids[:at], new, ids[at + out :]])
    again(path, parquet, ids, before)


@given(st.lists(st.integers(0, 900), max_size=8), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_cuts_do_not_depend_on_how_rows_come(sizes: list[int], seed: int) -> None:
    hashes = np.random.default_rng(seed).integers(0, 256, (sum(sizes), 32)).astype(np.uint8)
    hashes[:, 0] //= 64  # a hundred times more marks
    whole = list(cut([hashes]))
    parts = list(cut(np.split(hashes, np.cumsum(sizes)[:-1]) if sizes else []))
    assert [piece.tobytes() for piece in whole] == [piece.tobytes() for piece in parts]
    assert b"".join(piece.tobytes() for piece in whole) == hashes.tobytes()
    assert all(LEAST <= len(piece) <= MOST for piece in whole[:-1])
    marked = (hashes[:, 0] == 0) & (hashes[:, 1] < 16)
    ends = np.cumsum([len(piece) for piece in whole[:-1]], dtype=int)
    assert marked[ends - 1].all()


def test_rows_without_any_mark_are_cut_at_the_most() -> None:
    hashes = np.ones((2 * MOST + 5, 32), np.uint8)
    assert [len(piece) for piece in cut([hashes])] == [MOST, MOST, 5]


def test_pieces_are_of_some_thousand_rows() -> None:
    found = [len(piece) for piece in cut([row_hashes(pa.table({"x": np.arange(200_000)}))])]
    assert 2000 < np.mean(found) < 8000
