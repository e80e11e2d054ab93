"""Proof files: one entry, the path from it to the root, and the signed checkpoint (C2SP tlog-proof).

Whoever has the file and the ledger's public key can check, offline and years later, that the entry is in the
ledger. The ``extra`` line holds the entry itself, which the path authenticates, and the verifier key, which
nothing authenticates: compare it with one you got elsewhere. It may also hold a consistency proof, for
somebody who kept an earlier checkpoint.

Reference: https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import canonical
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.entries import Entry
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.merkle import (
    check_consistency,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_from_inclusion,
)
from foretaste.provenance.note import VerifierKey, from_base64

_HEADER = "c2sp.org/tlog-proof@v1"
MOST_BYTES = 2**21


@dataclass(frozen=True)
class Proof:
    """That an entry is in a ledger.

    Attributes
    ----------
    index : int
        The number of the entry.
    entry : bytes
    path : tuple of bytes
        From the entry's sibling up to the root's child.
    checkpoint : Checkpoint
    key : str
        The verifier key that the proof brings along; not to be trusted for that.
    since : int or None
        Entries of an earlier checkpoint that the ledger is shown to continue.
    consistency : tuple of bytes
        How that is shown.
    """

    index: int
    entry: bytes
    path: tuple[bytes, ...]
    checkpoint: Checkpoint
    key: str
    since: int | None = None
    consistency: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The bytes of the proof file."""
        held: dict[str, Any] = {"entry": self.entry.decode(), "key": self.key, "schema": 1}
        if self.since is not None:
            held |= {"since": self.since, "consistency": [_base64(part) for part in self.consistency]}
        extra = canonical.encode(held)
        lines = [_HEADER, f"extra {_base64(extra)}", f"index {self.index}"]
        lines += [_base64(part) for part in self.path]
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint.encode()

    @classmethod
    def parse(cls, data: bytes) -> Proof:
        """Read a proof file; raises `IntegrityError` where it is not exactly one."""
        head, blank, checkpoint = data.partition(b"\n\n")
        try:
            header, extra, index, *path = head.decode().split("\n")
        except ValueError:  # includes what is not UTF-8
            raise IntegrityError("this is no proof of a ledger entry") from None
        if not blank or header != _HEADER or len(data) > MOST_BYTES or len(path) > 64:
            raise IntegrityError("this is no proof of a ledger entry")
        value = canonical.decode(
            from_base64(extra.removeprefix("extra "), "the extra line"), "the extra line"
        )
        number = index.removeprefix("index ")
        try:
            if not (number.isascii() and number.isdecimal() and len(number) < 20):
                raise TypeError
            proof = cls(
                int(number),
                value["entry"].encode(),
                tuple(from_base64(line, "the path") for line in path),
                Checkpoint.parse(checkpoint),
                value["key"],
                value.get("since"),
                tuple(from_base64(line, "the consistency proof") for line in value.get("consistency", ())),
            )
            if proof.encode() != data:
                raise TypeError
        except (TypeError, KeyError, AttributeError, UnicodeError):
            raise IntegrityError("this is no proof of a ledger entry: it is not in its exact form") from None
        return proof

    def check(self, checkpoint: Checkpoint, key: VerifierKey) -> Entry:
        """Check that the entry is in the ledger of a checkpoint that was signed with this key.

        Parameters
        ----------
        checkpoint : Checkpoint
            Got where you trust it: of the same size as the proof's, or the earlier one it was made for.
        key : VerifierKey
            The ledger's public key, got where you trust it.

        Returns
        -------
        Entry
            What is proven.

        Raises
        ------
        IntegrityError
            Where it is not proven.
        DataError
            Where the checkpoint is of another size, so that this proof cannot tell.
        """
        for given in (checkpoint, self.checkpoint):
            Checkpoint.parse(given.encode(), key)
        if self.key != str(key):
            raise IntegrityError("the proof brings another key along than the one you trust: it was altered")
        root = root_from_inclusion(self.index, self.checkpoint.size, leaf_hash(self.entry), self.path)
        if root != self.checkpoint.root:
            raise IntegrityError(f"entry {self.index} is not in the ledger of this proof: it was altered")
        if checkpoint.size == self.since and checkpoint.size < self.checkpoint.size:
            if self.since:
                check_consistency(self.since, self.checkpoint.size, checkpoint.root, root, self.consistency)
        elif checkpoint.size != self.checkpoint.size:
            way = "--since" if checkpoint.size < self.checkpoint.size else "--checkpoint"
            raise DataError(
                f"the proof is for a ledger of {self.checkpoint.size} entries, the checkpoint for one of "
                f"{checkpoint.size}",
                hint=f"make a proof for it with foretaste ledger prove {way}",
            )
        elif checkpoint.root != root:
            raise IntegrityError(f"the ledger was forked: its {checkpoint.size} entries have two roots")
        return Entry.decode(self.entry)


def prove(
    ledger: Ledger, index: int, checkpoint: Checkpoint | None = None, *, since: Checkpoint | None = None
) -> Proof:
    """Prove that an entry is in a ledger.

    Parameters
    ----------
    ledger : Ledger
    index : int
        The number of the entry.
    checkpoint : Checkpoint, optional
        The one to prove it for; the current one otherwise.
    since : Checkpoint, optional
        An earlier one, which whoever checks the proof holds: it then also shows that history only grew.

    Raises
    ------
    DataError
        Where there is no such entry, or not yet at that checkpoint.
    IntegrityError
        Where the ledger is not what the checkpoint signs.
    """
    current = ledger.checkpoint
    against = current if checkpoint is None else Checkpoint.parse(checkpoint.encode(), ledger.verifier)
    if against.size > current.size:
        raise IntegrityError(f"the checkpoint has {against.size} entries, the ledger only {current.size}")
    if not 0 <= index < against.size:
        raise DataError(f"there is no entry {index}: there are {against.size}", file=ledger.folder)
    tree = ledger.tiles(current.size)
    entry = tree.entry(index)
    path = tuple(inclusion_path(index, against.size, tree.subtree))
    if root_from_inclusion(index, against.size, leaf_hash(entry), path) != against.root:
        raise IntegrityError(f"{ledger.folder} is not what was signed; run foretaste ledger verify")
    if since is None:
        return Proof(index, entry, path, against, str(ledger.verifier))
    Checkpoint.parse(since.encode(), ledger.verifier)
    if since.size > against.size:
        raise DataError(f"the earlier checkpoint has {since.size} entries, the later one {against.size}")
    grown = tuple(consistency_path(since.size, against.size, tree.subtree)) if since.size else ()
    if since.size:
        check_consistency(since.size, against.size, since.root, against.root, grown)
    return Proof(index, entry, path, against, str(ledger.verifier), since.size, grown)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
