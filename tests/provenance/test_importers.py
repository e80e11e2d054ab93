"""What others claim about files: read, compared with the files, believed as far as it is signed."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.errors import DataError, ForetasteError, IntegrityError
from foretaste.provenance.dsse import pae
from foretaste.provenance.importers import Trust, read_claims
from foretaste.provenance.merkle import leaf_hash, node_hash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a.bin").write_bytes(b"weights")
    (tmp_path / "model" / "b.txt").write_bytes(b"notes")
    return tmp_path / "model"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def states(found: list[Any]) -> dict[str, Any]:
    return {claim.path: (claim.matches, claim.verified) for claim in found}


def test_checksum_lists_of_both_styles(folder: Path) -> None:
    lines = [
        f"{sha256(b'weights')}  ./a.bin",
        f"{sha256(b'other')} *b.txt",
        f"SHA256 (a.bin) = {sha256(b'weights')}",
        f"{hashlib.md5(b'notes').hexdigest()}  b.txt",
        f"{sha256(b'x')}  ../../etc/passwd",
        f"{sha256(b'x')}  /etc/passwd",
        "# a comment",
    ]
    (folder / "SHA256SUMS").write_text("\n".join(lines))
    found = read_claims(folder / "SHA256SUMS")
    assert [(claim.matches, claim.verified) for claim in found] == [
        (True, True), (False, False), (True, True), (True, False), (False, False), (False, False),
    ]  # fmt: skip
    assert found[1].note == f"it has sha256:{sha256(b'notes')}"
    assert "not attackers" in found[3].note
    (folder / "SHA256SUMS").write_text("hello\n")
    with pytest.raises(DataError, match="line 1 is no checksum"):
        read_claims(folder / "SHA256SUMS")


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "SUMS")
    with pytest.raises(DataError, match="not a regular file"):
        read_claims(tmp_path / "SUMS")


def test_links_that_lead_out_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "SUMS").write_text(f"{sha256(b'secret')}  link\n")
    (claim,) = read_claims(folder / "SUMS")
    assert (claim.matches, claim.note) == (False, "a link leads out of the folder")


def test_dvc_pointers_match_and_are_weak(folder: Path) -> None:
    digest = hashlib.md5(b"weights").hexdigest()
    pointer = folder / "a.bin.dvc"
    written = f"outs:\n- md5: {digest}\n  size: 7\n  hash: md5\n  path: a.bin\nmeta:\n  x: 1\n"
    pointer.write_text(written)
    (claim,) = read_claims(pointer)
    assert (claim.matches, claim.verified, claim.algorithm) == (True, False, "md5")
    pointer.write_text(f"outs:\n- path: b.txt\n  hash: md5\n  md5: {'0' * 32}\n- path: s3\n  etag: x\n")
    assert states(read_claims(pointer)) == {"b.txt": (False, False), "s3": (None, False)}


def test_croissant_from_our_own_exporter(folder: Path) -> None:
    from foretaste.provenance.evidence.croissant import metadata

    (folder / "t.csv").write_text("a,b\n1,x\n")
    (folder / "croissant.json").write_text(json.dumps(metadata([folder / "t.csv"], name="t")))
    assert states(read_claims(folder / "croissant.json")) == {"t.csv": (True, True)}
    (folder / "t.csv").write_text("a,b\n2,x\n")
    assert states(read_claims(folder / "croissant.json")) == {"t.csv": (False, False)}


def test_hugging_face_downloads(folder: Path, tmp_path: Path) -> None:
    notes = folder / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    git = hashlib.sha1(b"blob 5\0notes").hexdigest()
    (notes / "a.bin.metadata").write_text(f"{'c' * 40}\n{sha256(b'weights')}\n1700000000.0\n")
    (notes / "b.txt.metadata").write_text(f"{'c' * 40}\n{git}\n1700000000.0\n")
    found = read_claims(folder)
    assert states(found) == {"a.bin": (True, True), "b.txt": (True, False)}
    assert found[0].claim == f"huggingface revision {'c' * 40}"
    cache = tmp_path / "models--x--y"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots" / "abc").mkdir(parents=True)
    (cache / "blobs" / sha256(b"w")).write_bytes(b"w")
    (cache / "snapshots" / "abc" / "w.bin").symlink_to(Path("../../blobs") / sha256(b"w"))
    assert states(read_claims(cache / "snapshots" / "abc")) == {"w.bin": (True, True)}


KEY = ec.generate_private_key(ec.SECP256R1())


def public(path: Path, key: Any = KEY) -> Path:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(key.public_key().public_bytes(*form))
    return path


def signed(files: dict[str, bytes], material: dict[str, Any] | None = None, **odd: Any) -> dict[str, Any]:
    """A bundle as OpenSSF model signing writes it."""
    resources = [
        {"name": n, "algorithm": "sha256", "digest": sha256(data)} for n, data in sorted(files.items())
    ]
    whole = sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources))
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": odd.get("whole", whole)}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"resources": resources, "serialization": {"method": "files"}},
    }
    payload, kind = json.dumps(statement).encode(), "application/vnd.in-toto+json"
    signature = KEY.sign(pae(kind, payload), ec.ECDSA(hashes.SHA256()))
    envelope = {"payload": base64.b64encode(payload).decode(), "payloadType": kind}
    envelope["signatures"] = [{"sig": base64.b64encode(signature).decode()}]  # type: ignore[assignment]
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material or {"publicKey": {"hint": "x"}, "tlogEntries": []},
        "dsseEnvelope": envelope,
    }


FILES = {"a.bin": b"weights", "b.txt": b"notes"}


def test_a_signed_model_is_verified_and_every_change_is_seen(folder: Path, tmp_path: Path) -> None:
    file = folder / "model.sig"
    file.write_text(json.dumps(signed(FILES)))
    trust = Trust(public(tmp_path / "key.pub"))
    found = read_claims(file, trust=trust)
    assert states(found) == {"a.bin": (True, True), "b.txt": (True, True)}
    assert {claim.authenticated for claim in found} == {"the key in key.pub"}
    (folder / "a.bin").write_bytes(b"Weights")
    (folder / "more.pkl").write_bytes(b"x")
    assert states(read_claims(file, trust=trust)) == {
        "a.bin": (False, False), "b.txt": (True, True), "more.pkl": (False, False),
    }  # fmt: skip
    other = Trust(public(tmp_path / "other.pub", ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(IntegrityError, match="signature in the bundle is wrong"):
        read_claims(file, trust=other)
    file.write_text(json.dumps(signed(FILES, whole="0" * 64)))
    with pytest.raises(IntegrityError, match="not the one that was signed"):
        read_claims(file, trust=trust)


def certificate(path: Path, mail: str) -> tuple[Path, dict[str, Any]]:
    """An authority, and signing material with a certificate that it issued for an address."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    start = datetime.datetime(2026, 1, 1)

    def build(subject: x509.Name, key: Any, *names: x509.GeneralName) -> x509.Certificate:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        made = made.serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(1))
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=True)
        return made.sign(root_key, hashes.SHA256())

    path.write_bytes(build(issuer, root_key.public_key()).public_bytes(serialization.Encoding.PEM))
    leaf = build(x509.Name([]), KEY.public_key(), x509.RFC822Name(mail))
    raw = base64.b64encode(leaf.public_bytes(serialization.Encoding.DER)).decode()
    return path, {"certificate": {"rawBytes": raw}, "tlogEntries": []}


