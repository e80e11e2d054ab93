"""The gate: every demand of a policy blocks when it is not met and passes when it is."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from foretaste.data import file_sha256, write_table
from foretaste.errors import ConfigError, DeniedError
from foretaste.provenance.adding import add_files
from foretaste.provenance.batch import sign_batch
from foretaste.provenance.entries import Entry, FileRecord, now
from foretaste.provenance.gate import approve, gate, load_policy, subject_of
from foretaste.provenance.gate.committing import commit_checked, roll_back_checked
from foretaste.provenance.gate.drift import drift
from foretaste.provenance.ingest import ingest
from foretaste.provenance.keys import new_key
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.lineage import Activity, Artefact
from foretaste.provenance.lineage.from_ledger import write
from foretaste.provenance.note import COSIGNATURE, VerifierKey
from foretaste.provenance.sources import SourcePolicy
from foretaste.provenance.versions.history import commit

KEYS = {name: new_key() for name in ("alice", "bob", "carol", "vendor")}


class House:
    """A folder with data, a ledger beside it, and a policy that a test writes."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder, self.ledger = folder, ledger
        self.data = folder / "train.csv"
        self.write(list(range(40)), ["a", "b"] * 20)

    def write(self, x: list[int], y: list[str]) -> Path:
        write_table(pa.table({"x": x, "y": y}), self.data)
        return self.data

    def policy(self, gate_: str, access: str = "") -> Any:
        file = self.folder / "foretaste.toml"
        file.write_text(f"[gate]\nledger = 'ledger'\n{gate_}\n{access}")
        return load_policy(file)

    def decide(self, gate_: str, access: str = "", path: Path | None = None) -> dict[str, tuple[str, str]]:
        (found,) = gate([path or self.data], self.policy(gate_, access)).subjects
        return {check.name: (check.status, check.reason) for check in found.checks}

    def scan(self, **summary: Any) -> None:
        (self.folder / "scan").mkdir(exist_ok=True)
        made = {"data": {"sha256": file_sha256(self.data)}, "verdict": "clean", "rules": {}, "rows": 40}
        (self.folder / "scan" / "summary.json").write_text(json.dumps(made | {"flagged": 0} | summary))


@pytest.fixture
def house(tmp_path: Path, ledger: Ledger) -> House:
    return House(tmp_path, ledger)


def people(*roles: tuple[str, str]) -> str:
    return "".join(
        f'[access.people.{name}]\nkey = "{VerifierKey.of(name, KEYS[name])}"\nroles = ["{role}"]\n'
        for name, role in roles
    )


def test_data_that_the_ledger_does_not_name_are_blocked(house: House) -> None:
    assert house.decide("")["recorded"][0] == "block"
    add_files(house.ledger, [house.data], source="vendor")
    assert house.decide("")["recorded"] == ("pass", "entry 0 names it")
    house.data.write_text(house.data.read_text().replace("a", "b", 1))  # one flipped label
    assert house.decide("")["recorded"][0] == "block"


def test_an_altered_ledger_blocks(house: House) -> None:
    add_files(house.ledger, [house.data], source="vendor")
    bundle = next((house.ledger.folder / "tile" / "entries").rglob("000.p/*"))
    bundle.write_bytes(bundle.read_bytes().replace(b"vendor", b"vendos"))
    assert house.decide("")["ledger"][0] == "block"


def test_only_allowed_sources_and_through_transformations_too(house: House) -> None:
    add_files(house.ledger, [house.data], source="vendor")
    allowed = "allowed-sources = ['vendor']"
    assert house.decide(allowed)["sources"] == ("pass", "it comes from vendor")
    assert house.decide("allowed-sources = ['other']")["sources"] == ("block", "vendor may not deliver")
    raw, clean = house.data, house.folder / "clean.csv"
    clean.write_text("x,y\n1,a\n")
    assert house.decide(allowed, path=clean)["sources"] == ("block", "no source of it is recorded")
    ins = (Artefact("data", file_sha256(raw), "train.csv"),)
    outs = (Artefact("data", file_sha256(clean), "clean.csv"),)
    write(house.ledger, Activity("run", now(), ins, outs))
    assert house.decide(allowed, path=clean)["sources"] == ("pass", "it comes from vendor")
    other = Artefact("data", "0" * 64, "web.csv")
    write(house.ledger, Activity("run", now(), (*ins, other), outs))
    assert house.decide(allowed, path=clean)["sources"] == (
        "block",
        "'web.csv' came from nowhere that is recorded",
    )


