"""Approvals: a person's signature under the hash of a file, in a ledger; and attempts without the right."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foretaste.errors import DataError, DeniedError, IntegrityError
from foretaste.provenance import listing
from foretaste.provenance.entries import Entry, now
from foretaste.provenance.gate.access import ROLES, Access
from foretaste.provenance.genuine import GenuineEntries
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.note import Note, VerifierKey, sign
from foretaste.provenance.store import sha256_of


@dataclass(frozen=True)
class Approval:
    """A valid approval: by whom, in which role, when (as the ledger's entry says)."""

    by: str
    role: str
    time: str
    entry: int


def subject_of(path: Path) -> str:
    """The hash that approvals and entries name: of a file's bytes, of a folder's list of files."""
    if not path.exists():
        raise DataError("there is no such file or folder", file=path)
    if not path.is_dir():
        return sha256_of(path)[0]
    files = [listing.Listed(name, *sha256_of(file)) for name, file in listing.files_below(path)]
    return hashlib.sha256(listing.encode(files)).hexdigest()


def approve(
    ledger: Ledger,
    subject: str,
    role: str,
    by: str,
    key: Ed25519PrivateKey,
    access: Access,
    *,
    note: str | None = None,
) -> int:
    """Sign that a file may be used, and append that to a ledger.

    Parameters
    ----------
    ledger : Ledger
    subject : str
        `subject_of` the file.
    role : str
        One of `foretaste.provenance.gate.access.ROLES`.
    by : str
        The person.
    key : Ed25519PrivateKey
        Theirs.
    access : Access
        Who may.

    Returns
    -------
    int
        Number of the entry.

    Raises
    ------
    DeniedError
        Where the person does not have the role or the key is not theirs; the attempt is appended.
    """
    if role not in ROLES:
        raise DataError(f"there is no role {role!r}", hint=f"use one of {', '.join(ROLES)}")
    person = access.person(by)
    if VerifierKey.of(by, key) != person.key:
        deny(ledger, f"the key is not that of {by}", subject)
    if role not in person.roles:
        deny(ledger, f"{by} does not have the role {role}", subject)
    time = now()
    signed = sign(_text(ledger.verifier.name, role, subject, time), by, key)
    details = {"by": by, "role": role, "subject": subject, "signed": signed.encode().decode()}
    return ledger.append([Entry("approval", time, note=note, details=details)])[0]


def deny(ledger: Ledger, reason: str, subject: str) -> None:
    """Append that somebody tried what they may not, and raise `DeniedError`."""
    details = {"reason": reason, "subject": subject}
    number = ledger.append([Entry("denied-write", now(), note=f"denied: {reason}", details=details)])[0]
    raise DeniedError(f"denied: {reason}; the attempt is entry {number} of {ledger.folder}")


def approvals(entries: GenuineEntries, subject: str, access: Access, origin: str) -> list[Approval]:
    """The valid approvals of a file: signed by somebody who has that role now, one per person and role."""
    found: dict[tuple[str, str], Approval] = {}
    for number, entry in entries.holding(subject):
        said = entry.details
        if entry.kind != "approval" or said.get("subject") != subject:
            continue
        by, role = str(said.get("by")), str(said.get("role"))
        person = access.people.get(by)
        if person is None or role not in person.roles:
            continue
        try:
            signed = Note.parse(str(said.get("signed")).encode())
            signed.require(person.key)
        except IntegrityError:
            continue
        if signed.text == _text(origin, role, subject, entry.time):
            found.setdefault((by, role), Approval(by, role, entry.time, number))
    return list(found.values())


def _text(origin: str, role: str, subject: str, time: str) -> str:
    return f"foretaste approval 1\n{origin}\n{role}\n{subject}\n{time}\n"


__all__ = ["Approval", "approvals", "approve", "deny", "subject_of"]
