"""Signed batches: a source states, in a signed in-toto statement, that these files come from it.

That says who made them, not that they are good: a signed poisoned source is still poisoned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import dsse
from foretaste.provenance.dsse import Envelope
from foretaste.provenance.listing import files_below, text_name
from foretaste.provenance.note import VerifierKey
from foretaste.provenance.statement import PAYLOAD_TYPE, Statement, Subject
from foretaste.provenance.store import sha256_of

BATCH = "urn:foretaste:batch:v1"
"""Predicate type: ``source`` says that it made the files, at its ``time``."""
SUFFIX = ".dsse.json"
"""What a signature is called: the name of the data and this."""


def sign_batch(
    paths: Sequence[str | Path], source: str, key: Ed25519PrivateKey, *, time: str | None = None
) -> Envelope:
    """State that files come from a source, and sign that.

    Parameters
    ----------
    paths : sequence of path
        Files, or folders with all files below them.
    source : str
    key : Ed25519PrivateKey
        The source's.
    time : str, optional
        When, in UTC; now otherwise.

    Raises
    ------
    DataError
        Where there is no file.
    """
    subjects = tuple(subject for path in paths for subject in subjects_of(Path(path)))
    if not subjects:
        raise DataError("there is no file to sign")
    moment = time or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = Statement(subjects, BATCH, {"source": source, "time": moment})
    return dsse.sign(said.encode(), PAYLOAD_TYPE, key)


def check_batch(
    envelope: Envelope, paths: Sequence[str | Path], source: str, keys: Iterable[VerifierKey]
) -> VerifierKey:
    """Check that a source signed that these files come from it; gives the key it used.

    Parameters
    ----------
    envelope : Envelope
    paths : sequence of path
        A file must have a hash that was signed, whatever it is called now; a folder must hold exactly files
        that were signed under their names below it, because a name may be a label.
    source : str
    keys : iterable of VerifierKey
        The keys that are trusted for this source now.

    Raises
    ------
    IntegrityError
        Where that is not so.
    """
    key = envelope.signer(keys)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise IntegrityError(f"what is signed is {envelope.payload_type!r}, no statement about a batch")
    said = Statement.parse(envelope.payload)
    if said.predicate_type != BATCH or said.predicate.get("source") != source:
        raise IntegrityError(f"the signed statement is not that the batch comes from {source!r}")
    hashes = {subject.sha256 for subject in said.subjects}
    named = {(subject.name.partition("/")[2], subject.sha256) for subject in said.subjects}
    for path in map(Path, paths):
        for found in subjects_of(path):
            inner = found.name.partition("/")[2]
            if not (found.sha256 in hashes if path.is_file() else (inner, found.sha256) in named):
                raise IntegrityError(f"{found.name} is not what {source!r} signed: it was altered or added")
    return key


def subjects_of(path: Path) -> list[Subject]:
    """A file, or every file below a folder, with its hash; the folder's own name comes first."""
    real = path.resolve(strict=True)
    name = text_name(path.name or real.name)
    if not real.is_dir():
        return [Subject(name, sha256_of(real)[0])]
    return [Subject(f"{name}/{inner}", sha256_of(file)[0]) for inner, file in files_below(real)]