def test_a_certificate_counts_only_from_a_named_authority_for_the_named_identity(
    folder: Path, tmp_path: Path
) -> None:
    authority, material = certificate(tmp_path / "ca.pem", "release@example.org")
    other, _ = certificate(tmp_path / "other.pem", "x@example.org")
    file = folder / "model.sig"
    file.write_text(json.dumps(signed(FILES, material)))
    (claim, _) = read_claims(file)
    assert claim.authenticated is None
    assert "whoever says to be release@example.org" in claim.note
    (claim, _) = read_claims(file, trust=Trust(authority=authority, identity="release@example.org"))
    assert claim.authenticated == "release@example.org"
    for trust, said in (
        (Trust(authority=authority, identity="eve@example.org"), "not for eve"),
        (Trust(authority=authority), "not for None"),
        (Trust(authority=other, identity="release@example.org"), "not issued by the authority"),
    ):
        with pytest.raises(IntegrityError, match=said):
            read_claims(file, trust=trust)


def test_the_proof_of_the_transparency_log_is_checked(folder: Path, tmp_path: Path) -> None:
    trust = Trust(public(tmp_path / "key.pub"))
    made = signed(FILES)
    body = json.dumps({"spec": {"signatures": made["dsseEnvelope"]["signatures"]}}).encode()
    root = node_hash(leaf_hash(b"other"), leaf_hash(body))

    def logged(body: bytes, root: bytes) -> list[Any]:
        proof = {"logIndex": "1", "treeSize": "2", "rootHash": base64.b64encode(root).decode()}
        proof["hashes"] = [base64.b64encode(leaf_hash(b"other")).decode()]  # type: ignore[assignment]
        entry = {"canonicalizedBody": base64.b64encode(body).decode(), "inclusionProof": proof}
        made["verificationMaterial"]["tlogEntries"] = [entry]
        (folder / "model.sig").write_text(json.dumps(made))
        return read_claims(folder / "model.sig", trust=trust)

    assert logged(body, root)[0].note == "the key of the transparency log was not named"
    assert "not about this signature" in logged(b"something else", root)[0].note
    with pytest.raises(IntegrityError, match="not in the transparency log"):
        logged(body, bytes(32))


def test_a_bundle_beside_a_single_file(folder: Path, tmp_path: Path) -> None:
    signature = KEY.sign(b"weights", ec.ECDSA(hashes.SHA256()))
    digest = base64.b64encode(hashlib.sha256(b"weights").digest()).decode()
    made = {
        "verificationMaterial": {"publicKey": {"hint": ""}},
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": digest},
            "signature": base64.b64encode(signature).decode(),
        },
    }
    file = folder / "a.bin.sigstore.json"
    file.write_text(json.dumps(made))
    trust = Trust(public(tmp_path / "key.pub"))
    assert states(read_claims(file, trust=trust)) == {"a.bin": (True, True)}
    (folder / "a.bin").write_bytes(b"other")
    assert states(read_claims(file, trust=trust)) == {"a.bin": (False, False)}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_claim_file_holds_is_answered_in_one_sentence(tmp_path_factory: Any, data: Any) -> None:
    leaf = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
    words = st.text(max_size=5)
    value = st.recursive(leaf, lambda v: st.lists(v, max_size=3) | st.dictionaries(words, v, max_size=3))
    shape = data.draw(st.sampled_from(["croissant", "dsse", "message", "raw"]))
    if shape == "raw":
        content = data.draw(st.binary(max_size=200))
    else:
        material = data.draw(value)
        inner = data.draw(value)
        names = {"croissant": "distribution", "dsse": "dsseEnvelope", "message": "messageSignature"}
        content = json.dumps({"@context": 1, "verificationMaterial": material, names[shape]: inner}).encode()
    folder = tmp_path_factory.getbasetemp()
    (folder / "claims").write_bytes(content)
    trust = data.draw(st.sampled_from([Trust(), Trust(public(folder / "key.pub"))]))
    with suppress(ForetasteError):
        read_claims(folder / "claims", trust=trust)
