"""Signed notes and checkpoints: the examples of the C2SP specifications, and nothing but exact bytes."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from foretaste.errors import IntegrityError
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.note import COSIGNATURE, Note, VerifierKey, sign

# The example of https://c2sp.org/signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXm"
    "RKuwHjG1Yu72IneyaQM=\n"
).encode()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NAME = "example.org/log"


def test_the_example_of_the_specification_verifies() -> None:
    key = VerifierKey.parse(VKEY)
    assert str(key) == VKEY
    note = Note.parse(NOTE)
    note.require(key)
    assert note.text == "This is an example message.\n"
    assert note.encode() == NOTE


@given(st.integers(0, len(NOTE) - 1), st.integers(0, 7))
def test_no_flipped_bit_of_a_note_is_accepted(at: int, bit: int) -> None:
    altered = bytearray(NOTE)
    altered[at] ^= 1 << bit
    with pytest.raises(IntegrityError):
        Note.parse(bytes(altered)).require(VerifierKey.parse(VKEY))


@given(st.integers(0, len(VKEY) - 1), st.integers(0, 7))
def test_no_flipped_bit_of_a_verifier_key_is_accepted(at: int, bit: int) -> None:
    altered = bytearray(VKEY.encode())
    altered[at] ^= 1 << bit
    with pytest.raises(IntegrityError):
        VerifierKey.parse(altered.decode(errors="replace"))


def test_a_checkpoint_has_three_lines_and_a_signature() -> None:
    made = Checkpoint.sign(NAME, 7, bytes(range(32)), KEY)
    text, _, signature = made.encode().decode().partition("\n\n")
    assert text == f"{NAME}\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert signature.startswith(f"— {NAME} ")
    assert Checkpoint.parse(made.encode(), VerifierKey.of(NAME, KEY)) == made


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n07\n{'A' * 43}=\n",
        f"{NAME}\n-1\n{'A' * 43}=\n",
        f"{NAME}\n٣\n{'A' * 43}=\n",
        f"{NAME}\n7\nAAAA\n",
        f"{NAME}\n7\n",
        f"{NAME}\n{2**63}\n{'A' * 43}=\n",
        f"other/log\n7\n{'A' * 43}=\n",
        f"{NAME}\n7\n{'A' * 43}=\n\nmore\n",
    ],
)
def test_what_is_signed_but_no_checkpoint_of_this_ledger_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        Checkpoint.parse(sign(text, NAME, KEY).encode(), VerifierKey.of(NAME, KEY))


def test_a_witness_countersigns_the_checkpoint_and_the_time() -> None:
    log, witness = VerifierKey.of(NAME, KEY), VerifierKey.of("witness.example/w1", WITNESS, COSIGNATURE)
    made = Checkpoint.sign(NAME, 7, bytes(32), KEY).cosign("witness.example/w1", WITNESS, 1679315147)
    read = Checkpoint.parse(made.encode(), log)
    assert read.witnessed([witness]) == {"witness.example/w1": 1679315147}
    message = b"cosignature/v1\ntime 1679315147\n" + made.note.text.encode()
    assert WITNESS.sign(message) == read.note.signatures[1].signature[8:]
    assert read.witnessed([VerifierKey.of("someone.else", KEY, COSIGNATURE)]) == {}


@pytest.mark.parametrize("at", [0, 7, 8, 71])
def test_an_altered_cosignature_is_refused(at: int) -> None:
    witness = VerifierKey.of("w1", WITNESS, COSIGNATURE)
    line = Checkpoint.sign(NAME, 7, bytes(32), KEY).cosign("w1", WITNESS, 1679315147).note.signatures[1]
    altered = bytearray(line.signature)
    altered[at] ^= 1
    note = Note(
        Checkpoint.sign(NAME, 7, bytes(32), KEY).note.text, (type(line)(line.name, line.id, bytes(altered)),)
    )
    with pytest.raises(IntegrityError):
        Checkpoint.parse(note.encode()).witnessed([witness])
