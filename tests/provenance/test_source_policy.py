"""Signed batches, keys over time, and what the policy does with what is not signed right."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from foretaste.errors import ConfigError, IntegrityError
from foretaste.provenance import dsse
from foretaste.provenance.batch import check_batch, sign_batch
from foretaste.provenance.dsse import Envelope
from foretaste.provenance.genuine import genuine_entries
from foretaste.provenance.ingest import decide, ingest, no_longer_trusted
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.note import VerifierKey
from foretaste.provenance.sources import SourcePolicy
from foretaste.provenance.statement import PAYLOAD_TYPE, Statement
from foretaste.provenance.verification import verify

OLD = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEW = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
THIEF = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
JUNE = datetime(2026, 6, 15, tzinfo=UTC)


def vkey(key: Ed25519PrivateKey) -> VerifierKey:
    return VerifierKey.of("vendor", key)


def policy(folder: Path, text: str = "", keys: str = "") -> SourcePolicy:
    path = folder / "sources.toml"
    path.write_text(
        f'schema = 1\n[source.vendor]\n{text}\n[[source.vendor.key]]\nkey = "{vkey(OLD)}"\n'
        f'until = 2026-07-01\n[[source.vendor.key]]\nkey = "{vkey(NEW)}"\nfrom = 2026-06-01\n{keys}'
    )
    return SourcePolicy.read(path)


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    path = tmp_path / "batch.csv"
    path.write_text("a,label\n1,x\n")
    return path


def test_what_is_signed_is_type_and_bytes_with_their_lengths() -> None:
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert dsse.pae("ü", b"") == b"DSSEv1 2 \xc3\xbc 0 "
    envelope = dsse.sign(b"hello world", "http://example.com/HelloWorld", OLD)
    value = json.loads(envelope.encode())
    assert (value["payload"], value["payloadType"]) == ("aGVsbG8gd29ybGQ=", "http://example.com/HelloWorld")
    OLD.public_key().verify(
        base64.b64decode(value["signatures"][0]["sig"]),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world",
    )


def test_a_batch_is_an_in_toto_statement_with_the_hash_of_every_file(batch: Path) -> None:
    envelope = sign_batch([batch], "vendor", OLD, time="2026-06-15T00:00:00Z")
    assert envelope.payload_type == "application/vnd.in-toto+json"
    assert json.loads(envelope.payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {
                "name": "batch.csv",
                "digest": {"sha256": "65db17d550424d08c06907472c3212cc432ec3e88876648a472e3b97fe35b305"},
            }
        ],
        "predicateType": "urn:foretaste:batch:v1",
        "predicate": {"source": "vendor", "time": "2026-06-15T00:00:00Z"},
    }


@given(st.data())
def test_no_envelope_with_an_altered_payload_or_signature_is_accepted(data: st.DataObject) -> None:
    genuine = dsse.sign(b'{"a": 1}', "application/json", OLD)
    value = json.loads(genuine.encode())
    field = data.draw(st.sampled_from(["payload", "payloadType", "sig"]))
    holder = value["signatures"][0] if field == "sig" else value
    at = data.draw(st.integers(0, len(holder[field]) - 1))
    letter = data.draw(st.sampled_from("ABCabc019+/=ü"))
    holder[field] = holder[field][:at] + letter + holder[field][at + 1 :]
    try:
        altered = Envelope.parse(json.dumps(value).encode())
        altered.signer([vkey(OLD)])
    except IntegrityError:
        return
    assert (altered.payload, altered.payload_type) == (genuine.payload, genuine.payload_type)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"payload": 1}', b"[" * 10_000, b"\xff"])
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        Envelope.parse(data)


def test_a_signature_covers_the_content_whatever_a_single_file_is_called(batch: Path, tmp_path: Path) -> None:
    envelope = sign_batch([batch], "vendor", OLD)
    renamed = batch.rename(tmp_path / "renamed.csv")
    assert check_batch(envelope, [renamed], "vendor", [vkey(OLD)]) == vkey(OLD)
    renamed.write_text("a,label\n1,y\n")
    with pytest.raises(IntegrityError, match="altered or added"):
        check_batch(envelope, [renamed], "vendor", [vkey(OLD)])


def test_in_a_folder_the_name_of_a_file_may_be_a_label(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "images" / label).mkdir(parents=True)
        (tmp_path / "images" / label / "1").write_text(label)
    envelope = sign_batch([tmp_path / "images"], "vendor", OLD)
    check_batch(envelope, [tmp_path / "images"], "vendor", [vkey(OLD)])
    (tmp_path / "images" / "cat").rename(tmp_path / "images" / "other")
    (tmp_path / "images" / "dog").rename(tmp_path / "images" / "cat")
    (tmp_path / "images" / "other").rename(tmp_path / "images" / "dog")
    with pytest.raises(IntegrityError):
        check_batch(envelope, [tmp_path / "images"], "vendor", [vkey(OLD)])


def test_a_statement_about_something_else_is_no_signed_batch(batch: Path) -> None:
    said = Statement.parse(sign_batch([batch], "vendor", OLD).payload)
    other = Statement(said.subjects, "urn:something:else", said.predicate)
    with pytest.raises(IntegrityError, match="not that the batch comes from"):
        check_batch(dsse.sign(other.encode(), PAYLOAD_TYPE, OLD), [batch], "vendor", [vkey(OLD)])
    with pytest.raises(IntegrityError, match="no statement"):
        check_batch(dsse.sign(said.encode(), "text/plain", OLD), [batch], "vendor", [vkey(OLD)])
    with pytest.raises(IntegrityError, match="'other'"):
        check_batch(sign_batch([batch], "vendor", OLD), [batch], "other", [vkey(OLD)])


@pytest.mark.parametrize(
    ("key", "moment", "action", "reason"),
    [
        (OLD, datetime(2026, 5, 31, 23, 59, tzinfo=UTC), "accept", "signed by vendor"),
        (NEW, datetime(2026, 5, 31, 23, 59, tzinfo=UTC), "refuse", "trusted only from 2026-06-01"),
        (OLD, JUNE, "accept", "signed by vendor"),
        (NEW, JUNE, "accept", "signed by vendor"),
        (OLD, datetime(2026, 7, 1, tzinfo=UTC), "refuse", "trusted only until 2026-07-01"),
        (NEW, datetime(2026, 7, 1, tzinfo=UTC), "accept", "signed by vendor"),
        (THIEF, JUNE, "refuse", "not signed with a key that is trusted"),
    ],
)
def test_a_key_counts_as_it_is_trusted_when_the_batch_arrives(
    tmp_path: Path, batch: Path, key: Ed25519PrivateKey, moment: datetime, action: str, reason: str
) -> None:
    signature = sign_batch([batch], "vendor", key, time="2026-06-15T00:00:00Z").encode()
    decision = decide(policy(tmp_path), "vendor", [batch], signature, moment=moment)
    assert decision.action == action
    assert reason in decision.reason


@pytest.mark.parametrize("action", ["refuse", "quarantine", "accept"])
def test_unsigned_batches_meet_the_action_of_the_policy(tmp_path: Path, batch: Path, action: str) -> None:
    found = decide(policy(tmp_path, f'unsigned = "{action}"'), "vendor", [batch], None, moment=JUNE)
    assert (found.action, found.reason) == (action, "the batch is not signed by 'vendor'")
    assert decide(policy(tmp_path), "stranger", [batch], None, moment=JUNE).action == "refuse"


def test_an_accepted_batch_is_in_the_ledger_with_its_signature_and_the_policy(
    ledger: Ledger, batch: Path, tmp_path: Path
) -> None:
    signature = sign_batch([batch], "vendor", NEW).encode()
    rules = policy(tmp_path)
    decision, number = ingest(ledger, rules, "vendor", [batch], signature, moment=JUNE)
    entry = ledger.entry(number)
    assert (decision.action, entry.kind, entry.source) == ("accept", "ingest", "vendor")
    assert entry.details["key"] == str(vkey(NEW))
    assert entry.details["policy"] == rules.sha256
    assert [file.name for file in entry.files] == ["batch.csv", "signature"]
    assert ledger.store.get_bytes(entry.files[1].sha256) == signature
    assert verify(ledger.folder).intact


@pytest.mark.parametrize(("action", "kept"), [("refuse", "elsewhere"), ("quarantine", "store")])
def test_a_batch_that_is_not_let_in_is_logged_as_a_denied_write(
    ledger: Ledger, batch: Path, tmp_path: Path, action: str, kept: str
) -> None:
    rules = policy(tmp_path, f'wrongly-signed = "{action}"')
    signature = sign_batch([batch], "vendor", THIEF).encode()
    decision, number = ingest(ledger, rules, "vendor", [batch], signature, moment=JUNE)
    entry = ledger.entry(number)
    assert (decision.action, entry.kind, entry.details["decision"]) == (action, "denied-write", action)
    assert entry.files[0].kept == kept
    _, number = ingest(ledger, rules, "vendor", [batch], b"no envelope", moment=JUNE)
    assert ledger.entry(number).details["reason"] == "this is no DSSE envelope"


def test_an_old_batch_cannot_be_played_again(ledger: Ledger, batch: Path, tmp_path: Path) -> None:
    signature = sign_batch([batch], "vendor", NEW).encode()
    ingest(ledger, policy(tmp_path), "vendor", [batch], signature, moment=JUNE)
    decision, _ = ingest(ledger, policy(tmp_path), "vendor", [batch], signature, moment=JUNE)
    assert (decision.action, decision.reason) == ("refuse", "entry 0 ingested the same batch already")


def test_a_key_revoked_as_of_a_time_makes_what_came_since_suspect(
    ledger: Ledger, batch: Path, tmp_path: Path
) -> None:
    for day in (10, 20):
        batch.write_text(f"a,label\n{day},x\n")
        signature = sign_batch([batch], "vendor", NEW).encode()
        ingest(
            ledger, policy(tmp_path), "vendor", [batch], signature, moment=datetime(2026, 6, day, tzinfo=UTC)
        )
    entries = genuine_entries(ledger)
    assert no_longer_trusted(entries, policy(tmp_path)) == {}
    revoked = policy(tmp_path, keys="revoked = 2026-06-15T12:00:00Z\n")
    assert list(no_longer_trusted(entries, revoked)) == [1]
    assert "was revoked as of 2026-06-15 12:00 UTC" in no_longer_trusted(entries, revoked)[1]
    assert list(no_longer_trusted(entries, SourcePolicy())) == [0, 1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin with schema = 1"),
        ("schema = 1\nunknown = 'accept'", "unknown is 'accept'; use refuse or quarantine"),
        ("schema = 1\n[source.a]\nunsinged = 'refuse'", "there is no setting source.a.unsinged"),
        ("schema = 1\n[source.a]\nwrongly-signed = 'accept'", "use refuse or quarantine"),
        ("schema = 1\n[[source.a.key]]\nkey = 'a+b+c'", "source.a.key"),
        ("schema = 1\n[source.a]\nkey = 'a+b+c'", "write [[source.a.key]]"),
        (
            f"schema = 1\n[[source.a.key]]\nkey = '{vkey(OLD)}'\nuntil = 'soon'",
            "write a date such as 2026-06-01",
        ),
        ("schema = 1\n[source", "this is not TOML"),
    ],
)
def test_a_policy_that_cannot_be_used_says_where(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "sources.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        SourcePolicy.read(tmp_path / "sources.toml")
    assert says in str(raised.value)
