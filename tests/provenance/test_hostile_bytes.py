"""Whatever the bytes, a reader gives a value or says that they are not in order; nothing else is raised."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.data.formats.extents import Extent
from foretaste.errors import ConfigError, IntegrityError
from foretaste.provenance import dsse, listing
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.dsse import Envelope
from foretaste.provenance.entries import Entry, FileRecord
from foretaste.provenance.manifest import Manifest
from foretaste.provenance.note import Note, VerifierKey
from foretaste.provenance.pieces import Piece
from foretaste.provenance.proof import Proof
from foretaste.provenance.shard import Shard
from foretaste.provenance.sources import SourcePolicy
from foretaste.provenance.statement import Statement, Subject
from foretaste.provenance.tiles import decode_bundle, encode_bundle

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ENTRY = Entry(
    "ingest",
    "2026-11-26T17:00:00.000000Z",
    (FileRecord("a.csv", "0" * 64, 3, "store"),),
    source="vendor",
    details={"n": 1},
)
CHECKPOINT = Checkpoint.sign("example.org/log", 1, bytes(32), KEY)
MANIFEST = Manifest(
    (
        Shard("a", 3, "0" * 64, (Piece(1, "0" * 64),), (Extent(1, "1" * 64, "TEXT"),), "2" * 64),
        Shard("b", 3, "0" * 64, ()),
    ),
    ("x",),
)
READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "entry": (Entry.decode, ENTRY.encode()),
    "note": (Note.parse, CHECKPOINT.encode()),
    "checkpoint": (Checkpoint.parse, CHECKPOINT.encode()),
    "key": (lambda data: VerifierKey.parse(data.decode("latin-1")), str(VerifierKey.of("a", KEY)).encode()),
    "proof": (
        Proof.parse,
        Proof(0, ENTRY.encode(), (bytes(32),), CHECKPOINT, str(VerifierKey.of("a", KEY))).encode(),
    ),
    "envelope": (Envelope.parse, dsse.sign(b"{}", "application/json", KEY).encode()),
    "statement": (Statement.parse, Statement((Subject("a", "0" * 64),), "urn:x", {"source": "v"}).encode()),
    "listing": (listing.decode, listing.encode([listing.Listed("a/b", "0" * 64, 3)])),
    "manifest": (Manifest.parse, MANIFEST.encode()),
    "bundle": (decode_bundle, encode_bundle([b"one", b"", b"two"])),
}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=80)
@given(data=st.data())
def test_altered_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    reader, genuine = READERS[name]
    altered = bytearray(genuine)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(altered)))
        altered[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(IntegrityError):
        reader(bytes(altered))


@pytest.mark.parametrize("name", ["entry", "envelope", "statement", "listing", "manifest"])
@settings(max_examples=80)
@given(data=st.data())
def test_json_of_other_shapes_is_read_or_refused(name: str, data: st.DataObject) -> None:
    reader, genuine = READERS[name]
    value = json.loads(genuine)
    holder = value
    while True:  # somewhere inside, put something else
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
            holder = holder[key]
            continue
        holder[key] = data.draw(JSON)
        break
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    with contextlib.suppress(IntegrityError):
        reader(text.encode("utf-8", "surrogatepass"))


@given(
    st.binary(max_size=60)
    | st.sampled_from([b"schema = 1\n", b"schema = 1\nsource = 3", b"schema = 1\n[source]\na = 1"])
)
def test_a_policy_of_any_bytes_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path: Path = tmp_path_factory.mktemp("policy") / "sources.toml"
    path.write_bytes(data)
    with contextlib.suppress(ConfigError):
        SourcePolicy.read(path)
