"""The worked example of docs/ledger.md, recomputed with nothing but hashlib and a bare Ed25519 signature."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.entries import KINDS, Entry
from foretaste.provenance.keys import save_private
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.proof import Proof, prove

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "ledger.md").read_text()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def block(name: str) -> str:
    found = re.search(rf"```{name}\n(.*?)```", TEXT, re.DOTALL)
    assert found, name
    return found[1]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_the_worked_example_holds() -> None:
    entries = [line.encode() for line in block("entries").splitlines()]
    leaves = [sha256(b"\x00" + entry) for entry in entries]
    root = sha256(b"\x01" + leaves[0] + leaves[1])
    assert block("hashes").split() == [part.hex() for part in (*leaves, root)]
    public = KEY.public_key().public_bytes_raw()
    key_id = sha256(b"example.org/data\n\x01" + public)[:4]
    material = base64.b64encode(b"\x01" + public).decode()
    assert block("key") == f"example.org/data+{key_id.hex()}+{material}\n"
    text = f"example.org/data\n2\n{base64.b64encode(root).decode()}\n"
    signature = base64.b64encode(key_id + KEY.sign(text.encode())).decode()
    assert block("checkpoint") == f"{text}\n— example.org/data {signature}\n"
    assert f"{len(entries[0])} bytes" in TEXT
    assert f"`{len(entries[0]).to_bytes(2, 'big').hex(' ')} 7b 22`" in TEXT


def test_foretaste_writes_the_worked_example(tmp_path: Path) -> None:
    save_private(KEY, tmp_path / "key.pem")
    ledger = Ledger.create(tmp_path / "ledger", name="example.org/data", key=tmp_path / "key.pem")
    lines = block("entries").splitlines()
    ledger.append([Entry.decode(line.encode()) for line in lines])
    assert [entry.encode().decode() for entry in ledger.entries()] == lines
    assert (ledger.folder / "checkpoint").read_text() == block("checkpoint")
    assert (ledger.folder / "ledger.vkey").read_text() == block("key")
    assert (ledger.folder / "tile/0/000.p/2").read_bytes().hex() == "".join(block("hashes").split()[:2])
    made = prove(ledger, 0).encode()
    shown, written = block("proof").splitlines(), made.decode().splitlines()
    assert shown[1].endswith("…")
    assert written[1].startswith(shown[1][:-1])
    assert shown[:1] + shown[2:] == written[:1] + written[2:]
    assert (
        Proof.parse(made).check(Checkpoint.parse(block("checkpoint").encode()), ledger.verifier).source
        == "vendor"
    )


def test_every_kind_of_entry_is_written_down() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| `kind`"))
    assert re.findall(r"`([a-z-]+)`", row)[1:] == list(KINDS)