def test_signatures_and_revoked_keys(house: House) -> None:
    add_files(house.ledger, [house.data], source="vendor")
    assert house.decide("require-signatures = true")["signatures"][0] == "block"
    house.write([1, 2], ["a", "b"])
    sources = house.folder / "sources.toml"
    key = VerifierKey.of("vendor", KEYS["vendor"])
    known = f'schema = 1\n[source.vendor]\n[[source.vendor.key]]\nkey = "{key}"\n'
    sources.write_text(known)
    signature = sign_batch([house.data], "vendor", KEYS["vendor"]).encode()
    assert ingest(house.ledger, SourcePolicy.read(sources), "vendor", [house.data], signature)[0].key == key
    policy = "require-signatures = true\nsources = 'sources.toml'"
    found = house.decide(policy)
    assert (found["signatures"][0], found["trusted-sources"][0]) == ("pass", "pass")
    sources.write_text(known + "revoked = 2020-01-01\n")
    assert house.decide(policy)["trusted-sources"][0] == "block"


def test_a_scan_of_these_data_and_its_findings(house: House) -> None:
    add_files(house.ledger, [house.data])
    policy = "findings = 'scan'\nmax-findings = {high = 0, medium = 5}\nmax-flagged = 0.1"
    with pytest.raises(ConfigError, match="does not hold a finished scan"):
        house.decide(policy)
    house.scan()
    assert {status for status, _ in house.decide(policy).values()} == {"pass"}
    house.scan(rules={"FT201": 3}, flagged=5, verdict="poisoned")
    found = house.decide(policy)
    assert [name for name, (status, _) in found.items() if status == "block"] in (
        ["findings-high", "flagged-rows"],
        ["flagged-rows"],
    )
    house.scan(rules={"FT999": 1})
    assert house.decide("findings = 'scan'\nmax-findings = {critical = 0}")["findings-critical"][0] == "block"
    house.scan(verdict="incomplete")
    assert house.decide(policy)["scan"] == ("block", "the scan did not finish")
    house.scan(data={"sha256": "0" * 64})
    assert "is of other data" in house.decide(policy)["scan"][1]


def test_approvals_count_people_with_the_role_and_the_key(house: House) -> None:
    add_files(house.ledger, [house.data])
    access = people(("alice", "approve"), ("bob", "approve"), ("carol", "label"))
    policy = house.policy("approvals = 2", access)
    subject = subject_of(house.data)

    def sign(name: str, key: str, role: str = "approve") -> int:
        return approve(house.ledger, subject, role, name, KEYS[key], policy.access)

    sign("alice", "alice")
    sign("alice", "alice")
    assert house.decide("approvals = 2", access)["approvals"][0] == "block"
    for name, key in (("carol", "carol"), ("bob", "carol")):
        with pytest.raises(DeniedError, match="denied"):
            sign(name, key)
    assert house.decide("approvals = 2", access)["approvals"][0] == "block"
    sign("bob", "bob")
    assert house.decide("approvals = 2", access)["approvals"][0] == "pass"
    assert [entry.kind for entry in house.ledger.entries()].count("denied-write") == 2
    without_bob = people(("alice", "approve"), ("bob", "label"))
    assert house.decide("approvals = 2", without_bob)["approvals"][0] == "block"


