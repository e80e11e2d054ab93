"""Sigstore bundles, offline: of OpenSSF model signing (a list of files) and of single files.

What is checked: the signature over the statement or file, with a public key you name or with the certificate
in the bundle; that certificate against the authority you name and the identity you expect; the proof that the
transparency log held the entry; with the log's key, that the log signed the root and the entry's time, and
that the certificate was valid then. What is not: signed certificate timestamps inside the certificate, time
stamps by other authorities, and whether the log shows others the same tree.

References: sigstore bundle v0.3; OpenSSF Model Signing v1.0 (model-signing 1.x); RFC 6962.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.dsse import Envelope, pae
from foretaste.provenance.importers.claims import Claim, compare, read_text
from foretaste.provenance.importers.transparency import check_log
from foretaste.provenance.listing import files_below

MODEL_SIGNING = "https://model_signing/signature/v1.0"
_HASHES: dict[int, hashes.HashAlgorithm] = {384: hashes.SHA384(), 521: hashes.SHA512()}


@dataclass(frozen=True)
class Trust:
    """Whom to believe.

    Attributes
    ----------
    public_key : Path or None
        PEM of the key that must have signed.
    authority : Path or None
        PEM certificates of the authority that must have issued the signing certificate.
    identity : str or None
        Mail address or URI that the certificate must be for.
    log_key : Path or None
        PEM of the key of the transparency log that must have signed the entry, its time and the log's root.
    """

    public_key: Path | None = None
    authority: Path | None = None
    identity: str | None = None
    log_key: Path | None = None


def bundle(file: Path, root: Path, trust: Trust) -> list[Claim]:
    """The claims of a bundle about files below ``root``.

    Raises
    ------
    DataError
        Where it is no bundle.
    IntegrityError
        Where its signature is wrong, or not by whom it must be.
    """
    try:
        document = json.loads(read_text(file))
        material = document["verificationMaterial"]
        if not isinstance(material, dict) or not isinstance(material.get("tlogEntries") or [], list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DataError("it is no sigstore bundle", file=file) from None
    key, who, note = _signer(material, trust)
    left_open, moment = check_log(material.get("tlogEntries") or [], _signature(document), trust.log_key)
    if moment is not None and trust.public_key is None:
        _check_valid(material, moment)
    note = "; ".join(filter(None, (note, left_open)))
    if "dsseEnvelope" in document:
        return _statement(file, root, document["dsseEnvelope"], key, who, note)
    return [_message(file, root, document.get("messageSignature"), key, who, note)]


def _signer(material: dict[str, Any], trust: Trust) -> tuple[Any, str | None, str]:
    """The public key to check with, whose it is where that is known, and what was not checked."""
    if trust.public_key is not None:
        try:
            key = serialization.load_pem_public_key(trust.public_key.read_bytes())
        except (ValueError, UnsupportedAlgorithm):
            raise DataError("this is no public key in PEM", file=trust.public_key) from None
        return key, f"the key in {trust.public_key.name}", ""
    raw = _certificate(material)
    if raw is None:
        raise DataError("the bundle brings no certificate", hint="name the public key with --public-key")
    try:
        certificate = x509.load_der_x509_certificate(raw)
        names = _names(certificate)
        key = certificate.public_key()
    except ValueError:
        raise IntegrityError("the certificate in the bundle is not sound") from None
    if trust.authority is None:
        return (
            key,
            None,
            f"signed by whoever says to be {', '.join(names) or 'nobody'}; no authority was named",
        )
    _check_issued(certificate, trust.authority)
    if trust.identity is None or trust.identity not in names:
        raise IntegrityError(
            f"the certificate is for {', '.join(names) or 'nobody'}, not for {trust.identity}"
        )
    return key, trust.identity, ""


def _certificate(material: dict[str, Any]) -> bytes | None:
    try:
        one = material.get("certificate") or material["x509CertificateChain"]["certificates"][0]
        return base64.b64decode(one["rawBytes"])
    except (KeyError, TypeError, IndexError, AttributeError, binascii.Error):
        return None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *found.get_values_for_type(x509.RFC822Name),
        *found.get_values_for_type(x509.UniformResourceIdentifier),
    ]


def _check_issued(certificate: x509.Certificate, authority: Path) -> None:
    """The certificate was issued by one of the authority's; its short life is over and is not compared."""
    try:
        known = x509.load_pem_x509_certificates(authority.read_bytes())
    except ValueError:
        raise DataError("these are no certificates in PEM", file=authority) from None
    for issuer in known:
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return
    raise IntegrityError(f"the certificate was not issued by the authority in {authority.name}")


