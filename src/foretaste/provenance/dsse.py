"""DSSE: an envelope around any bytes, with their type and signatures over both, here with Ed25519.

Reference: Dead Simple Signing Envelope v1.0.2, https://github.com/secure-systems-lab/dsse.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from foretaste.errors import IntegrityError
from foretaste.provenance.note import VerifierKey

MOST_BYTES = 2**26
_MOST_SIGNATURES = 64


@dataclass(frozen=True)
class EnvelopeSignature:
    """A signature, and a hint at the key that made it."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """Bytes, their type, and signatures; the bytes may not be used before `signer` found a trusted key."""

    payload: bytes
    payload_type: str
    signatures: tuple[EnvelopeSignature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Envelope:
        """Read an envelope; raises `IntegrityError` where it is none."""
        try:
            value = json.loads(data[:MOST_BYTES])
            signatures = tuple(
                EnvelopeSignature(str(line.get("keyid") or ""), _from_base64(line["sig"]))
                for line in value["signatures"][:_MOST_SIGNATURES]
            )
            read = cls(_from_base64(value["payload"]), value["payloadType"], signatures)
            if not isinstance(read.payload_type, str):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise IntegrityError("this is no DSSE envelope") from None
        return read

    def encode(self) -> bytes:
        """The envelope as JSON."""
        signatures = [
            {"keyid": line.keyid, "sig": base64.b64encode(line.sig).decode()} for line in self.signatures
        ]
        value = {"payload": base64.b64encode(self.payload).decode(), "payloadType": self.payload_type}
        return json.dumps({**value, "signatures": signatures}, indent=1).encode() + b"\n"

    def signer(self, keys: Iterable[VerifierKey]) -> VerifierKey:
        """The first of these keys that signed it.

        Raises
        ------
        IntegrityError
            Where none of them did.
        """
        message = pae(self.payload_type, self.payload)
        for key in keys:
            if any(key.accepts(message, line.sig) for line in self.signatures):
                return key
        raise IntegrityError("it is not signed with a key that is trusted here, or was altered")


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: type and bytes, each after its length (pre-authentication encoding).

    Examples
    --------
    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, key: Ed25519PrivateKey) -> Envelope:
    """Put bytes into a signed envelope.

    Examples
    --------
    >>> key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    >>> sign(b"{}", "application/json", key).signer([VerifierKey.of("me", key)]).name
    'me'
    """
    line = EnvelopeSignature(
        key_id(key.public_key().public_bytes_raw()), key.sign(pae(payload_type, payload))
    )
    return Envelope(payload, payload_type, (line,))


def key_id(public: bytes) -> str:
    """SHA-256 of a public Ed25519 key in DER (SubjectPublicKeyInfo), as hexadecimal digits."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _from_base64(text: str) -> bytes:
    """Standard or URL-safe base64, as the specification demands."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise ValueError from error