def test_a_forged_or_replayed_approval_does_not_count(house: House) -> None:
    add_files(house.ledger, [house.data])
    access = people(("alice", "approve"))
    policy = house.policy("approvals = 1", access)
    number = approve(house.ledger, "0" * 64, "approve", "alice", KEYS["alice"], policy.access)
    other = dict(house.ledger.entry(number).details) | {"subject": subject_of(house.data)}
    house.ledger.append([Entry("approval", house.ledger.entry(number).time, details=other)])
    forged = approve(house.ledger, subject_of(house.data), "approve", "bob", KEYS["bob"],
                     house.policy("", people(("bob", "approve"))).access)  # fmt: skip
    as_alice = dict(house.ledger.entry(forged).details) | {"by": "alice"}
    house.ledger.append([Entry("approval", house.ledger.entry(forged).time, details=as_alice)])
    assert house.decide("approvals = 1", access)["approvals"][0] == "block"


LABELS = "label = 'y'"
TWO_ABOVE_3 = "[access]\ntwo-person-above = 3\n" + people(("alice", "label"), ("bob", "label"))


def test_two_people_sign_for_many_changed_labels(house: House) -> None:
    policy = house.policy(LABELS, TWO_ABOVE_3)
    commit_checked(house.ledger, "train", [house.data], policy=policy)
    house.write(list(range(40)), ["b", "b"] * 2 + ["a", "b"] * 18)
    made = commit_checked(house.ledger, "train", [house.data], policy=policy)
    assert house.ledger.entry(made.entry).details["label_changes"] == 2
    assert house.decide(LABELS, TWO_ABOVE_3)["label-changes"] == (
        "pass",
        "2 labels were changed since train@1",
    )
    house.write(list(range(40)), ["b"] * 40)
    with pytest.raises(DeniedError, match=r"18 labels of train change and nobody signed train\.csv"):
        commit_checked(house.ledger, "train", [house.data], policy=policy)
    approve(house.ledger, subject_of(house.data), "label", "alice", KEYS["alice"], policy.access)
    with pytest.raises(DeniedError, match="alice signed"):
        commit_checked(house.ledger, "train", [house.data], policy=policy)
    approve(house.ledger, subject_of(house.data), "label", "bob", KEYS["bob"], policy.access)
    assert commit_checked(house.ledger, "train", [house.data], policy=policy).number == 3
    assert house.decide(LABELS, TWO_ABOVE_3)["label-changes"][0] == "pass"


def test_labels_are_counted_by_the_gate_from_what_two_people_signed_not_from_what_committers_say(
    house: House,
) -> None:
    def label_check() -> str:
        return house.decide(LABELS, TWO_ABOVE_3)["label-changes"][0]

    commit_checked(house.ledger, "train", [house.data])
    first = house.data.read_bytes()
    house.write(list(range(40)), ["b"] * 40)
    lie = {"label_changes": 0, "drift": {"from": "train@1", "files": {subject_of(house.data): ["y", "0.0"]}}}
    commit(house.ledger, "train", [house.data], details=lie)
    assert label_check() == "block"
    add_files(house.ledger, [house.data])
    assert label_check() == "block"
    house.data.write_bytes(first)
    assert label_check() == "pass"  # the way back
    for step in range(1, 5):  # each time few, against the version before
        house.write(list(range(40)), ["b"] * (4 * step) + ["a", "b"] * (20 - 2 * step))
        commit_checked(house.ledger, "train", [house.data])
        assert label_check() == ("pass" if 2 * step <= 3 else "block")
    policy = house.policy(LABELS, TWO_ABOVE_3)
    for name in ("alice", "bob"):
        approve(house.ledger, subject_of(house.data), "label", name, KEYS[name], policy.access)
    assert label_check() == "pass"
    house.write(list(range(40)), ["b"] * 20 + ["a", "b"] * 10)
    assert label_check() == "pass"  # two more than what they signed


def test_a_label_that_changes_with_other_values_counts_where_rows_have_an_identifier(house: House) -> None:
    def table(labels: str, value: float) -> None:
        write_table(pa.table({"x": list(range(40)), "v": [value] * 40, "y": list(labels)}), house.data)

    table("ab" * 20, 0.5)
    commit_checked(house.ledger, "train", [house.data])
    table("b" * 40, 0.50001)
    assert house.decide(LABELS, TWO_ABOVE_3)["label-changes"][0] == "pass"
    assert house.decide(LABELS + "\nid = 'x'", TWO_ABOVE_3)["label-changes"][0] == "block"


