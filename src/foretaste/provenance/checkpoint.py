"""Checkpoints: what a ledger held at one moment, signed, and countersigned by witnesses (C2SP).

The text has three lines: the origin (the name of the ledger), the number of entries, the root in base64.

References: https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foretaste.errors import IntegrityError
from foretaste.provenance.note import COSIGNATURE, Note, Signature, VerifierKey, from_base64, sign

_MOST_ENTRIES = 2**63


@dataclass(frozen=True)
class Checkpoint:
    """The state of a ledger: its origin, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes
    note: Note

    @classmethod
    def sign(cls, origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> Checkpoint:
        """Sign the state of a ledger.

        Examples
        --------
        >>> key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        >>> made = Checkpoint.sign("example.org/log", 3, bytes(32), key)
        >>> Checkpoint.parse(made.encode(), VerifierKey.of("example.org/log", key)).size
        3
        """
        text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        return cls(origin, size, root, sign(text, origin, key))

    @classmethod
    def parse(cls, data: bytes, key: VerifierKey | None = None) -> Checkpoint:
        """Read a checkpoint.

        Parameters
        ----------
        data : bytes
        key : VerifierKey, optional
            Who must have signed it; without one, nothing is known about where it comes from.

        Raises
        ------
        IntegrityError
            Where it is not exactly a checkpoint, is of another ledger than the key, or is not signed by it.
        """
        note = Note.parse(data)
        if key is not None:
            note.require(key)
        origin, _, rest = note.text.partition("\n")
        count, _, rest = rest.partition("\n")
        encoded, _, more = rest.partition("\n")
        if more and (not more.endswith("\n") or "\n\n" in more or more.startswith("\n")):
            raise IntegrityError("this is no checkpoint: it has empty lines")
        if not (count.isascii() and count.isdecimal() and str(int(count[:20])) == count):
            raise IntegrityError("this is no checkpoint: its second line is not a number of entries")
        root = from_base64(encoded, "the root in the checkpoint")
        if len(root) != 32 or int(count) >= _MOST_ENTRIES or not origin:
            raise IntegrityError("this is no checkpoint: origin, number of entries, root")
        if key is not None and origin != key.name:
            raise IntegrityError(f"the checkpoint is of {origin}, but the key belongs to {key.name}")
        return cls(origin, int(count), root, note)

    def encode(self) -> bytes:
        """The bytes of the signed note."""
        return self.note.encode()

    def cosign(self, name: str, key: Ed25519PrivateKey, time: int) -> Checkpoint:
        """The checkpoint with the line of a witness who has checked that history only grew.

        Parameters
        ----------
        name : str
            The witness.
        key : Ed25519PrivateKey
            Used for nothing but cosignatures.
        time : int
            Seconds since 1970.
        """
        made = key.sign(_cosigned(time, self.note.text))
        verifier = VerifierKey.of(name, key, COSIGNATURE)
        line = Signature(name, verifier.id, time.to_bytes(8, "big") + made)
        kept = tuple(other for other in self.note.signatures if not other.by(verifier))
        return Checkpoint(self.origin, self.size, self.root, Note(self.note.text, (*kept, line)))

    def witnessed(self, witnesses: Iterable[VerifierKey]) -> dict[str, int]:
        """When each of these witnesses countersigned, in seconds since 1970; only those who did.

        Raises
        ------
        IntegrityError
            Where a signature that claims to be by one of them is wrong.
        """
        times = {}
        for key in witnesses:
            for line in self.note.signatures:
                if not line.by(key):
                    continue
                time = int.from_bytes(line.signature[:8], "big")
                message = _cosigned(time, self.note.text)
                if key.type != COSIGNATURE or not key.accepts(message, line.signature[8:]):
                    raise IntegrityError(f"the cosignature by {key.name} is wrong")
                times[key.name] = time
        return times


def _cosigned(time: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