def _signature(document: dict[str, Any]) -> str:
    """The signature as the bundle writes it."""
    try:
        if "dsseEnvelope" in document:
            return str(document["dsseEnvelope"]["signatures"][0]["sig"])
        return str(document["messageSignature"]["signature"])
    except (KeyError, TypeError, IndexError):
        return ""


def _check_valid(material: dict[str, Any], moment: datetime) -> None:
    """The certificate was valid when the log took the signature up."""
    raw = _certificate(material)
    if raw is None:
        return
    certificate = x509.load_der_x509_certificate(raw)
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise IntegrityError(f"the certificate was not valid on {moment:%Y-%m-%d %H:%M} UTC, when it signed")


def _verify(key: Any, signature: bytes, message: bytes, digest: bytes | None = None) -> None:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if digest is not None:
                key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
            else:
                key.verify(signature, message, ec.ECDSA(_HASHES.get(key.curve.key_size, hashes.SHA256())))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            raise DataError(f"a signature by a {type(key).__name__} is not checked here")
    except InvalidSignature:
        raise IntegrityError(
            "the signature in the bundle is wrong: it or what was signed was altered"
        ) from None


def _statement(file: Path, root: Path, envelope: Any, key: Any, who: str | None, note: str) -> list[Claim]:
    read = Envelope.parse(json.dumps(envelope).encode())
    if not read.signatures:
        raise IntegrityError("the bundle has no signature")
    _verify(key, read.signatures[0].sig, pae(read.payload_type, read.payload))
    try:
        statement = json.loads(read.payload)
        kind, predicate = statement["predicateType"], statement["predicate"]
        subjects = statement["subject"]
        if kind != MODEL_SIGNING:
            named = [(s["name"], a, d) for s in subjects for a, d in s["digest"].items()]
            return [_noted(compare(root, n, a, d, kind, authenticated=who), note) for n, a, d in named]
        resources = [(r["name"], r["algorithm"], r["digest"]) for r in predicate["resources"]]
        whole = hashlib.sha256(b"".join(bytes.fromhex(digest) for _, _, digest in resources)).hexdigest()
        if subjects[0]["digest"].get("sha256") != whole:
            raise IntegrityError("the list of files is not the one that was signed")
        ignored = tuple(map(str, predicate.get("serialization", {}).get("ignore_paths") or ()))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise IntegrityError("what was signed is no statement about files") from None
    found = [
        _noted(compare(root, name, algorithm, digest, "model-signing", authenticated=who), note)
        for name, algorithm, digest in resources
    ]
    return found + _not_signed(file, root, {name for name, _, _ in resources}, ignored, who)


def _not_signed(
    file: Path, root: Path, signed: set[str], ignored: tuple[str, ...], who: str | None
) -> list[Claim]:
    """Files in the folder of the model that nobody signed."""
    own = file.resolve()
    extra = []
    for name, path in files_below(root):
        base = name.split("/")[0]
        skipped = base in (".git", ".gitattributes", ".github", ".gitignore") or name.startswith(
            ignored or "\0"
        )
        if name not in signed and path.resolve() != own and not skipped:
            extra.append(Claim(name, "", "", "model-signing", False, who, "it is not among the signed files"))
    return extra


def _message(file: Path, root: Path, signed: Any, key: Any, who: str | None, note: str) -> Claim:
    """A bundle beside a single file, ``model.bin.sigstore.json``."""
    try:
        said = signed["messageDigest"]
        if said["algorithm"] != "SHA2_256":
            raise DataError(f"a digest by {said['algorithm']} is not checked here", file=file)
        digest = base64.b64decode(said["digest"])
        signature = base64.b64decode(signed["signature"])
    except (KeyError, TypeError, binascii.Error):
        raise DataError("the bundle holds neither a statement nor a signed digest", file=file) from None
    name = (
        file.name.removesuffix(".json").removesuffix(".sigstore").removesuffix(".bundle").removesuffix(".sig")
    )
    claim = compare(root, name, "sha256", digest.hex(), "sigstore", authenticated=who)
    if isinstance(key, ec.EllipticCurvePublicKey):
        _verify(key, signature, b"", digest)
    else:
        _verify(key, signature, (root / name).read_bytes())
    return _noted(claim, note)


def _noted(claim: Claim, note: str) -> Claim:
    words = "; ".join(filter(None, (claim.note, note)))
    return Claim(
        claim.path, claim.algorithm, claim.digest, claim.claim, claim.matches, claim.authenticated, words
    )


__all__ = ["MODEL_SIGNING", "Trust", "bundle"]
