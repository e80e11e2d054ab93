"""The signatures of a transparency log, made here as Rekor makes them."""

from __future__ import annotations

import base64
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


def entry(key: ec.EllipticCurvePrivateKey = LOG) -> dict[str, Any]:
    root = node_hash(leaf_hash(b"other"), leaf_hash(BODY))
    text = f"rekor.example - 1\n2\n{b64(root)}\n"
    checkpoint = f"{text}\n— rekor.example {b64(b'hint' + sign(text.encode(), key))}\n"
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
