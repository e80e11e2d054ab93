"""Proof files: what they prove, to somebody who kept an earlier checkpoint too, and no forgery."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.entries import Entry, now
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.proof import Proof, prove


def notes(first: int, last: int) -> list[Entry]:
    return [Entry("note", now(), note=f"note {i}") for i in range(first, last)]


@pytest.mark.parametrize("old", [0, 1, 3, 4, 256, 300])
def test_an_entry_is_proven_to_whoever_holds_any_earlier_checkpoint(ledger: Ledger, old: int) -> None:
    ledger.append(notes(0, old))
    kept = ledger.checkpoint
    ledger.append(notes(old, 310))
    for index in (0, old, 309):
        proof = Proof.parse(prove(ledger, index, since=kept).encode())
        assert proof.check(kept, ledger.verifier).note == f"note {index}"
        assert proof.check(ledger.checkpoint, ledger.verifier).note == f"note {index}"
    with pytest.raises(DataError, match="prove --since"):
        prove(ledger, 0).check(kept, ledger.verifier)


def test_a_fork_is_not_proven_to_whoever_holds_an_earlier_checkpoint(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "one", name="log", key=tmp_path / "key.pem")
    ledger.append(notes(0, 3))
    shutil.copytree(ledger.folder, tmp_path / "two")
    ledger.append(notes(3, 5))
    kept = ledger.checkpoint
    forked = Ledger(tmp_path / "two", key=tmp_path / "key.pem")
    forked.append(notes(100, 107))
    with pytest.raises(IntegrityError, match="history was forked"):
        prove(forked, 0, since=kept)
    honest = prove(forked, 0, since=Ledger(tmp_path / "two").checkpoint)
    forged = Proof(0, honest.entry, honest.path, honest.checkpoint, honest.key, 5, honest.path)
    with pytest.raises(IntegrityError):
        forged.check(kept, ledger.verifier)


@given(st.data())
def test_no_flipped_bit_of_a_proof_is_accepted(filled: Ledger, data: st.DataObject) -> None:
    proof = prove(filled, 17).encode()
    altered = bytearray(proof)
    altered[data.draw(st.integers(0, len(proof) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityError):
        Proof.parse(bytes(altered)).check(filled.checkpoint, filled.verifier)
