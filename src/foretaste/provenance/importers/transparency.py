"""What a transparency log says in a sigstore bundle: its inclusion proof, and, with its key, its signatures.

The log's key signs the entry with its time (signed entry timestamp), and the tree's root (checkpoint).
Without the key, the root in the bundle is only what the bundle says it is.

References: Rekor, "signed entry timestamp"; RFC 6962; https://c2sp.org/signed-note.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import canonical
from foretaste.provenance.merkle import root_from_inclusion


def check_log(entries: list[Any], signature: str, log_key: Path | None) -> tuple[str, datetime | None]:
    """Check what a bundle brings from transparency logs.

    Parameters
    ----------
    entries : list
        ``tlogEntries`` of the bundle.
    signature : str
        The bundle's own, in base64: entries must be about it.
    log_key : Path or None
        Public key of the log, PEM.

    Returns
    -------
    str
        What was not checked; empty where all was.
    datetime or None
        When the log took the entry up, where its key signed that.

    Raises
    ------
    IntegrityError
        Where a proof does not hold, or, with a key, where the log did not sign.
    """
    key = None if log_key is None else _key(log_key)
    if not entries:
        if key is not None:
            raise IntegrityError("the bundle brings nothing from a transparency log")
        return "not in a transparency log", None
    moment = None
    for entry in entries:
        try:
            body = base64.b64decode(entry["canonicalizedBody"])
            known = (
                signature.encode(),
                base64.b64encode(signature.encode()),
            )  # intoto entries encode it twice
            if not signature or not any(form in body for form in known):
                raise _NotProvenError("the transparency log's entry is not about this signature")
            if key is not None:
                moment = _signed_time(entry, key)
            if key is None or moment is None or "inclusionProof" in entry:
                proof = entry["inclusionProof"]
                older = moment is not None and "checkpoint" not in proof  # bundle v0.1: the promise is signed
                _included(proof, body, None if older else key)
        except _NotProvenError as error:
            if key is not None:
                raise IntegrityError(str(error)) from None
            return str(error), None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, binascii.Error):
            if key is not None:
                raise IntegrityError("what the bundle brings from the log cannot be read") from None
            return "the proof of the transparency log cannot be read", None
    if key is None:
        return "the key of the transparency log was not named", None
    return ("" if moment is not None else "the log did not sign when it took this up"), moment


class _NotProvenError(Exception):
    pass


def _key(file: Path) -> Any:
    try:
        return serialization.load_pem_public_key(file.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        raise DataError("this is no public key in PEM", file=file) from None


def _signed_time(entry: dict[str, Any], key: Any) -> datetime | None:
    """The time in the entry, where the log signed it."""
    promise = entry.get("inclusionPromise")
    if promise is None:
        return None  # newer logs promise nothing: their checkpoint is signed
    seconds = int(entry["integratedTime"])
    said = {
        "body": entry["canonicalizedBody"],
        "integratedTime": seconds,
        "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        "logIndex": int(entry["logIndex"]),
    }
    if not _verified(key, base64.b64decode(promise["signedEntryTimestamp"]), canonical.encode(said)):
        raise IntegrityError("the transparency log did not sign the entry and its time")
    return datetime.fromtimestamp(seconds, UTC)


def _included(proof: dict[str, Any], body: bytes, key: Any) -> None:
    """The entry is in the tree whose root the proof names; with a key, the log signed that root."""
    leaf = hashlib.sha256(b"\0" + body).digest()
    path = [base64.b64decode(one) for one in proof.get("hashes") or []]
    size = int(proof["treeSize"])
    root = root_from_inclusion(int(proof["logIndex"]), size, leaf, path)
    if root != base64.b64decode(proof["rootHash"]):
        raise IntegrityError("the bundle's entry is not in the transparency log that it names")
    if key is None:
        return
    text, _, signatures = proof["checkpoint"]["envelope"].partition("\n\n")
    lines = text.split("\n")
    if lines[1:3] != [str(size), base64.b64encode(root).decode()]:
        raise IntegrityError("the checkpoint in the bundle is of another tree")
    lines = [line.split(" ")[-1] for line in signatures.splitlines() if line.startswith("— ")]
    found = [signed[4:] for signed in map(base64.b64decode, lines) if _may_be_of(key, signed[:4])]
    if not any(_verified(key, signed, f"{text}\n".encode()) for signed in found):
        raise IntegrityError("the transparency log did not sign the checkpoint in the bundle")


def _may_be_of(key: Any, hint: bytes) -> bool:
    """Whether a checkpoint's signature says that it is by this key; of ECDSA keys that is the key's hash."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return True
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(*form)).digest()[:4] == hint


def _verified(key: Any, signature: bytes, message: bytes) -> bool:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            raise DataError(f"a signature by a {type(key).__name__} is not checked here")
    except InvalidSignature:
        return False
    return True


__all__ = ["check_log"]
