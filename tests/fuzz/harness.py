"""What must hold for any bytes that claim to be a data file, and how to look for bytes for which it does not.

One script per format runs `main`; ``make fuzz`` or by hand::

    pip install atheris
    python tests/fuzz/fuzz_csv.py -max_total_time=60

`test_fuzz.py` replays the seeds, everything that was ever found and a few mutations without atheris.
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from foretaste.data import Dataset, Limits, encode, open_file, table_hash
from foretaste.errors import DataError

LIMITS = Limits(
    columns=200,
    record_bytes=4096,
    table_bytes=2**24,
    expansion_floor=2**16,
    image_pixels=100_000,
    block_bytes=48,
)
SUFFIXES = {
    "csv": ".csv",
    "tsv": ".tsv",
    "jsonl": ".jsonl",
    "gzip": ".csv.gz",
    "parquet": ".parquet",
    "arrow": ".arrow",
    "npz": ".npz",
    "image": ".png",
}
_SAME_BYTES = ("csv", "tsv", "jsonl")
_SAME_TABLE = ("csv", "jsonl")  # whether a TSV has quotes is decided by its first block


def check(kind: str, content: bytes, folder: Path) -> None:
    """Read, hash, profile and copy a file of these bytes; only a `DataError` may stop it.

    Raises
    ------
    AssertionError
        Where batches differ from the table, or a copy differs from the original.
    """
    path = folder / f"data{SUFFIXES[kind]}"
    if kind == "image":
        path = folder / "images" / "a" / "1.png"
        path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    source = folder / "images" if kind == "image" else path
    try:
        data = open_file(source, limits=LIMITS)
        table = data.read()
        batches = list(data.batches())
    except DataError:
        if kind in _SAME_TABLE:
            assert _read_in_one_block(path) is None
        return
    if kind in _SAME_TABLE:
        whole_at_once = _read_in_one_block(path)
        assert whole_at_once is not None
        assert table_hash(whole_at_once) == table_hash(table)
    assert pa.Table.from_batches(batches, table.schema).equals(table) or _has_nan(table)
    assert table_hash(iter(batches), columns=table.column_names) == table_hash(table)
    _profile(table)
    if kind == "image":
        return
    whole, half = folder / f"whole{SUFFIXES[kind]}", folder / f"half{SUFFIXES[kind]}"
    every_other = np.arange(table.num_rows) % 2 == 0
    try:
        data.write_rows(np.ones(table.num_rows, dtype=bool), whole)
        data.write_rows(every_other, half)
    except DataError:
        assert kind not in _SAME_BYTES
        return
    if kind in _SAME_BYTES:
        assert whole.read_bytes() == content
        return
    assert table_hash(open_file(whole, limits=LIMITS).read()) == table_hash(table)
    if kind != "gzip":
        kept = open_file(half, limits=LIMITS).read()
        assert table_hash(kept) == table_hash(table.filter(pa.array(every_other)))


def _read_in_one_block(path: Path) -> pa.Table | None:
    try:
        return open_file(path, limits=replace(LIMITS, block_bytes=2**20)).read()
    except DataError:
        return None


def _profile(table: pa.Table) -> None:
    label = table.column_names[0] if table.column_names else None
    for name in (None, label):
        try:
            data = Dataset.from_table(table, label=name)
        except DataError:
            continue
        for column in data.roles.features:
            encode(data.column(column))


def _has_nan(table: pa.Table) -> bool:
    return any(
        pa.types.is_floating(kind) or isinstance(kind, pa.BaseExtensionType) for kind in table.schema.types
    )


def seeds(kind: str) -> Iterator[bytes]:
    """Small sound files of a format."""
    table = pa.table({"a": [1, None, 3], "b": ["x", "é", None], "y": ["u", "v", "u"], "f": [0.5, 1.0, None]})
    nested = table.append_column("l", pa.array([[1], None, []])).append_column(
        "d", pa.array(["p", "q", "p"]).dictionary_encode()
    )
    if kind in ("csv", "tsv", "gzip"):
        d = "\t" if kind == "tsv" else ","
        texts = [
            f'a{d}b{d}y\n1{d}"x{d} ""y"""{d}u\n2{d}"two\r\nlines"{d}v\n',
            f"a{d}b\r\n007{d}1e5\r\n\r\nNA{d}2020-01-01\r\n",
            f'b{d}c\n"x{d}1\ny"{d}2\n',
        ]
        raws = [text.encode() for text in texts] + [
            b"\xef\xbb\xbfa,b\n1,2\n",
            "a,b\né,2\n".encode("utf-16"),
            b"a,b\n\xe9,1",
        ]
        if kind == "gzip":
            import gzip

            raws = [gzip.compress(raw, mtime=0) for raw in raws]
        yield from raws
    elif kind == "jsonl":
        yield b'{"a": 1, "b": "x"}\n{"a": 2.5, "b": null, "c": {"d": [1]}}\n'
        yield b'\n{"a": 1, "a": "\\ud800"}\r\n \n{"n": 12345678901234567890123, "t": true}'
    elif kind == "parquet":
        for compression in ("NONE", "snappy"):
            sink = io.BytesIO()
            pq.write_table(nested, sink, compression=compression, row_group_size=2)
            yield sink.getvalue()
    elif kind == "arrow":
        for create in (pa.ipc.new_file, pa.ipc.new_stream):
            for compression in (None, "zstd"):
                sink = io.BytesIO()
                options = pa.ipc.IpcWriteOptions(compression=compression)
                with create(sink, nested.schema, options=options) as writer:
                    writer.write_table(nested, max_chunksize=2)
                yield sink.getvalue()
    elif kind == "npz":
        for save in (np.savez, np.savez_compressed):
            sink = io.BytesIO()
            save(sink, x=np.arange(24, dtype=np.uint8).reshape(2, 3, 4), y=np.array(["a", "b"]), z=np.ones(3))
            yield sink.getvalue()
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as archive:
            inner = io.BytesIO()
            np.save(inner, np.asfortranarray(np.arange(6.0).reshape(3, 2)))
            archive.writestr("x.npy", inner.getvalue())
        yield sink.getvalue()
    else:
        pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
        for name in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "PPM", "WEBP"):
            sink = io.BytesIO()
            Image.fromarray(pixels).save(sink, format=name)
            yield sink.getvalue()


def main(kind: str) -> None:
    """Run libFuzzer on one format, from its seeds, with the arguments of the command line."""
    import atheris

    folder = Path(tempfile.mkdtemp(prefix="foretaste-fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds(kind)):
        (corpus / f"seed-{number}").write_bytes(seed)
    atheris.instrument_all() if "--instrument-all" in sys.argv else None
    atheris.Setup([sys.argv[0], str(corpus), *sys.argv[1:]], lambda content: check(kind, content, folder))
    atheris.Fuzz()
