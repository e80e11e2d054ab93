"""Witnessing a ledger: somebody else checks that its history only grew, signs that with the time, remembers.

What a witness signed is a checkpoint kept elsewhere: nobody, the holder of the ledger's key included, can
rewrite what came before it without being found out. A witness says nothing about what the entries say.

Reference: https://c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import time as clock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foretaste.errors import IntegrityError
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.merkle import check_consistency, consistency_path
from foretaste.provenance.note import COSIGNATURE, VerifierKey


def witness(
    ledger: Ledger,
    name: str,
    key: Ed25519PrivateKey,
    previous: Checkpoint | None,
    *,
    time: int | None = None,
) -> Checkpoint:
    """Countersign the checkpoint of a ledger, if it continues what was countersigned before.

    Parameters
    ----------
    ledger : Ledger
    name : str
        The witness.
    key : Ed25519PrivateKey
        The witness's, used for nothing else.
    previous : Checkpoint or None
        What this witness countersigned last; None the first time.
    time : int, optional
        Seconds since 1970; now otherwise.

    Raises
    ------
    IntegrityError
        Where the ledger is not what its checkpoint signs, or does not continue the previous one.
    """
    current = ledger.checkpoint
    tree = ledger.tiles(current.size)
    if tree.edge().root() != current.root:
        raise IntegrityError(f"{ledger.folder} is not what was signed; run foretaste ledger verify")
    if previous is not None:
        Checkpoint.parse(previous.encode(), ledger.verifier)
        own = VerifierKey.of(name, key, COSIGNATURE)
        if not previous.witnessed([own]):
            raise IntegrityError(f"the checkpoint to continue from was not countersigned by {name}")
        if previous.size > current.size:
            raise IntegrityError(
                f"the ledger had {previous.size} entries and now has {current.size}: entries were cut off"
            )
        if previous.size:
            path = consistency_path(previous.size, current.size, tree.subtree)
            check_consistency(previous.size, current.size, previous.root, current.root, path)
    return current.cosign(name, key, int(clock.time()) if time is None else time)
