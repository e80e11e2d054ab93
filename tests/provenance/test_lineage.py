"""The lineage graph: what contains rows of a source, how many, what to retrain; SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.data import write_table
from foretaste.errors import DataError
from foretaste.provenance.lineage import Activity, Artefact, LineageGraph, blast
from foretaste.provenance.lineage.capture import capture, redacted, with_versions
from foretaste.provenance.lineage.carried import carried_rows, shape

TIME = "2026-11-26T17:00:00.000000Z"


def data(name: str, rows: int | None = None) -> Artefact:
    return Artefact("data", name.encode().hex().ljust(64, "0"), name, rows)


def source(name: str) -> Artefact:
    return Artefact("source", name, name)


def record(
    graph: LineageGraph, kind: str, inputs: list[Artefact], output: Artefact, *rows: int | None
) -> None:
    carried = tuple((i, 0, n) for i, n in enumerate(rows))
    graph.record(Activity(kind, TIME, tuple(inputs), (output,), carried))


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own, reached over a socket in a folder of ours."""
    pytest.importorskip("psycopg")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path(f"/tmp/foretaste-postgresql-{os.getpid()}")
    folder.mkdir()
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = "postgres"
        shutil.chown(folder, user)
    options = f"-F -k {folder} -c listen_addresses="

    def call(program: str, *words: str) -> None:
        command = [str(programs[-1] / program), "-D", str(folder / "data"), *words]
        subprocess.run(command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL, timeout=60)

    try:
        call("initdb", "-U", "foretaste", "-A", "trust", "--no-sync")
        call("pg_ctl", "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield f"postgresql://foretaste@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def graph(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageGraph]:
    url = str(tmp_path / "g.db") if request.param == "sqlite" else request.getfixturevalue("postgresql")
    with LineageGraph(url) as opened:
        for table in ("edge", "activity", "artefact", "ledger"):
            opened.execute(f"DELETE FROM {table}")  # noqa: S608
        yield opened


def test_a_bad_source_is_followed_to_the_deployment(graph: LineageGraph) -> None:
    good, bad = data("good.csv", 100), data("bad.csv", 50)
    first, second = Artefact("version", "train@1", "train", 150), Artefact("version", "train@2", "train", 100)
    old, new = Artefact("model", "1" * 64, "fraud.pkl"), Artefact("model", "2" * 64, "fraud.pkl")
    serving = Artefact("deployment", "production", "production")
    record(graph, "ingest", [source("honest")], good, 100)
    record(graph, "ingest", [source("mallory")], bad, 50)
    record(graph, "version", [good, bad], first, 100, 50)
    record(graph, "train", [first], old)
    record(graph, "deploy", [old], serving)
    found = blast(graph, "mallory")
    assert [(one.artefact.name, one.rows, one.exact) for one in found.data] == [("bad.csv", 50, True)]
    assert [(one.artefact.key, one.rows, one.exact, one.current) for one in found.versions] == [
        ("train@1", 50, True, True)
    ]
    assert [(one.rows, one.exact, one.current) for one in found.models] == [(50, False, True)]
    assert [(one.artefact.key, one.current) for one in found.deployments] == [("production", True)]
    assert found.retrain == ["fraud.pkl"]
    record(graph, "version", [good], second, 100)
    record(graph, "train", [second], new)
    record(graph, "deploy", [new], serving)
    found = blast(graph, "mallory")
    assert not any(one.current for one in (*found.versions, *found.models, *found.deployments))
    assert found.retrain == []
    assert blast(graph, "honest").retrain == ["fraud.pkl"]


def test_rows_are_exact_only_where_they_can_be_known(graph: LineageGraph) -> None:
    a, b, mixed = data("a", 60), data("b", 40), data("mixed", 100)
    record(graph, "ingest", [source("s")], a, 60)
    record(graph, "ingest", [source("t")], b, 40)
    record(graph, "run", [a, b], mixed, 60, 40)
    record(graph, "run", [mixed], data("half", 50), 50)  # which half is not known
    record(graph, "run", [mixed], data("all", 100), 100)
    record(graph, "run", [mixed], data("changed", 100))
    record(graph, "run", [mixed], data("few", 10), 10)
    rows = {one.artefact.name: (one.rows, one.exact) for one in blast(graph, "s").data}
    assert rows == {
        "a": (60, True), "mixed": (60, True), "half": (50, False), "all": (60, True), "changed": (60, False),
        "few": (10, False),
    }  # fmt: skip


def test_circles_end_and_the_same_activity_is_recorded_once(graph: LineageGraph) -> None:
    a, b = data("a", 5), data("b", 5)
    record(graph, "ingest", [source("s")], a, 5)
    record(graph, "run", [a], b, 5)
    record(graph, "run", [b], a, 5)
    assert {one.artefact.name for one in blast(graph, "s").data} == {"a", "b"}
    assert not graph.record(Activity("run", TIME, (b,), (a,), ((0, 0, 5),)))


def test_names_and_hashes_are_found_and_ambiguous_ones_refused(graph: LineageGraph) -> None:
    record(graph, "ingest", [source("s")], data("a.csv"))
    record(graph, "ingest", [source("s")], Artefact("data", "f" * 64, "a.csv"))
    with pytest.raises(DataError, match="the name of 2 things"):
        blast(graph, "a.csv")
    assert blast(graph, "ffffffff").start.key == "f" * 64
    with pytest.raises(DataError, match="nothing in the lineage is called 'x'"):
        blast(graph, "x")
    for hostile in ("'; DROP TABLE edge; --", "%", "_______%", "\u202e"):
        with pytest.raises(DataError, match="nothing"):
            blast(graph, hostile)
    record(graph, "ingest", [source("'; DROP TABLE edge; --")], data("b.csv"))
    assert [one.artefact.name for one in blast(graph, "'; DROP TABLE edge; --").data] == ["b.csv"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_what_is_reached_is_what_a_plain_search_reaches(pairs: list[tuple[int, int]]) -> None:
    with LineageGraph(":memory:") as graph:
        record(graph, "ingest", [source("s")], data("0"))
        for parent, child in pairs:
            record(graph, "run", [data(str(parent))], data(str(child)))
        reached, waiting = {0}, [0]
        while waiting:
            node = waiting.pop()
            new = {child for parent, child in pairs if parent == node} - reached
            reached |= new
            waiting += new
        assert {int(one.artefact.name) for one in blast(graph, "s").data} == reached


def test_a_database_that_is_something_else_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("hello " * 1000)
    with pytest.raises(DataError, match="cannot be used for lineage"):
        LineageGraph(tmp_path / "x.db")
    pytest.importorskip("psycopg")
    with pytest.raises(DataError, match="cannot be reached") as raised:
        LineageGraph("postgresql://u:secret@127.0.0.1:1/x")
    assert "secret" not in str(raised.value)


def table(path: Path, values: list[int], **more: list[object]) -> Path:
    write_table(pa.table({"x": values, "y": [f"v{value}" for value in values], **more}), path)
    return path


def test_rows_are_traced_over_formats_and_added_columns(tmp_path: Path) -> None:
    a, b = table(tmp_path / "a.csv", [1, 2, 3]), table(tmp_path / "b.parquet", [3, 4])
    both = table(tmp_path / "both.parquet", [2, 3, 4, 3], z=[0.5, 0.5, 0.5, 0.5])
    changed = table(tmp_path / "changed.csv", [2, 3, 99])
    shapes = [shape(a), shape(b)]
    assert carried_rows(shapes, shape(both)) == {0: 2, 1: 2}  # type: ignore[arg-type]
    assert carried_rows(shapes, shape(changed)) == {}  # type: ignore[arg-type]
    assert shape(tmp_path / "none.csv") is None


PREPARE = """
import sys, shutil
shutil.copy(sys.argv[1], sys.argv[2])
open('model.pkl', 'wb').write(b'N.')
sys.exit(int(sys.argv[3]))
"""


def test_a_command_is_run_and_what_it_read_and_wrote_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table(Path("in.csv"), [1, 2, 3])
    Path("prep.py").write_text(PREPARE)
    words = [sys.executable, "prep.py", "in.csv", "out.csv", "0"]
    done = capture(words, time=TIME, outputs=[Path("model.pkl")])
    assert [artefact.name for artefact in done.inputs] == ["prep.py", "in.csv"]
    assert {(artefact.name, artefact.kind) for artefact in done.outputs} == {
        ("out.csv", "data"),
        ("model.pkl", "model"),
    }
    assert (done.kind, done.details["exit"], done.carried[0][2]) == ("train", 0, 3)
    assert done.details["environment"]["python"].startswith("3.")
    assert capture([*words[:-1], "3"], time=TIME).details["exit"] == 3
    append = [sys.executable, "-c", "import sys; open(sys.argv[1], 'a').write('9,v9')", "out.csv"]
    assert capture(append, time=TIME).inputs == ()
    assert [one.name for one in capture(append, time=TIME, inputs=[Path("out.csv")]).inputs] == ["out.csv"]
    with pytest.raises(DataError, match="without writing this output"):
        capture(words, time=TIME, outputs=[Path("never.csv")])


def test_files_that_make_up_a_version_are_that_version(tmp_path: Path) -> None:
    a, b, script = data("a"), data("b"), data("train.py")
    version = Artefact("version", "train@1", "train", 10)
    with LineageGraph(":memory:") as graph:
        record(graph, "version", [a, b], version)
        record(graph, "version", [a, b, data("c")], Artefact("version", "train@2", "train", 12))
        done = Activity("train", TIME, (script, a, b), (Artefact("model", "m", "m"),))
        assert with_versions(done, graph.versions_of([a.key, b.key])).inputs == (script, version)


def test_secrets_in_a_command_line_are_not_kept() -> None:
    words = ["get", "--api-key", "abc", "-p", "x", "PASSWORD=y", "https://u:pw@host/a", "--token=z"]
    shown = " ".join(redacted(words))
    assert shown == "get --api-key *** -p x PASSWORD=*** https://***@host/a --token=***"