def test_what_cannot_be_compared_is_blocked(house: House) -> None:
    commit_checked(house.ledger, "train", [house.data])
    house.write(list(range(40)), ["b"] * 40)
    assert "label = to [gate]" in house.decide("", TWO_ABOVE_3)["label-changes"][1]
    write_table(pa.table({"x": [1], "other": [2], "y": ["a"]}), house.data)
    assert house.decide(LABELS, TWO_ABOVE_3)["label-changes"][0] == "block"
    commit_checked(house.ledger, "other", [house.data])  # and now it is not clear with what to compare
    found = house.decide("max-drift = 0.9\n" + LABELS, TWO_ABOVE_3)
    assert [found[name][0] for name in ("drift", "label-changes")] == ["block", "block"]
    assert "name one with dataset =" in found["drift"][1]
    assert house.decide("max-drift = 1\ndataset = 'train'")["drift"][0] == "pass"


def test_drift_is_an_effect_size_between_versions(house: House) -> None:
    commit_checked(house.ledger, "train", [house.data])
    assert house.decide("max-drift = 0.1")["drift"][0] == "skip"
    house.write(list(range(40)), ["a"] * 10 + ["b"] * 30)
    commit_checked(house.ledger, "train", [house.data])
    status, reason = house.decide("max-drift = 0.1")["drift"]
    assert (status, reason[:44]) == ("block", "column 'y' moved by 0.250 from train@1, at mo"[:44])
    assert house.decide("max-drift = 0.3")["drift"][0] == "pass"
    known = pa.table({"x": [0.0, 1.0, None], "d": ["u", "v", "v"]})
    assert drift(known, known).distance == 0
    assert drift(known, pa.table({"x": [0.0, 1.0, 1.0], "d": ["u", "v", "v"]})).distance == pytest.approx(
        1 / 3
    )
    assert drift(known, pa.table({"x": [1]})).distance == 1


def test_what_the_gate_measured_is_remembered_and_nobody_elses_word_is_taken_for_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_checked(house.ledger, "train", [house.data])
    house.write(list(range(40)), ["a"] * 10 + ["b"] * 30)
    commit_checked(house.ledger, "train", [house.data], policy=house.policy("max-drift = 0.3"))
    monkeypatch.setattr("foretaste.provenance.gate.drift.open_file", None)  # nothing is read any more
    assert house.decide("max-drift = 0.1")["drift"][0] == "block"
    assert house.decide("max-drift = 0.3")["drift"][0] == "pass"
    monkeypatch.undo()
    monkeypatch.setenv("FORETASTE_KEYS", str(house.folder / "keys"))
    (kept,) = (house.folder / "keys" / "measured").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"0.25", b"0.05"))  # by somebody without the secret
    assert house.decide("max-drift = 0.1")["drift"][0] == "block"
    assert b"0.25" in kept.read_bytes()
    (house.folder / "keys" / "gate.secret").chmod(0o644)  # others may know it: nothing is remembered
    kept.unlink()
    assert house.decide("max-drift = 0.1")["drift"][0] == "block"
    assert not kept.exists()


def test_drift_is_from_the_last_version_with_the_approvals_not_from_the_last_commit(house: House) -> None:
    access = people(("alice", "approve"))
    asked = "max-drift = 0.1\napprovals = 1"
    policy = house.policy(asked, access)
    commit_checked(house.ledger, "train", [house.data])
    commit_checked(house.ledger, "train", [house.write(list(range(41)), ["a", "b"] * 20 + ["a"])])
    approve(house.ledger, subject_of(house.data), "approve", "alice", KEYS["alice"], policy.access)
    house.write(list(range(40)), ["a"] * 10 + ["b"] * 30)
    commit_checked(house.ledger, "train", [house.data])  # the stepping stone of an attacker
    house.write(list(range(41)), ["a"] * 10 + ["b"] * 31)
    commit_checked(house.ledger, "train", [house.data])
    status, reason = house.decide(asked, access)["drift"]
    assert (status, "from train@2" in reason) == ("block", True)
    assert "from train@3" in house.decide("max-drift = 0.1")["drift"][1]


