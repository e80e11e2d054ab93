"""Signed notes: a text, and lines that sign it (C2SP signed-note), with Ed25519.

A note is UTF-8 text that ends in a newline, an empty line, and one line per signature::

    — <key name> base64(key ID, signature)

Reference: C2SP signed-note v1.0.0, https://c2sp.org/signed-note.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from foretaste.errors import IntegrityError

ED25519 = 0x01
"""Signature type: Ed25519 over the text."""
COSIGNATURE = 0x04
"""Signature type: Ed25519 over the text and a time, by a witness (C2SP tlog-cosignature)."""

MOST_BYTES = 2**20
_MOST_SIGNATURES = 64
_DASH = "— "


@dataclass(frozen=True)
class VerifierKey:
    """A name and a public key; as text ``name+key ID+base64(type, key)``, in one line.

    Examples
    --------
    >>> key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    >>> key.name, key.id.hex(), str(key)[:24]
    ('example.com/foo', '530d903a', 'example.com/foo+530d903a')
    """

    name: str
    public: bytes
    type: int = ED25519

    def __post_init__(self) -> None:
        check_name(self.name)

    @classmethod
    def of(cls, name: str, key: Ed25519PrivateKey, type: int = ED25519) -> VerifierKey:
        """The verifier key that belongs to a private key."""
        return cls(name, key.public_key().public_bytes_raw(), type)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read the one-line form; every byte of it counts.

        Raises
        ------
        IntegrityError
            Where it is not the exact text of an Ed25519 verifier key.
        """
        name, _, rest = text.partition("+")
        identifier, _, encoded = rest.partition("+")
        material = from_base64(encoded, "the verifier key")
        if len(material) != 33 or material[0] not in (ED25519, COSIGNATURE):
            raise IntegrityError("this is no verifier key for Ed25519; it looks like name+1a2b3c4d+AbCd...")
        key = cls(name, material[1:], material[0])
        if key.id.hex() != identifier:
            raise IntegrityError(f"the verifier key {name!r} and its key ID do not belong together")
        return key

    def __str__(self) -> str:
        material = base64.b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{material}"

    @property
    def id(self) -> bytes:
        """The key ID, 4 bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    def accepts(self, message: bytes, signature: bytes) -> bool:
        """Whether this key made this signature of this message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Signature:
    """One signature line."""

    name: str
    id: bytes
    signature: bytes

    def by(self, key: VerifierKey) -> bool:
        """Whether it says that this key made it; not whether that is true."""
        return (self.name, self.id) == (key.name, key.id)

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.id + self.signature).decode()}\n"


@dataclass(frozen=True)
class Note:
    """A text and its signatures; nothing in it may be used before a known key was found to have signed it."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Read a note.

        Raises
        ------
        IntegrityError
            Where it is not the exact form of a signed note.
        """
        try:
            whole = data[:MOST_BYTES].decode("utf-8")
        except UnicodeDecodeError:
            raise IntegrityError("this is no signed note: it is not UTF-8") from None
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or len(data) > MOST_BYTES or any(c < " " and c != "\n" for c in whole):
            raise IntegrityError("this is no signed note: a text, an empty line, and lines that sign it")
        signed = [_parse_signature(line) for line in lines.split("\n")[:-1]]
        note = cls(f"{text}\n", tuple(signed))
        if not signed or len(signed) > _MOST_SIGNATURES or note.encode() != data:
            raise IntegrityError("this is no signed note: its signature lines are not in order")
        return note

    def encode(self) -> bytes:
        """The bytes of the note."""
        return f"{self.text}\n{''.join(map(str, self.signatures))}".encode()

    def require(self, key: VerifierKey) -> None:
        """Raise `IntegrityError` unless this Ed25519 key signed the text."""
        made = [line for line in self.signatures if line.by(key)]
        if not made:
            raise IntegrityError(f"it is not signed by {key.name} (key ID {key.id.hex()})")
        if not all(key.accepts(self.text.encode(), line.signature) for line in made):
            raise IntegrityError(f"the signature by {key.name} is wrong: text or signature were altered")


def sign(text: str, name: str, key: Ed25519PrivateKey) -> Note:
    """Sign a text that ends in a newline.

    Examples
    --------
    >>> key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    >>> sign("hello\\n", "me", key).require(VerifierKey.of("me", key))
    """
    verifier = VerifierKey.of(name, key)
    return Note(text, (Signature(name, verifier.id, key.sign(text.encode())),))


def check_name(name: str) -> None:
    """Raise `IntegrityError` unless this may be the name of a key: no spaces, no plus, nothing invisible."""
    if not name or "+" in name or not name.isprintable() or any(letter.isspace() for letter in name):
        raise IntegrityError(
            f"{name[:80]!r} cannot be the name of a key: use letters, digits, '.', '/' and '-'"
        )


def from_base64(text: str, what: str) -> bytes:
    """Standard base64, in the one form that encoding gives; anything else raises `IntegrityError`."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        raise IntegrityError(f"{what} is not proper base64")
    return data


def _parse_signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        raise IntegrityError("this is no signed note: a signature line does not begin with a dash")
    check_name(name)
    material = from_base64(encoded, f"the signature by {name}")
    if len(material) < 5:
        raise IntegrityError(f"the signature by {name} is too short")
    return Signature(name, material[:4], material[4:])
