"""Entries of a ledger that are surely those that were signed."""

from __future__ import annotations

from foretaste.errors import IntegrityError
from foretaste.provenance.entries import Entry
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.merkle import leaf_hash
from foretaste.provenance.tiles import Edge


def genuine_entries(ledger: Ledger) -> list[Entry]:
    """All entries, read once and compared with the signed root.

    Raises
    ------
    IntegrityError
        Where they are not what the checkpoint signs; ``foretaste ledger verify`` says which of them is wrong.
    """
    checkpoint = ledger.checkpoint
    raw = list(ledger.tiles(checkpoint.size).entries())
    edge = Edge(0, [])
    edge.extend([leaf_hash(entry) for entry in raw])
    if len(raw) != checkpoint.size or edge.root() != checkpoint.root:
        raise IntegrityError(
            f"the entries of {ledger.folder} are not those that its checkpoint signs; "
            "run foretaste ledger verify"
        )
    return [Entry.decode(entry) for entry in raw]
