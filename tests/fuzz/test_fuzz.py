"""Seeds, old findings and seeded mutations of every format, without the fuzzer."""

from __future__ import annotations

import gzip
import random

import pytest
from harness import SUFFIXES, check, seeds

PARQUET = next(seeds("parquet"))
ARROW = next(seeds("arrow"))
FOUND: dict[str, list[bytes]] = {kind: [] for kind in SUFFIXES} | {
    "csv": [b"a,b\n\xe9\n", b"\xff\xfe\x00\x4e" * 40, b'a\n"\n', b"\r\r\n\n,"],
    "jsonl": [
        b'{"a": 1, "a": "' + b" " * 30 + b'"}\r\n \n{"n": 1}\r\n \n',
        b'\n{"a": 2, "a": "' + b" " * 60 + b'"}',
        b"{}\n \n",
        b'{"a": 1}\n' * 5 + b'{"a": 1} {"a": 2}\n{"a":\n1}',
    ],
    "tsv": [b'a\tb\n"x\t"\n"y"\n'],
    "gzip": [gzip.compress("a,b\nébc,漢字漢字漢字漢字漢字漢字漢字\n".encode("utf-16"), mtime=0)],
    "parquet": [PARQUET.replace("é".encode(), b"\xe9\xe9")],
    "arrow": [ARROW.replace("é".encode(), b"\xe9\xe9"), ARROW.replace(b"\0b\0", b"\0\xdc\0"), ARROW[:-40]],
}
"""Inputs on which a reader once failed."""


@pytest.mark.parametrize("kind", SUFFIXES)
def test_sound_files_and_old_findings_keep_every_promise(kind, tmp_path):
    for content in [*seeds(kind), *FOUND[kind], b"", b"\0", b"\xff" * 100]:
        check(kind, content, tmp_path)


@pytest.mark.parametrize("kind", SUFFIXES)
def test_mutated_files_are_read_or_refused_never_anything_else(kind, tmp_path):
    generator = random.Random(kind)
    pool = list(seeds(kind))
    for _ in range(150):
        check(kind, mutate(generator.choice(pool), generator), tmp_path)


def mutate(content: bytes, generator: random.Random) -> bytes:
    """Flip, cut, repeat or splice a few bytes."""
    data = bytearray(content)
    for _ in range(generator.randint(1, 4)):
        position = generator.randrange(len(data) + 1)
        action = generator.randrange(4)
        if action == 0 and position < len(data):
            data[position] ^= 1 << generator.randrange(8)
        elif action == 1:
            del data[position : position + generator.randint(1, 8)]
        elif action == 2:
            data[position:position] = data[position : position + generator.randint(1, 16)]
        else:
            data[position:position] = bytes(
                generator.choice(b'\0\xff",\n\r\t{}[]:0\x7f') for _ in range(generator.randint(1, 3))
            )
    return bytes(data)
