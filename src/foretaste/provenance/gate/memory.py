"""What the gate measured before, so that it need not read the same bytes twice, and believes nobody else.

Every answer lies in the key folder of whoever runs the gate, under the hash of everything it depends on, with
a code (HMAC-SHA256, RFC 2104) under a secret that lies there too and only its owner can read. An answer
without the right code, put there by somebody else or brought from another machine, is measured again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from foretaste import __version__
from foretaste.provenance import canonical
from foretaste.provenance.keys import key_folder

_SECRET_BYTES = 32
_MOST_BYTES = 2**16


def remembered(question: Mapping[str, object], measure: Callable[[], list[str]]) -> list[str]:
    """The answer to a question that was measured before; else it is measured and kept.

    Parameters
    ----------
    question : mapping
        Everything the answer depends on, contents as their SHA-256; canonical JSON.
    measure : callable
        Gives the answer.

    Examples
    --------
    >>> os.environ["FORETASTE_KEYS"] = tempfile.mkdtemp()
    >>> remembered({"of": "a"}, lambda: ["measured"]), remembered({"of": "a"}, lambda: ["again"])
    (['measured'], ['measured'])
    """
    asked = canonical.encode({**question, "foretaste": __version__})
    place = key_folder() / "measured" / hashlib.sha256(asked).hexdigest()
    secret = _secret()
    if secret is None:
        return measure()
    found = _read(place, asked, secret)
    if found is None:
        found = measure()
        with suppress(OSError):
            _write(place, asked, secret, found)
    return found


def _read(place: Path, asked: bytes, secret: bytes) -> list[str] | None:
    try:
        with place.open("rb") as stream:
            code, _, answer = stream.read(_MOST_BYTES).partition(b"\n")
    except OSError:
        return None
    if not hmac.compare_digest(code, _code(secret, asked, answer)):
        return None
    found: list[str] = json.loads(answer)
    return found


def _write(place: Path, asked: bytes, secret: bytes, found: list[str]) -> None:
    place.parent.mkdir(mode=0o700, exist_ok=True)
    answer = json.dumps(found).encode()
    descriptor, name = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(_code(secret, asked, answer) + b"\n" + answer)
    os.replace(name, place)


def _code(secret: bytes, asked: bytes, answer: bytes) -> bytes:
    return hmac.digest(secret, len(asked).to_bytes(8, "little") + asked + answer, "sha256").hex().encode()


def _secret() -> bytes | None:
    """Made at first; None where it cannot be kept, or others may read or change it."""
    path = key_folder() / "gate.secret"
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_SECRET_BYTES))
    try:
        found = path.lstat()
        if os.name != "nt" and (found.st_mode & 0o077 or found.st_uid != os.geteuid()):
            return None
        with path.open("rb") as stream:
            secret = stream.read(_SECRET_BYTES)
    except OSError:
        return None
    return secret if len(secret) == _SECRET_BYTES else None


__all__ = ["remembered"]
