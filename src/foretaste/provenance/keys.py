"""Ed25519 key files: the private key as PEM (PKCS 8), readable by its owner only; the public one as one line.

Private keys lie outside of what they protect: by default in the key folder of the user, found again by the
name of the ledger or the signer.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.note import VerifierKey

_MOST_BYTES = 2**16


def key_folder() -> Path:
    """Where this user's private keys lie: ``FORETASTE_KEYS``, or ``foretaste/keys`` in the configuration."""
    named = os.environ.get("FORETASTE_KEYS")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME") or (os.environ.get("APPDATA") if os.name == "nt" else None)
    return (Path(base) if base else Path.home() / ".config") / "foretaste" / "keys"


def default_path(key: VerifierKey) -> Path:
    """Where the private key of this name lies unless somebody said otherwise."""
    return key_folder() / f"{_file_name(key.name)}+{key.id.hex()}.pem"


def find_private(name: str) -> Path:
    """Where the private key of this name lies in the key folder.

    Raises
    ------
    DataError
        Where there is none, or more than one.
    """
    found = sorted(key_folder().glob(f"{_file_name(name)}+*.pem"))
    if len(found) != 1:
        held = "no private key" if not found else f"{len(found)} private keys"
        hint = "make one with foretaste keys new" if not found else "name one with --key FILE"
        raise DataError(f"{held} of {name!r} in {key_folder()}", hint=hint)
    return found[0]


def new_key() -> Ed25519PrivateKey:
    """A new private key, from the operating system's randomness."""
    return Ed25519PrivateKey.generate()


def save_private(key: Ed25519PrivateKey, path: Path) -> None:
    """Write a private key to a new file with mode 0600; an existing file is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def load_private(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises
    ------
    DataError
        Where the file is no private Ed25519 key in PEM, or others than its owner may read it.
    """
    data = _read(path)
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise DataError("this is no private Ed25519 key in PEM without a password", file=path)
    if os.name != "nt" and path.stat().st_mode & 0o077:
        raise DataError(
            "others may read or change this private key", file=path, hint=f"run: chmod 600 {path}"
        )
    return key


def load_public(path: Path, name: str | None = None) -> VerifierKey:
    """Read a public key: a file with a verifier key in one line, or a PEM file and the name it belongs to.

    Raises
    ------
    DataError
        Where it is neither.
    """
    data = _read(path)
    if data.startswith(b"-----BEGIN PUBLIC KEY-----"):
        try:
            key = load_pem_public_key(data)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey) or name is None:
            raise DataError("this is no public Ed25519 key that can be used here", file=path)
        return VerifierKey(name, key.public_bytes_raw())
    try:
        return VerifierKey.parse(data.decode().removesuffix("\n"))
    except (UnicodeDecodeError, IntegrityError) as error:
        raise DataError(f"this is no public key: {error}", file=path) from None


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80]


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_MOST_BYTES)
