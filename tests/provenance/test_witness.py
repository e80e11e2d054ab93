"""A witness countersigns a history that only grew, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from foretaste.errors import IntegrityError
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.entries import Entry, now
from foretaste.provenance.keys import new_key
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.note import COSIGNATURE, VerifierKey
from foretaste.provenance.verification import verify
from foretaste.provenance.witness import witness

KEY = new_key()
WITNESS = VerifierKey.of("w", KEY, COSIGNATURE)


def notes(first: int, last: int) -> list[Entry]:
    return [Entry("note", now(), note=f"note {i}") for i in range(first, last)]


def test_a_growing_history_is_countersigned_with_the_time(ledger: Ledger, tmp_path: Path) -> None:
    seen = None
    for time, step in enumerate((0, 3, 0, 300), start=1000):
        ledger.append(notes(0, step))
        seen = witness(ledger, "w", KEY, seen, time=time)
        assert Checkpoint.parse(seen.encode(), ledger.verifier).witnessed([WITNESS]) == {"w": time}
    assert seen is not None
    (tmp_path / "kept").write_bytes(seen.encode())
    ledger.append(notes(0, 1))
    assert verify(ledger.folder, checkpoints=[tmp_path / "kept"]).intact


def test_a_fork_or_a_shorter_history_is_not_countersigned(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "ledger", name="log", key=tmp_path / "key.pem")
    ledger.append(notes(0, 3))
    shutil.copytree(ledger.folder, tmp_path / "older")
    ledger.append(notes(3, 5))
    seen = witness(ledger, "w", KEY, None)
    with pytest.raises(IntegrityError, match="entries were cut off"):
        witness(Ledger(tmp_path / "older"), "w", KEY, seen)
    forked = Ledger(tmp_path / "older", key=tmp_path / "key.pem")
    forked.append(notes(100, 110))
    with pytest.raises(IntegrityError, match="history was forked"):
        witness(forked, "w", KEY, seen)


def test_a_witness_goes_on_only_from_what_it_signed_itself(ledger: Ledger) -> None:
    ledger.append(notes(0, 3))
    with pytest.raises(IntegrityError, match="not countersigned by w"):
        witness(ledger, "w", KEY, ledger.checkpoint)
    tile = ledger.folder / "tile" / "0" / "000.p" / "3"
    tile.write_bytes(bytes(96))
    with pytest.raises(IntegrityError, match="not what was signed"):
        witness(ledger, "w", KEY, None)


def test_a_foreign_signature_in_the_ledger_itself_is_found(ledger: Ledger) -> None:
    made = witness(ledger, "w", KEY, None)
    (ledger.folder / "checkpoint").write_bytes(made.encode())
    assert "signatures that the ledger did not make, by w" in str(verify(ledger.folder).problems[0])
