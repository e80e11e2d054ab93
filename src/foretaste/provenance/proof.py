"""Proof files: one entry, the path from it to the root, and the signed checkpoint (C2SP tlog-proof).

Whoever has the file and the ledger's public key can check, offline and years later, that the entry is in the
ledger. The ``extra`` line holds the entry itself, which the path authenticates, and the verifier key, which
nothing authenticates: compare it with one you got elsewhere.

Reference: https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import canonical
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.entries import Entry
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.merkle import inclusion_path, leaf_hash, root_from_inclusion
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
    """

    index: int
    entry: bytes
    path: tuple[bytes, ...]
    checkpoint: Checkpoint
    key: str

    def encode(self) -> bytes:
        """The bytes of the proof file."""
        extra = canonical.encode({"entry": self.entry.decode(), "key": self.key, "schema": 1})
        lines = [_HEADER, f"extra {base64.b64encode(extra).decode()}", f"index {self.index}"]
        lines += [base64.b64encode(part).decode() for part in self.path]
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
            Of the same size as the proof's, got where you trust it.
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
        root = root_from_inclusion(self.index, self.checkpoint.size, leaf_hash(self.entry), self.path)
        if root != self.checkpoint.root:
            raise IntegrityError(f"entry {self.index} is not in the ledger of this proof: it was altered")
        if checkpoint.size != self.checkpoint.size:
            raise DataError(
                f"the proof is for a ledger of {self.checkpoint.size} entries, the checkpoint for one of "
                f"{checkpoint.size}",
                hint="make a proof for this checkpoint with foretaste ledger prove --checkpoint",
            )
        if checkpoint.root != root:
            raise IntegrityError(f"the ledger was forked: its {checkpoint.size} entries have two roots")
        return Entry.decode(self.entry)


def prove(ledger: Ledger, index: int, checkpoint: Checkpoint | None = None) -> Proof:
    """Prove that an entry is in a ledger.

    Parameters
    ----------
    ledger : Ledger
    index : int
        The number of the entry.
    checkpoint : Checkpoint, optional
        An earlier one, which whoever is to check the proof holds; the current one otherwise.

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
    return Proof(index, entry, path, against, str(ledger.verifier))
