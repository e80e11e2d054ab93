"""The signatures of a transparency log, made here as Rekor makes them."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.importers.transparency import check_log
from foretaste.provenance.merkle import leaf_hash, node_hash

LOG = ec.generate_private_key(ec.SECP256R1())
BODY = json.dumps({"spec": {"signature": "c2ln"}}).encode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sign(message: bytes, key: ec.EllipticCurvePrivateKey = LOG) -> bytes:
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def hint(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_key().public_bytes(*form)).digest()[:4]


def entry(key: ec.EllipticCurvePrivateKey = LOG) -> dict[str, Any]:
    root = node_hash(leaf_hash(b"other"), leaf_hash(BODY))
    text = f"rekor.example - 1\n2\n{b64(root)}\n"
    checkpoint = f"{text}\n— rekor.example {b64(hint(key) + sign(text.encode(), key))}\n"
    promised = f'{{"body":"{b64(BODY)}","integratedTime":1700000000,"logID":"abcd","logIndex":7}}'
    return {
        "canonicalizedBody": b64(BODY),
        "integratedTime": "1700000000",
        "logIndex": "7",
        "logId": {"keyId": b64(b"\xab\xcd")},
        "inclusionPromise": {"signedEntryTimestamp": b64(sign(promised.encode(), key))},
        "inclusionProof": {
            "logIndex": "1",
            "treeSize": "2",
            "rootHash": b64(root),
            "hashes": [b64(leaf_hash(b"other"))],
            "checkpoint": {"envelope": checkpoint},
        },
    }


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "rekor.pub"
    file.write_bytes(
        LOG.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return file


def test_time_and_root_are_those_that_the_log_signed(key: Path) -> None:
    assert check_log([entry()], "c2ln", key) == ("", datetime.fromtimestamp(1700000000, UTC))
    assert check_log([entry()], "c2ln", None) == ("the key of the transparency log was not named", None)
    with pytest.raises(IntegrityError, match="did not sign the entry"):
        check_log([entry(ec.generate_private_key(ec.SECP256R1()))], "c2ln", key)
    with pytest.raises(IntegrityError, match="nothing from a transparency log"):
        check_log([], "c2ln", key)
    with pytest.raises(IntegrityError, match="not about this signature"):
        check_log([entry()], "b3RoZXI=", key)
    made = entry()
    del made["inclusionPromise"]
    assert check_log([made], "c2ln", key) == ("the log did not sign when it took this up", None)
    del made["inclusionProof"]
    with pytest.raises(IntegrityError, match="cannot be read"):
        check_log([made], "c2ln", key)
    (key.parent / "no.pub").write_text("no")
    with pytest.raises(DataError, match="no public key"):
        check_log([made], "c2ln", key.parent / "no.pub")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("integratedTime",), "1700000001"),
        (("logIndex",), "8"),
        (("canonicalizedBody",), b64(BODY + b" ")),
        (("inclusionProof", "treeSize"), "3"),
        (("inclusionProof", "rootHash"), b64(bytes(32))),
        (("inclusionProof", "checkpoint", "envelope"), "rekor.example - 1\n2\nAA==\n\n— r AAAA\n"),
        (("inclusionProof", "checkpoint"), None),
    ],
)
def test_anything_changed_is_refused(key: Path, where: tuple[str, ...], value: Any) -> None:
    made = inner = entry()
    for name in where[:-1]:
        inner = inner[name]
    inner[where[-1]] = value
    with pytest.raises(IntegrityError):
        check_log([made], "c2ln", key)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_shape_is_read_or_refused(key: Path, data: st.DataObject) -> None:
    made: Any = entry()
    holder: Any = made
    while True:
        name = data.draw(st.sampled_from(sorted(holder)))
        if isinstance(holder[name], dict) and data.draw(st.booleans()):
            holder = holder[name]
            continue
        holder[name] = data.draw(st.none() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({}))
        break
    with suppress(IntegrityError):
        assert check_log([made], "c2ln", key)[1] is None or holder[name] in (1, 2, 7, 1700000000)
    check_log([entry() | {"inclusionProof": {}}], "c2ln", None)


# An entry of the public log rekor.sigstore.dev and the key of that log, as anyone can look them up there; the
# entry is the one of the bundle "happy-path-v0.3" in github.com/sigstore/sigstore-conformance.
PUBLIC = json.loads((Path(__file__).parent / "rekor_entry.json").read_text())
REKOR = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L"
    "3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw=="
)


@pytest.fixture
def rekor(tmp_path: Path) -> Path:
    file = tmp_path / "rekor.pub"
    file.write_text(f"-----BEGIN PUBLIC KEY-----\n{REKOR}\n-----END PUBLIC KEY-----\n")
    return file


def test_an_entry_of_the_public_log_is_verified_with_the_key_of_that_log(rekor: Path, key: Path) -> None:
    assert (
        base64.b64decode(PUBLIC["entry"]["logId"]["keyId"])
        == hashlib.sha256(base64.b64decode(REKOR)).digest()
    )
    moment = datetime(2024, 3, 19, 17, 26, 26, tzinfo=UTC)
    assert check_log([PUBLIC["entry"]], PUBLIC["signature"], rekor) == ("", moment)
    with pytest.raises(IntegrityError, match="did not sign the entry"):
        check_log([PUBLIC["entry"]], PUBLIC["signature"], key)
    older = copy.deepcopy(PUBLIC["entry"])
    del older["inclusionProof"]["checkpoint"]  # as bundles of v0.1 are
    assert check_log([older], PUBLIC["signature"], rekor) == ("", moment)
    del older["inclusionPromise"]
    with pytest.raises(IntegrityError):
        check_log([older], PUBLIC["signature"], rekor)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (("canonicalizedBody",), "not about this|not sign the entry"),
        (("inclusionPromise", "signedEntryTimestamp"), "not sign the entry"),
        (("inclusionProof", "rootHash"), "not in the transparency log"),
        (("inclusionProof", "hashes", 3), "not in the transparency log"),
        (("inclusionProof", "checkpoint", "envelope"), "checkpoint"),
    ],
)
def test_one_changed_letter_of_the_public_entry_is_refused(
    rekor: Path, where: tuple[str | int, ...], said: str
) -> None:
    entry = copy.deepcopy(PUBLIC["entry"])
    place = entry
    for step in where[:-1]:
        place = place[step]
    text = place[where[-1]]
    at = len(text) - 20
    place[where[-1]] = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    with pytest.raises(IntegrityError, match=said):
        check_log([entry], PUBLIC["signature"], rekor)


def test_a_checkpoint_signed_under_the_name_of_another_key_is_refused(key: Path) -> None:
    made = entry()
    envelope = made["inclusionProof"]["checkpoint"]["envelope"]
    made["inclusionProof"]["checkpoint"]["envelope"] = envelope.replace(b64(hint(LOG))[:4], b64(b"hint")[:4])
    with pytest.raises(IntegrityError, match="did not sign the checkpoint"):
        check_log([made], "c2ln", key)


def test_entries_that_hold_a_signature_encoded_twice_are_about_it(key: Path) -> None:
    twice = json.dumps({"spec": {"content": {"envelope": {"signatures": [{"sig": b64(b"c2ln")}]}}}})
    made = {"canonicalizedBody": b64(twice.encode()), "inclusionProof": {}}
    assert "cannot be read" in check_log([made], "c2ln", None)[0]
    assert "not about this signature" in check_log([made], "b3RoZXI=", None)[0]