def test_a_signature_that_only_the_ledgers_writer_claims_blocks(house: House) -> None:
    key = VerifierKey.of("vendor", KEYS["vendor"])
    sources = house.folder / "sources.toml"
    sources.write_text(f'schema = 1\n[source.vendor]\n[[source.vendor.key]]\nkey = "{key}"\n')
    signature = sign_batch([house.data], "vendor", KEYS["vendor"]).encode()
    ingest(house.ledger, SourcePolicy.read(sources), "vendor", [house.data], signature)
    true = house.ledger.entry(0)
    house.write([1, 2], ["a", "b"])
    record = FileRecord("train.csv", *house.ledger.store.put(house.data), "store")
    asked = "require-signatures = true\nsources = 'sources.toml'"
    for files in ((record,), (record, true.files[-1])):  # none, and one of another batch
        forged = Entry("ingest", now(), files, source="vendor", details=true.details)
        house.ledger.append([forged])
        assert house.decide(asked)["signatures"][0] == "block"


def test_witnesses_must_have_seen_it_long_enough_ago(house: House) -> None:
    add_files(house.ledger, [house.data])
    witness = new_key()
    key = VerifierKey.of("witness.example", witness, COSIGNATURE)
    policy = f"witnessed-checkpoint = 'kept'\nwitnesses = ['{key}']\nwitness-age = '1h'"
    (house.folder / "kept").write_bytes(house.ledger.checkpoint.encode())
    assert house.decide(policy)["witness"][0] == "block"
    for age, expected in ((60, "block"), (7200, "pass")):
        signed = house.ledger.checkpoint.cosign("witness.example", witness, int(time.time()) - age)
        (house.folder / "kept").write_bytes(signed.encode())
        assert house.decide(policy)["witness"][0] == expected
    later = house.folder / "later.csv"
    later.write_text("x,y\n1,a\n")
    add_files(house.ledger, [later])
    assert house.decide(policy, path=later)["witness"][1].endswith("does not have this entry yet")


def test_models_are_inspected_and_rolling_back_passes_the_gate(house: House) -> None:
    model = house.folder / "model.pkl"
    model.write_bytes(b"cos\nsystem\n(S'id'\ntR.")
    add_files(house.ledger, [model])
    assert house.decide("", path=model)["model-file"][0] == "block"
    model.write_bytes(b"N.")
    add_files(house.ledger, [model])
    assert {status for status, _ in house.decide("", path=model).values()} == {"pass"}
    first = commit_checked(house.ledger, "train", [house.data])
    house.write([1], ["a"])
    commit_checked(house.ledger, "train", [house.data])
    strict = house.policy("allowed-sources = ['nobody']")
    with pytest.raises(DeniedError, match="train@1 does not pass the gate"):
        roll_back_checked(house.ledger, "train", 1, policy=strict)
    assert list(house.ledger.entries())[-1].kind == "denied-write"
    assert roll_back_checked(house.ledger, "train", 1, policy=house.policy("")).files == first.files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no table [gate]"),
        ("[gate]\nmax-drfit = 1", "has no 'max-drfit'; did you mean 'max-drift'?"),
        ("[gate]\nmax-drift = 2", "use a number from 0 to 1"),
        ("[gate]\napprovals = 1", "approvals needs a ledger"),
        ("[gate]\nwitness-age = 'soon'", "use a span such as"),
        ("[gate]\nwitnesses = ['x']", "this is no public key"),
        ("[gate]\nmax-findings = {huge = 1}", "use a table of critical"),
        ("[gate]\n[access]\nroles = 1", "[access] has no 'roles'"),
        ("[gate]\n[access.people.eve]\nkey = 'x'\nroles = ['root']", "use a list of ingest"),
        ("[gate", "this is not TOML"),
    ],
)
def test_a_policy_that_cannot_be_used_is_said_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "foretaste.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_policy(tmp_path / "foretaste.toml")
    assert said in str(raised.value)


def test_a_policy_that_asks_for_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "foretaste.toml").write_text("[gate]\n")
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(ConfigError, match="asks nothing of"):
        gate([tmp_path / "a.csv"], load_policy(tmp_path / "foretaste.toml"))
