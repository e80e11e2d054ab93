"""One file that grows: what a manifest and a difference cost when 1 % of the rows are new.

    python -m benchmarks.provenance.growing [--rows 1000000] [--formats csv jsonl arrow] [--folder DIR]

CPU seconds, because the machine may be busy. Rows have an identifier, eight measures and a label. Memory is
the most the whole process had so far, with the table that is written.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from benchmarks.provenance.__main__ import best, told

from foretaste.provenance.blobs import blob_hash
from foretaste.provenance.difference import compare
from foretaste.provenance.manifest import Manifest, build_manifest
from foretaste.provenance.row_proving import prove_row_of

Write = Callable[[pa.Table, Path], None]


def main() -> None:
    """Measure every format, appended to and inserted into."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", choices=list(_FORMATS), default=["parquet", "csv"])
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    for name, write in ((name, _FORMATS[name]) for name in chosen.formats):
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            grow(Path(folder), name, write, chosen.rows)


def grow(folder: Path, name: str, write: Write, rows: int) -> None:
    """One format."""
    more = rows // 100
    table = _table(rows + more)
    old, new = (folder / f"{version}.{name}" for version in ("old", "new"))
    write(table[:rows], old)
    size = old.stat().st_size / 1e6
    print(f"{name}: {rows:,} rows, {size:,.0f} MB")
    first: list[Manifest] = []
    told("  memory before, the table in it", _memory(), "MB")
    told("  manifest, all rows read, CPU", _once(lambda: first.append(build_manifest(old).manifest)), "s")
    told("  memory after", _memory(), "MB")
    told("  the bytes of the file hashed once, CPU", best(lambda: blob_hash(old), cpu=True), "s")
    again = best(lambda: build_manifest(old, previous=first[0]), cpu=True, repeats=1)
    told("  manifest again, nothing changed, CPU", again, "s")
    inserted = pa.concat_tables([table[: rows // 2], table[rows:], table[rows // 2 : rows]])
    for how, grown in (("appended", table), ("put into the middle", inserted)):
        write(grown, new)
        read, second = [], []

        def rebuild(new: Path = new, read: list[int] = read, second: list[Manifest] = second) -> None:
            built = build_manifest(new, previous=first[0])
            read.append(built.rows_read)
            second.append(built.manifest)

        told(f"  manifest, 1 % {how}, CPU", _once(rebuild), f"s, {read[0]:,} rows read")
        before, after = ({piece.root for piece in m.shards[0].pieces or ()} for m in (first[0], second[0]))
        print(f"    {len(after - before)} of {len(after):,} pieces are new")
        trees = (first[0], second[0])
        told("  diff with both manifests, CPU", _once(lambda m=trees: compare(old, new, manifests=m)), "s")
    told("  diff without, CPU", _once(lambda: compare(old, new)), "s")
    told("  memory after all differences", _memory(), "MB")
    told("  prove a row, with the manifest, CPU", _once(lambda: prove_row_of(old, first[0], rows // 3)), "s")
    print(f"    proof of {len(prove_row_of(old, first[0], rows // 3).encode()):,} bytes, manifest of "
          f"{len(first[0].encode()):,}")  # fmt: skip


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _once(work: Callable[[], object]) -> float:
    return best(work, cpu=True, repeats=1)


def _table(rows: int) -> pa.Table:
    draw = np.random.default_rng(0)
    columns = {f"x{i}": draw.normal(size=rows).round(4) for i in range(8)}
    return pa.table({"id": np.arange(rows), **columns, "label": draw.integers(0, 2, rows)})


def _parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, row_group_size=2**17)


def _csv(table: pa.Table, path: Path) -> None:
    arrow_csv.write_csv(table, path)


def _jsonl(table: pa.Table, path: Path) -> None:
    with path.open("w") as stream:
        for batch in table.to_batches(max_chunksize=10_000):
            stream.writelines(json.dumps(row) + "\n" for row in batch.to_pylist())


def _arrow(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table.combine_chunks(), max_chunksize=2**16)


_FORMATS: dict[str, Write] = {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl, "arrow": _arrow}


if __name__ == "__main__":
    main()
