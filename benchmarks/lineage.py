"""How long `blast` takes on a graph of a million edges.

    python -m benchmarks.lineage [--url postgresql://...]

1,000 sources, 100,000 batches of 100 rows, 500 versions of 1,800 batches each, 1,000 models and deployments.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from foretaste.provenance.lineage import LineageGraph, blast

SOURCES, BATCHES, VERSIONS, IN_VERSION, MODELS = 1000, 100_000, 500, 1800, 1000


def artefacts() -> Iterator[tuple[Any, ...]]:
    """Rows of the table of artefacts."""
    yield from (("source", f"source-{i}", f"source-{i}", None) for i in range(SOURCES))
    yield from (("data", f"{i:064x}", f"batch-{i}.csv", 100) for i in range(BATCHES))
    yield from (("version", f"train@{i}", "train", 100 * IN_VERSION) for i in range(VERSIONS))
    yield from (("model", f"m{i:063x}", f"model-{i}", None) for i in range(MODELS))
    yield from (("deployment", f"site-{i}", f"site-{i}", None) for i in range(MODELS))


def edges(number: dict[tuple[str, str], int]) -> Iterator[tuple[Any, ...]]:
    """Rows of the table of edges."""
    draw = random.Random(0)
    for i in range(BATCHES):
        yield number["source", f"source-{i % SOURCES}"], number["data", f"{i:064x}"], i, 100
    for i in range(VERSIONS):
        for batch in draw.sample(range(BATCHES), IN_VERSION):
            yield number["data", f"{batch:064x}"], number["version", f"train@{i}"], BATCHES + i, 100
    for i in range(MODELS):
        model = number["model", f"m{i:063x}"]
        yield number["version", f"train@{i % VERSIONS}"], model, 2 * BATCHES + i, None
        yield model, number["deployment", f"site-{i}"], 3 * BATCHES + i, None


def fill(graph: LineageGraph, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> int:
    """Insert many rows at once; gives their number."""
    listed, names = list(rows), ", ".join(columns)
    marks = ", ".join("?" if graph.dialect == "sqlite" else "%s" for _ in columns)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
    with graph.transaction():
        graph._connection.cursor().executemany(statement, listed)
    return len(listed)


def main() -> None:
    """Build the graph, ask about ten sources, print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default=":memory:")
    with LineageGraph(parser.parse_args().url) as graph:
        fill(graph, "artefact", ("kind", "key", "name", "rows"), artefacts())
        number = {(kind, key): i for i, kind, key in graph.query("SELECT id, kind, key FROM artefact")}
        count = fill(graph, "edge", ("parent", "child", "activity", "rows"), edges(number))
        graph.execute("ANALYZE")
        times = []
        for i in range(10):
            started = time.perf_counter()
            found = blast(graph, f"source-{i}")
            times.append(time.perf_counter() - started)
        print(f"{graph.dialect}: {count:,} edges; the last source reaches {len(found.data)} batches, "
              f"{len(found.versions)} versions, {len(found.models)} models")  # fmt: skip
        print(f"blast: best {min(times):.3f} s, median {sorted(times)[5]:.3f} s, worst {max(times):.3f} s")


if __name__ == "__main__":
    main()
